//! One program, three memories: plain buffers, the audited state, the recorded witness.

use crate::{
    bytes::Bytes,
    generate::{OWN, WORDS, generate},
};
use assay_audit::{Trace, Verdict, run_cta};
use assay_engine::{AccessError, Argument, Geometry, Memory, Module, Outcome, Tier, TrapKind};
use assay_primitives::{
    Arg, Axis, BlobId, Dim, Launch, Program, Step, WriteMap, Writes, hash,
    program::{Buffer, Init},
};

const FUEL: u64 = 200_000;
const CTAS: u32 = 2;

/// Two buffers; of the second a CTA owns one stretch.
struct Plain {
    buffers: [Vec<u8>; 2],
    own: std::ops::Range<u64>,
}

impl Memory for Plain {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let held = self.buffers.get(usize::from(buffer)).ok_or(AccessError::OutOfBounds)?;
        let end = offset.checked_add(out.len() as u64).filter(|end| *end <= held.len() as u64);
        let end = end.ok_or(AccessError::OutOfBounds)?;
        let owned = CTAS as u64 * (self.own.end - self.own.start);
        if buffer == 1 && (offset..end).any(|at| at < owned && !self.own.contains(&at)) {
            return Err(AccessError::OwnedByOther);
        }
        out.copy_from_slice(&held[offset as usize..end as usize]);
        Ok(())
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let held = self.buffers.get_mut(usize::from(buffer)).ok_or(AccessError::OutOfBounds)?;
        let end = offset.checked_add(bytes.len() as u64).filter(|end| *end <= held.len() as u64);
        let end = end.ok_or(AccessError::OutOfBounds)?;
        if buffer != 1 || (offset..end).any(|at| !self.own.contains(&at)) {
            return Err(AccessError::NotOwned);
        }
        held[offset as usize..end as usize].copy_from_slice(bytes);
        Ok(())
    }

    fn writable(&self, buffer: u16) -> bool {
        buffer == 1
    }
}

/// A generated program and its run.
pub struct Generated {
    /// Its PTX.
    pub text: String,
    /// Both CTAs of one launch.
    pub trace: Trace,
    threads: u32,
    argument: u32,
    /// Bytes that one CTA owns.
    share: u64,
}

/// Generates a program out of bytes and runs it, with so much fuel for a unit.
pub fn generated(data: &[u8], fuel: u64) -> Generated {
    let mut bytes = Bytes(data);
    let threads = bytes.pick(&[1, 31, 32, 33, 64]);
    let argument = bytes.word();
    let text = generate(bytes.rest());
    let module = Module::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}\n{text}"));

    let size = u64::from(WORDS) * 4;
    let share = u64::from(threads * OWN) * 4;
    let input: Vec<u8> = (0..size).map(|at| (at * 31 + u64::from(argument) + (at >> 5)) as u8).collect();
    let output = vec![0xa5; size as usize];
    let map = WriteMap {
        buffer: 1,
        base: 0,
        dims: vec![Dim::Span { stride: share as i64, extent: CTAS.into(), axis: Some(Axis::X), tile: 1 }]
            .try_into()
            .unwrap(),
        run: share,
    };
    let launch = Launch {
        kernel: 0,
        entry: b"k".to_vec().try_into().unwrap(),
        grid: [CTAS, 1, 1],
        block: [threads, 1, 1],
        shared: 0,
        args: vec![Arg::Buffer { index: 0, offset: 0 }, Arg::Buffer { index: 1, offset: 0 }, Arg::U32(argument)]
            .try_into()
            .unwrap(),
        writes: Writes::Maps(vec![map].try_into().unwrap()),
    };
    let blob = |bytes: &[u8], output| Buffer { len: size, init: Init::Blob(BlobId::of(bytes)), output };
    let program = Program {
        kernels: vec![hash::plain(text.as_bytes())].try_into().unwrap(),
        buffers: vec![blob(&input, false), blob(&output, true)].try_into().unwrap(),
        steps: vec![Step::Launch(launch)].try_into().unwrap(),
    };
    let trace = Trace::run(program, vec![module], vec![input, output], fuel).unwrap_or_else(|error| panic!("{error}"));
    Generated { text, trace, threads, argument, share }
}

