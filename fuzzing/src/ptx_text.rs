//! Any bytes as PTX.

use assay_engine::{AccessError, Argument, Entry, Geometry, Memory, Module, Outcome};

const LEN: usize = 4096;
const FUEL: u64 = 20_000;

/// Two buffers that the block may use freely.
#[derive(Clone, PartialEq, Eq)]
struct Plain([Vec<u8>; 2]);

impl Plain {
    fn range(&mut self, buffer: u16, offset: u64, len: usize) -> Result<&mut [u8], AccessError> {
        let held = self.0.get_mut(usize::from(buffer)).ok_or(AccessError::OutOfBounds)?;
        let start = usize::try_from(offset).map_err(|_| AccessError::OutOfBounds)?;
        let end = start.checked_add(len).ok_or(AccessError::OutOfBounds)?;
        held.get_mut(start..end).ok_or(AccessError::OutOfBounds)
    }
}

impl Memory for Plain {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        out.copy_from_slice(self.range(buffer, offset, out.len())?);
        Ok(())
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        self.range(buffer, offset, bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }
}

fn run(entry: &Entry, block: [u32; 3], key: Option<&[u8; 32]>) -> Option<(Outcome, Plain)> {
    let kernel = entry.kernel.as_ref().ok()?;
    let arguments: Vec<Argument> = entry
        .params
        .iter()
        .zip(0u16..)
        .map(|(param, at)| match param.size {
            8 => Argument::Buffer { index: at % 2, offset: 0 },
            size => Argument::Bytes(vec![at as u8 + 3; size as usize]),
        })
        .collect();
    let mut memory = Plain([vec![1; LEN], vec![2; LEN]]);
    let geometry = Geometry { grid: [2, 1, 1], block, shared: 256 };
    let outcome = kernel.run(&geometry, &arguments, [1, 0, 0], &mut memory, FUEL, key).ok()?;
    Some((outcome, memory))
}

/// Parses, checks, and runs what is accepted.
pub fn ptx_text(data: &[u8]) {
    let module = match Module::parse(data) {
        Ok(module) => module,
        Err(error) => {
            assert!(error.line >= 1 && !error.reason.is_empty(), "{error:?}");
            return;
        }
    };
    for entry in &module.entries {
        let kernel = match &entry.kernel {
            Ok(kernel) => kernel,
            Err(rejection) => {
                assert!(!rejection.reason.is_empty(), "{}", entry.name);
                continue;
            }
        };
        let parameters: u64 = entry.params.iter().map(|param| u64::from(param.size)).sum();
        assert!(kernel.max_threads <= 1024 && parameters <= 8192, "{}", entry.name);
        for block in [[33, 2, 1], [1, 1, 1]] {
            let bare = run(entry, block, None);
            assay_engine::run_as(assay_engine::Tier::Compiled);
            let keyed = run(entry, block, Some(&[7; 32]));
            assay_engine::run_as(assay_engine::Tier::Best);
            match (&bare, &keyed) {
                (
                    Some((Outcome::Done { lane_steps, digest }, memory)),
                    Some((Outcome::Done { lane_steps: again, digest: keyed }, same)),
                ) => {
                    assert_eq!(lane_steps, again);
                    assert!(*lane_steps <= FUEL && *digest == [0; 32] && *keyed != [0; 32] && memory == same);
                }
                (Some((outcome, _)), Some((again, _))) => assert_eq!(outcome, again),
                (None, None) => {}
                _ => panic!("only one of two launches started"),
            }
            assert!(!matches!(bare, Some((Outcome::Incomplete { .. }, _))));
        }
    }
}
