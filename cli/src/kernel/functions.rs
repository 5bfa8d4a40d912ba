//! Functions of a PTX text, for those who rewrite it.

use std::ops::Range;

use assay_exact::text::{Edit, Placed, Token, Tokens};

/// The tokens of a text, up to where it cannot be read.
pub struct Script<'a> {
    /// All of them.
    pub tokens: Vec<Placed<'a>>,
}

/// A function with a body.
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its tokens from brace to behind the closing brace.
    pub body: Range<usize>,
    /// The byte before which further parameters stand, and what is before and behind them.
    parameters: (usize, &'static str, &'static str),
    /// The byte behind the first brace.
    inside: usize,
}

impl<'a> Script<'a> {
    /// Reads it.
    pub fn read(text: &'a [u8]) -> Self {
        Self { tokens: Tokens::new(text).map_while(Result::ok).collect() }
    }

    /// The token at a position.
    pub fn token(&self, at: usize) -> Option<Token<'a>> {
        self.tokens.get(at).map(|placed| placed.token)
    }

    /// Whether that character is at a position.
    pub fn is(&self, at: usize, byte: u8) -> bool {
        self.token(at) == Some(Token::Punct(byte))
    }

    /// The line of the token at a position.
    pub fn line(&self, at: usize) -> u32 {
        self.tokens.get(at).map_or(1, |placed| placed.line)
    }

    /// The position behind what closes what opens at `at`; the end where nothing does.
    pub fn behind(&self, at: usize, open: u8, close: u8) -> usize {
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

    /// The function from `.entry` or `.func` at `at` on, and the position behind it; none where it is only declared.
    pub fn function(&self, at: usize) -> (Option<Function<'a>>, usize) {
        let mut place = at.saturating_add(1);
        let (mut name, mut list) = (None, None);
        loop {
            match self.token(place) {
                None | Some(Token::Punct(b';')) => return (None, place.saturating_add(1)),
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
        let body = place..self.behind(place, b'{', b'}');
        let behind = body.end;
        let function = name.and_then(|(name, at)| {
            let parameters = match list {
                Some((first, last)) => {
                    let comma = if first.saturating_add(1) == last { "" } else { ", " };
                    (self.tokens.get(last)?.start, comma, "")
                }
                None => (self.tokens.get(at)?.end, "(", ")"),
            };
            Some(Function { name, inside: self.tokens.get(place)?.end, body, parameters })
        });
        (function, behind)
    }
}

impl Function<'_> {
    /// Gives an entry further parameters behind its own, and a beginning.
    pub fn begin(&self, parameters: &str, beginning: String) -> [Edit; 2] {
        let (at, before, behind) = self.parameters;
        [(at, at, format!("{before}{parameters}{behind}")), (self.inside, self.inside, beginning)]
    }
}
