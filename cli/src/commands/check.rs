//! What `assay kernel check` shows.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use assay_primitives::hash;
use serde_json::{Value, json};

use super::Outcome;
use crate::{
    error::CliError,
    kernel::{self, CheckedEntry, Names, Prepared, Text},
    term::{self, Style, Term},
};

/// Columns from which the table is one, rather than one of sizes and one of instructions.
const WIDE: usize = 104;

/// A file that was checked.
pub struct Checked {
    /// The file; `-` is standard input.
    pub file: PathBuf,
    /// Its PTX.
    pub prepared: Prepared,
    /// Its entries.
    pub entries: Vec<CheckedEntry>,
}

/// The bytes of a file or of standard input.
pub fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(CliError::file("standard input"))?;
        Ok(bytes)
    } else {
        std::fs::read(file).map_err(CliError::file(file))
    }
}

/// Reads and checks a file, its approximate instructions replaced or as they are.
pub fn load(file: &Path, replace: bool) -> Result<Checked, CliError> {
    of(file, read(file)?, replace)
}

/// Checks PTX that is at hand.
pub fn of(file: &Path, ptx: Vec<u8>, replace: bool) -> Result<Checked, CliError> {
    let prepared = kernel::prepare(ptx, replace).map_err(|error| CliError::Ptx {
        path: file.to_owned(),
        line: error.line,
        reason: error.reason,
    })?;
    let entries = kernel::check(&prepared);
    Ok(Checked { file: file.to_owned(), prepared, entries })
}

/// Exit code 0 where every entry is accepted.
pub fn verdict<'a>(entries: impl IntoIterator<Item = &'a CheckedEntry>) -> Outcome {
    if entries.into_iter().all(|entry| entry.accepted) { Ok(()) } else { Err(CliError::Negative) }
}

/// Checks files, one after the other; those that cannot be read do not keep the others from being checked.
pub fn run(files: &[PathBuf], replace: bool, json: bool, term: &Term) -> Outcome {
    let mut checked = Vec::new();
    let mut errors = Vec::new();
    for (position, file) in files.iter().enumerate() {
        match load(file, replace) {
            Ok(found) => {
                if !json {
                    if position > 0 {
                        term::line("");
                    }
                    print(&found, term);
                }
                checked.push(found);
            }
            Err(error) => {
                if !json {
                    term::note(&format!("error: {error}"));
                }
                errors.push(error);
            }
        }
    }
    if json {
        term::json(&answer(&checked, &errors));
    } else if files.len() > 1 {
        let entries = checked.iter().flat_map(|checked| &checked.entries);
        let (accepted, all) = tally(entries);
        let unreadable = match errors.len() {
            0 => String::new(),
            count => format!("; {} cannot be read", term::plural(count as u64, "file")),
        };
        term::line("");
        term::line(&format!(
            "{accepted} of {} in {} accepted{unreadable}",
            term::plural(all, "entry"),
            term::plural(checked.len() as u64, "file")
        ));
    }
    if errors.is_empty() {
        verdict(checked.iter().flat_map(|checked| &checked.entries))
    } else {
        Err(CliError::Negative)
    }
}

fn tally<'a>(entries: impl IntoIterator<Item = &'a CheckedEntry>) -> (u64, u64) {
    entries.into_iter().fold((0, 0), |(accepted, all), entry| {
        (u64::saturating_add(accepted, entry.accepted.into()), u64::saturating_add(all, 1))
    })
}

fn answer(checked: &[Checked], errors: &[CliError]) -> Value {
    let entries: Vec<Value> = checked
        .iter()
        .flat_map(|checked| {
            checked.entries.iter().map(|entry| {
                let mut value = json!(entry);
                if let Some(fields) = value.as_object_mut() {
                    fields.insert("file".into(), json!(checked.file));
                }
                value
            })
        })
        .collect();
    let mut answer = json!({ "entries": entries });
    if let (Some(fields), Some(first)) = (answer.as_object_mut(), errors.first()) {
        let inner = |error: &CliError| error.json().get("error").cloned().unwrap_or_default();
        fields.insert("error".into(), inner(first));
        fields.insert("errors".into(), errors.iter().map(inner).collect());
    }
    answer
}

/// Prints what was found in one file.
pub fn print(checked: &Checked, term: &Term) {
    let Checked { file, prepared, entries } = checked;
    let ptx = prepared.written();
    let (accepted, all) = tally(entries);
    let style = if accepted == all { Style::Green } else { Style::Red };
    let count = match all {
        0 => term.paint(Style::Yellow, "no entries"),
        _ => term.paint(style, format!("{accepted} of {} accepted", term::plural(all, "entry"))),
    };
    let name = if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    term::line(&format!("{}  {count}", term.paint(Style::Bold, name)));
    let about = format!("  {}  blake3 {}", term::bytes(ptx.len() as u64), hex::encode(hash::plain(ptx)));
    term::line(&term.paint(Style::Dim, about));
    if prepared.original.is_some() {
        let made = &prepared.ptx;
        let about =
            format!("  {} with exact maths  blake3 {}", term::bytes(made.len() as u64), hex::encode(hash::plain(made)));
        term::line(&term.paint(Style::Dim, about));
    }
    if entries.is_empty() {
        return;
    }
    term::line("");
    table(entries, term);
    if !prepared.replaced.is_empty() {
        let words = format!("exact: in place of {}", assay_exact::in_words(&prepared.replaced));
        term::line("");
        for part in term::wrapped(&words, term.width.saturating_sub(2)) {
            term::line(&format!("  {part}"));
        }
    }
    let text = Text::read(ptx);
    for entry in entries.iter().filter(|entry| !entry.accepted) {
        term::line("");
        rejection(checked, entry, &text, term);
    }
}

