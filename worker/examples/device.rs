//! Every kernel of the suite, and generated programs, on the GPU at hand: each byte of each state against the engine.
//!
//! ```text
//! ./x gpu [--out FILE]          the first GPU
//! ./x gpu --cpu [--out FILE]    the engine alone
//! ```
//! FILE gets the trace root of each job: the vectors of `kernels/vectors`, which the tests compare with.

use anyhow::{Context, bail};
use assay_fuzzing::{Generated, generated, mutate::Dice};
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
        if let Some(root) = tally.check(job.name, job.program, ptx, job.buffers, device.as_ref()) {
            writeln!(vectors, "{} {root}", job.name)?;
        }
    }
    for seed in 0..arguments.generated {
        let mut dice = Dice(seed);
        let count = 100 + dice.below(900);
        let Generated { text, trace, .. } = generated(&dice.bytes(count), FUEL);
        let start = trace.states.first().context("no state")?.buffers.iter().map(|bytes| bytes.to_vec()).collect();
        tally.check(&format!("generated {seed}"), trace.program, vec![text.into_bytes()], start, device.as_ref());
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

impl Tally {
    /// The trace root, where both say the same.
    fn check(
        &mut self,
        name: &str,
        program: Program,
        ptx: Vec<Vec<u8>>,
        start: Vec<Vec<u8>>,
        device: &dyn Backend,
    ) -> Option<String> {
        let start = Buffers(start.into_iter().map(Arc::new).collect());
        let compared = Prepared::new(program, ptx, FUEL)
            .map_err(|error| error.to_string())
            .and_then(|job| compare(&job, &start, &Cpu::default(), device).map_err(|error| error.to_string()));
        match compared {
            Ok(Compared::Same { trace_root }) => {
                self.same += 1;
                return Some(hex::encode(trace_root));
            }
            Ok(Compared::Trap(..)) => self.traps += 1,
            Ok(other) => self.wrong.push(format!("{name}: {other:?}")),
            Err(error) => self.wrong.push(format!("{name}: {error}")),
        }
        None
    }
}
