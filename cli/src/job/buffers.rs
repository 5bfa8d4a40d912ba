//! `[[buffer]]`: names, lengths, what is inside at first, and where the outputs go.

use std::path::{Path, PathBuf};

use assay_primitives::{BlobId, Buffer, Init, hash, program::MAX_BUFFER_LEN};
use toml::de::DeValue;

use super::{
    Options,
    error::{JobError, Problem},
    image::{self, FORMATS, PixelFormat},
    scope::Scope,
    source::{Node, Table},
    values::{self, Random, SCALARS, Scalar},
};

/// A buffer of a job.
#[derive(Clone, Debug)]
pub struct JobBuffer {
    /// Its name in the job file.
    pub name: String,
    /// As the program has it.
    pub buffer: Buffer,
    /// What it holds at first; `None` for zeros.
    pub data: Option<Vec<u8>>,
    /// Where it goes, if it is an output.
    pub output: Option<Output>,
}

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// File, relative to the folder of the outputs.
    pub file: PathBuf,
    /// Format, width and height, if it is written as a picture.
    pub image: Option<(PixelFormat, u32, u32)>,
    /// Type of the first values that are printed.
    pub show: Option<Scalar>,
}

/// A buffer whose length may still be unknown.
pub struct Draft<'a> {
    name: String,
    table: Table<'a>,
    data: Data,
}

/// What a table says of its data.
pub enum Data {
    /// Nothing.
    Zero,
    /// Reproducible data of a type, from a seed.
    Random(Random),
    /// One value again and again.
    Fill(Scalar, u64),
    /// These bytes.
    Bytes(Vec<u8>),
}

const KEYS: [&str; 18] = [
    "name", "len", "file", "image", "hex", "random", "fill", "output", "u8", "i8", "u16", "i16", "u32", "i32", "u64",
    "i64", "f32", "f64",
];

/// Reads the data of all buffers and gives their names to the scope.
pub fn drafts<'a>(top: &Table<'a>, options: &Options, scope: &mut Scope<'a>) -> Result<Vec<Draft<'a>>, JobError> {
    let mut drafts: Vec<Draft<'a>> = Vec::new();
    for table in top.tables("buffer")? {
        table.only(&KEYS)?;
        let node = table.need("name")?;
        let name = node.text()?.to_owned();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(node.error(Problem::Choice { found: name, allowed: "letters, digits and _" }));
        }
        if drafts.iter().any(|other| other.name == name) {
            return Err(node.error(Problem::Twice { what: "buffer", name }));
        }
        let data = read(&name, &table, options, scope)?;
        match (&data, table.get("len")) {
            (Data::Bytes(bytes), _) => scope.set(format!("{name}.len"), bytes.len() as i128),
            (_, Some(len)) => scope.set_lazy(format!("{name}.len"), len),
            (_, None) => return Err(table.error(Problem::Missing("len"))),
        }
        drafts.push(Draft { name, table, data });
    }
    for (name, _) in options.images.iter().chain(&options.files) {
        if !drafts.iter().any(|draft| draft.name == *name) {
            let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
            let hint = format!("; there are: {}", names.join(", "));
            return Err(top.error(Problem::NoSuch { what: "buffer", name: name.clone(), hint }));
        }
    }
    Ok(drafts)
}

fn replaced<'o>(name: &str, given: &'o [(String, PathBuf)]) -> Option<&'o Path> {
    given.iter().rev().find(|(buffer, _)| buffer == name).map(|(_, path)| path.as_path())
}

/// Reads the data that a table gives.
pub fn read<'a>(name: &str, table: &Table<'a>, options: &Options, scope: &mut Scope<'a>) -> Result<Data, JobError> {
    let mut sources: Vec<(&'static str, Node<'a>)> = ["file", "image", "hex", "random", "fill"]
        .into_iter()
        .chain(Scalar::ALL.map(|(name, _)| name))
        .filter_map(|key| Some((key, table.get(key)?)))
        .collect();
    let replaced_image = replaced(name, &options.images);
    if let Some(path) = replaced(name, &options.files)
        && replaced_image.is_none()
    {
        return read_file(path).map(Data::Bytes).map_err(|problem| table.error(problem));
    }
    let Some((key, node)) = sources.pop() else {
        if replaced_image.is_some() {
            return Err(table.error(Problem::Form("only a buffer with `image` can be replaced by a picture")));
        }
        return Ok(Data::Zero);
    };
    if let Some((first, _)) = sources.first() {
        return Err(node.error(Problem::Ambiguous(format!("a buffer has either `{first}` or `{key}`"))));
    }
    if replaced_image.is_some() && key != "image" {
        return Err(node.error(Problem::Form("only a buffer with `image` can be replaced by a picture")));
    }
    match key {
        "file" => read_file(&node.path()?).map(Data::Bytes).map_err(|problem| node.error(problem)),
        "hex" => values::hex(&node).map(Data::Bytes),
        "image" => {
            let table = node.table()?;
            table.only(&["file", "format"])?;
            let format = pixel_format(&table)?;
            let path = match replaced_image {
                Some(path) => path.to_owned(),
                None => table.need("file")?.path()?,
            };
            let picture = image::read(&path, format).map_err(|problem| node.error(problem))?;
            scope.set(format!("{name}.width"), picture.width.into());
            scope.set(format!("{name}.height"), picture.height.into());
            Ok(Data::Bytes(picture.pixels))
        }
        "random" => Random::read(&node, scope).map(Data::Random),
        "fill" => {
            let entries = node.table()?.entries();
            let [(kind, value)] = entries.as_slice() else {
                return Err(node.expected("one value, such as { f32 = 1.0 }"));
            };
            let Some(scalar) = Scalar::named(kind) else {
                return Err(node.error(Problem::UnknownKey { key: kind.clone(), known: SCALARS.to_owned() }));
            };
            Ok(Data::Fill(scalar, scalar.bits(value, scope)?))
        }
        scalar => {
            let scalar = Scalar::named(scalar).ok_or_else(|| node.error(Problem::Missing("len")))?;
            values::list(scalar, &node, scope).map(Data::Bytes)
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| Problem::Read { path: path.to_owned(), error })
}

