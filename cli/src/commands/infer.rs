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
    let proposals = agreed(&job, proposals);
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

/// The proposals, those of rounds of one CTA as the others of their loop foretell them, where else no text would say all rounds.
fn agreed(job: &Job, mut proposals: Vec<Proposal>) -> Vec<Proposal> {
    let known = by_line(job, &proposals);
    let line = |proposal: &Proposal| place(job, proposal).and_then(|place| place.line);
    let mut told = proposals.clone();
    for proposal in told.iter_mut().filter(|proposal| proposal.sampled == 1 && proposal.complete()) {
        let Some(at) = line(proposal).filter(|at| !known.contains_key(at)) else { continue };
        let others: Vec<&Proposal> =
            proposals.iter().filter(|other| line(other) == Some(at) && other.sampled > 1).collect();
        if let Some(buffers) = foretold(job, proposal, &others) {
            proposal.buffers = buffers;
        }
    }
    let found = by_line(job, &told);
    for (proposal, told) in proposals.iter_mut().zip(told) {
        if line(proposal).is_some_and(|at| !known.contains_key(&at) && found.contains_key(&at)) {
            *proposal = told;
        }
    }
    proposals
}

type Buffers = BTreeMap<u16, Result<Vec<Form>, String>>;

/// The forms of a round of one CTA as those of rounds of several have them, if they cover what it stores.
fn foretold(job: &Job, proposal: &Proposal, others: &[&Proposal]) -> Option<Buffers> {
    let vars = |proposal: &Proposal| place(job, proposal).map_or(&[][..], |place| place.vars.as_slice());
    let mut like: Vec<Form> = Vec::new();
    for at in 0..forms(others.first()?).count() {
        let all: Vec<(&[_], &Form)> =
            others.iter().map(|other| Some((vars(other), forms(other).nth(at)?.1))).collect::<Option<_>>()?;
        let (_, first) = *all.first()?;
        if all.iter().any(|(_, form)| !form.is_kind_of(first)) {
            return None;
        }
        let numbers = (0..first.numbers().len()).map(|number| {
            let rounds: Vec<(&[_], u64)> =
                all.iter().map(|(vars, form)| Some((*vars, *form.numbers().get(number)?))).collect::<Option<_>>()?;
            infer::rounds::number_at(&rounds, vars(proposal))
        });
        like.push(first.with_numbers(&numbers.collect::<Option<Vec<u64>>>()?));
    }
    let mut like = like.into_iter();
    let mut buffers = Buffers::new();
    // Buffers that take turns have as many forms each.
    let counts: Vec<usize> = others.first()?.buffers.values().map(|forms| forms.as_ref().map_or(0, Vec::len)).collect();
    if counts.len() != proposal.buffers.len() {
        return None;
    }
    for ((buffer, own), count) in proposal.buffers.iter().zip(counts) {
        let own = own.as_ref().ok()?;
        let len = job.buffers.get(usize::from(*buffer))?.buffer.len;
        let end = proposal.ends.get(buffer).copied().unwrap_or(len);
        let made: Vec<Form> = like.by_ref().take(count).collect();
        buffers.insert(*buffer, infer::covers(&made, own, *buffer, len, end).then_some(Ok(made))?);
    }
    Some(buffers)
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
    for reason in &mut reasons {
        *reason = explain::advice(reason, place(job, proposal));
    }
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
