//! `assay job check --infer-writes --save`.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use assay_primitives::{Launch, Program, Step, Writes};
use tempfile::NamedTempFile;

use crate::{
    args::JobArgs,
    error::CliError,
    infer::{self, Proposal},
    job::{Job, Options, Source, edit},
};

/// Launches of a file, by what became of their `writes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// They are new.
    pub written: usize,
    /// They said the same already.
    pub kept: usize,
}

/// The job file as it was before the proposal was made.
pub struct Before {
    source: Source,
    options: Options,
}

fn refused(reason: impl std::fmt::Display) -> CliError {
    CliError::Refused(format!("nothing is saved: {reason}"))
}

impl Before {
    /// Reads the file, whose job must be what the command line makes of it.
    pub fn read(args: &JobArgs) -> Result<Self, CliError> {
        if !(args.set.is_empty() && args.image.is_empty() && args.files.is_empty()) {
            return Err(refused("with --set, --image or --file the sizes are not those of the file"));
        }
        let options = Options { no_exact_maths: args.no_exact_maths, ..Options::default() };
        Ok(Self { source: Source::read(&args.file)?, options })
    }

    /// Puts entries into the `writes` of the launches that begin on these lines, if they say what was proposed.
    pub fn save(
        &self,
        job: &Job,
        proposals: &[Proposal],
        entries: &BTreeMap<usize, Vec<String>>,
    ) -> Result<Saved, CliError> {
        let slots: Vec<_> = edit::slots(&self.source)?.into_iter().filter(|slot| !slot.serial).collect();
        // Each with its place in the program.
        let mut wanted: Vec<(usize, usize, &Proposal)> = Vec::new();
        for proposal in proposals {
            let position = usize::try_from(proposal.launch).unwrap_or(usize::MAX);
            let Some(place) = job.launches.get(position) else { continue };
            let Some(slot) = slots.iter().find(|slot| Some(slot.line) == place.line) else { continue };
            if !proposal.complete() {
                return Err(refused(format!("{place}: no map is known")));
            }
            if proposal.verified == 0 || !proposal.real_inputs {
                return Err(refused(format!("{place}: the proposal is not verified: give --time")));
            }
            if !entries.contains_key(&slot.line) {
                return Err(refused(format!("{place}: no one text says what each round writes")));
            }
            wanted.push((slot.line, position, proposal));
        }
        let mut new: BTreeMap<usize, Vec<String>> = entries.clone();
        new.retain(|line, _| wanted.iter().any(|(wanted, ..)| wanted == line));

        let load = |text: String| Job::of(Source::of(&job.file, text), &self.options);
        let mut text = edit::with_writes(&self.source, &slots, &new);
        let made = load(text.clone()).map_err(|error| refused(format!("with the proposal, {error}")))?;
        let lengths: Vec<u64> = job.buffers.iter().map(|buffer| buffer.buffer.len).collect();
        let (launches, plain) = (launches(&made.program), launches(&job.program));
        let same = plain.len() == launches.len()
            && plain
                .iter()
                .zip(&launches)
                .all(|(plain, made)| Launch { writes: plain.writes.clone(), ..(*made).clone() } == **plain);
        let says = |(_, position, proposal): &(usize, usize, &Proposal)| {
            let launch = launches.get(*position)?;
            Some(infer::writes(proposal, launch.grid, &lengths)? == launch.writes)
        };
        if !same || !wanted.iter().all(|wanted| says(wanted) == Some(true)) {
            return Err(refused("written down, the proposal would say something else"));
        }
        // What says the same keeps its words.
        let old = load(self.source.text().to_owned()).ok();
        let maps = old.as_ref().map(|old| self::launches(&old.program)).unwrap_or_default();
        let writes = |launches: &[&Launch], position: usize| -> Option<Writes> {
            launches.get(position).map(|launch| launch.writes.clone())
        };
        let differs = |position: usize| writes(&maps, position) != writes(&launches, position);
        let there = |line: usize| slots.iter().any(|slot| slot.line == line && slot.is_there());
        let count = new.len();
        new.retain(|line, _| !there(*line) || wanted.iter().any(|(of, position, _)| of == line && differs(*position)));
        text = edit::with_writes(&self.source, &slots, &new);
        if !new.is_empty() {
            self.replace(&text)?;
        }
        Ok(Saved { written: new.len(), kept: count.saturating_sub(new.len()) })
    }

    /// The file as a whole, or not at all.
    fn replace(&self, text: &str) -> Result<(), CliError> {
        let named = &self.source.file;
        // A link stays one.
        let path = std::fs::canonicalize(named).map_err(CliError::file(named))?;
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        let mut file = NamedTempFile::new_in(folder).map_err(CliError::file(named))?;
        let permissions = std::fs::metadata(&path).map_err(CliError::file(named))?.permissions();
        file.write_all(text.as_bytes()).map_err(CliError::file(named))?;
        file.as_file().set_permissions(permissions).map_err(CliError::file(named))?;
        file.as_file().sync_all().map_err(CliError::file(named))?;
        if std::fs::read(&path).map_err(CliError::file(named))? != self.source.text().as_bytes() {
            return Err(refused(format!("{} has changed meanwhile", named.display())));
        }
        file.persist(&path).map_err(|error| CliError::file(named)(error.error))?;
        Ok(())
    }
}

/// The launches in the order written.
fn launches(program: &Program) -> Vec<&Launch> {
    let mut all = Vec::new();
    for step in &program.steps {
        match step {
            Step::Launch(launch) => all.push(launch),
            Step::Repeat { launches, .. } => all.extend(launches.iter()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_has_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("job.toml");
        std::fs::write(&file, "a = 1").unwrap();
        let before = Before { source: Source::read(&file).unwrap(), options: Options::default() };
        std::fs::write(&file, "a = 2").unwrap();
        let error = before.replace("a = 3").unwrap_err().to_string();
        assert!(error.contains("job.toml has changed meanwhile"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a = 2");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("job.toml"), folder.path().join("link.toml"));
        std::fs::write(&file, "a = 1").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("job.toml", &link).unwrap();
        let before = Before { source: Source::read(&link).unwrap(), options: Options::default() };
        before.replace("a = 2").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a = 2");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