/// Generates a program, runs it by each memory, and compares outcome, lane-steps, digest and bytes.
pub fn programs(data: &[u8]) {
    let Generated { text, trace, threads, argument, share } = generated(data, FUEL);
    let kernel =
        trace.modules[0].entries[0].kernel.as_ref().unwrap_or_else(|rejection| panic!("{rejection:?}\n{text}"));
    let [input, output] = [0, 1].map(|buffer| trace.states[0].buffers[buffer].to_vec());

    let key = [argument as u8; 32];
    let geometry = Geometry { grid: [CTAS, 1, 1], block: [threads, 1, 1], shared: 0 };
    let arguments = [
        Argument::Buffer { index: 0, offset: 0 },
        Argument::Buffer { index: 1, offset: 0 },
        Argument::Bytes(argument.to_le_bytes().to_vec()),
    ];
    for unit in trace.units() {
        let from = u64::from(unit.cta[0]) * share;
        let mut plain = Plain { buffers: [input.clone(), output.clone()], own: from..from + share };
        let outcome = kernel.run(&geometry, &arguments, unit.cta, &mut plain, FUEL, Some(&key)).unwrap();
        let audited = run_cta(&trace.job(), unit, &trace.states[0], Some(&key)).unwrap();
        assert_eq!(outcome, audited.outcome, "plain and audited memory\n{text}");
        let (witness, recorded) = trace.witness(unit).unwrap();
        let verdict = trace.judge(unit, &witness, Some(&key)).unwrap();
        match outcome {
            Outcome::Done { lane_steps, digest } => {
                assert_eq!(verdict, Verdict::Verified { lane_steps, digest }, "replay\n{text}");
                assert_eq!(recorded, Outcome::Done { lane_steps, digest: [0; 32] }, "recording\n{text}");
                let mut expected = output.clone();
                for effect in audited.effects {
                    let at = effect.offset as usize;
                    expected[at..at + effect.bytes.len()].copy_from_slice(&effect.bytes);
                }
                assert_eq!(plain.buffers[1], expected, "bytes\n{text}");
                for tier in [Tier::Baseline, Tier::Interpreted, Tier::Compiled] {
                    assay_engine::run_as(tier);
                    for (key, digest) in [(Some(&key), digest), (None, [0; 32])] {
                        let mut again = Plain { buffers: [input.clone(), output.clone()], own: from..from + share };
                        let outcome = kernel.run(&geometry, &arguments, unit.cta, &mut again, FUEL, key).unwrap();
                        assert_eq!(outcome, Outcome::Done { lane_steps, digest }, "{tier:?}\n{text}");
                        assert_eq!(again.buffers, plain.buffers, "{tier:?}: bytes\n{text}");
                    }
                }
                assay_engine::run_as(Tier::Best);
                let with = |fuel, key| {
                    let mut again = Plain { buffers: [input.clone(), output.clone()], own: from..from + share };
                    kernel.run(&geometry, &arguments, unit.cta, &mut again, fuel, key).unwrap()
                };
                // Few threads use the fuel of more.
                let enough = lane_steps * u64::from(assay_engine::LEAST_LANES);
                assert_eq!(with(enough, Some(&key)), Outcome::Done { lane_steps, digest });
                let short = with(lane_steps - 1, None);
                assert!(
                    matches!(&short, Outcome::Trap(trap) if trap.kind == TrapKind::FuelExhausted),
                    "{short:?}\n{text}"
                );
            }
            Outcome::Trap(trap) => {
                assert_eq!(verdict, Verdict::ProgramFault(trap.clone()), "replay\n{text}");
                assert_eq!(recorded, Outcome::Trap(trap), "recording\n{text}");
            }
            Outcome::Incomplete { .. } => panic!("whole memory lacks nothing\n{text}"),
        }
    }
}
