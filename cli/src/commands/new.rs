//! `assay job new`.

use std::path::Path;

use assay_primitives::program::MAX_NAME;

use super::{Outcome, check};
use crate::{
    draft::{self, Draft, Entry},
    error::CliError,
    job,
    kernel::{self, DEFAULT_ARCH},
    term,
};

pub fn run(file: &Path, wanted: &[String], output: Option<&Path>) -> Outcome {
    let source = file.extension().is_some_and(|extension| extension == "cu");
    let ptx = if source {
        kernel::compile(file, DEFAULT_ARCH)?
    } else {
        std::fs::read(file).map_err(CliError::file(file))?
    };
    let checked = check::of(file, ptx, true)?;
    let accepted = |entry: &Entry| checked.entries.iter().any(|checked| checked.name == entry.name && checked.accepted);
    let all = draft::entries(checked.prepared.written());
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
    let variables: Vec<(String, usize)> = variables
        .iter()
        .filter(|(_, _, users)| entries.iter().any(|entry| users.contains(&entry.name)))
        .map(|(name, bytes, _)| (name.clone(), *bytes))
        .collect();
    if variables.is_empty() && !entries.iter().any(Entry::reaches_buffers) {
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
    let draft =
        draft::write(&Draft { kernel: &stem, path: &path, file: &shown, entries, variables, source: text.as_deref() });
    if to_stdout {
        term::line(draft.trim_end());
        return Ok(());
    }
    let mut made = std::fs::File::create_new(&target).map_err(CliError::file(&target))?;
    std::io::Write::write_all(&mut made, draft.as_bytes()).map_err(CliError::file(&target))?;
    term::note(&format!("{shown}: put in the sizes and values, then assay job check {shown} --infer-writes --save"));
    Ok(())
}
