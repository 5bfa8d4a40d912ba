//! New `writes` in the text of a job file; all else stays as it is, comments and order too.

use std::{collections::BTreeMap, ops::Range};

use assay_exact::text::{Edit, edited};
use toml::de::DeTable;

use super::{
    error::{JobError, Problem},
    source::{Source, Table},
};

/// Where the `writes` of a launch stand or would stand.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The line at which the launch begins.
    pub line: usize,
    /// Whether its CTAs run one after the other.
    pub serial: bool,
    /// The bytes that the value takes or would take.
    value: Range<usize>,
    /// The value is there.
    there: bool,
    /// The launch is a table in braces, on one line.
    inline: bool,
    /// Blanks before its keys.
    indent: String,
}

impl Slot {
    /// Whether the launch has `writes`.
    pub fn is_there(&self) -> bool {
        self.there
    }
}

/// The slots of all launches of a file.
pub fn slots(source: &Source) -> Result<Vec<Slot>, JobError> {
    let table = source.parse()?;
    let mut found: Vec<Slot> = Vec::new();
    let mut open = vec![source.top(&table)];
    while let Some(table) = open.pop() {
        for launch in table.tables("launch")? {
            let slot = slot(source, &launch)?;
            if found.iter().any(|other| other.line == slot.line) {
                return Err(launch.error(Problem::Form("two launches begin on this line: give each one of its own")));
            }
            found.push(slot);
        }
        open.extend(table.tables("repeat")?.into_iter().chain(table.tables("for")?));
    }
    Ok(found)
}

fn slot(source: &Source, launch: &Table<'_>) -> Result<Slot, JobError> {
    let text = source.text();
    let last = launch.entries().into_iter().map(|(_, node)| node.span()).max_by_key(|span| span.end);
    let Some(last) = last else { return Err(launch.error(Problem::Missing("grid"))) };
    let inline = text.get(launch.start..).is_some_and(|text| text.starts_with('{'));
    let writes = launch.get("writes");
    let value = match &writes {
        Some(node) => {
            let span = node.span();
            let written = text.get(span.clone()).unwrap_or_default();
            if DeTable::parse(&format!("writes = {written}")).is_err() {
                return Err(node.error(Problem::Form("`writes` is not written as a list: put it into one")));
            }
            span
        }
        None if inline => last.end..last.end,
        // Behind the line of the last key, and what is said there of it.
        None => {
            let rest = text.get(last.end..).unwrap_or_default();
            let end = rest.find('\n').map_or(text.len(), |at| last.end.saturating_add(at).saturating_add(1));
            end..end
        }
    };
    let before = text.get(..last.start).unwrap_or_default();
    let begun = before.rsplit('\n').next().unwrap_or_default();
    let indent = begun.chars().take_while(|letter| matches!(letter, ' ' | '\t')).collect();
    let (line, serial) = (launch.place().line.unwrap_or(0), launch.get("serial").is_some());
    Ok(Slot { line, serial, value, there: writes.is_some(), inline, indent })
}

/// The text of the file with these entries as the `writes` of launches, by their lines.
pub fn with_writes(source: &Source, slots: &[Slot], new: &BTreeMap<usize, Vec<String>>) -> String {
    let text = source.text();
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let edit = |slot: &Slot| -> Option<Edit> {
        let entries = new.get(&slot.line)?;
        let indent = &slot.indent;
        let list = match entries.as_slice() {
            [_, _, ..] if !slot.inline => {
                let rows: String = entries.iter().map(|entry| format!("{newline}{indent}    {entry},")).collect();
                format!("[{rows}{newline}{indent}]")
            }
            entries => format!("[{}]", entries.join(", ")),
        };
        let Range { start, end } = slot.value;
        let whole = text.get(..start).is_some_and(|before| before.ends_with('\n'));
        let new = match (slot.there, slot.inline) {
            (true, _) => list,
            (false, true) => format!(", writes = {list}"),
            (false, false) if whole => format!("{indent}writes = {list}{newline}"),
            (false, false) => format!("{newline}{indent}writes = {list}{newline}"),
        };
        Some((start, end, new))
    };
    let made = edited(text.as_bytes(), slots.iter().filter_map(edit).collect());
    String::from_utf8_lossy(&made).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    fn saved(text: &str, new: &[(usize, &[&str])]) -> Result<String, String> {
        let source = Source::of(Path::new("job.toml"), text.to_owned());
        let new =
            new.iter().map(|(line, list)| (*line, list.iter().map(|entry| (*entry).to_owned()).collect())).collect();
        let slots = slots(&source).map_err(|error| error.to_string())?;
        Ok(with_writes(&source, &slots, &new))
    }

    #[test]
    fn a_list_takes_the_place_of_the_one_before() {
        let text = "# one\n[[launch]]\nwrites = [ # old\n  { a = 1 },\n] # kept\ngrid = 1\n";
        let made = saved(text, &[(2, &["{ b = 2 }"])]).unwrap();
        assert_eq!(made, "# one\n[[launch]]\nwrites = [{ b = 2 }] # kept\ngrid = 1\n");
        assert_eq!(saved(text, &[]).unwrap(), text);
        let one = saved("[[launch]]\nwrites = { a = 1 }", &[(1, &["{ b = 2 }", "{ c = 3 }"])]).unwrap();
        assert_eq!(one, "[[launch]]\nwrites = [\n    { b = 2 },\n    { c = 3 },\n]");
    }

    #[test]
    fn a_new_list_comes_behind_the_other_keys() {
        let text = "[[for]]\nvar = \"k\"\n  [[for.launch]]\n  grid = [\n    1,\n  ] # k\n\n[[launch]]\ngrid = 1";
        let made = saved(text, &[(3, &["{ a = 1 }", "{ b = 2 }"]), (8, &[])]).unwrap();
        let expected = "[[for]]\nvar = \"k\"\n  [[for.launch]]\n  grid = [\n    1,\n  ] # k\n  writes = [\n      { a = 1 },\n      \
                        { b = 2 },\n  ]\n\n[[launch]]\ngrid = 1\nwrites = []\n";
        assert_eq!(made, expected);
        let made = saved("launch = [\n  { grid = 1, block = 2 },\n]\r\n", &[(2, &["a", "b"])]).unwrap();
        assert_eq!(made, "launch = [\n  { grid = 1, block = 2, writes = [a, b] },\n]\r\n");
    }

    #[test]
    fn lists_that_are_tables_and_launches_that_share_a_line_are_refused() {
        let tables = saved("[[launch]]\ngrid = 1\n[[launch.writes]]\nrun = 4\n", &[(1, &[])]);
        assert!(tables.unwrap_err().contains("not written as a list"));
        let shared = saved("launch = [{ grid = 1 }, { grid = 2 }]\n", &[(1, &[])]);
        assert!(shared.unwrap_err().contains("two launches begin on this line"));
    }
}
