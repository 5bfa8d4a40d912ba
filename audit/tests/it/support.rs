use assay_audit::{State, Trace, Verdict};
use assay_engine::Module;
use assay_kernels::{Job, heat};
use assay_primitives::{
    Arg, Axis, BlobId, Dim, Launch, Program, Step, Unit, WriteMap, Writes,
    check::{EntryInfo, check},
    program::{Buffer, Init},
    trace::initial_state,
};
use std::sync::OnceLock;

pub const FUEL: u64 = 20_000_000;

/// The honest trace of a job whose program passes the check, ends, and gives what its reference says.
pub fn honest(job: &Job) -> Trace {
    let modules: Vec<Module> = job.kernels.iter().map(|ptx| Module::parse(ptx).unwrap()).collect();
    let entry = |kernel: u16, name: &[u8]| {
        let entry = modules.get(usize::from(kernel))?.entry(std::str::from_utf8(name).ok()?)?;
        let kernel = entry.kernel.as_ref().ok()?;
        Some(EntryInfo {
            name: name.to_vec().try_into().unwrap(),
            params: entry.params.iter().map(|param| param.size as u16).collect::<Vec<_>>().try_into().unwrap(),
            shared: kernel.shared,
            max_threads: kernel.max_threads,
        })
    };
    assert_eq!(check(&job.program, entry), Ok(()), "{}", job.name);
    let trace = Trace::run(job.program.clone(), modules, job.buffers.clone(), FUEL).unwrap();
    assert_eq!(trace.trap, None, "{}", job.name);
    let blobs: Vec<_> = trace.states[0].outboards.iter().map(|outboard| outboard.blob).collect();
    assert_eq!(blobs, initial_state(&job.program), "{}: the buffers are those of the program", job.name);
    for (buffer, bytes) in &job.expected {
        let found = trace.states.last().unwrap().buffer(*buffer).unwrap();
        assert!(found == bytes, "{}: buffer {buffer} is not what the reference says", job.name);
    }
    trace
}

/// The verdict from the witness that an honest builder makes of these states.
pub fn verdict(trace: &Trace, unit: Unit) -> Verdict {
    trace.judge(unit, &trace.witness(unit).unwrap().0, None).unwrap()
}

const WIDTH: u32 = 40;
const HEIGHT: u32 = 24;

/// Heat on a plate of 40 × 24 floats, given as a blob, to a zeroed one and back, twice; six CTAs a launch.
fn plate() -> Job {
    let plate: Vec<f32> = (0..WIDTH * HEIGHT).map(|i| (i * 7919 % 1000) as f32).collect();
    let bytes: Vec<u8> = plate.iter().flat_map(|value| value.to_le_bytes()).collect();
    let len = bytes.len() as u64;
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
            Arg::F32(0.25f32.to_bits()),
        ]
        .try_into()
        .unwrap(),
        writes: Writes::Maps(
            vec![WriteMap {
                buffer: to,
                base: 0,
                dims: vec![
                    Dim::Span {
                        stride: i64::from(WIDTH * 4),
                        extent: u64::from(HEIGHT),
                        axis: Some(Axis::Y),
                        tile: 16,
                    },
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
    let program = Program {
        kernels: vec![[0; 32]].try_into().unwrap(),
        buffers: vec![
            Buffer { len, init: Init::Blob(BlobId::of(&bytes)), output: true },
            Buffer { len, init: Init::Zero, output: false },
        ]
        .try_into()
        .unwrap(),
        steps: vec![Step::Repeat { times: 2, launches: vec![launch(0, 1), launch(1, 0)].try_into().unwrap() }]
            .try_into()
            .unwrap(),
    };
    let end = (0..4).fold(plate, |plate, _| heat::step(&plate, WIDTH as usize, HEIGHT as usize, 0.25));
    let end = end.iter().flat_map(|value| value.to_le_bytes()).collect();
    Job {
        name: "plate",
        kernels: vec![heat::PTX],
        program,
        buffers: vec![bytes, vec![0; len as usize]],
        expected: vec![(0, end)],
    }
}

/// The honest trace of the plate.
pub fn plate_trace() -> Trace {
    static TRACE: OnceLock<Trace> = OnceLock::new();
    TRACE.get_or_init(|| honest(&plate())).clone()
}

/// Numbers below a bound, the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
