//! Approximate instructions in a text.

use crate::{
    Error,
    forms::Form,
    text::{Placed, Token, Tokens},
};

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

/// Operands up to the semicolon, and the byte behind it; `None` where they are not plain words and numbers.
fn operands(tokens: &mut Tokens<'_>) -> Result<Option<(Vec<String>, usize)>, Error> {
    let mut operands = vec![String::new()];
    let mut plain = true;
    for placed in tokens {
        let Placed { token, end, .. } = placed?;
        match token {
            Token::Punct(b';') => {
                let plain = plain && operands.iter().all(|operand| !operand.is_empty());
                return Ok(plain.then_some((operands, end)));
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

/// Finds the approximate instructions of a text.
pub fn scan(text: &[u8]) -> Result<Found<'_>, Error> {
    let mut tokens = Tokens::new(text);
    let mut found = Found::default();
    let mut header = true;
    // The first byte and the guard of a statement that has just begun; none inside one.
    let mut begun: Option<(Option<usize>, Option<(&str, bool)>)> = Some((None, None));
    let mut first_word = false;
    while let Some(placed) = tokens.next() {
        let Placed { token, start: at, end, .. } = placed?;
        if header {
            match token {
                Token::Word(".version" | ".target" | ".address_size") => found.header = Some(end),
                Token::Word(word) if word.starts_with('.') => header = false,
                _ if found.header.is_some() => found.header = Some(end),
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
                let mut next = tokens.next().transpose()?.map(|placed| placed.token);
                let negated = next == Some(Token::Punct(b'!'));
                if negated {
                    next = tokens.next().transpose()?.map(|placed| placed.token);
                }
                begun = match next {
                    Some(Token::Word(name)) => Some((Some(at), Some((name, negated)))),
                    _ => None,
                };
            }
            Token::Word(word) => {
                first_word = begun == Some((None, None));
                if let Some((start, guard)) = begun.take()
                    && let Some(form) = Form::of(word)
                {
                    let operands = operands(&mut tokens)?;
                    if let Some((operands, end)) = operands.filter(|(operands, _)| operands.len() == form.operands()) {
                        let start = start.unwrap_or(at);
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
