//! Approximate instructions in a text.

use crate::{Error, forms::Form};

/// What was found.
#[derive(Debug, Default)]
pub struct Found<'a> {
    /// Byte behind `.version`, `.target` and `.address_size`.
    pub header: Option<usize>,
    /// In the order of the text.
    pub instructions: Vec<Instruction<'a>>,
}

/// An instruction that has a replacement.
#[derive(Debug, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// Its opcode.
    pub opcode: &'a str,
    /// What becomes of it.
    pub form: Form,
    /// Its predicate, and whether that is negated.
    pub guard: Option<(&'a str, bool)>,
    /// Its operands, without blanks and comments.
    pub operands: Vec<String>,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its semicolon.
    pub end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Punct(u8),
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'%')
}

impl<'a> Scanner<'a> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at.saturating_add(ahead)).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        if self.byte(0) == b'\n' {
            self.line = self.line.saturating_add(1);
        }
        self.at = self.at.saturating_add(1);
    }

    /// The next token with its first byte; `None` at the end.
    fn next(&mut self) -> Result<Option<(Token<'a>, usize)>, Error> {
        while self.at < self.text.len() {
            let (start, first) = (self.at, self.byte(0));
            if first == b'/' && self.byte(1) == b'/' {
                while self.at < self.text.len() && self.byte(0) != b'\n' {
                    self.step();
                }
            } else if first == b'/' && self.byte(1) == b'*' {
                let line = self.line;
                self.at = self.at.saturating_add(2);
                while !(self.byte(0) == b'*' && self.byte(1) == b'/') {
                    if self.at >= self.text.len() {
                        return Err(Error::Endless(line));
                    }
                    self.step();
                }
                self.at = self.at.saturating_add(2);
            } else if first == b'"' {
                self.step();
                while self.byte(0) != b'"' {
                    if self.at >= self.text.len() || self.byte(0) == b'\n' {
                        return Err(Error::Endless(self.line));
                    }
                    self.step();
                }
                self.step();
                return Ok(Some((Token::Punct(b'"'), start)));
            } else if in_word(first) {
                while in_word(self.byte(0)) {
                    self.step();
                }
                let word = self.text.get(start..self.at).and_then(|word| std::str::from_utf8(word).ok());
                return Ok(Some((Token::Word(word.unwrap_or_default()), start)));
            } else if first.is_ascii_graphic() {
                self.step();
                return Ok(Some((Token::Punct(first), start)));
            } else {
                self.step();
            }
        }
        Ok(None)
    }

    /// Operands up to the semicolon; `None` where they are not plain words and numbers.
    fn operands(&mut self) -> Result<Option<Vec<String>>, Error> {
        let mut operands = vec![String::new()];
        let mut plain = true;
        while let Some((token, _)) = self.next()? {
            match token {
                Token::Punct(b';') => {
                    return Ok(Some(operands).filter(|all| plain && all.iter().all(|operand| !operand.is_empty())));
                }
                Token::Punct(b',') => operands.push(String::new()),
                Token::Punct(sign @ (b'-' | b'+')) => {
                    operands.last_mut().unwrap_or(&mut String::new()).push(char::from(sign))
                }
                Token::Word(word) => operands.last_mut().unwrap_or(&mut String::new()).push_str(word),
                // A brace ends whatever this was.
                Token::Punct(b'{' | b'}') => return Ok(None),
                Token::Punct(_) => plain = false,
            }
        }
        Ok(None)
    }
}

/// Finds the approximate instructions of a text.
pub fn scan(text: &[u8]) -> Result<Found<'_>, Error> {
    let mut scanner = Scanner { text, at: 0, line: 1 };
    let mut found = Found::default();
    let mut header = true;
    // The first byte and the guard of a statement that has just begun; none inside one.
    let mut begun: Option<(Option<usize>, Option<(&str, bool)>)> = Some((None, None));
    let mut first_word = false;
    // The line of a directive that ends with it, rather than with a semicolon.
    let mut directive = None;
    while let Some((token, at)) = scanner.next()? {
        if directive.is_some_and(|line| scanner.line > line) {
            (begun, directive) = (Some((None, None)), None);
        }
        if header {
            match token {
                Token::Word(".version" | ".target" | ".address_size") => found.header = Some(scanner.at),
                Token::Word(word) if word.starts_with('.') => header = false,
                _ if found.header.is_some() => found.header = Some(scanner.at),
                _ => {}
            }
        }
        match token {
            Token::Punct(b';' | b'{' | b'}') => {
                begun = Some((None, None));
                first_word = false;
            }
            // Behind a label.
            Token::Punct(b':') if first_word => {
                begun = Some((None, None));
                first_word = false;
            }
            Token::Punct(b'@') if begun == Some((None, None)) => {
                let mut next = scanner.next()?;
                let negated = matches!(next, Some((Token::Punct(b'!'), _)));
                if negated {
                    next = scanner.next()?;
                }
                begun = match next {
                    Some((Token::Word(name), _)) => Some((Some(at), Some((name, negated)))),
                    _ => None,
                };
            }
            Token::Word(word) => {
                first_word = begun == Some((None, None));
                if first_word && matches!(word, ".loc" | ".file") {
                    directive = Some(scanner.line);
                }
                if let Some((start, guard)) = begun.take()
                    && let Some(form) = Form::of(word)
                {
                    let operands = scanner.operands()?;
                    if let Some(operands) = operands.filter(|operands| operands.len() == form.operands()) {
                        let (start, end) = (start.unwrap_or(at), scanner.at);
                        found.instructions.push(Instruction { opcode: word, form, guard, operands, start, end });
                    }
                    begun = Some((None, None));
                    first_word = false;
                }
            }
            Token::Punct(_) => {
                begun = None;
                first_word = false;
            }
        }
    }
    Ok(found)
}
