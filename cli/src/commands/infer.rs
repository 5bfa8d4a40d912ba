//! `assay job check --infer-writes`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Outcome, load_with,
    save::{Before, Saved},
};
use crate::{
    args::JobArgs,
    error::CliError,
    explain,
    infer::{
        self, Form, Proposal,
        rounds::{Round, together},
    },
    job::{Job, Place},
    kernel,
    local::{self, LocalError},
    term::{self, Style as Paint, Term},
};

pub fn run(args: &JobArgs, save: bool, time: u64, fuel: u64, json: bool, term: &Term) -> Outcome {
    let before = save.then(|| Before::read(args)).transpose()?;
    let job = load_with(args, true)?;
    let prepared = local::prepare(&job, fuel).map_err(LocalError::from)?;
    let proposals = infer::infer(&prepared, local::start(&job), fuel, Duration::from_secs(time));
    let all = by_line(&job, &proposals);
    let saved = before.map(|before| before.save(&job, &proposals, &texts(&job, &proposals, &all)));
    if json {
        let launches: Vec<Value> = proposals.iter().map(|proposal| answer(&job, proposal, &all)).collect();
        let mut whole = json!({ "launches": launches });
        if let (Some(fields), Some(saved)) = (whole.as_object_mut(), &saved) {
            match saved {
                Ok(saved) => fields.insert("saved".into(), json!({ "written": saved.written, "kept": saved.kept })),
                Err(error) => fields.insert("error".into(), error.json().get("error").cloned().unwrap_or_default()),
            };
        }
        term::json(&whole);
    } else {
        // Rounds of a `for` that say the same, or the same by its variables, are said once.
        let mut said: BTreeSet<(Option<usize>, Vec<String>)> = BTreeSet::new();
        for proposal in &proposals {
            let line = place(&job, proposal).and_then(|place| place.line);
            let whole = line.and_then(|line| all.get(&line)).cloned();
            let entries = whole.unwrap_or_else(|| entries(&job, proposal));
            if proposal.complete() && !said.insert((line, entries.clone())) {
                continue;
            }
            if said.len() > 1 {
                term::line("");
            }
            print(&job, proposal, &entries, term);
        }
    }
    match saved {
        Some(Err(_)) if json => return Err(CliError::Negative),
        Some(Err(error)) => return Err(error),
        Some(Ok(Saved { written, kept })) if !json => {
            let kept = match kept {
                0 => String::new(),
                count => format!("; {count} said the same already"),
            };
            let launches = if written == 1 { "launch" } else { "launches" };
            term::note(&format!("{}: `writes` of {written} {launches} saved{kept}", args.file.display()));
        }
        _ => {}
    }
    if proposals.iter().all(Proposal::complete) { Ok(()) } else { Err(CliError::Negative) }
}

fn place<'a>(job: &'a Job, proposal: &Proposal) -> Option<&'a Place> {
    job.launches.get(usize::try_from(proposal.launch).ok()?)
}

/// Entries for all rounds of a `for` or a `repeat`, by the line of the launch, where one text does.
fn by_line(job: &Job, proposals: &[Proposal]) -> BTreeMap<usize, Vec<String>> {
    let mut found = BTreeMap::new();
    for style in [Style::Short, Style::Numbers, Style::Lengths, Style::Stored] {
        for (line, entries) in rounds(job, proposals, style) {
            found.entry(line).or_insert(entries);
        }
    }
    found
}

/// The entries of each launch of the file, by its line, where one text says them all.
fn texts(job: &Job, proposals: &[Proposal], all: &BTreeMap<usize, Vec<String>>) -> BTreeMap<usize, Vec<String>> {
    let mut texts = all.clone();
    for proposal in proposals {
        let line = |other: &Proposal| place(job, other).and_then(|place| place.line);
        let Some(at) = line(proposal) else { continue };
        if proposals.iter().filter(|other| line(other) == Some(at)).count() == 1 {
            texts.entry(at).or_insert_with(|| entries(job, proposal));
        }
    }
    texts
}

/// How entries are written: what only some rounds can say shortly keeps them apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Short,
    /// Without the threads of a CTA by their name.
    Numbers,
    /// And with lengths that end with the buffer.
    Lengths,
    /// And with lengths that end with what was stored, one CTA's in the form that several have.
    Stored,
}

fn rounds(job: &Job, proposals: &[Proposal], style: Style) -> BTreeMap<usize, Vec<String>> {
    let mut rounds: BTreeMap<usize, Option<Vec<Round>>> = BTreeMap::new();
    let mut several: BTreeMap<usize, &Proposal> = BTreeMap::new();
    for proposal in proposals.iter().filter(|proposal| style == Style::Stored && proposal.sampled > 1) {
        if let Some(line) = place(job, proposal).and_then(|place| place.line) {
            several.entry(line).or_insert(proposal);
        }
    }
    for proposal in proposals {
        let Some(place) = place(job, proposal) else { continue };
        let Some(line) = place.line else { continue };
        let known = rounds.entry(line).or_insert_with(|| Some(Vec::new()));
        match known {
            Some(known) if proposal.complete() => {
                known.push((place.vars.clone(), written(job, proposal, style, several.get(&line).copied())));
            }
            _ => *known = None,
        }
    }
    let whole = |(line, rounds): (usize, Option<Vec<Round>>)| {
        Some((line, together(&rounds.filter(|rounds| rounds.len() > 1)?)?))
    };
    rounds.into_iter().filter_map(whole).collect()
}

