//! `assay job new`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use assay_engine::Module;
use assay_primitives::program::{MAX_BUFFERS, MAX_NAME, MAX_STEPS};

use super::{Outcome, check, infer::entries};
use crate::{
    UNIT_FUEL,
    draft::{self, Changes, Draft, Entry, Shape, Trial},
    error::CliError,
    infer::{self, Proposal},
    job::{self, Job},
    kernel::{self, DEFAULT_ARCH, Serial},
    local, term,
};

/// How long guesses are tried, and how long their `writes` are looked for; about.
const TRIALS: Duration = Duration::from_secs(2);
const WRITES: Duration = Duration::from_secs(1);
/// The time after which no other sizes are tried.
const ENOUGH: Duration = Duration::from_secs(4);
/// Sizes are these parts of those guessed, until the draft runs.
const PARTS: [u32; 2] = [1, 4];

/// Most entries that are tried in an order of threads.
const ORDERED: usize = 64;

/// In which order an entry is accepted that is not as it stands: that of all threads, where they need not wait for each other.
fn ordered(ptx: &[u8], name: &str) -> Option<Serial> {
    [Serial::Threads, Serial::Ctas].into_iter().find(|serial| {
        let made = serial.rewrite(ptx, |entry| entry == name).ok().and_then(|made| Module::parse(&made).ok());
        made.is_some_and(|module| module.entry(name).is_some_and(|entry| entry.kernel.is_ok()))
    })
}

pub fn run(file: &Path, wanted: &[String], output: Option<&Path>) -> Outcome {
    let source = file.extension().is_some_and(|extension| extension == "cu");
    let ptx = if source {
        kernel::compile(file, DEFAULT_ARCH)?
    } else {
        std::fs::read(file).map_err(CliError::file(file))?
    };
    let checked = check::of(file, ptx, true)?;
    let mut all = draft::entries(checked.prepared.written());
    let accepted = |entry: &Entry| checked.entries.iter().any(|checked| checked.name == entry.name && checked.accepted);
    for entry in all.iter_mut().filter(|entry| !accepted(entry)).take(ORDERED) {
        entry.ordered = ordered(&checked.prepared.ptx, &entry.name);
    }
    let accepted = |entry: &Entry| accepted(entry) || entry.ordered.is_some();
    let mut entries = Vec::new();
    for name in wanted {
        let entry = all.iter().find(|entry| &entry.name == name || &entry.plain == name);
        let Some(entry) = entry else {
            return Err(CliError::Refused(format!("{} has no entry {name}", file.display())));
        };
        if !accepted(entry) {
            return Err(CliError::Refused(format!("{name} is not accepted: assay kernel check says why")));
        }
        entries.push(entry.clone());
    }
    if wanted.is_empty() {
        entries.extend(all.into_iter().filter(accepted));
    }
    if entries.is_empty() {
        return Err(CliError::Refused(format!(
            "no entry of {} is accepted: assay kernel check says why",
            file.display()
        )));
    }
    let variables = job::without_values(checked.prepared.written());
    // Libraries bring entries along that do nothing, or have longer names than a launch can.
    let works = |entry: &Entry| {
        let reaches = entry.reaches_buffers() || variables.iter().any(|(_, _, users)| users.contains(&entry.name));
        reaches && entry.name.len() <= MAX_NAME as usize
    };
    if wanted.is_empty() && entries.iter().any(works) {
        entries.retain(works);
    }
    let used = |entries: &[Entry]| -> Vec<(String, usize)> {
        let used = variables.iter().filter(|(_, _, users)| entries.iter().any(|entry| users.contains(&entry.name)));
        used.map(|(name, bytes, _)| (name.clone(), *bytes)).collect()
    };
    if used(&entries).is_empty() && !entries.iter().any(Entry::reaches_buffers) {
        return Err(CliError::Refused(
            "no parameter is a pointer or a structure, so nothing would come back".to_owned(),
        ));
    }

    // The source names the parameters.
    let beside = file.with_extension("cu");
    let text = std::fs::read_to_string(if source { file } else { &beside }).ok();
    let to_stdout = output == Some(Path::new("-"));
    let target = match output {
        Some(output) => output.to_owned(),
        None => file.with_extension("toml"),
    };
    let folder = |path: &Path| std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_owned));
    let path = match file.file_name() {
        Some(name) if !to_stdout && folder(file) == folder(&target) => name.to_string_lossy().into_owned(),
        _ if to_stdout => file.display().to_string(),
        _ => std::path::absolute(file).map_err(CliError::file(file))?.display().to_string(),
    };
    let stem = file.file_stem().map_or("kernel".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let shown = if to_stdout { "JOB.toml".to_owned() } else { target.display().to_string() };
    if !to_stdout && target.exists() {
        return Err(CliError::file(&target)(std::io::ErrorKind::AlreadyExists.into()));
    }
    let (variables, left_out) = (used(&entries), Vec::new());
    if let Some(text) = &text {
        draft::name(&mut entries, text);
    }
    let mut draft = Draft { kernel: &stem, path: &path, file: &shown, entries, left_out, variables };
    // A program has no room for all.
    if wanted.is_empty() {
        let more = draft.entries.split_off(draft.entries.len().min(MAX_STEPS as usize));
        draft.left_out.extend(more.into_iter().rev().map(|entry| entry.plain));
        draft.variables = used(&draft.entries);
    }
    while wanted.is_empty() && draft.entries.len() > 1 && !fits(&draft) {
        draft.left_out.extend(draft.entries.pop().map(|entry| entry.plain));
        draft.variables = used(&draft.entries);
    }
    draft.left_out.reverse();
    let (draft, runs) = tried(&draft, checked.prepared.written())?;
    if to_stdout {
        term::line(draft.trim_end());
        return Ok(());
    }
    let mut made = std::fs::File::create_new(&target).map_err(CliError::file(&target))?;
    std::io::Write::write_all(&mut made, draft.as_bytes()).map_err(CliError::file(&target))?;
    let run = if runs { format!("it runs (assay job run {shown}); ") } else { String::new() };
    term::note(&format!(
        "{shown}: {run}put in the sizes and values, then assay job check {shown} --infer-writes --save"
    ));
    Ok(())
}

