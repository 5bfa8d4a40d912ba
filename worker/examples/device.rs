//! Every kernel of the suite, and generated programs, on the GPU at hand: each byte of each state against the engine.
//!
//! ```text
//! ./x gpu [--out FILE]          the first GPU
//! ./x gpu --cpu [--out FILE]    the engine alone
//! ```
//! FILE gets the trace root of each job: the vectors of `kernels/vectors`, which the tests compare with.

use anyhow::{Context, bail};
use assay_audit::Trace;
use assay_fuzzing::{Forms, Generated, forms, generated, mutate::Dice};
use assay_primitives::Program;
use assay_worker::backend::{
    Backend, Buffers, Compared, Cpu, Prepared, compare,
    cuda::{self, Cuda},
};
use clap::Parser;
use std::{fmt::Write as _, num::NonZeroUsize, path::PathBuf, process::ExitCode, sync::Arc};

/// Fuel of one unit, as the runtime has it.
const FUEL: u64 = 20_000_000;

/// Runs every kernel of the suite, and generated programs, on a GPU and on the engine, and compares every byte of every state.
#[derive(Parser)]
struct Arguments {
    /// Compare the engine on one thread instead of a GPU.
    #[arg(long)]
    cpu: bool,
    /// Only jobs whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// So many generated programs; about one in five breaks no rule, and is compared.
    #[arg(long, default_value_t = 600)]
    generated: u64,
    /// The date that is recorded.
    #[arg(long, default_value = "")]
    date: String,
    /// Write the trace roots here, if nothing differs.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    // The backend starts this very program to touch the driver.
    match std::env::args().nth(1).as_deref() {
        Some("device") => {
            cuda::serve()?;
            return Ok(ExitCode::SUCCESS);
        }
        Some("probe") => {
            let report = cuda::probe_here().map_or_else(cuda::Report::Absent, cuda::Report::Gpus);
            println!("{}", serde_json::to_string(&report)?);
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let arguments = Arguments::parse();
    let (device, about) = device(arguments.cpu)?;
    println!("{about}");
    let mut vectors = format!("# {about} {}\n", arguments.date);
    let mut tally = Tally::default();
    for job in assay_kernels::all()?.into_iter().filter(|job| job.name.contains(&arguments.only)) {
        let ptx = job.kernels.iter().map(|ptx| ptx.to_vec()).collect();
        if let Some(root) = tally.note(job.name, compared(job.program, ptx, job.buffers, device.as_ref())) {
            writeln!(vectors, "{} {root}", job.name)?;
        }
    }
    for class in forms(60) {
        tally.forms(&class, device.as_ref());
    }
    for seed in 0..arguments.generated {
        let mut dice = Dice(seed);
        let count = 100 + dice.below(900);
        let Generated { text, trace, .. } = generated(&dice.bytes(count), FUEL);
        let compared = compared(trace.program.clone(), vec![text.into_bytes()], start(&trace), device.as_ref());
        tally.note(&format!("generated {seed}"), compared);
    }
    let Tally { same, traps, wrong } = tally;
    println!("{same} the same to the last byte, {} not, {traps} break a rule and promise nothing", wrong.len());
    wrong.iter().for_each(|line| println!("  {line}"));
    if wrong.is_empty()
        && let Some(path) = arguments.out
    {
        std::fs::write(&path, vectors).with_context(|| path.display().to_string())?;
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn device(cpu: bool) -> anyhow::Result<(Box<dyn Backend>, String)> {
    if cpu {
        return Ok((Box::new(Cpu::new(NonZeroUsize::MIN)), "the CPU engine".into()));
    }
    let program = std::env::current_exe()?;
    let gpus = match cuda::probe(&program) {
        Ok(gpus) => gpus,
        Err(absence) => bail!("no GPU: {absence}"),
    };
    let gpu = gpus.into_iter().next().context("no GPU")?;
    let (major, minor) = gpu.compute;
    let (version, revision) = (gpu.driver / 1000, gpu.driver % 1000 / 10);
    let about = format!("{}, compute capability {major}.{minor}, CUDA driver {version}.{revision}", gpu.name);
    Ok((Box::new(Cuda::new(program, gpu)), about))
}

#[derive(Default)]
struct Tally {
    same: u32,
    traps: u32,
    wrong: Vec<String>,
}

/// A job run by both.
fn compared(
    program: Program,
    ptx: Vec<Vec<u8>>,
    start: Vec<Vec<u8>>,
    device: &dyn Backend,
) -> anyhow::Result<Compared> {
    let start = Buffers(start.into_iter().map(Arc::new).collect());
    Ok(compare(&Prepared::new(program, ptx, FUEL)?, &start, &Cpu::default(), device)?)
}

/// The buffers before the first launch.
fn start(trace: &Trace) -> Vec<Vec<u8>> {
    trace.states.first().map_or_else(Vec::new, |state| state.buffers.iter().map(|bytes| bytes.to_vec()).collect())
}

impl Tally {
    /// The trace root, where both say the same.
    fn note(&mut self, name: &str, compared: anyhow::Result<Compared>) -> Option<String> {
        match compared {
            Ok(Compared::Same { trace_root }) => {
                self.same += 1;
                return Some(hex::encode(trace_root));
            }
            Ok(Compared::Trap(..)) => self.traps += 1,
            Ok(other) => self.wrong.push(format!("{name}: {other:?}")),
            Err(error) => self.wrong.push(format!("{name}: {error:#}")),
        }
        None
    }

    /// Instruction forms; where one differs, its operands are told.
    fn forms(&mut self, class: &Forms, device: &dyn Backend) {
        let ptx = vec![class.text.clone().into_bytes()];
        let compared = compared(class.trace.program.clone(), ptx, start(&class.trace), device);
        let name = match &compared {
            Ok(Compared::Differs { offset, .. }) => {
                format!("{}, {} of {}", class.name, class.at(*offset), class.operands(*offset))
            }
            _ => class.name.to_owned(),
        };
        self.note(&name, compared);
    }
}
