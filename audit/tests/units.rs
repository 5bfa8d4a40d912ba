//! Honest and dishonest traces of a real program, judged from witnesses.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assay_audit::{Fault, Job, Snapshot, State, Verdict, WitnessError, WitnessParts, build_witness, judge, run_cta};
use assay_engine::{Module, Outcome};
use assay_primitives::{
    Arg, Axis, Dim, Hash, Program, Unit, WriteMap, Writes,
    audit::{unit_at, unit_count},
    program::{Buffer, Init, Launch, Step},
    slice::Outboard,
    trace::{state_root, trace_path, trace_root},
    witness::{Side, Witness},
};
use proptest::prelude::*;

const WIDTH: u32 = 40;
const HEIGHT: u32 = 24;
const LEN: u64 = (WIDTH * HEIGHT * 4) as u64;
const FUEL: u64 = 10_000_000;

fn plate() -> Vec<u8> {
    (0..WIDTH * HEIGHT).flat_map(|i| ((i * 7919 % 1000) as f32).to_le_bytes()).collect()
}

/// Heat flow on a plate, twice back and forth.
fn program() -> Program {
    let launch = |from, to| Launch {
        kernel: 0,
        entry: b"heat".to_vec().try_into().unwrap(),
        grid: [3, 2, 1],
        block: [16, 16, 1],
        shared: 0,
        args: vec![
            Arg::Buffer { index: from, offset: 0 },
            Arg::Buffer { index: to, offset: 0 },
            Arg::U32(WIDTH),
            Arg::U32(HEIGHT),
            Arg::F32(0.2f32.to_bits()),
        ]
        .try_into()
        .unwrap(),
        writes: Writes::Maps(
            vec![WriteMap {
                buffer: to,
                base: 0,
                dims: vec![
                    Dim::Span { stride: i64::from(WIDTH * 4), extent: u64::from(HEIGHT), axis: Some(Axis::Y), tile: 16 },
                    Dim::Span { stride: 4, extent: u64::from(WIDTH), axis: Some(Axis::X), tile: 16 },
                ]
                .try_into()
                .unwrap(),
                run: 4,
            }]
            .try_into()
            .unwrap(),
        ),
    };
    Program {
        kernels: vec![[0; 32]].try_into().unwrap(),
        buffers: vec![
            Buffer { len: LEN, init: Init::Blob(Outboard::new(&plate()).blob), output: true },
            Buffer { len: LEN, init: Init::Zero, output: false },
        ]
        .try_into()
        .unwrap(),
        steps: vec![Step::Repeat { times: 2, launches: vec![launch(0, 1), launch(1, 0)].try_into().unwrap() }]
            .try_into()
            .unwrap(),
    }
}

#[derive(Clone)]
struct Held {
    buffers: Vec<Vec<u8>>,
    outboards: Vec<Outboard>,
}

impl State for Held {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.buffers.get(usize::from(buffer)).map(Vec::as_slice)
    }
}

impl Snapshot for Held {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.outboards.get(usize::from(buffer))
    }
}

impl Held {
    fn start() -> Self {
        let plate = plate();
        Self { outboards: vec![Outboard::new(&plate), Outboard::zero(LEN)], buffers: vec![plate, vec![0; LEN as usize]] }
    }

    fn write(&mut self, buffer: u16, offset: u64, bytes: &[u8]) {
        let buffer = usize::from(buffer);
        let at = offset as usize;
        self.buffers[buffer][at..at + bytes.len()].copy_from_slice(bytes);
        self.outboards[buffer] = Outboard::new(&self.buffers[buffer]);
    }

    fn root(&self) -> Hash {
        state_root(&self.outboards.iter().map(|outboard| outboard.blob).collect::<Vec<_>>())
    }
}

struct Trace {
    program: Program,
    modules: Vec<Module>,
    states: Vec<Held>,
}

