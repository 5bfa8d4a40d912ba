//! Variables that kernels write, PTX to PTX: each becomes a parameter, a pointer, of the entries that use it.
//!
//! ```text
//! .visible .global .align 4 .u32 total;     (gone)
//! .visible .entry count(…)                  .visible .entry count(…, .param .u64 assay_symbol0)
//! atom.global.add.u32 %r1, [total], 1;      atom.global.add.u32 %r1, [%assay_symbol0], 1;
//! ```
//!
//! Every line keeps its number.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use assay_exact::text::{Edit, Token, edited};

use crate::kernel::functions::Script;

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
        line: u32,
        /// The function.
        function: String,
        /// The variable.
        variable: String,
    },
    /// Its address is the initial value of another one.
    #[error("line {line}: another variable holds the address of `{variable}`: take the address in the kernel")]
    Held {
        /// Line of the PTX.
        line: u32,
        /// The variable.
        variable: String,
    },
    /// An operand of another form than an address, or an address to be moved.
    #[error("line {line}: `{variable}` is used in a way that is not known: pass the kernel a pointer")]
    Use {
        /// Line of the PTX.
        line: u32,
        /// The variable.
        variable: String,
    },
    /// The text has such names already.
    #[error("the PTX uses names that begin with {PREFIX}")]
    Taken,
}

struct Rewriter<'a> {
    script: Script<'a>,
    names: BTreeMap<&'a str, usize>,
    edits: Vec<Edit>,
    entries: BTreeMap<String, Vec<usize>>,
    /// Declarations of the variables.
    declared: Vec<(usize, usize)>,
    /// Debug sections name some of them.
    described: bool,
}

impl<'a> Rewriter<'a> {
    /// The variable that a token names.
    fn named(&self, at: usize) -> Option<(&'a str, usize)> {
        match self.script.token(at)? {
            Token::Word(word) => self.names.get(word).map(|index| (word, *index)),
            Token::Punct(_) => None,
        }
    }

    fn module(&mut self) -> Result<(), Unbound> {
        let mut at = 0usize;
        while let Some(token) = self.script.token(at) {
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
        let open = (at..self.script.tokens.len()).find(|at| self.script.is(*at, b'{')).unwrap_or(at);
        let behind = self.script.behind(open, b'{', b'}');
        self.described |= (open..behind).any(|at| self.named(at).is_some());
        behind
    }

    /// A module's variable, from its state space to behind the semicolon.
    fn variable(&mut self, at: usize) -> Result<usize, Unbound> {
        let mut place = at;
        let mut initial = false;
        let mut own = false;
        while place < self.script.tokens.len() && !self.script.is(place, b';') {
            initial |= self.script.is(place, b'=');
            match self.named(place) {
                Some((variable, _)) if initial => {
                    return Err(Unbound::Held { line: self.script.line(place), variable: variable.to_owned() });
                }
                Some(_) => own = true,
                None => {}
            }
            place = place.saturating_add(1);
        }
        if own {
            let linkage = |token| matches!(token, Some(Token::Word(".visible" | ".weak" | ".common")));
            let first = (0..at).rev().take_while(|at| linkage(self.script.token(*at))).last().unwrap_or(at);
            if let (Some(first), Some(last)) = (self.script.tokens.get(first), self.script.tokens.get(place)) {
                self.declared.push((first.start, last.end));
            }
        }
        Ok(place.saturating_add(1))
    }

    /// A function, from `.entry` or `.func` to behind its body.
    fn function(&mut self, at: usize) -> Result<usize, Unbound> {
        let (function, behind) = self.script.function(at);
        let Some(function) = function else { return Ok(behind) };
        let mut named = function.body.clone().filter_map(|at| self.named(at).map(|(word, index)| (at, word, index)));
        let Some((first, variable, index)) = named.next() else { return Ok(behind) };
        let used: BTreeSet<usize> = named.map(|(.., index)| index).chain([index]).collect();
        let name = function.name.to_owned();
        if self.script.token(at) != Some(Token::Word(".entry")) {
            let (line, variable) = (self.script.line(first), variable.to_owned());
            return Err(Unbound::Function { line, function: name, variable });
        }
        let params: Vec<String> = used.iter().map(|index| format!(".param .u64 {PREFIX}{index}")).collect();
        let mut loads = String::new();
        for index in &used {
            let register = format!("%{PREFIX}{index}");
            loads += &format!(
                " .reg .b64 {register}; ld.param.u64 {register}, [{PREFIX}{index}]; cvta.to.global.u64 {register}, {register};"
            );
        }
        self.edits.extend(function.begin(&params.join(", "), loads));
        self.entries.insert(name, used.into_iter().collect());
        self.body(function.body)?;
        Ok(behind)
    }

    /// The uses between two tokens.
    fn body(&mut self, body: Range<usize>) -> Result<(), Unbound> {
        let (mut begun, mut brackets) = (body.start, 0usize);
        for at in body {
            match self.script.token(at) {
                Some(Token::Punct(b';' | b'{' | b'}' | b':')) => (begun, brackets) = (at.saturating_add(1), 0),
                Some(Token::Punct(b'[')) => brackets = brackets.saturating_add(1),
                Some(Token::Punct(b']')) => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            let Some((variable, index)) = self.named(at) else { continue };
            let Some(placed) = self.script.tokens.get(at).copied() else { continue };
            let unknown = Unbound::Use { line: self.script.line(at), variable: variable.to_owned() };
            let register = format!("%{PREFIX}{index}");
            let sign = at.saturating_add(1);
            let offset = self.script.is(sign, b'+') || self.script.is(sign, b'-');
            if brackets == 0 && offset {
                // A register and an offset cannot be moved, only added.
                let opcode = (begun..at)
                    .find(|at| matches!(self.script.token(*at), Some(Token::Word("mov.u64" | "mov.b64" | "mov.s64"))));
                let (Some(opcode), Some(next)) =
                    (opcode.and_then(|at| self.script.tokens.get(at)), self.script.tokens.get(sign))
                else {
                    return Err(unknown);
                };
                let comma = if next.token == Token::Punct(b'-') { ", -" } else { ", " };
                self.edits.push((opcode.start, opcode.end, "add.s64".to_owned()));
                self.edits.push((placed.start, next.end, format!("{register}{comma}")));
                continue;
            }
            let first = (begun..at).find_map(|at| match self.script.token(at) {
                Some(Token::Word(word)) if !self.script.is(at.saturating_sub(1), b'@') => Some(word),
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
    let mut rewriter = Rewriter {
        script: Script::read(ptx),
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
    Ok(Bound { ptx: edited(ptx, edits), entries })
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
    fn lines_of_the_source_stand_before_uses() {
        let lines =
            PTX.replace("\tst.global", "\t.loc 1 7 3\n\tst.global").replace("\tmov.u64", "\t.loc 1 7 3\n\tmov.u64");
        let text = String::from_utf8(bind(lines.as_bytes(), &["total", "table"]).unwrap().ptx).unwrap();
        assert!(text.contains(".loc 1 7 3\n\tst.global.u64 [%assay_symbol1+-16]"), "{text}");
        assert!(text.contains(".loc 1 7 3\n\tadd.s64 %rd1, %assay_symbol1, 8;"), "{text}");
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
