//! The TOML of a job file, walked with the line of every value at hand.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::error::{JobError, Place, Problem};

/// Text of a job file.
pub struct Source {
    /// The file, as errors name it.
    pub file: PathBuf,
    text: String,
}

impl Source {
    /// Reads the file.
    pub fn read(file: &Path) -> Result<Self, JobError> {
        let place = || Place { file: file.to_owned(), line: None, field: String::new(), vars: Vec::new() };
        let text = std::fs::read_to_string(file)
            .map_err(|error| place().error(Problem::Read { path: file.to_owned(), error }))?;
        Ok(Self { file: file.to_owned(), text })
    }

    /// A text as if it were that file's.
    pub fn of(file: &Path, text: String) -> Self {
        Self { file: file.to_owned(), text }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Parses it.
    pub fn parse(&self) -> Result<Spanned<DeTable<'_>>, JobError> {
        DeTable::parse(&self.text).map_err(|error| {
            let line = error.span().map(|span| self.line(span.start));
            let place = Place { file: self.file.clone(), line, field: String::new(), vars: Vec::new() };
            place.error(Problem::Syntax(error.message().to_owned()))
        })
    }

    /// The table at the top.
    pub fn top<'a>(&'a self, table: &'a Spanned<DeTable<'a>>) -> Table<'a> {
        Table { source: self, table: table.get_ref(), start: 0, path: String::new() }
    }

    /// The folder that paths are relative to.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
    }

    fn place(&self, offset: usize, field: &str) -> Place {
        Place { file: self.file.clone(), line: Some(self.line(offset)), field: field.to_owned(), vars: Vec::new() }
    }

    /// The whole file.
    pub fn whole(&self) -> Place {
        Place { file: self.file.clone(), line: None, field: String::new(), vars: Vec::new() }
    }
}

/// A table of the file.
#[derive(Clone)]
pub struct Table<'a> {
    source: &'a Source,
    table: &'a DeTable<'a>,
    /// Byte at which it starts.
    pub start: usize,
    path: String,
}

/// A value of the file.
#[derive(Clone)]
pub struct Node<'a> {
    source: &'a Source,
    value: &'a Spanned<DeValue<'a>>,
    path: String,
}

impl<'a> Table<'a> {
    /// Where it stands.
    pub fn place(&self) -> Place {
        self.source.place(self.start, &self.path)
    }

    /// An error about it.
    pub fn error(&self, problem: Problem) -> JobError {
        self.place().error(problem)
    }

    /// Refuses keys that are not among `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), JobError> {
        for (key, _) in self.table {
            if !known.contains(&key.get_ref().as_ref()) {
                let place = self.source.place(key.span().start, &self.path);
                return Err(
                    place.error(Problem::UnknownKey { key: key.get_ref().to_string(), known: known.join(", ") })
                );
            }
        }
        Ok(())
    }

    /// The value at `key`.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        let (key, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(Node { source: self.source, value, path: self.child(key.get_ref()) })
    }

    /// The value at `key`, which must be there.
    pub fn need(&self, key: &'static str) -> Result<Node<'a>, JobError> {
        self.get(key).ok_or_else(|| self.error(Problem::Missing(key)))
    }

    /// Keys and values, in the order of the file.
    pub fn entries(&self) -> Vec<(String, Node<'a>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
            .into_iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let node = Node { source: self.source, value, path: self.child(&name) };
                (name, node)
            })
            .collect()
    }

    /// The tables at `key`: of an array of tables, or a single one; none if the key is missing.
    pub fn tables(&self, key: &str) -> Result<Vec<Table<'a>>, JobError> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        match node.value.get_ref() {
            DeValue::Table(_) => Ok(vec![node.table()?]),
            DeValue::Array(_) => node.list()?.iter().map(Node::table).collect(),
            other => Err(node.error(Problem::Type { expected: "tables", found: kind(other) })),
        }
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Node<'a> {
    /// Where it stands.
    pub fn place(&self) -> Place {
        self.source.place(self.value.span().start, &self.path)
    }

    /// An error about it.
    pub fn error(&self, problem: Problem) -> JobError {
        self.place().error(problem)
    }

    /// The bytes it takes.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The value itself.
    pub fn value(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    /// An error that says what should stand here.
    pub fn expected(&self, expected: &'static str) -> JobError {
        self.error(Problem::Type { expected, found: kind(self.value()) })
    }

    /// A table.
    pub fn table(&self) -> Result<Table<'a>, JobError> {
        match self.value() {
            DeValue::Table(table) => {
                Ok(Table { source: self.source, table, start: self.value.span().start, path: self.path.clone() })
            }
            _ => Err(self.expected("a table")),
        }
    }

    /// A list.
    pub fn list(&self) -> Result<Vec<Node<'a>>, JobError> {
        match self.value() {
            DeValue::Array(list) => Ok(list
                .iter()
                .enumerate()
                .map(|(index, value)| Node { source: self.source, value, path: format!("{}[{index}]", self.path) })
                .collect()),
            _ => Err(self.expected("a list")),
        }
    }

    /// A list, or one value as a list of one.
    pub fn list_or_one(&self) -> Result<Vec<Node<'a>>, JobError> {
        if matches!(self.value(), DeValue::Array(_)) { self.list() } else { Ok(vec![self.clone()]) }
    }

    /// Text.
    pub fn text(&self) -> Result<&'a str, JobError> {
        self.value().as_str().ok_or_else(|| self.expected("text"))
    }

    /// A path, relative to the job file's folder.
    pub fn path(&self) -> Result<PathBuf, JobError> {
        Ok(self.source.folder().join(self.text()?))
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
