//! Declarations and their initial values.

use super::{MAX_DEPTH, Parsed, Parser};
use crate::{
    ast::{Relocation, Space, Type, Variable},
    lex::Token,
};
use alloc::{format, vec::Vec};

impl<'a> Parser<'a> {
    pub(super) fn variables(&mut self, into: &mut Vec<Variable<'a>>) -> Parsed<()> {
        let variable = self.variable(into.last().map(|last| last.space))?;
        into.push(variable);
        if self.accept(b',')? {
            // A second name under one declaration has no type of its own: rare, and not worth its ambiguity.
            return self.lexer.error("one variable per declaration");
        }
        self.expect(b';')
    }

    /// From the space to the end of the initialiser.
    pub(super) fn variable(&mut self, _previous: Option<Space>) -> Parsed<Variable<'a>> {
        let space = match self.word("a state space")? {
            ".global" | ".tex" => Space::Global,
            ".const" => Space::Const,
            ".shared" | ".shared::cta" => Space::Shared,
            ".local" => Space::Local,
            ".param" => Space::Param,
            ".reg" => Space::Register,
            _ => return self.lexer.error("expected a state space"),
        };
        let (mut align, mut kind, mut vector, mut opaque) = (None, None, 1u64, false);
        let name = loop {
            match self.lexer.peek() {
                Token::Word(".align") => {
                    self.lexer.take()?;
                    align = Some(self.align()?);
                }
                Token::Word(".v2") => {
                    self.lexer.take()?;
                    vector = 2;
                }
                Token::Word(".v4") => {
                    self.lexer.take()?;
                    vector = 4;
                }
                Token::Word(".ptr" | ".global" | ".shared" | ".const" | ".local" | ".managed" | ".generic") => {
                    self.lexer.take()?;
                }
                Token::Word(".attribute") => {
                    self.lexer.take()?;
                    self.expect(b'(')?;
                    while !self.accept(b')')? {
                        if self.lexer.take()? == Token::End {
                            return self.unexpected("`)`");
                        }
                    }
                }
                Token::Word(".texref" | ".samplerref" | ".surfref") => {
                    self.lexer.take()?;
                    opaque = true;
                }
                Token::Word(word) => match word.strip_prefix('.') {
                    Some(suffix) => match Type::parse(suffix) {
                        Some(found) => {
                            self.lexer.take()?;
                            kind = Some(found);
                        }
                        None => return self.unexpected("a type"),
                    },
                    None => {
                        self.lexer.take()?;
                        break word;
                    }
                },
                _ => return self.unexpected("a variable's name"),
            }
        };
        let element = match kind {
            Some(kind) => u64::from(kind.bits().div_ceil(8)),
            None if opaque => 8,
            None => return self.lexer.error("the variable has no type"),
        };
        let scalar = element;
        let mut size = element.saturating_mul(vector);
        let natural = size.min(128) as u32;
        let mut unsized_array = false;
        while self.accept(b'[')? {
            if self.accept(b']')? {
                unsized_array = true;
                continue;
            }
            size = size.saturating_mul(self.int()?);
            self.expect(b']')?;
        }
        let (mut init, mut relocations) = (Vec::new(), Vec::new());
        if self.accept(b'=')? {
            self.initialiser(kind.unwrap_or(Type::B64), scalar, &mut init, &mut relocations)?;
            if unsized_array {
                size = init.len() as u64;
            }
            if init.len() as u64 > size {
                return self.lexer.error(format!("`{name}` has more initial values than elements"));
            }
        } else if unsized_array {
            size = 0;
        }
        Ok(Variable { name, space, align: align.unwrap_or(natural), size, init, relocations, opaque })
    }

    fn initialiser(
        &mut self,
        kind: Type,
        element: u64,
        init: &mut Vec<u8>,
        relocations: &mut Vec<Relocation<'a>>,
    ) -> Parsed<()> {
        let mut depth = 0u32;
        loop {
            match self.lexer.peek() {
                Token::Punct(b'{') => {
                    self.lexer.take()?;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return self.lexer.error("the initialiser is nested too deeply");
                    }
                    continue;
                }
                Token::Punct(b'}') if depth > 0 => {
                    self.lexer.take()?;
                    depth -= 1;
                }
                Token::Punct(b'-') | Token::Int(_) => {
                    let value = self.signed()?;
                    if self.accept(b'(')? {
                        // `0xFF00(name)`: one byte of an address.
                        let shift = value.trailing_zeros() & 0x38;
                        if value as u64 != 0xff << shift || element != 1 {
                            return self.lexer.error("a mask picks one byte of an address, for a byte");
                        }
                        let (name, addend) = self.address()?;
                        self.expect(b')')?;
                        let at = init.len() as u64;
                        relocations.push(Relocation { at, name, addend, bytes: 1, shift: shift as u8 });
                        init.push(0);
                        if !self.accept(b',')? && self.lexer.peek() != Token::Punct(b'}') {
                            return self.unexpected("`,` or `}`");
                        }
                        continue;
                    }
                    let value = match kind {
                        Type::F32 => u64::from((value as f32).to_bits()),
                        Type::F64 => (value as f64).to_bits(),
                        _ => value as u64,
                    };
                    init.extend(value.to_le_bytes().iter().take(element as usize));
                }
                Token::F32(bits) => {
                    self.lexer.take()?;
                    let bits =
                        if kind == Type::F64 { f64::from(f32::from_bits(bits)).to_bits() } else { u64::from(bits) };
                    init.extend(bits.to_le_bytes().iter().take(element as usize));
                }
                Token::F64(bits) => {
                    self.lexer.take()?;
                    let bits =
                        if kind == Type::F32 { u64::from((f64::from_bits(bits) as f32).to_bits()) } else { bits };
                    init.extend(bits.to_le_bytes().iter().take(element as usize));
                }
                Token::Word(_) => {
                    let (name, addend) = self.address()?;
                    if element != 8 {
                        return self.lexer.error("an address needs a 64-bit element");
                    }
                    relocations.push(Relocation { at: init.len() as u64, name, addend, bytes: 8, shift: 0 });
                    init.extend([0u8; 8]);
                }
                _ => return self.unexpected("an initial value"),
            }
            if depth == 0 {
                return Ok(());
            }
            if !self.accept(b',')? && self.lexer.peek() != Token::Punct(b'}') {
                return self.unexpected("`,` or `}`");
            }
        }
    }

    /// A name in an initialiser, `generic(name)`, either with an addend.
    fn address(&mut self) -> Parsed<(&'a str, i64)> {
        let word = self.name()?;
        let generic = word == "generic" && self.accept(b'(')?;
        let name = if generic { self.name()? } else { word };
        let mut addend = match self.lexer.peek() {
            Token::Punct(b'+' | b'-') => self.signed()?,
            _ => 0,
        };
        if generic {
            self.expect(b')')?;
            if let Token::Punct(b'+' | b'-') = self.lexer.peek() {
                addend = addend.wrapping_add(self.signed()?);
            }
        }
        Ok((name, addend))
    }
}
