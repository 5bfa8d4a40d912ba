//! Bytes to tokens. PTX is ASCII outside comments and strings.

use crate::ParseError;
use alloc::format;

/// One token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// Identifier, register, opcode or directive, with its dots.
    Word(&'a str),
    /// Integer literal, modulo 2^64.
    Int(u64),
    /// `0f` literal: bits.
    F32(u32),
    /// `0d` or decimal literal: bits.
    F64(u64),
    /// String without its quotes.
    Text(&'a str),
    /// Any other printable character.
    Punct(u8),
    /// End of the text.
    End,
}

/// A cursor over the text with one token of look-ahead.
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    next_line: u32,
    token: Token<'a>,
    /// Line of the current token.
    pub(crate) line: u32,
    /// Line of the token taken last.
    pub(crate) last_line: u32,
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'%' | b'.')
}

fn continues_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.')
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, ParseError> {
        let mut lexer = Self { text, at: 0, next_line: 1, token: Token::End, line: 1, last_line: 1 };
        lexer.advance()?;
        Ok(lexer)
    }

    /// The current token.
    pub(crate) fn peek(&self) -> Token<'a> {
        self.token
    }

    /// Takes the current token.
    pub(crate) fn take(&mut self) -> Result<Token<'a>, ParseError> {
        let token = self.token;
        self.last_line = self.line;
        self.advance()?;
        Ok(token)
    }

    pub(crate) fn error<T>(&self, reason: impl Into<alloc::string::String>) -> Result<T, ParseError> {
        Err(ParseError { line: self.line, reason: reason.into() })
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at.saturating_add(ahead)).copied().unwrap_or(0)
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }

    fn skip_blank(&mut self) -> Result<(), ParseError> {
        loop {
            match self.byte(0) {
                b'\n' => {
                    self.next_line = self.next_line.saturating_add(1);
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                0 if self.at < self.text.len() => self.at += 1,
                b'/' if self.byte(1) == b'/' => {
                    while self.at < self.text.len() && self.byte(0) != b'\n' {
                        self.at += 1;
                    }
                }
                b'/' if self.byte(1) == b'*' => {
                    self.at += 2;
                    while !(self.byte(0) == b'*' && self.byte(1) == b'/') {
                        if self.at >= self.text.len() {
                            self.line = self.next_line;
                            return self.error("the comment does not end");
                        }
                        if self.byte(0) == b'\n' {
                            self.next_line = self.next_line.saturating_add(1);
                        }
                        self.at += 1;
                    }
                    self.at += 2;
                }
                _ => return Ok(()),
            }
        }
    }

    fn advance(&mut self) -> Result<(), ParseError> {
        self.skip_blank()?;
        self.line = self.next_line;
        let start = self.at;
        let first = self.byte(0);
        if self.at >= self.text.len() {
            self.token = Token::End;
        } else if first.is_ascii_digit() {
            self.token = self.number()?;
        } else if starts_word(first) {
            self.at += 1;
            // `.reg.b32` is two directives; opcodes keep their dots.
            let directive = first == b'.';
            loop {
                if directive && self.byte(0) == b'.' {
                    break;
                }
                if continues_word(self.byte(0)) {
                    self.at += 1;
                } else if self.byte(0) == b':' && self.byte(1) == b':' && continues_word(self.byte(2)) {
                    self.at += 2;
                } else {
                    break;
                }
            }
            self.token = Token::Word(self.slice(start, self.at));
        } else if first == b'"' {
            self.at += 1;
            while self.byte(0) != b'"' {
                if self.at >= self.text.len() || self.byte(0) == b'\n' {
                    return self.error("the string does not end");
                }
                self.at += 1;
            }
            self.token = Token::Text(self.slice(start + 1, self.at));
            self.at += 1;
        } else if first.is_ascii_graphic() {
            self.at += 1;
            self.token = Token::Punct(first);
        } else {
            return self.error(format!("byte 0x{first:02x} has no place in PTX"));
        }
        Ok(())
    }

    fn digits(&mut self, radix: u64) -> (u64, usize) {
        let (mut value, mut count) = (0u64, 0usize);
        while let Some(digit) = (self.byte(0) as char).to_digit(radix as u32) {
            value = value.wrapping_mul(radix).wrapping_add(u64::from(digit));
            count += 1;
            self.at += 1;
        }
        (value, count)
    }

    fn number(&mut self) -> Result<Token<'a>, ParseError> {
        let start = self.at;
        let token = match (self.byte(0), self.byte(1)) {
            (b'0', b'f' | b'F') => {
                self.at += 2;
                match self.digits(16) {
                    (value, 8) => Token::F32(value as u32),
                    _ => return self.error("a 0f literal has eight hexadecimal digits"),
                }
            }
            (b'0', b'd' | b'D') => {
                self.at += 2;
                match self.digits(16) {
                    (value, 16) => Token::F64(value),
                    _ => return self.error("a 0d literal has sixteen hexadecimal digits"),
                }
            }
            (b'0', b'x' | b'X') => {
                self.at += 2;
                match self.digits(16) {
                    (_, 0) => return self.error("a 0x literal needs digits"),
                    (value, _) => Token::Int(value),
                }
            }
            (b'0', b'b' | b'B') => {
                self.at += 2;
                Token::Int(self.digits(2).0)
            }
            (b'0', b'0'..=b'7') => Token::Int(self.digits(8).0),
            _ => {
                let (value, _) = self.digits(10);
                if self.byte(0) == b'.' || matches!(self.byte(0), b'e' | b'E') {
                    while self.byte(0).is_ascii_digit()
                        || matches!(self.byte(0), b'.' | b'e' | b'E')
                        || (matches!(self.byte(0), b'+' | b'-')
                            && self.at > 0
                            && matches!(self.text.get(self.at - 1), Some(b'e' | b'E')))
                    {
                        self.at += 1;
                    }
                    if self.at - start > 400 {
                        return self.error("the number is too long");
                    }
                    match self.slice(start, self.at).parse::<f64>() {
                        Ok(value) => Token::F64(value.to_bits()),
                        Err(_) => return self.error("not a number"),
                    }
                } else {
                    Token::Int(value)
                }
            }
        };
        if self.byte(0) == b'U' {
            self.at += 1;
        }
        if continues_word(self.byte(0)) {
            return self.error("not a number");
        }
        Ok(token)
    }
}
