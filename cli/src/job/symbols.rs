//! `[[symbol]]`: values for `__constant__` and `__device__` variables, written into the PTX as their initial values, and buffers for
//! those that kernels write.

use std::{collections::BTreeMap, fmt::Write as _};

use assay_exact::text::{Placed, Token, Tokens, edited};

use super::{
    JobBuffer, Options, bind,
    buffers::{self, Data, Draft},
    error::{JobError, Problem},
    scope::Scope,
    source::Table,
    values::{self, Scalar},
};
use crate::kernel::unmangled;

/// One `[[symbol]]` of the file.
pub struct Symbol<'a> {
    table: Table<'a>,
    name: &'a str,
    kernels: Option<Vec<&'a str>>,
    data: Data,
    /// The buffer that takes the variable's place: its index.
    buffer: Option<u16>,
}

/// A kernel with its variables' values.
pub struct Applied {
    /// The text.
    pub ptx: Vec<u8>,
    /// For each entry with variables in buffers, those buffers, whose addresses it takes behind its own arguments.
    pub bound: BTreeMap<String, Vec<u16>>,
}

/// Reads the `[[symbol]]` tables.
pub fn symbols<'a>(top: &Table<'a>, drafts: &[Draft<'a>], scope: &mut Scope<'a>) -> Result<Vec<Symbol<'a>>, JobError> {
    let mut known = vec!["name", "kernel", "offset", "file", "hex", "random", "fill"];
    known.extend(Scalar::ALL.map(|(name, _)| name));
    let mut symbols = Vec::new();
    for table in top.tables("symbol")? {
        let in_buffer = table.get("buffer");
        match in_buffer {
            Some(_) => table.only(&["name", "kernel", "buffer"])?,
            None => table.only(&known)?,
        }
        let name = table.need("name")?.text()?;
        let kernels = match table.get("kernel") {
            Some(node) => Some(node.list_or_one()?.iter().map(|node| node.text()).collect::<Result<Vec<_>, _>>()?),
            None => None,
        };
        let buffer = match &in_buffer {
            Some(node) => {
                let wanted = node.text()?;
                let found = (0u16..).zip(drafts).find(|(_, draft)| draft.name() == wanted);
                let Some((index, _)) = found else {
                    let names: Vec<&str> = drafts.iter().map(Draft::name).collect();
                    let hint = format!("; there are: {}", names.join(", "));
                    return Err(node.error(Problem::NoSuch { what: "buffer", name: wanted.to_owned(), hint }));
                };
                Some(index)
            }
            None => None,
        };
        let data = match buffer {
            Some(_) => Data::Zero,
            None => buffers::read(name, &table, &Options::default(), scope)?,
        };
        if buffer.is_none() && matches!(data, Data::Zero) {
            return Err(
                table.error(Problem::Missing("f32` or another type, or `file`, `hex`, `random`, `fill`, `buffer"))
            );
        }
        symbols.push(Symbol { table, name, kernels, data, buffer });
    }
    Ok(symbols)
}

