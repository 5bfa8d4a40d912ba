//! What an entry does with its parameters, read from its text.
//!
//! An address is followed from `ld.param` through moves and additions to the access. Nothing hangs on it but a draft that
//! people complete: what is not seen is left open.

use std::collections::BTreeMap;

use assay_exact::text::without_comments;

use super::names;
use crate::kernel::{Body, Serial, Text, plain_name};

/// Parameters that are followed.
const MOST: usize = 64;
/// Passes over a body: loops carry an address back to their head.
const PASSES: usize = 4;

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As PTX calls it.
    pub name: String,
    /// As people call it.
    pub plain: String,
    /// In the order of the arguments.
    pub parameters: Vec<Parameter>,
    /// Axes of the grid that it looks at, at least one.
    pub axes: usize,
    /// Axes of a CTA that it looks at, at least one.
    pub block_axes: usize,
    /// Threads of a CTA, where it says how many it needs.
    pub threads: Option<[u32; 3]>,
    /// Whether it has shared memory whose size the launch says.
    pub dynamic: bool,
    /// The order of threads in which alone it is accepted.
    pub ordered: Option<Serial>,
}

impl Entry {
    /// Whether it can reach a buffer: by a pointer, or by one in a structure.
    pub fn reaches_buffers(&self) -> bool {
        self.parameters.iter().any(|parameter| matches!(parameter.kind, Kind::Pointer { .. } | Kind::Bytes(_)))
    }
}

/// Gives the parameters of entries the names that CUDA C has for them.
pub fn name(entries: &mut [Entry], source: &str) {
    let text = without_comments(source.as_bytes());
    let text = String::from_utf8_lossy(&text);
    for entry in entries {
        let names = names::in_source(&text, &entry.plain, entry.parameters.len()).unwrap_or_default();
        for (parameter, name) in entry.parameters.iter_mut().zip(names) {
            parameter.name = Some(name);
        }
    }
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What the source calls it, where that is at hand.
    pub name: Option<String>,
    /// Its type in C++, where its name tells.
    pub cpp: Option<String>,
    /// What it is.
    pub kind: Kind,
}

/// What a parameter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An address in a buffer.
    Pointer {
        /// Loads.
        read: bool,
        /// Stores and reductions.
        written: bool,
        /// Reductions, and no other access.
        reduced: bool,
        /// Type of an element, as job files name it.
        element: Option<&'static str>,
    },
    /// A number of this type, as job files name it.
    Number(&'static str),
    /// So many bytes: a structure.
    Bytes(u32),
}

/// The entries of a text, in its order.
pub fn entries(ptx: &[u8]) -> Vec<Entry> {
    // Shared memory of no stated size belongs to the module.
    let text = String::from_utf8_lossy(ptx);
    let dynamic: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(".extern") && line.contains(".shared"))
        .filter_map(|line| line.split_once('[')?.0.split_whitespace().last())
        .collect();
    Text::bodies(ptx).iter().map(|body| entry(body, &dynamic)).collect()
}

fn entry(body: &Body, dynamic: &[&str]) -> Entry {
    let declared = declared(&body.header);
    let cpp = names::parameters(&body.name).filter(|types| types.len() == declared.len());
    let mut followed = Followed::default();
    for (at, parameter) in declared.iter().enumerate().take(MOST) {
        followed.places.insert(parameter.name.as_str(), at);
        if parameter.pointer {
            followed.pointers |= 1 << at;
        }
    }
    for _ in 0..PASSES {
        let before = (followed.registers.len(), followed.changes);
        body.statements.iter().for_each(|statement| followed.statement(statement));
        if before == (followed.registers.len(), followed.changes) {
            break;
        }
    }
    let parameters = declared
        .iter()
        .enumerate()
        .map(|(at, parameter)| {
            let cpp = cpp.as_ref().and_then(|types| types.get(at).cloned());
            let bit = if at < MOST { 1u64 << at } else { 0 };
            let pointee = cpp.as_deref().and_then(names::pointee);
            let kind = match (parameter.array, &pointee) {
                (Some(bytes), _) => Kind::Bytes(bytes),
                (None, Some(_)) => followed.pointer(bit, pointee.and_then(|pointee| names::number(&pointee))),
                (None, None) if cpp.is_none() && followed.pointers & bit != 0 => followed.pointer(bit, None),
                (None, None) => {
                    Kind::Number(cpp.as_deref().and_then(names::number).unwrap_or_else(|| plain_type(&parameter.kind)))
                }
            };
            Parameter { name: None, cpp, kind }
        })
        .collect();
    let uses = |word: &str| body.statements.iter().any(|statement| statement.contains(word));
    let axes = |register: &str| match (uses(&format!("{register}.z")), uses(&format!("{register}.y"))) {
        (true, _) => 3,
        (false, true) => 2,
        _ => 1,
    };
    Entry {
        name: body.name.clone(),
        plain: plain_name(&body.name),
        parameters,
        axes: axes("%ctaid"),
        block_axes: axes("%tid"),
        threads: required_threads(&body.header),
        dynamic: dynamic.iter().any(|name| uses(name)),
        ordered: None,
    }
}

