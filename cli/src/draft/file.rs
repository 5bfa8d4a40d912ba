//! The job file that a draft is written as.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use assay_primitives::program::{MAX_ARG_BYTES, MAX_BUFFERS, MAX_STEPS};

use crate::{
    kernel::{Serial, unmangled, with_template},
    term::wrapped,
};

use super::{
    names,
    uses::{Entry, Kind, Parameter},
};

/// Names that mean something in expressions.
const TAKEN: [&str; 6] = ["ceil_div", "align", "min", "max", "log2", "threads"];

/// Letters of a line of a comment.
const ROOM: usize = 110;
/// Names that a comment lists.
const NAMED: usize = 8;

/// Threads of a CTA along one axis.
const THREADS: u32 = 256;

/// What a job file is drafted from.
#[derive(Clone)]
pub struct Draft<'a> {
    /// Name of the kernel within the job.
    pub kernel: &'a str,
    /// Its path, as the job file says it.
    pub path: &'a str,
    /// How the job file is called, in what it says of itself.
    pub file: &'a str,
    /// The entries, each a launch.
    pub entries: Vec<Entry>,
    /// Entries that a program has no room for.
    pub left_out: Vec<String>,
    /// Variables of the module that kernels may write, and their bytes.
    pub variables: Vec<(String, usize)>,
}

/// Where running showed that guesses are wrong; launches by their place in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Buffers that are so many times as long as guessed.
    pub times: BTreeMap<String, u64>,
    /// Buffers of whole numbers up to this one.
    pub small: BTreeMap<String, u32>,
    /// Values of variables.
    pub vars: BTreeMap<String, u32>,
    /// Threads of a CTA.
    pub blocks: BTreeMap<usize, Vec<u32>>,
    /// Dynamic shared memory that is so many times as long as guessed.
    pub shared: BTreeMap<usize, u64>,
    /// CTAs that run one after the other.
    pub serial: BTreeSet<usize>,
    /// Entries of their `writes`.
    pub writes: BTreeMap<usize, Vec<String>>,
    /// What was seen of launches that no change lets run.
    pub notes: BTreeMap<usize, String>,
    /// Whether the file runs as it is.
    pub runs: bool,
}

/// A draft that is written.
pub struct Written {
    /// The job file.
    pub text: String,
    /// Its launches.
    pub launches: Vec<Shape>,
    /// Its variables.
    pub vars: BTreeMap<String, u32>,
    /// Buffers whose lengths are guesses, and whether they hold random data.
    pub buffers: BTreeMap<String, bool>,
}

/// What of a launch is guessed.
pub struct Shape {
    /// Threads of a CTA, along the axes that are written.
    pub block: Vec<u32>,
    /// Variables among its arguments.
    pub sizes: Vec<String>,
    /// Whether it has dynamic shared memory.
    pub dynamic: bool,
    /// Whether its CTAs run one after the other.
    pub serial: bool,
}

/// A buffer in the making.
struct Buffer {
    name: String,
    len: String,
    element: Option<&'static str>,
    cpp: Option<String>,
    read: bool,
    written: bool,
    /// Whether a kernel reduces into it before any loads it.
    reduced: bool,
}

#[derive(Default)]
struct Writer {
    vars: BTreeMap<String, u32>,
    order: Vec<String>,
    buffers: Vec<Buffer>,
    launches: String,
    shapes: Vec<Shape>,
    threads: bool,
}

/// Behind what running has changed.
const FOUND: &str = "found by running";

