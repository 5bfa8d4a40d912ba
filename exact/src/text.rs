//! PTX as tokens, each with its place, and edits of it.

use crate::Error;

/// What a text consists of beside blanks and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A name, a number, an opcode or a directive.
    Word(&'a str),
    /// Another character; a quote for all that is between two of them.
    Punct(u8),
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The token.
    pub token: Token<'a>,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// Its line, from 1.
    pub line: u32,
}

/// The tokens of any bytes, up to a comment or a string without an end. A directive that ends with its line is followed by a
/// semicolon of no bytes.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    /// The line of a directive that has not ended yet.
    directive: Option<u32>,
}

/// A comment or a string.
struct Aside {
    end: usize,
    whole: bool,
    string: bool,
}

/// The comment or the string that begins at a byte.
fn aside(text: &[u8], at: usize) -> Option<Aside> {
    let rest = text.get(at..)?;
    let inside = rest.get(1..).unwrap_or_default();
    let find = |ends: fn(&u8) -> bool| inside.iter().position(ends).map_or(rest.len(), |place| place.saturating_add(1));
    let (length, whole, string) = match rest {
        [b'/', b'/', ..] => (find(|byte| *byte == b'\n'), true, false),
        [b'/', b'*', inside @ ..] => match inside.windows(2).position(|pair| pair == b"*/") {
            Some(place) => (place.saturating_add(4), true, false),
            None => (rest.len(), false, false),
        },
        [b'"', ..] => {
            let end = find(|byte| matches!(byte, b'"' | b'\n'));
            let whole = rest.get(end) == Some(&b'"');
            (end.saturating_add(whole.into()), whole, true)
        }
        _ => return None,
    };
    Some(Aside { end: at.saturating_add(length), whole, string })
}

/// The text with spaces for comments and strings, so that places stay; C++ as well.
pub fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let mut at = 0usize;
    while at < text.len() {
        let Some(Aside { end, .. }) = aside(text, at) else {
            at = at.saturating_add(1);
            continue;
        };
        let part = out.get_mut(at..end).unwrap_or_default();
        part.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    out
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'%')
}

impl<'a> Tokens<'a> {
    /// From the first byte on.
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1, directive: None }
    }

    /// The token from here to `end`.
    fn until(&mut self, end: usize, token: Token<'a>) -> Placed<'a> {
        let start = std::mem::replace(&mut self.at, end);
        Placed { token, start, end, line: self.line }
    }

    /// The semicolon before the first token of another line.
    fn ended(&mut self) -> Option<Placed<'a>> {
        self.directive.take_if(|line| self.line > *line)?;
        Some(self.until(self.at, Token::Punct(b';')))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<Placed<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(first) = self.text.get(self.at).copied() {
            if let Some(Aside { end, whole, string }) = aside(self.text, self.at) {
                if !whole {
                    self.at = self.text.len();
                    return Some(Err(Error::Endless(self.line)));
                }
                if string {
                    return Some(Ok(self.ended().unwrap_or_else(|| self.until(end, Token::Punct(b'"')))));
                }
                let lines =
                    self.text.get(self.at..end).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
                self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
                self.at = end;
                continue;
            }
            if first == b'\n' {
                self.line = self.line.saturating_add(1);
            }
            if !first.is_ascii_graphic() {
                self.at = self.at.saturating_add(1);
                continue;
            }
            if let Some(end) = self.ended() {
                return Some(Ok(end));
            }
            let rest = self.text.get(self.at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| in_word(**byte)).count();
            let token = match rest.get(..length).and_then(|word| std::str::from_utf8(word).ok()) {
                None | Some("") => Token::Punct(first),
                Some(word) => Token::Word(word),
            };
            if matches!(token, Token::Word(".loc" | ".file")) {
                self.directive = Some(self.line);
            }
            return Some(Ok(self.until(self.at.saturating_add(length.max(1)), token)));
        }
        None
    }
}

/// Bytes to replace and what comes there.
pub type Edit = (usize, usize, String);

/// The text with edits, which do not overlap. What replaces lines has as many of its own, or lines change their numbers.
pub fn edited(text: &[u8], mut edits: Vec<Edit>) -> Vec<u8> {
    edits.sort_by_key(|(start, ..)| *start);
    let more = edits.iter().map(|(.., new)| new.len()).fold(text.len(), usize::saturating_add);
    let mut out = Vec::with_capacity(more);
    let mut copied = 0usize;
    for (start, end, new) in edits {
        out.extend_from_slice(text.get(copied..start).unwrap_or_default());
        out.extend_from_slice(new.as_bytes());
        copied = end;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn comments_and_strings_are_no_tokens() {
        let text = "a.b /* ; \n */ \"x;y\" // z\n-1;";
        let found: Vec<Placed<'_>> = Tokens::new(text.as_bytes()).map(Result::unwrap).collect();
        let tokens: Vec<(Token<'_>, u32)> = found.iter().map(|placed| (placed.token, placed.line)).collect();
        let expected = [
            (Token::Word("a.b"), 1),
            (Token::Punct(b'"'), 2),
            (Token::Punct(b'-'), 3),
            (Token::Word("1"), 3),
            (Token::Punct(b';'), 3),
        ];
        assert_eq!(tokens, expected);
        let bare = without_comments(text.as_bytes());
        assert_eq!(String::from_utf8(bare).unwrap(), "a.b      \n              \n-1;");
    }

    #[test]
    fn a_directive_of_one_line_ends_with_it() {
        let count = |text: &str| {
            let semicolon = |placed: &Placed<'_>| placed.token == Token::Punct(b';');
            Tokens::new(text.as_bytes()).map(Result::unwrap).filter(semicolon).count()
        };
        assert_eq!(count(".loc 1 2 3\nret;\n.file 1 \"a;b\"\n\"c\" ret;"), 4);
        assert_eq!(count(".reg .b32 %r1\n, %r2;"), 1);
    }

    #[test]
    fn edits_are_made_where_they_belong() {
        let edits = vec![(4, 4, "!".to_owned()), (0, 1, "xyz".to_owned())];
        assert_eq!(edited(b"abcd", edits), b"xyzbcd!");
    }
}