impl Trace {
    fn honest() -> Self {
        let program = program();
        let ptx = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels/ptx/heat.ptx")).unwrap();
        let modules = vec![Module::parse(&ptx).unwrap()];
        let mut trace = Self { program, modules, states: vec![Held::start()] };
        for index in 0..unit_count(&trace.program) {
            let unit = unit_at(&trace.program, index).unwrap();
            if trace.states.len() == unit.launch as usize + 1 {
                trace.states.push(trace.states.last().unwrap().clone());
            }
            let run = run_cta(&trace.job(), unit, &trace.states[unit.launch as usize], None).unwrap();
            assert!(matches!(run.outcome, Outcome::Done { .. }), "{:?}", run.outcome);
            for effect in run.effects {
                trace.states.last_mut().unwrap().write(effect.buffer, effect.offset, &effect.bytes);
            }
        }
        trace
    }

    fn job(&self) -> Job<'_> {
        Job { program: &self.program, modules: &self.modules, fuel: FUEL }
    }

    fn root(&self) -> Hash {
        trace_root(&self.roots()).unwrap()
    }

    fn roots(&self) -> Vec<Hash> {
        self.states.iter().map(Held::root).collect()
    }

    fn witness(&self, unit: Unit) -> (Witness, Outcome) {
        let roots = self.roots();
        let parts = WitnessParts {
            before: &self.states[unit.launch as usize],
            after: &self.states[unit.launch as usize + 1],
            before_path: trace_path(&roots, unit.launch).unwrap(),
            after_path: trace_path(&roots, unit.launch + 1).unwrap(),
        };
        build_witness(&self.job(), unit, parts).unwrap()
    }

    fn judge(&self, unit: Unit) -> Verdict {
        judge(&self.job(), &self.root(), unit, &self.witness(unit).0, None).unwrap()
    }
}

#[test]
fn every_unit_of_an_honest_trace_is_verified_with_the_fuel_and_digest_of_the_run() {
    let trace = Trace::honest();
    let key = [7; 32];
    for index in 0..unit_count(&trace.program) {
        let unit = unit_at(&trace.program, index).unwrap();
        let (witness, recorded) = trace.witness(unit);
        let run = run_cta(&trace.job(), unit, &trace.states[unit.launch as usize], Some(&key)).unwrap();
        let Outcome::Done { lane_steps, digest } = run.outcome else { panic!("{:?}", run.outcome) };
        assert!(matches!(recorded, Outcome::Done { lane_steps: steps, .. } if steps == lane_steps));
        assert_eq!(
            judge(&trace.job(), &trace.root(), unit, &witness, Some(&key)).unwrap(),
            Verdict::Verified { lane_steps, digest }
        );
        assert_ne!(digest, [0; 32]);
    }
}

