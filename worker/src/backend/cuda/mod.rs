//! The CUDA backend. All that touches the driver runs in child processes of the same program: a driver that crashes, hangs or
//! lacks a symbol, or a kernel that never ends, takes nothing else with it, and SIGKILL is the one stop that always works.
//!
//! ```text
//! worker ── assay-worker probe ──▶ child: driver? version? devices? a kernel that counts right? ──▶ JSON
//!        └─ assay-worker device ─▶ child: program, PTX, buffers in ──▶ each launch's changed buffers out
//! ```

mod device;
mod probe;
mod wire;

pub use device::serve;
pub use probe::{Gpu, GpuAbsence, Report, probe, probe_here};

use super::{Backend, Buffers, Changed, Control, Keep, Prepared, RunError, Summary};
use codec::Encode;
use std::{
    io::{BufReader, BufWriter, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use wire::{Frame, Request};

/// How often a run is asked whether it was stopped.
const WATCH: Duration = Duration::from_millis(100);

/// A GPU that passed the probe.
#[derive(Clone, Debug)]
pub struct Cuda {
    program: PathBuf,
    gpu: Gpu,
}

impl Cuda {
    /// Runs on `gpu` through children of `program`, the `assay-worker` executable.
    pub fn new(program: PathBuf, gpu: Gpu) -> Self {
        Self { program, gpu }
    }
}

impl Backend for Cuda {
    fn name(&self) -> String {
        format!("cuda ({}, {} GiB)", self.gpu.name, self.gpu.memory >> 30)
    }

    fn run(&self, job: &Prepared, start: Buffers, control: &Control, keep: &mut Keep<'_>) -> Result<Summary, RunError> {
        let failed = |launch: u32, reason: String| RunError::Device { launch, reason };
        let child = Command::new(&self.program)
            .arg("device")
            .env_clear()
            .envs(
                std::env::vars()
                    .filter(|(name, _)| matches!(name.as_str(), "LD_LIBRARY_PATH" | "CUDA_VISIBLE_DEVICES")),
            )
            .env("CUDA_CACHE_DISABLE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| failed(0, format!("cannot start {}: {error}", self.program.display())))?;
        let watched = Watched::start(child, control.clone());
        let result = self.talk(job, start, control, keep, &watched);
        watched.stop();
        if control.is_cancelled() { Err(RunError::Cancelled) } else { result }
    }
}

impl Cuda {
    fn talk(
        &self,
        job: &Prepared,
        start: Buffers,
        control: &Control,
        keep: &mut Keep<'_>,
        watched: &Watched,
    ) -> Result<Summary, RunError> {
        let mut launch = 0u32;
        let pipe = |launch: u32| {
            move |error: std::io::Error| RunError::Device { launch, reason: format!("the child is gone: {error}") }
        };
        let (Some(input), Some(output)) = watched.pipes() else {
            return Err(RunError::Device { launch, reason: "the child has no pipes".into() });
        };
        // The child watches this pipe: it ends when its parent does, so it stays open until the run is over.
        let mut input = BufWriter::new(input);
        let request = Request { ordinal: self.gpu.ordinal, program: job.program().clone(), ptx: job.ptx().to_vec() };
        wire::write_bytes(&mut input, &request.encode()).map_err(pipe(0))?;
        for buffer in &start.0 {
            wire::write_bytes(&mut input, buffer).map_err(pipe(0))?;
        }
        input.flush().map_err(pipe(0))?;
        let mut output = BufReader::new(output);
        let mut changed: Vec<Changed> = Vec::new();
        loop {
            match Frame::read(&mut output).map_err(pipe(launch))? {
                Frame::Changed { buffer, bytes } => {
                    let declared = job.program().buffers.get(usize::from(buffer)).map(|buffer| buffer.len);
                    if declared != Some(bytes.len() as u64) {
                        return Err(RunError::Device { launch, reason: format!("buffer {buffer} has another length") });
                    }
                    changed.push((buffer, Arc::new(bytes)));
                }
                Frame::Launched => {
                    keep(launch, &changed)?;
                    changed.clear();
                    control.done(job.program().launch(launch).map_or(0, |placed| placed.launch.ctas()));
                    launch = launch.saturating_add(1);
                }
                Frame::Done if u64::from(launch) == job.program().launches() => return Ok(Summary::default()),
                Frame::Done => return Err(RunError::Device { launch, reason: "launches are missing".into() }),
                Frame::Failed(reason) => return Err(RunError::Device { launch, reason }),
            }
        }
    }
}

/// A child that dies when the run is stopped.
struct Watched {
    child: Arc<Mutex<Child>>,
    over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Watched {
    fn start(child: Child, control: Control) -> Self {
        let child = Arc::new(Mutex::new(child));
        let over = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (child, over) = (child.clone(), over.clone());
            move || {
                while !over.load(Ordering::Relaxed) && !control.is_cancelled() {
                    std::thread::park_timeout(WATCH);
                }
                let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = child.kill();
                let _ = child.wait();
            }
        });
        Self { child, over, thread }
    }

    fn pipes(&self) -> (Option<std::process::ChildStdin>, Option<std::process::ChildStdout>) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        (child.stdin.take(), child.stdout.take())
    }

    /// Ends the child and waits for it: its device memory is free then.
    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        let _ = self.thread.join();
    }
}
