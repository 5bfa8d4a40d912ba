//! Functions: statements and operands.

use super::{MAX_DEPTH, Parsed, Parser};
use crate::{
    ast::{Function, Instruction, Operand, Statement, Type, Variable},
    lex::Token,
};
use alloc::{format, vec::Vec};

impl<'a> Parser<'a> {
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

    pub(super) fn function(&mut self) -> Parsed<Function<'a>> {
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
