use assay_engine::{AccessError, Argument, Entry, Geometry, Memory, Module, Outcome};

pub struct Buffers(pub Vec<Vec<u8>>);

impl Memory for Buffers {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let from = offset as usize;
        let bytes = self.0[usize::from(buffer)].get(from..from + out.len()).ok_or(AccessError::OutOfBounds)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let from = offset as usize;
        let place = self.0[usize::from(buffer)].get_mut(from..from + bytes.len()).ok_or(AccessError::OutOfBounds)?;
        place.copy_from_slice(bytes);
        Ok(())
    }
}

pub const THREADS: usize = 256;

/// Runs an entry with pointers to the buffers as its arguments, over so many threads.
pub fn run(ptx: &[u8], entry: &str, buffers: Vec<Vec<u8>>, threads: usize) -> Vec<Vec<u8>> {
    let module = Module::parse(ptx).unwrap_or_else(|error| panic!("{entry}: {error:?}"));
    let kernel = module.entry(entry).unwrap().kernel.as_ref().unwrap_or_else(|refused| panic!("{entry}: {refused:?}"));
    let ctas = threads.div_ceil(THREADS) as u32;
    let geometry = Geometry { grid: [ctas, 1, 1], block: [THREADS as u32, 1, 1], shared: 0 };
    let arguments: Vec<Argument> =
        (0..buffers.len()).map(|index| Argument::Buffer { index: index as u16, offset: 0 }).collect();
    let mut memory = Buffers(buffers);
    for cta in 0..ctas {
        let outcome = kernel.run(&geometry, &arguments, [cta, 0, 0], &mut memory, 1 << 40, None).unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }), "{entry}: {outcome:?}");
    }
    memory.0
}

/// splitmix64.
pub fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// Runs an entry `(int n, const T *in, T *out)` with a thread for each of `n`.
pub fn run_n(entry: &Entry, n: usize, input: &[u8], output: usize) -> Vec<u8> {
    let kernel = entry.kernel.as_ref().unwrap_or_else(|refused| panic!("{}: {refused:?}", entry.name));
    let ctas = n.div_ceil(THREADS) as u32;
    let geometry = Geometry { grid: [ctas, 1, 1], block: [THREADS as u32, 1, 1], shared: 0 };
    let buffer = |index| Argument::Buffer { index, offset: 0 };
    let arguments = [Argument::Bytes((n as u32).to_le_bytes().to_vec()), buffer(0), buffer(1)];
    let mut memory = Buffers(vec![input.to_vec(), vec![0; output]]);
    for cta in 0..ctas {
        let outcome = kernel.run(&geometry, &arguments, [cta, 0, 0], &mut memory, 1 << 40, None).unwrap();
        assert!(matches!(outcome, Outcome::Done { .. }), "{}: {outcome:?}", entry.name);
    }
    memory.0.swap_remove(1)
}
