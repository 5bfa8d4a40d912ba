use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use assay_audit::{Job as AuditJob, Run, State, run_cta};
use assay_engine::{Module, Outcome};
use assay_kernels::Job;
use assay_primitives::{Unit, check};

/// The crate's folder.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files under `folder` whose names end in `.extension`, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|this| this == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub struct Buffers(pub Vec<Vec<u8>>);

impl State for Buffers {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.0.get(usize::from(buffer)).map(Vec::as_slice)
    }
}

/// Parses the job's kernels.
pub fn modules(job: &Job) -> Vec<Module> {
    job.kernels.iter().map(|ptx| Module::parse(ptx).unwrap_or_else(|error| panic!("{}: {error:?}", job.name))).collect()
}

/// What a program has to know of an entry.
pub fn interface(modules: &[Module], kernel: u16, name: &[u8]) -> Option<check::EntryInfo> {
    let entry = modules.get(usize::from(kernel))?.entry(std::str::from_utf8(name).ok()?)?;
    let kernel = entry.kernel.as_ref().ok()?;
    Some(check::EntryInfo {
        name: name.to_vec().try_into().ok()?,
        params: entry.params.iter().map(|param| param.size as u16).collect::<Vec<_>>().try_into().ok()?,
        shared: kernel.shared,
        max_threads: kernel.max_threads,
    })
}

/// Runs all units of a job on the engine: the last state and the lane-steps, or what went wrong where.
pub fn run(job: &Job) -> Result<(Vec<Vec<u8>>, u64), String> {
    let modules = modules(job);
    check::check(&job.program, |kernel, name| interface(&modules, kernel, name))
        .map_err(|error| format!("{error:?}"))?;
    let audited = AuditJob { program: &job.program, modules: &modules, fuel: 20_000_000 };
    let mut state = Buffers(job.buffers.clone());
    let steps = AtomicU64::new(0);
    for launch in 0..job.program.launches() as u32 {
        let grid = job.program.launch(launch).unwrap().launch.grid;
        let units: Vec<Unit> = (0..grid[2])
            .flat_map(|z| (0..grid[1]).flat_map(move |y| (0..grid[0]).map(move |x| [x, y, z])))
            .map(|cta| Unit { launch, cta })
            .collect();
        let run = |unit: &Unit| -> Result<Run, String> {
            let run = run_cta(&audited, *unit, &state, None).map_err(|error| format!("{unit:?}: {error:?}"))?;
            match &run.outcome {
                Outcome::Done { lane_steps, .. } => {
                    steps.fetch_add(*lane_steps, Ordering::Relaxed);
                    Ok(run)
                }
                other => Err(format!("{unit:?}: {other:?}")),
            }
        };
        let runs: Vec<Result<Run, String>> = std::thread::scope(|scope| {
            let parts: Vec<_> = units
                .chunks(units.len().div_ceil(2))
                .map(|part| scope.spawn(|| part.iter().map(run).collect::<Vec<_>>()))
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        });
        let mut next = state.0.clone();
        for run in runs {
            for effect in run?.effects {
                let at = effect.offset as usize;
                next[usize::from(effect.buffer)][at..at + effect.bytes.len()].copy_from_slice(&effect.bytes);
            }
        }
        state.0 = next;
    }
    Ok((state.0, steps.into_inner()))
}