/// Whether a program has room for its buffers.
fn fits(draft: &Draft<'_>) -> bool {
    let written = draft::write(draft, &Changes::default());
    written.buffers.len().saturating_add(draft.variables.len()) <= MAX_BUFFERS as usize
}

/// The draft with the sizes and `writes` with which it runs, and whether it does as a whole.
fn tried(draft: &Draft<'_>, ptx: &[u8]) -> Result<(String, bool), CliError> {
    let folder = tempfile::tempdir().map_err(CliError::file(Path::new("a temporary folder")))?;
    let (kernel, file) = (folder.path().join("kernel.ptx"), folder.path().join("job.toml"));
    std::fs::write(&kernel, ptx).map_err(CliError::file(&kernel))?;
    let path = kernel.display().to_string();
    let here = Draft { path: &path, ..draft.clone() };
    let mut trial = Trial::new(&here, &file);
    let (mut first, began) = (None, Instant::now());
    for part in PARTS {
        if first.is_some() && began.elapsed() > ENOUGH {
            break;
        }
        let mut changes = trial.changes(TRIALS, part);
        if !trial.is_late() {
            put_writes(&trial, &mut changes);
        }
        if changes.runs {
            return Ok((draft::write(draft, &changes).text, true));
        }
        first.get_or_insert(changes);
    }
    Ok((draft::write(draft, &first.unwrap_or_default()).text, false))
}

/// Adds the `writes` of launches whose units keep to them; CTAs that share bytes run one after the other where that can be.
fn put_writes(trial: &Trial<'_>, changes: &mut Changes) {
    let Some((mut job, mut shapes, mut proposals)) = proposed(trial, changes) else {
        changes.runs = false;
        return;
    };
    let shares = |proposal: &Proposal| proposal.trap.is_none() && !proposal.complete();
    let sharing: Vec<usize> = proposals.iter().filter(|proposal| shares(proposal)).filter_map(position).collect();
    for at in &sharing {
        let mut other = changes.clone();
        other.serial.insert(*at);
        if trial.runs(&other, *at) {
            *changes = other;
        }
    }
    if sharing.iter().any(|at| changes.serial.contains(at)) {
        let Some(again) = proposed(trial, changes) else { return };
        (job, shapes, proposals) = again;
    }
    let serial = |at: usize| shapes.get(at).is_none_or(|shape| shape.serial);
    let mut with = changes.clone();
    for proposal in &proposals {
        let Some(at) = position(proposal) else { continue };
        let known = proposal.complete() && proposal.verified > 0 && proposal.real_inputs;
        if known && !serial(at) {
            with.writes.insert(at, entries(&job, proposal));
        }
    }
    if trial.says(&with, &proposals) {
        *changes = with;
    }
    changes.runs &= (0..shapes.len()).all(|at| changes.writes.contains_key(&at) || serial(at));
}

fn proposed(trial: &Trial<'_>, changes: &Changes) -> Option<(Job, Vec<Shape>, Vec<Proposal>)> {
    let (job, written) = trial.job(changes, false)?;
    let prepared = local::prepare(&job, UNIT_FUEL).ok()?;
    let proposals = infer::infer(&prepared, local::start(&job), UNIT_FUEL, WRITES);
    Some((job, written.launches, proposals))
}

fn position(proposal: &Proposal) -> Option<usize> {
    usize::try_from(proposal.launch).ok()
}
