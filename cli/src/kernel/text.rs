//! PTX as text: which source line each line comes from, and what each entry consists of.

use std::collections::{BTreeMap, BTreeSet};

use assay_exact::text::without_comments;
use serde::Serialize;

/// Instructions of an entry and of the functions that it calls, as written, by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Instructions {
    /// On integers, bits and predicates.
    pub integer: u32,
    /// On floating-point numbers, conversions from and to them included.
    pub float: u32,
    /// Loads, stores, reductions.
    pub memory: u32,
    /// Branches, calls, returns.
    pub control: u32,
    /// Barriers, shuffles, votes, matrix products.
    pub warp: u32,
    /// Moves between registers, and addresses from one space to another.
    pub moves: u32,
}

impl Instructions {
    /// All of them.
    pub fn total(&self) -> u32 {
        [self.float, self.memory, self.control, self.warp, self.moves]
            .iter()
            .fold(self.integer, |a, b| a.saturating_add(*b))
    }

    fn add(&mut self, other: Self) {
        self.integer = self.integer.saturating_add(other.integer);
        self.float = self.float.saturating_add(other.float);
        self.memory = self.memory.saturating_add(other.memory);
        self.control = self.control.saturating_add(other.control);
        self.warp = self.warp.saturating_add(other.warp);
        self.moves = self.moves.saturating_add(other.moves);
    }

    fn count(&mut self, opcode: &str) {
        let mut words = opcode.split('.');
        let name = words.next().unwrap_or_default();
        let float = |word: &str| matches!(word, "f16" | "f16x2" | "bf16" | "bf16x2" | "tf32" | "f32" | "f64");
        let place = match name {
            "ld" | "ldu" | "st" | "atom" | "red" | "cp" | "prefetch" | "prefetchu" | "tex" | "tld4" | "suld"
            | "sust" | "sured" | "ldmatrix" | "stmatrix" | "discard" | "applypriority" => &mut self.memory,
            "bra" | "brx" | "call" | "ret" | "exit" | "trap" | "brkpt" => &mut self.control,
            "bar" | "barrier" | "membar" | "fence" | "shfl" | "vote" | "match" | "redux" | "activemask" | "mma"
            | "wmma" | "wgmma" | "elect" | "mbarrier" | "nanosleep" => &mut self.warp,
            "mov" | "cvta" | "isspacep" | "mapa" => &mut self.moves,
            "ex2" | "lg2" | "sin" | "cos" | "tanh" | "rsqrt" | "testp" | "copysign" => &mut self.float,
            _ if words.any(float) => &mut self.float,
            _ => &mut self.integer,
        };
        *place = place.saturating_add(1);
    }
}

/// An entry as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Its name.
    pub name: String,
    /// What stands before the brace: name, parameters, directives.
    pub header: String,
    /// Its statements, without guards, labels and comments.
    pub statements: Vec<String>,
}

#[derive(Default)]
struct Function {
    entry: bool,
    own: Instructions,
    /// Approximate instructions that have exact replacements.
    approximate: BTreeMap<String, u32>,
    named: BTreeSet<String>,
}

/// Places that one line can be inlined through.
const MAX_CALLS: usize = 16;

/// File, line and column.
type Spot = (u32, u32, u32);

/// What a text says of its lines and functions. Reads any text; where it is no PTX, there is little to find.
#[derive(Default)]
pub struct Text {
    files: BTreeMap<u32, String>,
    /// The source of each line of the PTX; zeros where there is none.
    places: Vec<Spot>,
    /// Where code that was inlined from one place was called.
    calls: BTreeMap<Spot, Spot>,
    functions: BTreeMap<String, Function>,
}

impl Text {
    /// Reads it.
    pub fn read(ptx: &[u8]) -> Self {
        Reader::default().over(ptx).text
    }

    /// The entries of a text.
    pub fn bodies(ptx: &[u8]) -> Vec<Body> {
        let reader = Reader { bodies: Some(Vec::new()), ..Reader::default() };
        reader.over(ptx).bodies.unwrap_or_default()
    }

    /// File and line of the source that a line of the PTX (from 1) comes from.
    pub fn source(&self, line: u32) -> Option<(&str, u32)> {
        let (file, line, _) = *self.places.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        Some((self.files.get(&file)?.as_str(), line))
    }

