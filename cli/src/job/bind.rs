//! Variables that kernels write, PTX to PTX: each becomes a parameter, a pointer, of the entries that use it.
//!
//! ```text
//! .visible .global .align 4 .u32 total;     (gone)
//! .visible .entry count(…)                  .visible .entry count(…, .param .u64 assay_symbol0)
//! atom.global.add.u32 %r1, [total], 1;      atom.global.add.u32 %r1, [%assay_symbol0], 1;
//! ```
//!
//! Every line keeps its number.

use std::collections::{BTreeMap, BTreeSet};

use super::symbols::without_comments;

/// What all new names begin with.
const PREFIX: &str = "assay_symbol";

/// A module whose variables are parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Bound {
    /// The text.
    pub ptx: Vec<u8>,
    /// For each entry that got parameters, which of the variables they are, in their order behind the others.
    pub entries: BTreeMap<String, Vec<usize>>,
}

/// Why a variable cannot become a parameter.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// A function is given no parameters.
    #[error(
        "line {line}: the function `{function}` uses `{variable}`: make it `__forceinline__`, or pass it a pointer"
    )]
    Function {
        /// Line of the PTX.
        line: usize,
        /// The function.
        function: String,
        /// The variable.
        variable: String,
    },
    /// Its address is the initial value of another one.
    #[error("line {line}: another variable holds the address of `{variable}`: take the address in the kernel")]
    Held {
        /// Line of the PTX.
        line: usize,
        /// The variable.
        variable: String,
    },
    /// An operand of another form than an address, or an address to be moved.
    #[error("line {line}: `{variable}` is used in a way that is not known: pass the kernel a pointer")]
    Use {
        /// Line of the PTX.
        line: usize,
        /// The variable.
        variable: String,
    },
    /// The text has such names already.
    #[error("the PTX uses names that begin with {PREFIX}")]
    Taken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Punct(u8),
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug)]
struct Placed<'a> {
    token: Token<'a>,
    start: usize,
    end: usize,
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'%')
}

/// The tokens of a text without comments.
fn tokens(text: &[u8]) -> Vec<Placed<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0usize;
    while let Some(&byte) = text.get(at) {
        let start = at;
        at = at.saturating_add(1);
        if in_word(byte) {
            while text.get(at).is_some_and(|byte| in_word(*byte)) {
                at = at.saturating_add(1);
            }
            let word = text.get(start..at).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or_default();
            tokens.push(Placed { token: Token::Word(word), start, end: at });
        } else if byte.is_ascii_graphic() {
            tokens.push(Placed { token: Token::Punct(byte), start, end: at });
        }
    }
    tokens
}

/// Bytes to replace and what comes there.
type Edit = (usize, usize, String);

struct Rewriter<'a> {
    text: &'a [u8],
    tokens: Vec<Placed<'a>>,
    names: BTreeMap<&'a str, usize>,
    edits: Vec<Edit>,
    entries: BTreeMap<String, Vec<usize>>,
    /// Declarations of the variables.
    declared: Vec<(usize, usize)>,
    /// Debug sections name some of them.
    described: bool,
}