/// Writes it. Sizes and values are guesses that people replace.
pub fn write(draft: &Draft<'_>, changes: &Changes) -> Written {
    let mut writer = Writer::default();
    for entry in &draft.entries {
        writer.entry(entry, draft, changes);
    }
    let guesses = if changes.runs { "guesses with which it runs" } else { "guesses" };
    let mut out = format!(
        "# A draft: the sizes and values are {guesses}. When they are right,\n\
         #   assay job check {0} --infer-writes --save    puts the `writes` here\n\
         #   assay job run {0}                            computes it here\n{1}\n\
         [kernels]\n{2} = {3}\n\n[vars]\n",
        draft.file,
        left_out(&draft.left_out),
        key(draft.kernel),
        text(draft.path),
    );
    for name in &writer.order {
        let found = if changes.vars.contains_key(name) { format!("    # {FOUND}") } else { String::new() };
        let _ = writeln!(out, "{name} = {}{found}", writer.vars.get(name).copied().unwrap_or(1));
    }
    if writer.threads {
        let _ = writeln!(out, "threads = {THREADS}    # of a CTA");
    }
    if writer.buffers.is_empty() && draft.variables.is_empty() {
        // Pointers to it stand in a structure.
        let (name, len) = ("data".to_owned(), "4096".to_owned());
        writer.buffers.push(Buffer { name, len, element: None, cpp: None, read: false, written: true, reduced: false });
    }
    let result = !draft.variables.is_empty() || writer.buffers.iter().any(|buffer| buffer.written);
    for (at, buffer) in writer.buffers.iter().enumerate() {
        let _ = writeln!(out, "\n[[buffer]]\nname = \"{}\"", buffer.name);
        let times = changes.times.get(&buffer.name).copied().unwrap_or(1);
        let len = if times > 1 { format!("{times} * {}", buffer.len) } else { buffer.len.clone() };
        let _ = writeln!(out, "len = {}{}", text(&len), remark(buffer.cpp.as_deref(), times > 1));
        if buffer.is_random() {
            let small = changes.small.get(&buffer.name);
            let element = match (buffer.element, small) {
                (Some(element), _) => element,
                (None, Some(_)) => "i32",
                (None, None) => "u8",
            };
            let bounds = match small {
                Some(most) => format!(", min = 0, max = {most}"),
                None if element.starts_with('f') => String::new(),
                None => ", min = 0, max = 99".to_owned(),
            };
            let found = remark(None, small.is_some());
            let seed = at.saturating_add(1);
            let _ = writeln!(out, "random = {{ seed = {seed}, type = \"{element}\"{bounds} }}{found}");
        }
        if buffer.written || !result && at == 0 {
            let show = buffer.element.map_or(String::new(), |element| format!(", show = \"{element}\""));
            let _ = writeln!(out, "output = {{ file = \"{}.bin\"{show} }}", buffer.name);
        }
    }
    for (name, bytes) in &draft.variables {
        let mut buffer = identifier(&unmangled(name).unwrap_or_else(|| name.clone()));
        while writer.buffers.iter().any(|other| other.name == buffer) {
            buffer.push('_');
        }
        let _ = writeln!(out, "\n[[symbol]]    # a __device__ variable\nname = {}\nbuffer = \"{buffer}\"", text(name));
        let _ = writeln!(out, "\n[[buffer]]\nname = \"{buffer}\"\nlen = {bytes}\noutput = true");
    }
    out.push_str(&writer.launches);
    let buffers = writer.buffers.iter().map(|buffer| (buffer.name.clone(), buffer.is_random())).collect();
    Written { text: out, launches: writer.shapes, vars: writer.vars, buffers }
}

impl Buffer {
    fn is_random(&self) -> bool {
        self.read && !self.reduced
    }
}

/// A comment on entries that have no launch.
fn left_out(names: &[String]) -> String {
    let shown = names.get(..NAMED).unwrap_or(names);
    let more = match names.len().saturating_sub(shown.len()) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    match names {
        [] => String::new(),
        _ => comment(&format!(
            "Left out, as a program has at most {MAX_BUFFERS} buffers and {MAX_STEPS} steps: {}{more}. `assay job new` with \
             `--entry` drafts them.",
            shown.join(", ")
        )),
    }
}

/// Text as lines of a comment.
pub fn comment(text: &str) -> String {
    wrapped(text, ROOM).into_iter().map(|line| format!("# {line}\n")).collect()
}

/// The comment behind a value.
fn remark(kind: Option<&str>, found: bool) -> String {
    match (kind, found) {
        (Some(kind), true) => format!("    # {kind}; {FOUND}"),
        (Some(kind), false) => format!("    # {kind}"),
        (None, true) => format!("    # {FOUND}"),
        (None, false) => String::new(),
    }
}