    /// Where the code of a line was called that other functions were inlined into, from the inside out; empty for most.
    pub fn callers(&self, line: u32) -> Vec<(&str, u32)> {
        let index = usize::try_from(line).unwrap_or(0).checked_sub(1);
        let mut spot = index.and_then(|index| self.places.get(index));
        let mut callers = Vec::new();
        while let Some(caller) = spot.and_then(|spot| self.calls.get(spot)).filter(|_| callers.len() < MAX_CALLS) {
            if let Some(file) = self.files.get(&caller.0) {
                callers.push((file.as_str(), caller.1));
            }
            spot = Some(caller);
        }
        callers
    }

    /// Instructions of an entry with all that it calls.
    pub fn instructions(&self, entry: &str) -> Option<Instructions> {
        self.functions.get(entry).filter(|function| function.entry)?;
        let mut sum = Instructions::default();
        self.with_callees(entry, |function| sum.add(function.own));
        Some(sum)
    }

    /// Approximate instructions of an entry with all that it calls, where there is something exact for them, by their opcodes.
    pub fn replaced(&self, entry: &str) -> BTreeMap<String, u32> {
        let mut sum: BTreeMap<String, u32> = BTreeMap::new();
        self.with_callees(entry, |function| {
            for (opcode, count) in &function.approximate {
                let all = sum.entry(opcode.clone()).or_default();
                *all = all.saturating_add(*count);
            }
        });
        sum
    }

