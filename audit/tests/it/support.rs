use assay_audit::{
    Job as AuditJob, Snapshot, State, Verdict, WitnessError, WitnessParts, build_witness, judge, run_cta,
};
use assay_engine::{Module, Outcome};
use assay_kernels::{Job, heat};
use assay_primitives::{
    Arg, Axis, BlobId, Dim, Hash, Launch, Program, Step, Unit, WriteMap, Writes,
    audit::{unit_at, unit_count},
    check::{EntryInfo, check},
    program::{Buffer, Init},
    slice::Outboard,
    trace::{initial_state, state_root, trace_path, trace_root},
    witness::Witness,
};
use std::sync::{Arc, OnceLock};

pub const FUEL: u64 = 20_000_000;

/// One state: its buffers' bytes, and what proves ranges of them.
#[derive(Clone)]
pub struct Held {
    pub buffers: Vec<Arc<Vec<u8>>>,
    pub outboards: Vec<Arc<Outboard>>,
}

impl State for Held {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.buffers.get(usize::from(buffer)).map(|bytes| bytes.as_slice())
    }
}

impl Snapshot for Held {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.outboards.get(usize::from(buffer)).map(Arc::as_ref)
    }
}

impl Held {
    fn start(job: &Job) -> Self {
        let outboards = job.program.buffers.iter().zip(&job.buffers).map(|(buffer, bytes)| match buffer.init {
            Init::Zero => Outboard::zero(buffer.len),
            Init::Blob(_) => Outboard::new(bytes),
        });
        let start = Self {
            outboards: outboards.map(Arc::new).collect(),
            buffers: job.buffers.iter().cloned().map(Arc::new).collect(),
        };
        let blobs: Vec<_> = start.outboards.iter().map(|outboard| outboard.blob).collect();
        assert_eq!(blobs, initial_state(&job.program), "{}: the buffers are those of the program", job.name);
        start
    }

    /// Writes, and hashes the buffer again.
    pub fn write(&mut self, buffer: u16, offset: u64, bytes: &[u8]) {
        self.put(buffer, offset, bytes);
        self.hash(buffer);
    }

    fn put(&mut self, buffer: u16, offset: u64, bytes: &[u8]) {
        let at = offset as usize;
        Arc::make_mut(&mut self.buffers[usize::from(buffer)])[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub fn hash(&mut self, buffer: u16) {
        let buffer = usize::from(buffer);
        self.outboards[buffer] = Arc::new(Outboard::new(&self.buffers[buffer]));
    }

    fn root(&self) -> Hash {
        state_root(&self.outboards.iter().map(|outboard| outboard.blob).collect::<Vec<_>>())
    }
}

/// A program with its states.
#[derive(Clone)]
pub struct Trace {
    pub name: &'static str,
    pub program: Program,
    pub modules: Arc<Vec<Module>>,
    pub states: Vec<Held>,
}

impl Trace {
    /// Runs every unit of the job.
    pub fn honest(job: &Job) -> Self {
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
        let modules = Arc::new(modules);
        let mut trace = Self { name: job.name, program: job.program.clone(), modules, states: vec![Held::start(job)] };
        let mut index = 0;
        let count = unit_count(&trace.program);
        while index < count {
            let launch = unit_at(&trace.program, index).unwrap().launch;
            let before = trace.states.last().unwrap();
            let mut after = before.clone();
            let mut changed = std::collections::BTreeSet::new();
            while let Some(unit) = unit_at(&trace.program, index).filter(|unit| unit.launch == launch) {
                let run = run_cta(&trace.job(), unit, before, None).unwrap();
                assert!(matches!(run.outcome, Outcome::Done { .. }), "{} {unit:?}: {:?}", job.name, run.outcome);
                for effect in run.effects {
                    after.put(effect.buffer, effect.offset, &effect.bytes);
                    changed.insert(effect.buffer);
                }
                index += 1;
            }
            changed.into_iter().for_each(|buffer| after.hash(buffer));
            trace.states.push(after);
        }
        for (buffer, bytes) in &job.expected {
            let found = trace.states.last().unwrap().buffer(*buffer).unwrap();
            assert!(found == bytes, "{}: buffer {buffer} is not what the reference says", job.name);
        }
        trace
    }

    pub fn job(&self) -> AuditJob<'_> {
        AuditJob { program: &self.program, modules: &self.modules, fuel: FUEL }
    }

    pub fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        (0..unit_count(&self.program)).map(|index| unit_at(&self.program, index).unwrap())
    }

    pub fn roots(&self) -> Vec<Hash> {
        self.states.iter().map(Held::root).collect()
    }

    pub fn root(&self) -> Hash {
        trace_root(&self.roots()).unwrap()
    }

    pub fn witness(&self, unit: Unit) -> (Witness, Outcome) {
        let roots = self.roots();
        let parts = WitnessParts {
            before: &self.states[unit.launch as usize],
            after: &self.states[unit.launch as usize + 1],
            before_path: trace_path(&roots, unit.launch).unwrap(),
            after_path: trace_path(&roots, unit.launch + 1).unwrap(),
        };
        build_witness(&self.job(), unit, parts).unwrap()
    }

    pub fn judge(&self, unit: Unit, witness: &Witness) -> Result<Verdict, WitnessError> {
        judge(&self.job(), &self.root(), unit, witness, None)
    }

    /// The verdict from the witness that an honest builder makes of these states.
    pub fn verdict(&self, unit: Unit) -> Verdict {
        self.judge(unit, &self.witness(unit).0).unwrap()
    }
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
    TRACE.get_or_init(|| Trace::honest(&plate())).clone()
}

/// Numbers below a bound, the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