/// A parameter as it is declared.
struct Declared {
    name: String,
    kind: String,
    /// Bytes, where it is an array of them.
    array: Option<u32>,
    /// Whether it says that it points somewhere.
    pointer: bool,
}

fn declared(header: &str) -> Vec<Declared> {
    let list = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(list, _)| list);
    list.split(',')
        .filter_map(|parameter| {
            let words: Vec<&str> = parameter.split_whitespace().collect();
            let name = words.last()?;
            let (name, array) = match name.split_once('[') {
                Some((name, count)) => (name, count.trim_end_matches(']').parse().ok()),
                None => (*name, None),
            };
            let kind = words.iter().find(|word| is_type(word))?;
            Some(Declared { name: name.to_owned(), kind: (*kind).to_owned(), array, pointer: words.contains(&".ptr") })
        })
        .collect()
}

fn is_type(word: &str) -> bool {
    let digits = word.trim_start_matches(['.', 'u', 's', 'b', 'f']);
    word.starts_with('.') && matches!(digits, "8" | "16" | "32" | "64" | "128")
}

/// A number's type in a job file, from PTX; `int` where the sign is not known.
fn plain_type(kind: &str) -> &'static str {
    match kind {
        ".u8" | ".b8" => "u8",
        ".s8" => "i8",
        ".u16" | ".b16" => "u16",
        ".s16" => "i16",
        ".f32" => "f32",
        ".f64" => "f64",
        ".u64" | ".b64" => "u64",
        ".s64" => "i64",
        _ => "i32",
    }
}

fn required_threads(header: &str) -> Option<[u32; 3]> {
    let list = [".reqntid", ".maxntid"].iter().find_map(|word| header.split_once(word))?.1;
    let mut threads = [1; 3];
    let numbers = list.split('.').next().unwrap_or_default().split(',');
    for (into, number) in threads.iter_mut().zip(numbers) {
        *into = number.trim().parse().ok()?;
    }
    Some(threads)
}

/// What registers hold: sets of parameters, as bits.
#[derive(Default)]
struct Followed<'a> {
    places: BTreeMap<&'a str, usize>,
    registers: BTreeMap<&'a str, u64>,
    /// Those that were loaded and nothing else.
    direct: BTreeMap<&'a str, u64>,
    changes: u64,
    /// Parameters that are addresses.
    pointers: u64,
    read: u64,
    written: u64,
    /// Those that reductions change.
    reduced: u64,
    elements: BTreeMap<u64, &'static str>,
}

impl<'a> Followed<'a> {
    fn pointer(&self, bit: u64, element: Option<&'static str>) -> Kind {
        Kind::Pointer {
            read: self.read & bit != 0,
            written: (self.written | self.reduced) & bit != 0,
            reduced: self.reduced & !self.read & !self.written & bit != 0,
            element: element.or_else(|| self.elements.get(&bit).copied()),
        }
    }

    fn of(&self, operand: &str) -> u64 {
        let register = operand.split('+').next().unwrap_or_default().trim();
        self.registers.get(register).copied().unwrap_or(0)
    }

    fn add(&mut self, register: &'a str, bits: u64) {
        if bits == 0 {
            return;
        }
        let held = self.registers.entry(register).or_default();
        if *held | bits != *held {
            *held |= bits;
            self.changes = self.changes.saturating_add(1);
        }
    }