    fn with_callees<'a>(&'a self, entry: &'a str, mut visit: impl FnMut(&'a Function)) {
        let mut seen = BTreeSet::from([entry]);
        let mut open = vec![entry];
        while let Some(name) = open.pop() {
            let Some(function) = self.functions.get(name) else { continue };
            visit(function);
            for named in &function.named {
                if self.functions.contains_key(named) && seen.insert(named) {
                    open.push(named);
                }
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    text: Text,
    /// What the last `.loc` says.
    place: Spot,
    statement: String,
    depth: u32,
    /// Braces of an operand list or of an initialiser.
    inner: u32,
    function: Option<String>,
    /// Where entries are kept as they are.
    bodies: Option<Vec<Body>>,
}

impl Reader {
    /// The reader behind all lines of a text.
    fn over(mut self, ptx: &[u8]) -> Self {
        let bare = without_comments(ptx);
        let lines = String::from_utf8_lossy(ptx);
        let bare = String::from_utf8_lossy(&bare);
        lines.lines().zip(bare.lines()).for_each(|(line, bare)| self.line(line, bare));
        self
    }

    /// A line, as it is and without comments.
    fn line(&mut self, line: &str, bare: &str) {
        let mut words = bare.split([' ', '\t', ',']).filter(|word| !word.is_empty());
        match words.next() {
            Some(".loc") => {
                let words: Vec<&str> = words.collect();
                let spot = |words: &[&str]| match words {
                    [file, line, column, ..] => Some((file.parse().ok()?, line.parse().ok()?, column.parse().ok()?)),
                    _ => None,
                };
                if let Some(place) = spot(&words) {
                    self.place = place;
                    let call = words.iter().position(|word| *word == "inlined_at");
                    let call = call.and_then(|at| spot(words.get(at.saturating_add(1)..)?));
                    if let Some(call) = call {
                        self.text.calls.insert(place, call);
                    }
                }
            }
            Some(".file") => {
                let name = line.split('"').nth(1);
                if let (Some(number), Some(name)) = (words.next().and_then(|word| word.parse().ok()), name) {
                    self.text.files.insert(number, name.to_owned());
                }
            }
            Some(word) if word.starts_with("@@") => {}
            _ => bare.chars().for_each(|c| self.character(c)),
        }
        self.text.places.push(if self.depth == 0 { (0, 0, 0) } else { self.place });
        self.statement.push(' ');
    }

    fn character(&mut self, c: char) {
        match c {
            '{' if self.inner == 0 && self.depth == 0 => self.header(),
            '{' if self.inner == 0 && self.statement.trim().is_empty() => self.depth = self.depth.saturating_add(1),
            '{' => {
                self.inner = self.inner.saturating_add(1);
                self.statement.push(c);
            }
            '}' if self.inner > 0 => {
                self.inner = self.inner.saturating_sub(1);
                self.statement.push(c);
            }
            '}' => {
                self.statement.clear();
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.function = None;
                    self.place = (0, 0, 0);
                }
            }
            ';' => self.end(),
            ':' if self.depth > 0 && is_name(self.statement.trim()) && !self.statement.trim().contains('.') => {
                self.statement.clear();
            }
            c => self.statement.push(c),
        }
    }

    /// Before a brace at the top: the header of a function, or a variable with its initialiser, or a section.
    fn header(&mut self) {
        let header = self.statement.clone();
        let mut words = header.split(|c: char| !is_letter(c)).filter(|word| !word.is_empty());
        let Some(kind) = words.by_ref().find(|word| matches!(*word, ".entry" | ".func")) else {
            if header.contains(".section") {
                self.depth = 1;
                self.statement.clear();
            } else {
                self.inner = 1;
            }
            return;
        };
        // Return values stand in parentheses before a function's name.
        let rest = header.split_once(kind).map_or("", |(_, rest)| rest).trim_start();
        let rest = if rest.starts_with('(') { rest.split_once(')').map_or("", |(_, rest)| rest) } else { rest };
        let name = rest.split(|c: char| !is_letter(c)).find(|word| !word.is_empty()).unwrap_or_default().to_owned();
        self.text.functions.insert(name.clone(), Function { entry: kind == ".entry", ..Function::default() });
        if let Some(bodies) = self.bodies.as_mut().filter(|_| kind == ".entry") {
            bodies.push(Body { name: name.clone(), header, statements: Vec::new() });
        }
        self.function = Some(name);
        self.depth = 1;
        self.statement.clear();
    }

    fn end(&mut self) {
        let statement = std::mem::take(&mut self.statement);
        let Some(function) = self.function.as_ref().and_then(|name| self.text.functions.get_mut(name)) else { return };
        let mut rest = statement.trim();
        if let Some(guarded) = rest.strip_prefix('@') {
            rest = guarded.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
        }
        let opcode = rest.split(char::is_whitespace).next().unwrap_or_default();
        if opcode.is_empty() || opcode.starts_with('.') {
            return;
        }
        function.own.count(opcode);
        if function.entry
            && let Some(body) = self.bodies.as_mut().and_then(|bodies| bodies.last_mut())
        {
            body.statements.push(rest.to_owned());
        }
        if assay_exact::is_replaced(opcode) {
            let count = function.approximate.entry(opcode.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        if opcode.starts_with("call") {
            let names = rest.split(|c: char| !is_letter(c)).skip(1).filter(|word| !word.is_empty());
            function.named.extend(names.map(str::to_owned));
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '%' | '.')
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PTX: &str = "\
.version 8.0
.global .align 4 .b8 table[4] = {1, 2, 3, 4};
.func (.param .b32 r) helper(.param .b32 a)
{
	.reg .b32 %r<3>;
	ld.param.b32 %r1, [a]; /* mul.lo.s32
	add.f32 %f1, %f1, %f1; */ mul.lo.s32 %r2, %r1, %r1;
	st.param.b32 [r], %r2; ret;
}
.visible .entry k(.param .u64 p)
{
	.loc 1 7 3
	ld.global.v2.f32 {%f1, %f2}, [%rd1];
$L__BB0_1: @%p1 bra $L__BB0_1;
	.loc 1 8 3
	{ // callseq
	call.uni (r), helper, (a);
	}
	.loc 2 84 5, function_name $L__info_string0, inlined_at 1 9 3
	fma.rn.f32 %f3, %f1, %f2, %f1; // add.s32
	bar.sync 0;
	mov.u32 %r1, %tid.x;
	ret;
}
	.file	1 \"/a//k.cu\"
	.file	2 \"math.hpp\"
";

    #[test]
    fn instructions_are_counted_by_class_with_those_of_called_functions() {
        let found = Text::read(PTX.as_bytes()).instructions("k").unwrap();
        let expected = Instructions { integer: 1, float: 1, memory: 3, control: 4, warp: 1, moves: 1 };
        assert_eq!(found, expected);
        assert_eq!(found.total(), 11);
    }

    #[test]
    fn lines_know_their_source() {
        let text = Text::read(PTX.as_bytes());
        assert_eq!(text.source(13), Some(("/a//k.cu", 7)));
        assert_eq!(text.source(18), Some(("/a//k.cu", 8)));
        assert_eq!(text.source(21), Some(("math.hpp", 84)));
        assert_eq!(text.callers(21), [("/a//k.cu", 9)]);
        assert!(text.callers(18).is_empty());
        assert_eq!(text.source(6), None);
        assert_eq!(text.source(0), None);
        assert_eq!(text.source(999), None);
    }

    #[test]
    fn text_that_is_no_ptx_is_read_to_its_end() {
        for text in ["", "{", "}}}}", "@;", ".entry {", "/* ", "\".file", ".loc x y\n{;;}", "\u{0}{\u{0}"] {
            assert_eq!(Text::read(text.as_bytes()).instructions("k"), None);
        }
    }
}
