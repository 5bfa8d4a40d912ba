//! The job file that a draft is written as.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use crate::kernel::{unmangled, with_template};

use super::{
    names,
    uses::{Entry, Kind, Parameter},
};

/// Names that mean something in expressions.
const TAKEN: [&str; 6] = ["ceil_div", "align", "min", "max", "log2", "threads"];

/// What a job file is drafted from.
pub struct Draft<'a> {
    /// Name of the kernel within the job.
    pub kernel: &'a str,
    /// Its path, as the job file says it.
    pub path: &'a str,
    /// How the job file is called, in what it says of itself.
    pub file: &'a str,
    /// The entries, each a launch.
    pub entries: Vec<Entry>,
    /// Variables of the module that kernels may write, and their bytes.
    pub variables: Vec<(String, usize)>,
    /// CUDA C, where it is at hand.
    pub source: Option<&'a str>,
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
    threads: bool,
}

/// Writes it. Sizes and values are guesses that people replace; where guesses do, the file runs as it is.
pub fn write(draft: &Draft<'_>) -> String {
    let mut writer = Writer::default();
    for entry in &draft.entries {
        writer.entry(entry, draft);
    }
    let mut out = format!(
        "# A draft: the sizes and values are guesses. When they are right,\n\
         #   assay job check {0} --infer-writes --save    puts the `writes` here\n\
         #   assay job run {0}                            computes it here\n\n\
         [kernels]\n{1} = {2}\n\n[vars]\n",
        draft.file,
        key(draft.kernel),
        text(draft.path),
    );
    for name in &writer.order {
        let _ = writeln!(out, "{name} = {}", writer.vars.get(name).copied().unwrap_or(1));
    }
    if writer.threads {
        out.push_str("threads = 256    # of a CTA\n");
    }
    if writer.buffers.is_empty() && draft.variables.is_empty() {
        // Pointers to it stand in a structure.
        let (name, len) = ("data".to_owned(), "4096".to_owned());
        writer.buffers.push(Buffer { name, len, element: None, cpp: None, read: false, written: true, reduced: false });
    }
    let result = !draft.variables.is_empty() || writer.buffers.iter().any(|buffer| buffer.written);
    for (at, buffer) in writer.buffers.iter().enumerate() {
        let _ = writeln!(out, "\n[[buffer]]\nname = \"{}\"", buffer.name);
        let kind = buffer.cpp.as_ref().map_or(String::new(), |cpp| format!("    # {cpp}"));
        let _ = writeln!(out, "len = {}{kind}", text(&buffer.len));
        if buffer.read && !buffer.reduced {
            let element = buffer.element.unwrap_or("u8");
            let bounds = if element.starts_with('f') { "" } else { ", min = 0, max = 99" };
            let _ = writeln!(out, "random = {{ seed = {}, type = \"{element}\"{bounds} }}", at.saturating_add(1));
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
    out
}

impl Writer {
    fn entry(&mut self, entry: &Entry, draft: &Draft<'_>) {
        let count = entry.parameters.len();
        let known = draft.source.and_then(|source| names::in_source(source, &entry.plain, count));
        let prefix = match draft.entries.as_slice() {
            [_] => String::new(),
            _ => format!("{}_", identifier(&entry.plain)),
        };
        let mut used = BTreeSet::new();
        let names: Vec<String> = (0..count)
            .map(|at| {
                let name = known.as_ref().and_then(|names| names.get(at).cloned());
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
        let extents = self.extents(&sizes, entry.axes.max(entry.block_axes.min(2)));
        let elements = extents.join(" * ");
        let (grid, block) = self.shape(entry, &extents);

        // Instances of a template share the plain name.
        let alone = draft.entries.iter().filter(|other| other.plain == entry.plain).count() == 1;
        let name = match with_template(&entry.name) {
            _ if alone => entry.plain.clone(),
            Some(name) => name,
            None => entry.name.clone(),
        };
        let _ = write!(self.launches, "\n[[launch]]\nentry = {}\n", text(&name));
        let _ = write!(self.launches, "grid = {grid}\nblock = {block}\n");
        if entry.dynamic {
            self.launches
                .push_str("shared = \"block.x * block.y * block.z * 8\"    # dynamic shared memory, in bytes\n");
        }
        if entry.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::Pointer { reduced: true, .. })) {
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
    }

    /// Expressions of how far the axes go, at least one; more sizes than axes count as elements.
    fn extents(&mut self, sizes: &[String], axes: usize) -> Vec<String> {
        let most = axes.max(sizes.len()).min(3);
        let each = [1024, 64, 32].get(most.saturating_sub(1)).copied().unwrap_or(32);
        let own = ["n".to_owned()];
        let sizes = if sizes.is_empty() { own.as_slice() } else { sizes };
        for size in sizes {
            if !self.vars.contains_key(size) {
                self.vars.insert(size.clone(), each);
                self.order.push(size.clone());
            }
        }
        (0..most).filter_map(|at| sizes.get(at).or(sizes.last()).cloned()).collect()
    }

    fn shape(&mut self, entry: &Entry, extents: &[String]) -> (String, String) {
        let block: Vec<String> = match (entry.threads, entry.block_axes) {
            (Some(threads), axes) => {
                let used =
                    axes.max(threads.iter().rposition(|count| *count > 1).map_or(1, |last| last.saturating_add(1)));
                threads.iter().take(used).map(u32::to_string).collect()
            }
            (None, 1) if entry.axes == 1 => {
                self.threads = true;
                vec!["threads".to_owned()]
            }
            (None, 1) => vec!["256".to_owned()],
            (None, 2) => vec!["16".to_owned(), "16".to_owned()],
            (None, _) => vec!["8".to_owned(), "8".to_owned(), "4".to_owned()],
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
        let quoted = |part: &String| if part == "threads" { text(part) } else { part.clone() };
        let block: Vec<String> = block.iter().map(quoted).collect();
        let list = |parts: Vec<String>| match parts.as_slice() {
            [one] => one.clone(),
            parts => format!("[{}]", parts.join(", ")),
        };
        (list(grid), list(block))
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
                let hex = "00".repeat(usize::try_from(*count).unwrap_or(0).min(4096));
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