/// Entries under names that people know, where those tell them apart.
fn names(entries: &[CheckedEntry]) -> Vec<String> {
    let names = Names::new(entries.iter().map(|entry| entry.name.as_str()));
    (0..entries.len()).map(|place| names.simplest(place)).collect()
}

fn table(entries: &[CheckedEntry], term: &Term) {
    let number = |value: Option<u32>| value.map(|value| term::count(value.into())).unwrap_or_default();
    let any_replaced = entries.iter().any(|entry| !entry.replaced.is_empty());
    let sizes = |entry: &CheckedEntry| {
        vec![
            entry.parameters.len().to_string(),
            number(entry.registers),
            number(entry.shared),
            number(entry.local),
            number(entry.max_threads),
        ]
        .into_iter()
        .chain(any_replaced.then(|| match entry.replaced.values().sum::<u32>() {
            0 => String::new(),
            count => term::count(count.into()),
        }))
        .collect::<Vec<String>>()
    };
    let instructions = |entry: &CheckedEntry| match entry.instructions {
        Some(i) => [i.integer, i.float, i.memory, i.control, i.warp, i.moves, i.total()]
            .map(|count| term::count(count.into()))
            .to_vec(),
        None => vec![String::new(); 7],
    };
    let mut size_names = vec!["params", "regs", "shared", "local", "threads"];
    size_names.extend(any_replaced.then_some("exact"));
    let class_names = ["int", "float", "memory", "control", "warp", "moves", "all"];
    let show = |title: &str, columns: &[&str], cells: &dyn Fn(&CheckedEntry) -> Vec<String>, marked: bool| {
        let rows: Vec<Vec<String>> = entries.iter().map(cells).collect();
        let taken: usize = columns
            .iter()
            .enumerate()
            .map(|(column, title)| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(String::len);
                cells.max().unwrap_or(0).max(title.len()).saturating_add(2)
            })
            .fold(if marked { 14 } else { 4 }, usize::saturating_add);
        let room = term.width.saturating_sub(taken).max(12);
        let named: Vec<Vec<String>> = entries
            .iter()
            .zip(names(entries))
            .zip(rows)
            .map(|((entry, name), cells)| {
                let verdict = match entry.accepted {
                    true => term.paint(Style::Green, "accepted"),
                    false => term.paint(Style::Red, "rejected"),
                };
                let mut row = vec![term::shortened(&name, room)];
                row.extend(marked.then_some(verdict));
                row.extend(cells);
                row
            })
            .collect();
        let mut header = vec![title];
        header.extend(marked.then_some(""));
        header.extend(columns);
        term.table(&header, &named);
    };
    if term.width >= WIDE {
        let all = |entry: &CheckedEntry| [sizes(entry), instructions(entry)].concat();
        show("entry", &[size_names.as_slice(), class_names.as_slice()].concat(), &all, true);
    } else {
        show("entry", &size_names, &sizes, true);
        term::line("");
        show("instructions", &class_names, &instructions, false);
    }
}

fn rejection(checked: &Checked, entry: &CheckedEntry, text: &Text, term: &Term) {
    let reason = entry.reason.as_deref().unwrap_or_default();
    let line = entry.line.unwrap_or_default();
    term::line(&format!("  {}", term.paint(Style::Bold, &entry.name)));
    for part in term::wrapped(reason, term.width.saturating_sub(4)) {
        term::line(&format!("    {part}"));
    }
    let ptx = String::from_utf8_lossy(checked.prepared.written());
    quote(&checked.file, line, &ptx, term);
    for (file, line) in text.source(line).into_iter().chain(text.callers(line)) {
        let beside = checked.file.parent().unwrap_or(Path::new("")).join(file);
        let source = std::fs::read_to_string(&beside).unwrap_or_default();
        quote(Path::new(file), line, &source, term);
    }
}

/// Names a line of a file, with its text where that is at hand.
fn quote(file: &Path, line: u32, text: &str, term: &Term) {
    let index = usize::try_from(line).unwrap_or(0).saturating_sub(1);
    let words: Vec<&str> = text.lines().nth(index).unwrap_or_default().split_whitespace().collect();
    let quoted = words.join(" ");
    let place = format!("{}:{line}", file.display());
    let room = term.width.saturating_sub(place.chars().count().saturating_add(9));
    let short: String = quoted.chars().take(room).collect();
    let bar = if short.is_empty() { String::new() } else { format!("  │ {short}") };
    term::line(&format!("    {}", term.paint(Style::Dim, format!("{place}{bar}"))));
}