#[test]
fn each_of_a_thousand_wrong_bytes_is_convicted() {
    let trace = Trace::honest();
    let mut seed = 1u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..1000 {
        let unit = unit_at(&trace.program, random(unit_count(&trace.program))).unwrap();
        let before = &trace.states[unit.launch as usize];
        let effects = run_cta(&trace.job(), unit, before, None).unwrap().effects;
        let effect = &effects[random(effects.len() as u64) as usize];
        let offset = effect.offset + random(effect.bytes.len() as u64);
        let wrong = effect.bytes[(offset - effect.offset) as usize] ^ (1 << random(8));
        let mut lie = Trace { program: program(), modules: Vec::new(), states: trace.states.clone() };
        lie.modules = vec![
            Module::parse(&std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels/ptx/heat.ptx")).unwrap()).unwrap(),
        ];
        lie.states[unit.launch as usize + 1].write(effect.buffer, offset, &[wrong]);
        assert_eq!(
            lie.judge(unit),
            Verdict::ProviderFault(Fault::WrongByte { buffer: effect.buffer, offset })
        );
    }
}

#[test]
fn a_false_start_and_a_change_of_a_foreign_buffer_are_convicted() {
    let unit = Unit { launch: 0, cta: [1, 1, 0] };
    let mut lie = Trace::honest();
    lie.states[0].write(0, 0, &[1, 2, 3]);
    assert_eq!(lie.judge(unit), Verdict::ProviderFault(Fault::BadStart));

    let mut lie = Trace::honest();
    lie.states[1].write(0, 5, &[0xff]);
    assert_eq!(lie.judge(unit), Verdict::ProviderFault(Fault::UnownedChange { buffer: 0 }));

    let mut lie = Trace::honest();
    lie.states[1].buffers[1].push(0);
    lie.states[1].outboards[1] = Outboard::new(&lie.states[1].buffers[1]);
    assert_eq!(lie.judge(unit), Verdict::ProviderFault(Fault::BadState));
}

#[test]
fn a_byte_that_nobody_owns_may_not_change_beside_owned_ones() {
    let mut lie = Trace::honest();
    // A map that leaves the last row to nobody.
    let Step::Repeat { launches, .. } = &mut lie.program.steps[0] else { panic!() };
    let Writes::Maps(maps) = &mut launches[0].writes;
    let Dim::Span { extent, .. } = &mut maps[0].dims[0] else { panic!() };
    *extent = u64::from(HEIGHT) - 1;
    let unit = Unit { launch: 0, cta: [0, 1, 0] };
    // The kernel stores there: the customer's fault.
    assert!(matches!(lie.judge(unit), Verdict::ProgramFault(_)));
    // A CTA that does not: then the change is the provider's.
    let unit = Unit { launch: 0, cta: [0, 0, 0] };
    let proved_end = 16 * u64::from(WIDTH) * 4;
    assert!(proved_end < LEN);
    let Step::Repeat { launches, .. } = &mut lie.program.steps[0] else { panic!() };
    let Writes::Maps(maps) = &mut launches[0].writes;
    let Dim::Span { extent, .. } = &mut maps[0].dims[0] else { panic!() };
    *extent = 16;
    lie.states[1].write(1, 16 * u64::from(WIDTH) * 4, &[0xee]);
    assert_eq!(lie.judge(unit), Verdict::ProviderFault(Fault::UnownedChange { buffer: 1 }));
}

#[test]
fn a_unit_that_does_not_exist_has_no_verdict() {
    let trace = Trace::honest();
    let (witness, _) = trace.witness(Unit { launch: 0, cta: [0; 3] });
    for unit in [
        Unit { launch: 4, cta: [0; 3] },
        Unit { launch: u32::MAX, cta: [0; 3] },
        Unit { launch: 0, cta: [3, 0, 0] },
        Unit { launch: 0, cta: [0, 0, 1] },
    ] {
        assert_eq!(judge(&trace.job(), &trace.root(), unit, &witness, None), Err(WitnessError::NoUnit));
    }
}

#[test]
fn a_witness_without_the_bytes_that_a_unit_needs_shows_nothing() {
    let trace = Trace::honest();
    let unit = Unit { launch: 1, cta: [1, 0, 0] };
    let (witness, _) = trace.witness(unit);
    for index in 0..witness.slices.len() {
        let mut slices = witness.slices.to_vec();
        slices.remove(index);
        let less = Witness { slices: slices.try_into().unwrap(), ..witness.clone() };
        assert_eq!(judge(&trace.job(), &trace.root(), unit, &less, None), Err(WitnessError::Incomplete), "without {index}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_tampered_witness_never_gives_another_verdict(byte in any::<prop::sample::Index>(), bit in 0u8..8, which in any::<prop::sample::Index>()) {
        use codec::{DecodeAll, Encode};
        let trace = Trace::honest();
        let unit = unit_at(&trace.program, which.index(unit_count(&trace.program) as usize) as u64).unwrap();
        let (witness, _) = trace.witness(unit);
        let mut bytes = witness.encode();
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(tampered) = Witness::decode_all(&mut bytes.as_slice()) {
            let verdict = judge(&trace.job(), &trace.root(), unit, &tampered, None);
            prop_assert!(verdict.is_err() || matches!(verdict, Ok(Verdict::Verified { .. })), "{verdict:?}");
        }
    }
}

#[test]
fn slices_out_of_order_or_twice_are_refused() {
    let trace = Trace::honest();
    let unit = Unit { launch: 0, cta: [0; 3] };
    let (witness, _) = trace.witness(unit);
    assert!(witness.slices.iter().any(|slice| slice.side == Side::After));
    let mut reversed = witness.slices.to_vec();
    reversed.reverse();
    let mut twice = witness.slices.to_vec();
    twice.insert(0, twice[0].clone());
    for slices in [reversed, twice] {
        let wrong = Witness { slices: slices.try_into().unwrap(), ..witness.clone() };
        assert_eq!(judge(&trace.job(), &trace.root(), unit, &wrong, None), Err(WitnessError::Slice));
    }
}
