use std::path::{Path, PathBuf};

use assay_audit::Trace;
use assay_engine::Module;
use assay_kernels::Job;
use assay_primitives::check;

/// The crate's folder: asked for when the test runs, because two checkouts may share a build folder.
pub fn folder() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap())
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

/// Runs all units of a job on the engine, or says what went wrong where.
pub fn trace(job: &Job) -> Result<Trace, String> {
    let modules = modules(job);
    check::check(&job.program, |kernel, name| interface(&modules, kernel, name))
        .map_err(|error| format!("{error:?}"))?;
    let trace =
        Trace::run(job.program.clone(), modules, job.buffers.clone(), 20_000_000).map_err(|error| error.to_string())?;
    match &trace.trap {
        None => Ok(trace),
        Some((unit, trap)) => Err(format!("{unit:?}: {trap:?}")),
    }
}

/// The last state and the lane-steps.
pub fn run(job: &Job) -> Result<(Vec<Vec<u8>>, u64), String> {
    let trace = trace(job)?;
    let last = trace.states.last().ok_or("no state")?;
    Ok((last.buffers.iter().map(|bytes| bytes.to_vec()).collect(), trace.lane_steps))
}