impl<'a> Rewriter<'a> {
    fn token(&self, at: usize) -> Option<Token<'a>> {
        self.tokens.get(at).map(|placed| placed.token)
    }

    fn is(&self, at: usize, byte: u8) -> bool {
        self.token(at) == Some(Token::Punct(byte))
    }

    fn line(&self, at: usize) -> usize {
        let start = self.tokens.get(at).map_or(0, |placed| placed.start);
        let before = self.text.get(..start).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
    }

    /// The variable that a token names.
    fn named(&self, at: usize) -> Option<(&'a str, usize)> {
        match self.token(at)? {
            Token::Word(word) => self.names.get(word).map(|index| (word, *index)),
            Token::Punct(_) => None,
        }
    }

    /// The token behind the one that closes what opens at `at`; the end where nothing does.
    fn behind(&self, at: usize, open: u8, close: u8) -> usize {
        let mut depth = 0usize;
        for place in at..self.tokens.len() {
            if self.is(place, open) {
                depth = depth.saturating_add(1);
            } else if self.is(place, close) {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return place.saturating_add(1);
                }
            }
        }
        self.tokens.len()
    }

    fn module(&mut self) -> Result<(), Unbound> {
        let mut at = 0usize;
        while let Some(token) = self.token(at) {
            at = match token {
                Token::Word(".entry" | ".func") => self.function(at)?,
                Token::Word(".section") => self.section(at),
                Token::Word(".global" | ".const" | ".shared" | ".local" | ".tex") => self.variable(at)?,
                _ => at.saturating_add(1),
            };
        }
        Ok(())
    }

    fn section(&mut self, at: usize) -> usize {
        let open = (at..self.tokens.len()).find(|at| self.is(*at, b'{')).unwrap_or(at);
        let behind = self.behind(open, b'{', b'}');
        self.described |= (open..behind).any(|at| self.named(at).is_some());
        behind
    }

    /// A module's variable, from its state space to behind the semicolon.
    fn variable(&mut self, at: usize) -> Result<usize, Unbound> {
        let mut place = at;
        let mut initial = false;
        let mut own = false;
        while place < self.tokens.len() && !self.is(place, b';') {
            initial |= self.is(place, b'=');
            match self.named(place) {
                Some((variable, _)) if initial => {
                    return Err(Unbound::Held { line: self.line(place), variable: variable.to_owned() });
                }
                Some(_) => own = true,
                None => {}
            }
            place = place.saturating_add(1);
        }
        if own {
            let linkage = |token| matches!(token, Some(Token::Word(".visible" | ".weak" | ".common")));
            let first = (0..at).rev().take_while(|at| linkage(self.token(*at))).last().unwrap_or(at);
            if let (Some(first), Some(last)) = (self.tokens.get(first), self.tokens.get(place)) {
                self.declared.push((first.start, last.end));
            }
        }
        Ok(place.saturating_add(1))
    }

    /// A function, from `.entry` or `.func` to behind its body.
    fn function(&mut self, at: usize) -> Result<usize, Unbound> {
        let entry = self.token(at) == Some(Token::Word(".entry"));
        let mut place = at.saturating_add(1);
        let (mut name, mut list) = (None, None);
        loop {
            match self.token(place) {
                None | Some(Token::Punct(b';')) => return Ok(place.saturating_add(1)),
                Some(Token::Punct(b'{')) => break,
                Some(Token::Punct(b'(')) => {
                    let behind = self.behind(place, b'(', b')');
                    if name.is_some() && list.is_none() {
                        list = Some((place, behind.saturating_sub(1)));
                    }
                    place = behind;
                    continue;
                }
                Some(Token::Word(word)) if name.is_none() => name = Some((word, place)),
                _ => {}
            }
            place = place.saturating_add(1);
        }
        let open = place;
        let behind = self.behind(open, b'{', b'}');
        let Some((name, name_at)) = name else { return Ok(behind) };
        let used: BTreeSet<usize> = (open..behind).filter_map(|at| self.named(at).map(|(_, index)| index)).collect();
        if used.is_empty() {
            return Ok(behind);
        }
        if !entry {
            let first = (open..behind).find_map(|at| self.named(at).map(|(word, _)| (at, word)));
            let (at, variable) = first.unwrap_or((open, ""));
            let (line, function, variable) = (self.line(at), name.to_owned(), variable.to_owned());
            return Err(Unbound::Function { line, function, variable });
        }
        let mut params: String = used.iter().map(|index| format!(", .param .u64 {PREFIX}{index}")).collect();
        let mut loads = String::new();
        for index in &used {
            let register = format!("%{PREFIX}{index}");
            loads += &format!(
                " .reg .b64 {register}; ld.param.u64 {register}, [{PREFIX}{index}]; cvta.to.global.u64 {register}, {register};"
            );
        }
        let at = match list {
            Some((first, last)) => {
                if first.saturating_add(1) == last {
                    params.replace_range(..2, "");
                }
                self.tokens.get(last).map(|placed| placed.start)
            }
            None => {
                params.replace_range(..2, "(");
                params.push(')');
                self.tokens.get(name_at).map(|placed| placed.end)
            }
        };
        let inside = self.tokens.get(open).map(|placed| placed.end);
        if let (Some(at), Some(inside)) = (at, inside) {
            self.edits.push((at, at, params));
            self.edits.push((inside, inside, loads));
        }
        self.entries.insert(name.to_owned(), used.into_iter().collect());
        self.body(open, behind)?;
        Ok(behind)
    }

    /// The uses between two tokens.
    fn body(&mut self, open: usize, behind: usize) -> Result<(), Unbound> {
        let (mut begun, mut brackets) = (open, 0usize);
        for at in open..behind {
            match self.token(at) {
                Some(Token::Punct(b';' | b'{' | b'}' | b':')) => (begun, brackets) = (at.saturating_add(1), 0),
                Some(Token::Punct(b'[')) => brackets = brackets.saturating_add(1),
                Some(Token::Punct(b']')) => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            let Some((variable, index)) = self.named(at) else { continue };
            let Some(placed) = self.tokens.get(at).copied() else { continue };
            let unknown = Unbound::Use { line: self.line(at), variable: variable.to_owned() };
            let register = format!("%{PREFIX}{index}");
            let sign = at.saturating_add(1);
            let offset = self.is(sign, b'+') || self.is(sign, b'-');
            if brackets == 0 && offset {
                // A register and an offset cannot be moved, only added.
                let opcode = (begun..at)
                    .find(|at| matches!(self.token(*at), Some(Token::Word("mov.u64" | "mov.b64" | "mov.s64"))));
                let (Some(opcode), Some(next)) = (opcode.and_then(|at| self.tokens.get(at)), self.tokens.get(sign))
                else {
                    return Err(unknown);
                };
                let comma = if next.token == Token::Punct(b'-') { ", -" } else { ", " };
                self.edits.push((opcode.start, opcode.end, "add.s64".to_owned()));
                self.edits.push((placed.start, next.end, format!("{register}{comma}")));
                continue;
            }
            let first = (begun..at).find_map(|at| match self.token(at) {
                Some(Token::Word(word)) if !self.is(at.saturating_sub(1), b'@') => Some(word),
                _ => None,
            });
            // Declarations of the same name, labels and calls are none of these.
            if first.is_none_or(|first| first.starts_with('.') || first.starts_with("bra") || first.starts_with("call"))
            {
                return Err(unknown);
            }
            self.edits.push((placed.start, placed.end, register));
        }
        Ok(())
    }
}