/// Gives the variables of the kernel called `kernel` their values: PTX to PTX. `used` takes the bytes of the variables that were found.
pub fn apply(
    symbols: &[Symbol<'_>],
    drafts: &[Draft<'_>],
    kernel: &str,
    ptx: Vec<u8>,
    used: &mut [Option<u64>],
    scope: &Scope<'_>,
) -> Result<Applied, JobError> {
    let mut ptx = ptx;
    let mut places: Vec<(String, u16)> = Vec::new();
    let mut last = None;
    for (symbol, used) in symbols.iter().zip(used) {
        let named = symbol.kernels.as_ref().map(|names| names.contains(&kernel));
        if named == Some(false) {
            continue;
        }
        let found = variables(&ptx);
        let exact = found.iter().find(|variable| variable.name == symbol.name);
        let plain: Vec<&Variable> =
            found.iter().filter(|variable| unmangled(&variable.name).as_deref() == Some(symbol.name)).collect();
        let variable = match (exact, plain.as_slice()) {
            (Some(variable), _) => variable,
            (None, [variable]) => *variable,
            // A file may have a kernel that does not use the variable; the one that is named must have it.
            (None, []) if named.is_none() => continue,
            (None, []) => {
                let names = found.iter().map(|variable| variable.name.as_str()).collect::<Vec<_>>().join(", ");
                let hint = format!(" in kernel `{kernel}`; it has: {names}");
                let name = symbol.name.to_owned();
                return Err(symbol.table.error(Problem::NoSuch { what: "variable", name, hint }));
            }
            (None, several) => {
                let names = several.iter().map(|variable| variable.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(symbol.table.error(Problem::Ambiguous(format!("`name` must be one of {names}"))));
            }
        };
        let size = variable.size as u64;
        *used = Some(used.map_or(size, |largest| largest.max(size)));
        if let Some(index) = symbol.buffer {
            if variable.space == ".const" {
                return Err(symbol
                    .table
                    .error(Problem::Form("a `__constant__` variable takes a value: no kernel writes it")));
            }
            let draft = drafts.get(usize::from(index));
            if !matches!(variable.initial, Initial::None) && !draft.is_some_and(Draft::has_data) {
                return Err(symbol
                    .table
                    .error(Problem::Form("the variable has initial values: give them to the buffer")));
            }
            places.push((variable.name.clone(), index));
            last = Some(&symbol.table);
            continue;
        }
        let value = symbol.value(variable, scope)?;
        ptx = variable.with(&ptx, &value);
    }
    let Some(table) = last else { return Ok(Applied { ptx, bound: BTreeMap::new() }) };
    let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    let bound = bind::bind(&ptx, &names).map_err(|error| table.error(Problem::Unbound(error)))?;
    let buffers = |used: Vec<usize>| used.iter().filter_map(|at| places.get(*at).map(|(_, index)| *index)).collect();
    Ok(Applied { ptx: bound.ptx, bound: bound.entries.into_iter().map(|(name, used)| (name, buffers(used))).collect() })
}

/// The variables of a module that no initial value is known of, and that buffers can stand for: name, bytes, the entries that use them.
pub fn without_values(ptx: &[u8]) -> Vec<(String, usize, Vec<String>)> {
    let mut found = Vec::new();
    for variable in variables(ptx) {
        if variable.space != ".global" || !matches!(variable.initial, Initial::None) || variable.size == 0 {
            continue;
        }
        if let Ok(bound) = bind::bind(ptx, &[&variable.name])
            && !bound.entries.is_empty()
        {
            found.push((variable.name, variable.size, bound.entries.into_keys().collect()));
        }
    }
    found
}

/// Refuses buffers that are smaller than the variables that they hold.
pub fn all_fit(symbols: &[Symbol<'_>], used: &[Option<u64>], buffers: &[JobBuffer]) -> Result<(), JobError> {
    for (symbol, size) in symbols.iter().zip(used) {
        let buffer = symbol.buffer.and_then(|index| buffers.get(usize::from(index)));
        if let (Some(buffer), Some(size)) = (buffer, size)
            && buffer.buffer.len < *size
        {
            let what = format!("buffer `{}`, which takes the place of `{}`,", buffer.name, symbol.name);
            return Err(symbol.table.error(Problem::Length { what, found: buffer.buffer.len, expected: *size }));
        }
    }
    Ok(())
}

/// Refuses symbols that no kernel has.
pub fn all_used(symbols: &[Symbol<'_>], used: &[Option<u64>]) -> Result<(), JobError> {
    match symbols.iter().zip(used).find(|(_, used)| used.is_none()) {
        Some((symbol, _)) => Err(symbol.table.error(Problem::NoSuch {
            what: "`__constant__` or `__device__` variable",
            name: symbol.name.to_owned(),
            hint: " in the PTX (variables that no kernel uses are not in it)".to_owned(),
        })),
        None => Ok(()),
    }
}

impl Symbol<'_> {
    /// All bytes of the variable.
    fn value(&self, variable: &Variable, scope: &Scope<'_>) -> Result<Vec<u8>, JobError> {
        let offset = self.table.get("offset").map_or(Ok(0), |node| scope.u64(&node))?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = variable.size.saturating_sub(offset);
        let data = match &self.data {
            Data::Bytes(bytes) => bytes.clone(),
            Data::Random(random) => values::random(random, rest),
            Data::Fill(scalar, bits) => values::fill(*scalar, *bits, rest),
            Data::Zero => Vec::new(),
        };
        if data.len() > rest {
            let what = format!("the value of `{}`", self.name);
            return Err(self.table.error(Problem::Length { what, found: data.len() as u64, expected: rest as u64 }));
        }
        let mut value = match &variable.initial {
            _ if offset == 0 && data.len() == variable.size => Vec::new(),
            Initial::None => Vec::new(),
            Initial::Bytes(bytes) => bytes.clone(),
            Initial::Other => {
                return Err(self.table.error(Problem::Form(
                    "the variable has initial values: give all of its bytes, not a part of them",
                )));
            }
        };
        value.resize(variable.size, 0);
        if let Some(part) = value.get_mut(offset..offset.saturating_add(data.len())) {
            part.copy_from_slice(&data);
        }
        Ok(value)
    }
}

enum Initial {
    None,
    /// Of a variable of bytes.
    Bytes(Vec<u8>),
    Other,
}

/// A variable of the module.
struct Variable {
    name: String,
    /// Bytes.
    size: usize,
    align: usize,
    initial: Initial,
    /// `.const` or `.global`, as written.
    space: &'static str,
    /// Where the declaration stands, from the state space to before the semicolon.
    start: usize,
    end: usize,
}

impl Variable {
    /// The module with another declaration of the variable.
    fn with(&self, ptx: &[u8], value: &[u8]) -> Vec<u8> {
        let mut text = format!("{} .align {} .b8 {}[{}] = {{", self.space, self.align, self.name, self.size);
        for (index, byte) in value.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(text, "{comma}{byte}");
        }
        text.push('}');
        edited(ptx, vec![(self.start, self.end, text)])
    }
}

/// The `.const` and `.global` variables that the module defines.
fn variables(ptx: &[u8]) -> Vec<Variable> {
    let tokens: Vec<Placed<'_>> = Tokens::new(ptx).map_while(Result::ok).collect();
    let mut found = Vec::new();
    let (mut start, mut depth, mut initialiser) = (0usize, 0usize, false);
    for (at, placed) in tokens.iter().enumerate() {
        match placed.token {
            Token::Punct(b'=') if depth == 0 => initialiser = true,
            Token::Punct(b'{') => depth = depth.saturating_add(1),
            Token::Punct(b'}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && !initialiser {
                    start = at.saturating_add(1);
                }
            }
            Token::Punct(b';') if depth == 0 => {
                found.extend(tokens.get(start..at).and_then(variable));
                (start, initialiser) = (at.saturating_add(1), false);
            }
            _ => {}
        }
    }
    found
}

/// The variable that a statement declares: `.const .align 4 .b8 name[16] = {…}`, behind linkage and other directives.
fn variable(statement: &[Placed<'_>]) -> Option<Variable> {
    let tokens: Vec<Token<'_>> = statement.iter().map(|placed| placed.token).collect();
    let (head, initial) = match tokens.iter().position(|token| *token == Token::Punct(b'=')) {
        Some(at) => (tokens.get(..at)?, tokens.get(at.checked_add(1)?..)),
        None => (tokens.as_slice(), None),
    };
    let space_of = |space: &'static str| Some((head.iter().rposition(|token| *token == Token::Word(space))?, space));
    let (at, space) = space_of(".const").or_else(|| space_of(".global"))?;
    if head.get(..at)?.contains(&Token::Word(".extern")) {
        return None;
    }
    let mut rest = head.get(at.checked_add(1)?..)?.iter();
    let (mut align, mut element) = (1usize, None);
    let name = loop {
        match rest.next()? {
            Token::Word(".align") => match rest.next()? {
                Token::Word(bytes) => align = bytes.parse().ok()?,
                Token::Punct(_) => return None,
            },
            Token::Word(".attribute") => _ = rest.find(|token| **token == Token::Punct(b')'))?,
            Token::Word(".v2" | ".v4") => return None,
            Token::Word(word) if word.starts_with('.') => element = Some(element_size(word)?),
            Token::Word(word) => break *word,
            Token::Punct(_) => return None,
        }
    };
    let element = element?;
    let mut count = 1usize;
    for dimension in rest.as_slice().chunks(3) {
        let [Token::Punct(b'['), Token::Word(extent), Token::Punct(b']')] = dimension else { return None };
        count = count.checked_mul(extent.parse().ok()?)?;
    }
    let size = count.checked_mul(element)?;
    let initial = match initial {
        None => Initial::None,
        Some(list) if element == 1 => bytes(list).map_or(Initial::Other, Initial::Bytes),
        Some(_) => Initial::Other,
    };
    let (start, end) = (statement.get(at)?.start, statement.last()?.end);
    Some(Variable { name: name.to_owned(), size, align: align.max(element), initial, space, start, end })
}

/// A list of bytes, or a single one.
fn bytes(list: &[Token<'_>]) -> Option<Vec<u8>> {
    let list = match list {
        [Token::Punct(b'{'), list @ .., Token::Punct(b'}')] => list,
        list => list,
    };
    let items = list.split(|token| *token == Token::Punct(b',')).filter(|item| !item.is_empty());
    items
        .map(|item| match item {
            [Token::Word(word)] => byte(word),
            [Token::Punct(b'-'), Token::Word(word)] => byte(&format!("-{word}")),
            _ => None,
        })
        .collect()
}

fn element_size(word: &str) -> Option<usize> {
    let bits: usize = word.trim_start_matches('.').get(1..)?.parse().ok()?;
    matches!(bits, 8 | 16 | 32 | 64).then_some(bits / 8)
}

fn byte(text: &str) -> Option<u8> {
    let value: i64 = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex.trim_end_matches('U'), 16).ok()?,
        None => text.parse().ok()?,
    };
    u8::try_from(value).ok().or_else(|| i8::try_from(value).ok().map(|value| value.to_le_bytes()[0]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PTX: &str = r#".version 8.0
.target sm_80
.address_size 64
.file 1 "a;b{.cu"
.func f() { { ret; } }
.visible .const .align 4 .f32 scale = 0f3F800000; // .const .b8 x[1];
.const .align 4 .b8 _ZL5coefs[12];
.visible .global .attribute(.managed) .align 8 .u64 grid[2][3];
.global .align 1 .b8 text[4] = {104, 0x69, -1};
.extern .global .u32 outside;
"#;

    #[test]
    fn variables_are_found_with_their_sizes() {
        let found: Vec<(String, usize, usize)> =
            variables(PTX.as_bytes()).into_iter().map(|v| (v.name, v.size, v.align)).collect();
        let expected = [("scale", 4, 4), ("_ZL5coefs", 12, 4), ("grid", 48, 8), ("text", 4, 1)]
            .map(|(n, s, a)| (n.to_owned(), s, a));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_declaration_is_replaced_where_it_stands() {
        let found = variables(PTX.as_bytes());
        let coefs = found.iter().find(|v| v.name == "_ZL5coefs").unwrap();
        let value: Vec<u8> = (0..12).collect();
        let text = String::from_utf8(coefs.with(PTX.as_bytes(), &value)).unwrap();
        let line = ".const .align 4 .b8 _ZL5coefs[12] = {0,1,2,3,4,5,6,7,8,9,10,11};";
        assert_eq!(text, PTX.replace(".const .align 4 .b8 _ZL5coefs[12];", line));
        let scale = found.iter().find(|v| v.name == "scale").unwrap();
        let text = String::from_utf8(scale.with(PTX.as_bytes(), &[1, 2, 3, 4])).unwrap();
        assert!(text.contains(".visible .const .align 4 .b8 scale[4] = {1,2,3,4}; //"));
    }

    #[test]
    fn initial_bytes_are_kept_where_nothing_new_is_given() {
        let found = variables(PTX.as_bytes());
        let text = found.iter().find(|v| v.name == "text").unwrap();
        assert!(matches!(&text.initial, Initial::Bytes(bytes) if *bytes == [104, 0x69, 255]));
    }
}