fn pixel_format(table: &Table<'_>) -> Result<PixelFormat, JobError> {
    let node = table.need("format")?;
    let name = node.text()?;
    PixelFormat::named(name).ok_or_else(|| node.error(Problem::Choice { found: name.to_owned(), allowed: FORMATS }))
}

impl Draft<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it starts as anything but zeros.
    pub fn has_data(&self) -> bool {
        !matches!(self.data, Data::Zero)
    }

    /// The table it came from.
    pub fn table(&self) -> &Table<'_> {
        &self.table
    }

    /// The finished buffer.
    pub fn finish(&self, scope: &Scope<'_>) -> Result<JobBuffer, JobError> {
        let stated = match self.table.get("len") {
            Some(node) => {
                let len = scope.within(&node, 1, MAX_BUFFER_LEN.into())?;
                Some((node, u64::try_from(len).unwrap_or(0)))
            }
            None => None,
        };
        let data = match (&self.data, &stated) {
            (Data::Bytes(bytes), Some((node, len))) if bytes.len() as u64 != *len => {
                let what = format!("the data of `{}`", self.name);
                return Err(node.error(Problem::Length { what, found: bytes.len() as u64, expected: *len }));
            }
            (Data::Bytes(bytes), _) if bytes.is_empty() => {
                let what = format!("the data of `{}`", self.name);
                return Err(self.table.error(Problem::Length { what, found: 0, expected: 1 }));
            }
            (Data::Bytes(bytes), _) => Some(bytes.clone()),
            (Data::Random(random), Some((_, len))) => Some(values::random(random, usize::try_from(*len).unwrap_or(0))),
            (Data::Fill(scalar, bits), Some((_, len))) => {
                Some(values::fill(*scalar, *bits, usize::try_from(*len).unwrap_or(0)))
            }
            _ => None,
        };
        let len = data.as_ref().map(|bytes| bytes.len() as u64).or(stated.map(|(_, len)| len)).unwrap_or(0);
        let init = match &data {
            Some(bytes) => Init::Blob(BlobId { root: hash::plain(bytes), len }),
            None => Init::Zero,
        };
        let output = self.output(len, scope)?;
        let buffer = Buffer { len, init, output: output.is_some() };
        Ok(JobBuffer { name: self.name.clone(), buffer, data, output })
    }

    fn output(&self, len: u64, scope: &Scope<'_>) -> Result<Option<Output>, JobError> {
        let Some(node) = self.table.get("output") else { return Ok(None) };
        let plain = |file: PathBuf| Output { file, image: None, show: None };
        let default = || PathBuf::from(format!("{}.bin", self.name));
        match node.value() {
            DeValue::Boolean(true) => Ok(Some(plain(default()))),
            DeValue::Boolean(false) => Ok(None),
            DeValue::String(_) => Ok(Some(plain(output_path(&node)?))),
            DeValue::Table(_) => {
                let table = node.table()?;
                table.only(&["file", "image", "format", "width", "height", "show"])?;
                let show = table.get("show").map(|node| Scalar::read(&node)).transpose()?;
                let Some(picture) = table.get("image") else {
                    let file = table.get("file").map_or_else(|| Ok(default()), |node| output_path(&node))?;
                    return Ok(Some(Output { file, image: None, show }));
                };
                let format = pixel_format(&table)?;
                let (width, height) = (scope.u32(&table.need("width")?)?, scope.u32(&table.need("height")?)?);
                let expected = u64::from(width).saturating_mul(height.into()).saturating_mul(format.bytes());
                if expected != len {
                    let what = format!("`{}`", self.name);
                    return Err(picture.error(Problem::Length { what, found: len, expected }));
                }
                Ok(Some(Output { file: output_path(&picture)?, image: Some((format, width, height)), show }))
            }
            _ => Err(node.expected("true, a file name or a table")),
        }
    }
}

/// A relative path that stays in the folder of the outputs: job files come from strangers, too.
fn output_path(node: &Node<'_>) -> Result<PathBuf, JobError> {
    let path = PathBuf::from(node.text()?);
    let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside || path.file_name().is_none() {
        let found = path.display().to_string();
        return Err(node.error(Problem::Choice { found, allowed: "the paths inside the folder of the outputs" }));
    }
    Ok(path)
}
