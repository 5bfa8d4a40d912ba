//! Tokens to statements. One pass, one token of look-ahead, no recursion beyond a fixed depth.

mod function;
mod variable;

use crate::{
    ParseError,
    ast::Text,
    lex::{Lexer, Token},
};
use alloc::{format, string::String};

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
}
