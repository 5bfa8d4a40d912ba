//! Tokens to statements. One pass, one token of look-ahead, no recursion beyond a fixed depth.

use crate::{
    ParseError,
    ast::{Function, Instruction, Operand, Relocation, Space, Statement, Text, Type, Variable},
    lex::{Lexer, Token},
};
use alloc::{format, string::String, vec::Vec};

const MAX_DEPTH: u32 = 32;

/// Reads a module.
pub(crate) fn parse(text: &[u8]) -> Result<Text<'_>, ParseError> {
    let mut parser = Parser { lexer: Lexer::new(text)?, source: (0, 0) };
    parser.module()
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    source: (u32, u32),
}

type Parsed<T> = Result<T, ParseError>;

fn describe(token: Token<'_>) -> String {
    match token {
        Token::Word(word) => format!("`{}`", word.get(..40).unwrap_or(word)),
        Token::Int(value) => format!("`{value}`"),
        Token::F32(_) | Token::F64(_) => String::from("a floating-point number"),
        Token::Text(_) => String::from("a string"),
        Token::Punct(byte) => format!("`{}`", byte as char),
        Token::End => String::from("the end of the text"),
    }
}

impl<'a> Parser<'a> {
    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        self.lexer.error(format!("expected {wanted}, found {}", describe(self.lexer.peek())))
    }

    fn accept(&mut self, byte: u8) -> Parsed<bool> {
        if self.lexer.peek() == Token::Punct(byte) {
            self.lexer.take()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.accept(byte)? { Ok(()) } else { self.unexpected(&format!("`{}`", byte as char)) }
    }

    fn word(&mut self, wanted: &str) -> Parsed<&'a str> {
        match self.lexer.peek() {
            Token::Word(word) => {
                self.lexer.take()?;
                Ok(word)
            }
            _ => self.unexpected(wanted),
        }
    }

    fn accept_word(&mut self, wanted: &str) -> Parsed<bool> {
        if self.lexer.peek() == Token::Word(wanted) {
            self.lexer.take()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn name(&mut self) -> Parsed<&'a str> {
        match self.lexer.peek() {
            Token::Word(word) if !word.starts_with('.') => {
                self.lexer.take()?;
                Ok(word)
            }
            _ => self.unexpected("a name"),
        }
    }

    fn int(&mut self) -> Parsed<u64> {
        match self.lexer.peek() {
            Token::Int(value) => {
                self.lexer.take()?;
                Ok(value)
            }
            _ => self.unexpected("a number"),
        }
    }

    fn signed(&mut self) -> Parsed<i64> {
        let mut negative = false;
        loop {
            if self.accept(b'-')? {
                negative = !negative;
            } else if !self.accept(b'+')? {
                break;
            }
        }
        let value = self.int()? as i64;
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    fn module(&mut self) -> Parsed<Text<'a>> {
        let mut text = Text::default();
        if self.lexer.peek() != Token::Word(".version") {
            return self.unexpected("`.version`");
        }
        loop {
            let word = match self.lexer.peek() {
                Token::End => return Ok(text),
                Token::Punct(b';') => {
                    self.lexer.take()?;
                    continue;
                }
                Token::Word(word) => word,
                _ => return self.unexpected("a directive"),
            };
            match word {
                ".version" => {
                    self.lexer.take()?;
                    match self.lexer.take()? {
                        Token::F64(_) | Token::Int(_) => {}
                        _ => return self.unexpected("a version"),
                    }
                }
                ".target" => {
                    self.lexer.take()?;
                    self.word("a target")?;
                    while self.accept(b',')? {
                        self.word("a target")?;
                    }
                }
                ".address_size" => {
                    self.lexer.take()?;
                    if self.int()? != 64 {
                        return self.lexer.error("addresses have 64 bits: compile with -m64");
                    }
                }
                ".file" => {
                    self.lexer.take()?;
                    let index = self.int()?;
                    if let Token::Text(path) = self.lexer.take()? {
                        text.files.push((index, path));
                    }
                    while self.accept(b',')? {
                        self.int()?;
                    }
                }
                ".section" => self.section()?,
                ".alias" | ".pragma" => self.skip_statement()?,
                ".loc" => self.location()?,
                ".extern" | ".visible" | ".weak" | ".common" => {
                    self.lexer.take()?;
                }
                ".entry" | ".func" => {
                    let function = self.function()?;
                    text.functions.push(function);
                }
                ".global" | ".const" | ".shared" | ".local" | ".param" | ".tex" => {
                    self.variables(&mut text.variables)?;
                }
                _ => return self.unexpected("a directive"),
            }
        }
    }

    fn skip_statement(&mut self) -> Parsed<()> {
        loop {
            match self.lexer.take()? {
                Token::Punct(b';') => return Ok(()),
                Token::End => return self.unexpected("`;`"),
                _ => {}
            }
        }
    }

    fn section(&mut self) -> Parsed<()> {
        self.lexer.take()?;
        self.word("a section")?;
        self.expect(b'{')?;
        let mut depth = 1u32;
        while depth > 0 {
            match self.lexer.take()? {
                Token::Punct(b'{') => depth = depth.saturating_add(1),
                Token::Punct(b'}') => depth -= 1,
                Token::End => return self.unexpected("`}`"),
                _ => {}
            }
        }
        Ok(())
    }

    fn location(&mut self) -> Parsed<()> {
        self.lexer.take()?;
        let file = self.int()?;
        let line = self.int()?;
        self.int()?;
        while self.accept(b',')? {
            // `function_name label`, `inlined_at file line column`
            while matches!(self.lexer.peek(), Token::Word(word) if !word.starts_with('.'))
                || matches!(self.lexer.peek(), Token::Int(_) | Token::Punct(b'+'))
            {
                let word = self.lexer.take()?;
                if word == Token::Word("inlined_at") {
                    self.int()?;
                    self.int()?;
                    self.int()?;
                    break;
                }
            }
        }
        self.source = (u32::try_from(file).unwrap_or(u32::MAX), u32::try_from(line).unwrap_or(u32::MAX));
        Ok(())
    }

    fn align(&mut self) -> Parsed<u32> {
        match self.int()? {
            value @ (1 | 2 | 4 | 8 | 16 | 32 | 64 | 128) => Ok(value as u32),
            _ => self.lexer.error("an alignment is a power of two up to 128"),
        }
    }

    fn variables(&mut self, into: &mut Vec<Variable<'a>>) -> Parsed<()> {
        let variable = self.variable(into.last().map(|last| last.space))?;
        into.push(variable);
        if self.accept(b',')? {
            // A second name under one declaration has no type of its own: rare, and not worth its ambiguity.
            return self.lexer.error("one variable per declaration");
        }
        self.expect(b';')
    }

    /// From the space to the end of the initialiser.
    fn variable(&mut self, _previous: Option<Space>) -> Parsed<Variable<'a>> {
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

    fn parameters(&mut self) -> Parsed<Vec<Variable<'a>>> {
        let mut params = Vec::new();
        self.expect(b'(')?;
        if self.accept(b')')? {
            return Ok(params);
        }
        loop {
            params.push(self.variable(None)?);
            if self.accept(b')')? {
                return Ok(params);
            }
            self.expect(b',')?;
        }
    }

    fn function(&mut self) -> Parsed<Function<'a>> {
        let line = self.lexer.line;
        let entry = self.word("a function")? == ".entry";
        self.source = (0, 0);
        let mut refused = None;
        if self.accept_word(".attribute")? {
            self.expect(b'(')?;
            while !self.accept(b')')? {
                if self.lexer.take()? == Token::End {
                    return self.unexpected("`)`");
                }
            }
        }
        let returns = if self.lexer.peek() == Token::Punct(b'(') { self.parameters()? } else { Vec::new() };
        let name = self.name()?;
        let params = if self.lexer.peek() == Token::Punct(b'(') { self.parameters()? } else { Vec::new() };
        let (mut max_threads, mut required) = (None, None);
        loop {
            match self.lexer.peek() {
                Token::Word(word @ (".maxntid" | ".reqntid")) => {
                    self.lexer.take()?;
                    let mut shape = [1u32; 3];
                    for (axis, extent) in shape.iter_mut().enumerate() {
                        if axis > 0 && !self.accept(b',')? {
                            break;
                        }
                        *extent = u32::try_from(self.int()?).unwrap_or(u32::MAX);
                    }
                    let [x, y, z] = shape;
                    max_threads = Some(x.saturating_mul(y).saturating_mul(z));
                    if word == ".reqntid" {
                        required = Some(shape);
                    }
                }
                Token::Word(".minnctapersm" | ".maxnreg" | ".maxnctapersm" | ".maxclusterrank") => {
                    self.lexer.take()?;
                    self.int()?;
                }
                Token::Word(".explicitcluster") => {
                    self.lexer.take()?;
                    refused = Some("thread-block clusters are not supported: launch plain thread blocks");
                }
                Token::Word(".reqnctapercluster") => {
                    self.lexer.take()?;
                    refused = Some("thread-block clusters are not supported: launch plain thread blocks");
                    self.int()?;
                    while self.accept(b',')? {
                        self.int()?;
                    }
                }
                Token::Word(".noreturn" | ".unique" | ".blocksareclusters") => {
                    self.lexer.take()?;
                }
                Token::Word(".pragma") => self.skip_statement()?,
                Token::Word(".abi_preserve" | ".abi_preserve_control") => {
                    self.lexer.take()?;
                    self.int()?;
                }
                Token::Punct(b';') => {
                    self.lexer.take()?;
                    return Ok(Function {
                        name,
                        entry,
                        line,
                        returns,
                        params,
                        body: None,
                        max_threads,
                        required,
                        refused,
                    });
                }
                Token::Punct(b'{') => break,
                _ => return self.unexpected("`{`"),
            }
        }
        let body = self.body()?;
        Ok(Function { name, entry, line, returns, params, body: Some(body), max_threads, required, refused })
    }

    fn body(&mut self) -> Parsed<Vec<Statement<'a>>> {
        let mut body = Vec::new();
        let mut depth = 0u32;
        loop {
            match self.lexer.peek() {
                Token::Punct(b'{') => {
                    self.lexer.take()?;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return self.lexer.error("blocks are nested too deeply");
                    }
                    if depth > 1 {
                        body.push(Statement::Open);
                    }
                }
                Token::Punct(b'}') => {
                    self.lexer.take()?;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(body);
                    }
                    if matches!(body.last(), Some(Statement::Open)) {
                        body.pop();
                    } else {
                        body.push(Statement::Close);
                    }
                }
                Token::Punct(b';') => {
                    self.lexer.take()?;
                }
                Token::Word(".reg") => self.registers(&mut body)?,
                Token::Word(".shared" | ".shared::cta" | ".local" | ".param" | ".const" | ".global") => {
                    let line = self.lexer.line;
                    let variable = self.variable(None)?;
                    self.expect(b';')?;
                    body.push(Statement::Variable(variable, line));
                }
                Token::Word(".loc") => self.location()?,
                Token::Word(".pragma") => self.skip_statement()?,
                Token::Punct(b'@') | Token::Word(_) => {
                    if let Some(statement) = self.instruction()? {
                        body.push(statement);
                    }
                }
                _ => return self.unexpected("an instruction"),
            }
        }
    }

    fn registers(&mut self, body: &mut Vec<Statement<'a>>) -> Parsed<()> {
        self.lexer.take()?;
        let mut vector = false;
        let kind = loop {
            match self.word("a type")? {
                ".v2" | ".v4" => vector = true,
                word => match word.strip_prefix('.').and_then(Type::parse) {
                    Some(kind) => break kind,
                    None => return self.lexer.error("expected a register type"),
                },
            }
        };
        if vector {
            return self.lexer.error("vector registers are not supported");
        }
        loop {
            let name = self.name()?;
            let count = if self.accept(b'<')? {
                let count = self.int()?;
                self.expect(b'>')?;
                Some(count)
            } else {
                None
            };
            body.push(Statement::Register(kind, name, count));
            if !self.accept(b',')? {
                break;
            }
        }
        self.expect(b';')
    }

    fn instruction(&mut self) -> Parsed<Option<Statement<'a>>> {
        let line = self.lexer.line;
        let guard = if self.accept(b'@')? {
            let negated = self.accept(b'!')?;
            Some((self.name()?, negated))
        } else {
            None
        };
        let opcode = self.word("an instruction")?;
        if guard.is_none() && self.accept(b':')? {
            return self.labelled(opcode, line).map(Some);
        }
        if opcode.starts_with('.') {
            return self.lexer.error(format!("the directive `{opcode}` is not known here"));
        }
        let mut operands = Vec::new();
        if !self.accept(b';')? {
            loop {
                operands.push(self.operand(0)?);
                if self.accept(b';')? {
                    break;
                }
                // `shfl.sync.idx.b32 %r1|%p1, ...` and texture forms separate by commas alone.
                self.expect(b',')?;
            }
        }
        let source = self.source;
        Ok(Some(Statement::Instruction(Instruction { guard, opcode, operands, line, source })))
    }

    fn labelled(&mut self, label: &'a str, line: u32) -> Parsed<Statement<'a>> {
        match self.lexer.peek() {
            Token::Word(".branchtargets") => {
                self.lexer.take()?;
                let mut targets = Vec::new();
                loop {
                    targets.push(self.name()?);
                    if !self.accept(b',')? {
                        break;
                    }
                }
                self.expect(b';')?;
                Ok(Statement::Targets(label, targets))
            }
            Token::Word(".callprototype" | ".calltargets") => {
                self.skip_statement()?;
                Ok(Statement::Label(label, line))
            }
            _ => Ok(Statement::Label(label, line)),
        }
    }

    fn operand(&mut self, depth: u32) -> Parsed<Operand<'a>> {
        match self.lexer.peek() {
            Token::Punct(open @ (b'{' | b'(')) => {
                if depth >= 2 {
                    return self.lexer.error("operands are nested too deeply");
                }
                let close = if open == b'{' { b'}' } else { b')' };
                self.lexer.take()?;
                let mut list = Vec::new();
                if self.accept(close)? {
                    return Ok(Operand::List(list));
                }
                loop {
                    list.push(self.operand(depth + 1)?);
                    if self.accept(close)? {
                        return Ok(Operand::List(list));
                    }
                    self.expect(b',')?;
                }
            }
            Token::Punct(b'[') => {
                self.lexer.take()?;
                let operand = match self.lexer.peek() {
                    Token::Word(name) => {
                        self.lexer.take()?;
                        let offset = match self.lexer.peek() {
                            Token::Punct(b'+' | b'-') => self.signed()?,
                            _ => 0,
                        };
                        Operand::Address(Some(name), offset)
                    }
                    _ => Operand::Address(None, self.signed()?),
                };
                // Texture operands: `[image, {x, y}]`.
                while self.accept(b',')? {
                    if depth >= 2 {
                        return self.lexer.error("operands are nested too deeply");
                    }
                    self.operand(depth + 1)?;
                }
                self.expect(b']')?;
                Ok(operand)
            }
            Token::Punct(b'!') => {
                self.lexer.take()?;
                Ok(Operand::Not(self.name()?))
            }
            Token::Punct(b'-') => {
                self.lexer.take()?;
                match self.lexer.peek() {
                    Token::F64(bits) => {
                        self.lexer.take()?;
                        Ok(Operand::F64(bits ^ 1 << 63))
                    }
                    Token::F32(bits) => {
                        self.lexer.take()?;
                        Ok(Operand::F32(bits ^ 1 << 31))
                    }
                    Token::Word(name) => {
                        self.lexer.take()?;
                        Ok(Operand::Negative(name))
                    }
                    _ => Ok(Operand::Int((self.signed()? as u64).wrapping_neg())),
                }
            }
            Token::Int(value) => {
                self.lexer.take()?;
                Ok(Operand::Int(value))
            }
            Token::F32(bits) => {
                self.lexer.take()?;
                Ok(Operand::F32(bits))
            }
            Token::F64(bits) => {
                self.lexer.take()?;
                Ok(Operand::F64(bits))
            }
            Token::Word(name) => {
                self.lexer.take()?;
                match self.lexer.peek() {
                    Token::Punct(b'|') => {
                        self.lexer.take()?;
                        Ok(Operand::Pair(name, self.name()?))
                    }
                    Token::Punct(b'+' | b'-') => Ok(Operand::Offset(name, self.signed()?)),
                    _ => Ok(Operand::Name(name)),
                }
            }
            _ => self.unexpected("an operand"),
        }
    }
}
