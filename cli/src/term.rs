//! What people see: colours only where somebody looks, aligned tables, sizes and amounts that read well.

use std::io::{IsTerminal, Write};

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    colour: bool,
    /// Columns of the terminal; what `COLUMNS` says, or 120, where there is none.
    pub width: usize,
    /// Whether somebody watches standard error: progress bars make sense.
    pub live: bool,
}

/// Columns of output that goes to no terminal.
const PAPER: usize = 120;

/// A style.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Style {
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

impl Term {
    /// As the environment wants it.
    pub fn detect() -> Self {
        let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let seen = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let wanted = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self {
            colour: std::io::stdout().is_terminal() && !quiet,
            width: seen.or(wanted).filter(|width| *width > 0).unwrap_or(PAPER).max(40),
            live: std::io::stderr().is_terminal(),
        }
    }

    /// Text in a style.
    pub fn paint(&self, style: Style, text: impl AsRef<str>) -> String {
        let text = text.as_ref();
        if !self.colour {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Green => "32",
            Style::Red => "31",
            Style::Yellow => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Pairs of names and values, aligned.
    pub fn facts(&self, facts: &[(&str, String)]) {
        let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in facts {
            let pad = " ".repeat(width.saturating_sub(name.chars().count()));
            line(&format!("  {}{pad}  {value}", self.paint(Style::Dim, name)));
        }
    }

    /// A table with a header; columns that hold only numbers are set flush right.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) {
        let columns = header.len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| visible(cell));
                cells.chain(header.get(column).map(|title| title.chars().count())).max().unwrap_or(0)
            })
            .collect();
        let numeric: Vec<bool> = (0..columns)
            .map(|column| {
                let mut cells = rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
                cells.all(|cell| cell.starts_with(|c: char| c.is_ascii_digit())) && !rows.is_empty()
            })
            .collect();
        let set = |cells: Vec<String>| {
            let mut out = String::from(" ");
            for ((cell, width), right) in cells.iter().zip(&widths).zip(&numeric) {
                let pad = " ".repeat(width.saturating_sub(visible(cell)));
                out.push(' ');
                if *right {
                    out.push_str(&pad);
                    out.push_str(cell);
                } else {
                    out.push_str(cell);
                    out.push_str(&pad);
                }
                out.push(' ');
            }
            line(out.trim_end());
        };
        set(header.iter().map(|title| self.paint(Style::Dim, title)).collect());
        for row in rows {
            set(row.clone());
        }
    }

    /// A headline.
    pub fn title(&self, text: &str) {
        line(&self.paint(Style::Bold, text));
    }
}

/// Columns that text takes, escape codes not counted.
fn visible(text: &str) -> usize {
    let mut count = 0usize;
    let mut escaped = false;
    for c in text.chars() {
        match (escaped, c) {
            (false, '\x1b') => escaped = true,
            (true, 'm') => escaped = false,
            (false, _) => count = count.saturating_add(1),
            (true, _) => {}
        }
    }
    count
}

/// Prints a line; a reader that has gone away is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line for people beside the output proper.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints JSON.
pub fn json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => note(&format!("error: {error}")),
    }
}

/// A count with thin separators: `12_345_678` as `12,345,678`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes: `1.5 MiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in UNITS.into_iter().skip(1) {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

/// `1 unit`, `2 units`, `2 entries`.
pub fn plural(number: u64, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        (_, None) => format!("{} {one}s", count(number)),
    }
}

/// A name in at most `room` columns: its middle goes.
pub fn shortened(name: &str, room: usize) -> String {
    let length = name.chars().count();
    if length <= room {
        return name.to_owned();
    }
    let kept = room.saturating_sub(1);
    let (front, back) = (kept.div_ceil(2), kept / 2);
    let skipped = length.saturating_sub(back);
    name.chars().take(front).chain(['…']).chain(name.chars().skip(skipped)).collect()
}

/// Text in lines of at most `room` columns, broken between words.
pub fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0usize;
    for word in text.split_whitespace() {
        let width = visible(word);
        if used > 0 && used.saturating_add(width).saturating_add(1) > room {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used = used.saturating_add(1);
            }
            line.push_str(word);
            used = used.saturating_add(width);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(2 * 1024 * 1024), "2.0 MiB");
        assert_eq!(plural(1, "unit"), "1 unit");
        assert_eq!(plural(2, "unit"), "2 units");
        assert_eq!(plural(2, "entry"), "2 entries");
    }

    #[test]
    fn names_and_sentences_fit_their_room() {
        assert_eq!(shortened("reduce", 6), "reduce");
        assert_eq!(shortened("_Z6reduceIfLi256EEvPf", 9), "_Z6r…EvPf");
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
    }

    #[test]
    fn escape_codes_take_no_columns() {
        let term = Term { colour: true, width: 80, live: false };
        assert_eq!(visible(&term.paint(Style::Red, "né")), 2);
    }
}