impl Writer {
    fn entry(&mut self, entry: &Entry, draft: &Draft<'_>, changes: &Changes) {
        let at = self.shapes.len();
        let count = entry.parameters.len();
        let prefix = match draft.entries.as_slice() {
            [_] => String::new(),
            _ => format!("{}_", identifier(&entry.plain)),
        };
        let mut used = BTreeSet::new();
        let names: Vec<String> = (0..count)
            .map(|at| {
                let name = entry.parameters.get(at).and_then(|parameter| parameter.name.clone());
                let mut name =
                    name.unwrap_or_else(|| match entry.parameters.get(at).map(|parameter| &parameter.kind) {
                        Some(Kind::Pointer { .. }) => format!("{prefix}p{at}"),
                        _ => format!("{prefix}n{at}"),
                    });
                while TAKEN.contains(&name.as_str()) || !used.insert(name.clone()) {
                    name.push('_');
                }
                name
            })
            .collect();
        let sizes: Vec<String> = entry
            .parameters
            .iter()
            .zip(&names)
            .filter(|(parameter, _)| is_size(parameter))
            .map(|(_, name)| name.clone())
            .collect();
        // A grid along one axis of CTAs with rows goes over a matrix, perhaps.
        let extents = self.extents(&sizes, entry.axes.max(entry.block_axes.min(2)), &changes.vars);
        let elements = extents.join(" * ");
        let (grid, block, threads) = self.shape(entry, &extents, changes.blocks.get(&at));
        let reduces =
            entry.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::Pointer { reduced: true, .. }));
        let serial = reduces || entry.ordered.is_some() || changes.serial.contains(&at);
        self.shapes.push(Shape { block: threads, sizes, dynamic: entry.dynamic, serial });

        // Instances of a template share the plain name.
        let alone = draft.entries.iter().filter(|other| other.plain == entry.plain).count() == 1;
        let name = match with_template(&entry.name) {
            _ if alone => entry.plain.clone(),
            Some(name) => name,
            None => entry.name.clone(),
        };
        self.launches.push_str("\n[[launch]]\n");
        if let Some(note) = changes.notes.get(&at) {
            self.launches.push_str(note);
        }
        let _ = writeln!(self.launches, "entry = {}", text(&name));
        let _ = writeln!(self.launches, "grid = {grid}");
        let _ = writeln!(self.launches, "block = {block}{}", remark(None, changes.blocks.contains_key(&at)));
        if entry.dynamic {
            let times = changes.shared.get(&at).copied().unwrap_or(1);
            let bytes = 8u64.saturating_mul(times);
            let kind = remark(Some("dynamic shared memory, in bytes"), times > 1);
            let _ = writeln!(self.launches, "shared = \"block.x * block.y * block.z * {bytes}\"{kind}");
        }
        if let Some(ordered) = entry.ordered {
            let value = if ordered == Serial::Threads { "\"threads\"" } else { "true" };
            let _ = writeln!(self.launches, "serial = {value}    # the order of its atomics shows");
        } else if changes.serial.contains(&at) {
            self.launches.push_str("serial = true    # CTAs change the same bytes, as running showed\n");
        } else if reduces {
            self.launches.push_str("serial = true    # CTAs change the same bytes, as its reductions look\n");
        }
        self.launches.push_str("args = [\n");
        for (parameter, name) in entry.parameters.iter().zip(&names) {
            let argument = self.argument(parameter, name, &elements);
            let kind = match (&parameter.kind, &parameter.cpp) {
                (Kind::Bytes(count), cpp) => {
                    let name = cpp.as_deref().unwrap_or("a structure");
                    format!("    # {name}, {count} bytes: {{ struct = [ … ] }}")
                }
                (_, Some(cpp)) => format!("    # {cpp}"),
                _ => String::new(),
            };
            let _ = writeln!(self.launches, "    {argument},{kind}");
        }
        self.launches.push_str("]\n");
        match changes.writes.get(&at).map(Vec::as_slice) {
            None => {}
            Some([first, others @ ..]) if !others.is_empty() => {
                let _ = writeln!(self.launches, "writes = [\n    {first},");
                for entry in others {
                    let _ = writeln!(self.launches, "    {entry},");
                }
                self.launches.push_str("]\n");
            }
            Some(entries) => {
                let _ = writeln!(self.launches, "writes = [{}]", entries.join(", "));
            }
        }
    }

    /// Expressions of how far the axes go, at least one; more sizes than axes count as elements.
    fn extents(&mut self, sizes: &[String], axes: usize, found: &BTreeMap<String, u32>) -> Vec<String> {
        let most = axes.max(sizes.len()).min(3);
        let each = [1024, 64, 32, 16, 16].get(axes.max(sizes.len()).saturating_sub(1)).copied().unwrap_or(8);
        let own = ["n".to_owned()];
        let sizes = if sizes.is_empty() { own.as_slice() } else { sizes };
        for size in sizes {
            if !self.vars.contains_key(size) {
                self.vars.insert(size.clone(), found.get(size).copied().unwrap_or(each));
                self.order.push(size.clone());
            }
        }
        (0..most).filter_map(|at| sizes.get(at).or(sizes.last()).cloned()).collect()
    }

    fn shape(&mut self, entry: &Entry, extents: &[String], found: Option<&Vec<u32>>) -> (String, String, Vec<u32>) {
        let block: Vec<String> = match (found, entry.threads, entry.block_axes) {
            (Some(found), ..) => found.iter().map(u32::to_string).collect(),
            (None, Some(threads), axes) => {
                let used =
                    axes.max(threads.iter().rposition(|count| *count > 1).map_or(1, |last| last.saturating_add(1)));
                threads.iter().take(used).map(u32::to_string).collect()
            }
            (None, None, 1) if entry.axes == 1 => {
                self.threads = true;
                vec!["threads".to_owned()]
            }
            (None, None, 1) => vec!["256".to_owned()],
            (None, None, 2) => vec!["16".to_owned(), "16".to_owned()],
            (None, None, _) => vec!["8".to_owned(), "8".to_owned(), "4".to_owned()],
        };
        let grid: Vec<String> = extents
            .iter()
            .enumerate()
            .take(entry.axes)
            .map(|(axis, extent)| match block.get(axis) {
                Some(threads) => text(&format!("ceil_div({extent}, {threads})")),
                None => text(extent),
            })
            .collect();
        let threads = block.iter().map(|part| part.parse().unwrap_or(THREADS)).collect();
        let quoted = |part: &String| if part == "threads" { text(part) } else { part.clone() };
        let block: Vec<String> = block.iter().map(quoted).collect();
        let list = |parts: Vec<String>| match parts.as_slice() {
            [one] => one.clone(),
            parts => format!("[{}]", parts.join(", ")),
        };
        (list(grid), list(block), threads)
    }

    fn argument(&mut self, parameter: &Parameter, name: &str, elements: &str) -> String {
        match &parameter.kind {
            Kind::Pointer { read, written, reduced, element } => {
                let found = self.buffers.iter_mut().find(|buffer| buffer.name == name);
                if let Some(buffer) = found {
                    buffer.read |= read;
                    buffer.written |= written;
                } else {
                    let bytes = element_bytes(parameter.cpp.as_deref(), *element);
                    let len = format!("{elements} * {bytes}");
                    let (name, cpp) = (name.to_owned(), parameter.cpp.clone());
                    let (read, written, reduced) = (*read, *written, *reduced);
                    self.buffers.push(Buffer { name, len, element: *element, cpp, read, written, reduced });
                }
                format!("\"buf:{name}\"")
            }
            Kind::Number(kind) if is_size(parameter) => format!("{{ {kind} = {} }}", text(name)),
            Kind::Number(kind @ ("f32" | "f64")) => format!("{{ {kind} = 1.0 }}"),
            Kind::Number(kind) => format!("{{ {kind} = 1 }}"),
            Kind::Bytes(count) => {
                let hex = "00".repeat(usize::try_from(*count).unwrap_or(0).min(MAX_ARG_BYTES as usize));
                format!("{{ hex = \"{hex}\" }}")
            }
        }
    }
}

/// Whether a parameter may say how large something is.
fn is_size(parameter: &Parameter) -> bool {
    matches!(parameter.kind, Kind::Number("i32" | "u32" | "i64" | "u64"))
}

fn element_bytes(cpp: Option<&str>, element: Option<&str>) -> u32 {
    let scalar: u32 = match element {
        Some("u8" | "i8") => 1,
        Some("u16" | "i16") => 2,
        Some("u64" | "i64" | "f64") => 8,
        Some(_) => 4,
        // A structure, perhaps.
        None => 64,
    };
    let pointee = cpp.and_then(names::pointee).unwrap_or_default();
    let lanes = pointee.trim_end_matches("const").trim_end().chars().last().and_then(|c| c.to_digit(10));
    let vector = ["float", "double", "int", "uint", "uchar", "char"].iter().any(|kind| pointee.contains(kind));
    match lanes {
        Some(lanes @ 2..=4) if vector && !pointee.contains("_t") => scalar.saturating_mul(lanes),
        _ => scalar,
    }
}

/// A TOML string.
fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

/// A TOML key.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { text(name) }
}

/// Letters, digits and underscores.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