    fn statement(&mut self, statement: &'a str) {
        let Some((opcode, rest)) = statement.split_once(char::is_whitespace) else { return };
        let mut words = opcode.split('.');
        let name = words.next().unwrap_or_default();
        let has = |word: &str| opcode.split('.').any(|part| part == word);
        let address = rest.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inside, _)| inside.trim());
        let first = rest.split(',').next().unwrap_or_default().trim();
        match (name, address) {
            ("ld", Some(address)) if has("param") => {
                let parameter = address.split('+').next().unwrap_or_default().trim();
                if let Some(at) = self.places.get(parameter) {
                    self.direct.insert(first, 1 << at);
                    self.add(first, 1 << at);
                }
            }
            (_, Some(_)) if has("param") || has("shared") || has("local") || has("const") => {}
            ("ld" | "ldu", Some(address)) => self.read |= self.access(address, opcode),
            ("st", Some(address)) => self.written |= self.access(address, opcode),
            ("atom" | "red", Some(address)) => self.reduced |= self.access(address, opcode),
            ("cp", Some(_)) => {
                let second = rest.split('[').nth(2).and_then(|rest| rest.split(']').next()).unwrap_or_default();
                self.read |= self.access(second.trim(), "");
            }
            ("cvta", _) if has("to") => {
                let source = rest.split(',').nth(1).unwrap_or_default().trim();
                self.pointers |= self.direct.get(source).copied().unwrap_or(0);
                self.add(first, self.of(source));
            }
            // An index times a size is no address.
            ("mad", _) => {
                let last = rest.split(',').nth(3).unwrap_or_default();
                self.add(first, self.of(last.trim()));
            }
            ("mov" | "add" | "sub" | "selp" | "and" | "or" | "cvta" | "cvt" | "max" | "min", _) => {
                let bits = rest.split(',').skip(1).fold(0, |bits, operand| bits | self.of(operand.trim()));
                self.add(first, bits);
            }
            _ => {}
        }
    }

    /// The parameters that an access goes to.
    fn access(&mut self, address: &str, opcode: &str) -> u64 {
        let bits = self.of(address);
        // Beside an address stands what it is counted by.
        let bits = if bits & self.pointers == 0 { bits } else { bits & self.pointers };
        self.pointers |= bits;
        if bits.count_ones() == 1
            && let Some(kind) = opcode.rsplit('.').next()
        {
            let element = match kind {
                "f32" => "f32",
                "f64" => "f64",
                "u8" | "b8" => "u8",
                "s8" => "i8",
                "u16" | "b16" => "u16",
                "s16" => "i16",
                "u64" | "b64" => "u64",
                "s64" => "i64",
                "u32" | "s32" | "b32" => "i32",
                _ => return bits,
            };
            self.elements.entry(bits).or_insert(element);
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_ptx_has_nothing_to_draft() {
        for text in [
            "",
            "{",
            ".entry {}",
            ".entry k(.param .u64 p",
            ".entry k(,,.param) {ld.param.u64 %rd1, [; st [ ; cp.async [a], [; mad ; }",
            ".extern .shared x[ .entry \u{0}(.param .u32 é[9999999999]) {mov %é, é;}",
        ] {
            for entry in entries(text.as_bytes()) {
                assert!(entry.parameters.len() < 2, "{entry:?}");
            }
        }
    }

    #[test]
    fn addresses_are_followed_through_loops_and_indices_are_none() {
        let ptx = ".entry k(.param .u64 a, .param .u64 b, .param .u64 n, .param .align 8 .b8 s[24]) .reqntid 32, 2
        {
            ld.param.u64 %rd1, [a]; ld.param.u64 %rd2, [b]; ld.param.u64 %rd3, [n];
            cvta.to.global.u64 %rd4, %rd1; cvta.to.global.u64 %rd5, %rd2;
            shl.b64 %rd6, %rd3, 3; add.s64 %rd7, %rd4, %rd3;
            L: ld.global.f64 %fd1, [%rd8+16]; st.global.v2.u16 [%rd9], {%rs1, %rs2};
            add.s64 %rd8, %rd7, 8; mov.b64 %rd9, %rd5; mov.u32 %r1, %tid.y; bra L;
        }";
        let found = entries(ptx.as_bytes());
        let kinds: Vec<&Kind> =
            found.iter().flat_map(|entry| &entry.parameters).map(|parameter| &parameter.kind).collect();
        let pointer = |read, written, element| Kind::Pointer { read, written, reduced: false, element };
        assert_eq!(
            kinds,
            [
                &pointer(true, false, Some("f64")),
                &pointer(false, true, Some("u16")),
                &Kind::Number("u64"),
                &Kind::Bytes(24)
            ]
        );
        assert!(
            found.iter().all(|entry| (entry.axes, entry.block_axes) == (1, 2) && entry.threads == Some([32, 2, 1]))
        );
    }

    #[test]
    fn what_reductions_alone_change_is_told_from_what_is_loaded_too() {
        let ptx = ".entry k(.param .u64 total, .param .u64 bins)
        {
            ld.param.u64 %rd1, [total]; ld.param.u64 %rd2, [bins];
            cvta.to.global.u64 %rd3, %rd1; cvta.to.global.u64 %rd4, %rd2;
            atom.global.add.u32 %r1, [%rd3], 1; red.global.add.u32 [%rd4], 1; ld.global.u32 %r2, [%rd4];
        }";
        let found = entries(ptx.as_bytes());
        let kinds: Vec<&Kind> =
            found.iter().flat_map(|entry| &entry.parameters).map(|parameter| &parameter.kind).collect();
        let pointer = |read, reduced| Kind::Pointer { read, written: true, reduced, element: Some("i32") };
        assert_eq!(kinds, [&pointer(false, true), &pointer(true, false)]);
    }
}