fn name(job: &Job, buffer: u16) -> &str {
    job.buffers.get(usize::from(buffer)).map_or("?", |buffer| buffer.name.as_str())
}

/// Entries of `writes`.
pub(super) fn entries(job: &Job, proposal: &Proposal) -> Vec<String> {
    written(job, proposal, Style::Short, None)
}

/// `several` is the same launch in a round of several CTAs.
fn written(job: &Job, proposal: &Proposal, style: Style, several: Option<&Proposal>) -> Vec<String> {
    let block = if style == Style::Short { proposal.block } else { [1; 3] };
    let text = |buffer: u16, form: &Form, like: Option<&Form>| {
        let len = job.buffers.get(usize::from(buffer)).map_or(0, |buffer| buffer.buffer.len);
        let form = match style {
            Style::Short | Style::Numbers => form.clone(),
            Style::Lengths => form.with_length(len),
            Style::Stored => {
                let end = proposal.ends.get(&buffer).copied().unwrap_or(len);
                form.ending(end).like(like.filter(|_| proposal.sampled == 1))
            }
        };
        form.toml(name(job, buffer), block)
    };
    let likes: Vec<&Form> = several.map_or(Vec::new(), |several| forms(several).map(|(_, form)| form).collect());
    forms(proposal).enumerate().map(|(at, (buffer, form))| text(buffer, form, likes.get(at).copied())).collect()
}

/// The forms, and the buffers that they are for.
fn forms(proposal: &Proposal) -> impl Iterator<Item = (u16, &Form)> {
    let found = proposal.buffers.iter().filter_map(|(buffer, forms)| Some((*buffer, forms.as_ref().ok()?)));
    found.flat_map(|(buffer, forms)| forms.iter().map(move |form| (buffer, form)))
}

/// Why buffers have no map.
fn reasons(job: &Job, proposal: &Proposal) -> Vec<String> {
    let missing = proposal.buffers.iter().filter_map(|(buffer, forms)| Some((buffer, forms.as_ref().err()?)));
    let mut reasons: Vec<String> =
        missing.map(|(buffer, reason)| format!("`{}`: {reason}", name(job, *buffer))).collect();
    if let Some((unit, trap)) = &proposal.trap {
        reasons.push(explain::trap(job, *unit, trap));
    }
    reasons
}

fn answer(job: &Job, proposal: &Proposal, all: &BTreeMap<usize, Vec<String>>) -> Value {
    json!({
        "launch": proposal.launch,
        "line": place(job, proposal).and_then(|place| place.line),
        "entry": proposal.entry,
        "complete": proposal.complete(),
        "writes": entries(job, proposal),
        "everyRound": place(job, proposal).and_then(|place| all.get(&place.line?)),
        "reasons": reasons(job, proposal),
        "sampled": proposal.sampled,
        "verified": proposal.verified,
        "realInputs": proposal.real_inputs,
    })
}

fn print(job: &Job, proposal: &Proposal, entries: &[String], term: &Term) {
    let index = usize::try_from(proposal.launch).unwrap_or(usize::MAX);
    let place = job.launches.get(index).map(ToString::to_string).unwrap_or_default();
    term::line(&term.paint(Paint::Dim, format!("# {place}: `{}`", kernel::shown(&proposal.entry))));
    match entries {
        [] if proposal.buffers.is_empty() && proposal.trap.is_none() => term::line("writes = []  # it stores nothing"),
        [] => {}
        [one] => term::line(&format!("writes = [{one}]")),
        several => {
            term::line("writes = [");
            for entry in several {
                term::line(&format!("    {entry},"));
            }
            term::line("]");
        }
    }
    let tried = format!(
        "# from {}; {}{}",
        term::plural(proposal.sampled, "unit"),
        match proposal.verified {
            0 => "not verified with others".to_owned(),
            count => format!("{} kept to it", term::plural(count, "unit")),
        },
        if proposal.real_inputs { "" } else { "; tried with earlier data, because the time was up: give --time" }
    );
    term::line(&term.paint(Paint::Dim, tried));
    for reason in reasons(job, proposal) {
        for (row, part) in term::wrapped(&reason, term.width.saturating_sub(4)).into_iter().enumerate() {
            let mark = if row == 0 { "# no map: " } else { "#   " };
            term::line(&term.paint(Paint::Red, format!("{mark}{part}")));
        }
    }
}