/// Makes parameters of the variables with these names, which the module declares.
pub fn bind(ptx: &[u8], names: &[&str]) -> Result<Bound, Unbound> {
    if ptx.windows(PREFIX.len()).any(|window| window == PREFIX.as_bytes()) {
        return Err(Unbound::Taken);
    }
    let text = without_comments(ptx);
    let mut rewriter = Rewriter {
        text: &text,
        tokens: tokens(&text),
        names: names.iter().enumerate().map(|(index, name)| (*name, index)).collect(),
        edits: Vec::new(),
        entries: BTreeMap::new(),
        declared: Vec::new(),
        described: false,
    };
    rewriter.module()?;
    let Rewriter { mut edits, entries, declared, described, .. } = rewriter;
    // What the debugger is told of a variable needs it.
    if !described {
        for (start, end) in declared {
            let lines = ptx.get(start..end).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
            edits.push((start, end, "\n".repeat(lines)));
        }
    }
    edits.sort_by_key(|(start, _, _)| *start);
    let mut out = Vec::with_capacity(ptx.len());
    let mut copied = 0usize;
    for (start, end, new) in edits {
        out.extend_from_slice(ptx.get(copied..start).unwrap_or_default());
        out.extend_from_slice(new.as_bytes());
        copied = end;
    }
    out.extend_from_slice(ptx.get(copied..).unwrap_or_default());
    Ok(Bound { ptx: out, entries })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PTX: &str = "\
.version 8.0
.target sm_80
.address_size 64
.visible .global .align 4 .u32 total; // total
.global .align 8 .b8 table[64];
.visible .entry count(
	.param .u64 count_param_0
)
{
	.reg .b64 %rd<4>;
	@%p1 atom.global.add.u32 %r1, [total], 1;
	mov.u64 %rd1, table+8; mov.u64 %rd2, table;
	st.global.u64 [table+-16], %rd2;
	ret;
}
.visible .entry none() { st.global.u32 [total], 1; ret; }
.visible .entry bare { ret; }
";

    #[test]
    fn a_variable_becomes_a_parameter_of_the_entries_that_use_it() {
        let bound = bind(PTX.as_bytes(), &["total", "table"]).unwrap();
        let text = String::from_utf8(bound.ptx).unwrap();
        let load = |n: u32| {
            format!(
                " .reg .b64 %assay_symbol{n}; ld.param.u64 %assay_symbol{n}, [assay_symbol{n}]; cvta.to.global.u64 %assay_symbol{n}, %assay_symbol{n};"
            )
        };
        let expected = PTX
            .replace(".visible .global .align 4 .u32 total;", "")
            .replace(".global .align 8 .b8 table[64];", "")
            .replace(
                "count_param_0\n)\n{",
                &format!(
                    "count_param_0\n, .param .u64 assay_symbol0, .param .u64 assay_symbol1)\n{{{}{}",
                    load(0),
                    load(1)
                ),
            )
            .replace("[total], 1;\n", "[%assay_symbol0], 1;\n")
            .replace(
                "mov.u64 %rd1, table+8; mov.u64 %rd2, table;",
                "add.s64 %rd1, %assay_symbol1, 8; mov.u64 %rd2, %assay_symbol1;",
            )
            .replace("[table+-16]", "[%assay_symbol1+-16]")
            .replace(
                "none() { st.global.u32 [total]",
                &format!("none(.param .u64 assay_symbol0) {{{} st.global.u32 [%assay_symbol0]", load(0)),
            );
        assert_eq!(text, expected);
        assert_eq!(text.lines().count(), PTX.lines().count());
        let entries: Vec<(&str, &[usize])> =
            bound.entries.iter().map(|(name, used)| (name.as_str(), used.as_slice())).collect();
        assert_eq!(entries, [("count", &[0usize, 1][..]), ("none", &[0])]);
    }

    #[test]
    fn uses_that_cannot_become_parameters_say_why() {
        let with = |more: &str| bind(format!("{PTX}{more}").as_bytes(), &["total"]).map(|_| ()).unwrap_err();
        let function = with(".func f()\n{ ld.global.u32 %r1, [total]; ret; }");
        let (line, variable) = (19, String::from("total"));
        assert_eq!(function, Unbound::Function { line, function: "f".into(), variable: variable.clone() });
        assert_eq!(
            with(".global .u64 p[2] = {0, generic(total)};"),
            Unbound::Held { line: 18, variable: variable.clone() }
        );
        assert_eq!(with(".entry e() { .reg .u32 total; ret; }"), Unbound::Use { line: 18, variable: variable.clone() });
        assert_eq!(with(".entry e() { setp.eq.u64 %p1, total+4, 0; ret; }"), Unbound::Use { line: 18, variable });
        assert_eq!(with(".global .u32 assay_symbol7;"), Unbound::Taken);
        // Debug sections keep the variable.
        let debug = format!("{PTX}.section .debug_info {{ .b64 total }}");
        let text = String::from_utf8(bind(debug.as_bytes(), &["total"]).unwrap().ptx).unwrap();
        assert!(text.contains(".u32 total;") && text.contains(".b64 total"));
    }
}
