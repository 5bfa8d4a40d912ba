//! Integer expressions: `ceil_div(photo.width, 16) * 4`.

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExprError {
    /// Something that cannot stand there.
    #[error("in \"{text}\": unexpected {found}")]
    Unexpected {
        /// The expression.
        text: String,
        /// What was found.
        found: String,
    },
    /// A number that is not one.
    #[error("in \"{text}\": `{number}` is no integer")]
    Number {
        /// The expression.
        text: String,
        /// The number.
        number: String,
    },
    /// A name that nothing has.
    #[error("in \"{text}\": nothing is called `{name}`")]
    Unknown {
        /// The expression.
        text: String,
        /// The name.
        name: String,
    },
    /// A function that does not exist, or takes another number of arguments.
    #[error(
        "in \"{text}\": no function `{name}` of {arguments} arguments; there are ceil_div(a, b), align(a, n), min(a, b), max(a, b), log2(a)"
    )]
    Function {
        /// The expression.
        text: String,
        /// The name.
        name: String,
        /// Arguments given.
        arguments: usize,
    },
    /// A division by zero.
    #[error("in \"{0}\": division by zero")]
    DivisionByZero(String),
    /// A value of more than 128 bits.
    #[error("in \"{0}\": the value does not fit 128 bits")]
    Overflow(String),
    /// Names that need each other.
    #[error("`{0}` is defined by itself")]
    Cycle(String),
    /// Too many parentheses.
    #[error("in \"{0}\": nested too deeply")]
    TooDeep(String),
}

const MAX_DEPTH: u32 = 64;

/// Evaluates `text`; `lookup` gives the value of a name, or `None` if nothing has it.
pub fn evaluate<E: From<ExprError>>(
    text: &str,
    lookup: &mut dyn FnMut(&str) -> Result<Option<i128>, E>,
) -> Result<i128, E> {
    let mut parser = Parser { text, rest: text.trim_start(), depth: 0, lookup };
    let value = parser.sum()?;
    match parser.rest.chars().next() {
        None => Ok(value),
        Some(_) => Err(parser.unexpected().into()),
    }
}

struct Parser<'a, 'b, E> {
    text: &'a str,
    rest: &'a str,
    depth: u32,
    lookup: &'b mut dyn FnMut(&str) -> Result<Option<i128>, E>,
}

impl<'a, E: From<ExprError>> Parser<'a, '_, E> {
    fn unexpected(&self) -> ExprError {
        let found = self.rest.chars().next().map_or_else(|| "end".to_owned(), |c| format!("`{c}`"));
        ExprError::Unexpected { text: self.text.to_owned(), found }
    }

    fn take(&mut self, symbol: &str) -> bool {
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn overflow(&self) -> E {
        ExprError::Overflow(self.text.to_owned()).into()
    }

    fn shift(&mut self, left: i128, right: i128, up: bool) -> Result<i128, E> {
        let by = u32::try_from(right).ok().filter(|by| *by < 127).ok_or_else(|| self.overflow())?;
        if up {
            1i128.checked_shl(by).and_then(|factor| left.checked_mul(factor)).ok_or_else(|| self.overflow())
        } else {
            left.checked_shr(by).ok_or_else(|| self.overflow())
        }
    }

    /// `a << b`, `a >> b`: the loosest operators, as in C.
    fn sum(&mut self) -> Result<i128, E> {
        let mut value = self.terms()?;
        loop {
            if self.take("<<") {
                let right = self.terms()?;
                value = self.shift(value, right, true)?;
            } else if self.take(">>") {
                let right = self.terms()?;
                value = self.shift(value, right, false)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn terms(&mut self) -> Result<i128, E> {
        let mut value = self.factors()?;
        loop {
            let next = if self.take("+") {
                let right = self.factors()?;
                value.checked_add(right)
            } else if self.take("-") {
                let right = self.factors()?;
                value.checked_sub(right)
            } else {
                return Ok(value);
            };
            value = next.ok_or_else(|| self.overflow())?;
        }
    }

    fn factors(&mut self) -> Result<i128, E> {
        let mut value = self.atom()?;
        loop {
            let next = if self.take("*") {
                let right = self.atom()?;
                value.checked_mul(right)
            } else if self.take("/") {
                let right = self.divisor()?;
                value.checked_div(right)
            } else if self.take("%") {
                let right = self.divisor()?;
                value.checked_rem(right)
            } else {
                return Ok(value);
            };
            value = next.ok_or_else(|| self.overflow())?;
        }
    }

    fn divisor(&mut self) -> Result<i128, E> {
        let value = self.atom()?;
        self.not_zero(value)
    }

    fn not_zero(&self, value: i128) -> Result<i128, E> {
        if value == 0 { Err(ExprError::DivisionByZero(self.text.to_owned()).into()) } else { Ok(value) }
    }

    fn atom(&mut self) -> Result<i128, E> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(ExprError::TooDeep(self.text.to_owned()).into());
        }
        let value = self.atom_inner();
        self.depth = self.depth.saturating_sub(1);
        value
    }

    fn atom_inner(&mut self) -> Result<i128, E> {
        if self.take("-") {
            let value = self.atom()?;
            return value.checked_neg().ok_or_else(|| self.overflow());
        }
        if self.take("(") {
            let value = self.sum()?;
            return if self.take(")") { Ok(value) } else { Err(self.unexpected().into()) };
        }
        let word = self.word();
        let Some(first) = word.chars().next() else { return Err(self.unexpected().into()) };
        if first.is_ascii_digit() {
            return number(word)
                .ok_or_else(|| ExprError::Number { text: self.text.to_owned(), number: word.to_owned() }.into());
        }
        if self.take("(") {
            return self.call(word);
        }
        (self.lookup)(word)?
            .ok_or_else(|| ExprError::Unknown { text: self.text.to_owned(), name: word.to_owned() }.into())
    }

    fn word(&mut self) -> &'a str {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn call(&mut self, name: &str) -> Result<i128, E> {
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.sum()?);
                if self.take(")") {
                    break;
                }
                if !self.take(",") {
                    return Err(self.unexpected().into());
                }
            }
        }
        match (name, arguments.as_slice()) {
            ("ceil_div", [a, b]) => {
                let b = self.not_zero(*b)?;
                ceil_div(*a, b).ok_or_else(|| self.overflow())
            }
            ("align", [a, n]) => {
                let n = self.not_zero(*n)?;
                ceil_div(*a, n).and_then(|times| times.checked_mul(n)).ok_or_else(|| self.overflow())
            }
            ("min", [a, b]) => Ok(*a.min(b)),
            ("max", [a, b]) => Ok(*a.max(b)),
            ("log2", [a]) => a.checked_ilog2().map(i128::from).ok_or_else(|| self.overflow()),
            _ => Err(ExprError::Function {
                text: self.text.to_owned(),
                name: name.to_owned(),
                arguments: arguments.len(),
            }
            .into()),
        }
    }
}

/// The least integer that is at least `a / b`.
fn ceil_div(a: i128, b: i128) -> Option<i128> {
    let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
    if rest != 0 && (rest < 0) == (b < 0) { quotient.checked_add(1) } else { Some(quotient) }
}

/// A decimal or `0x` integer, with `_` between digits.
pub fn number(text: &str) -> Option<i128> {
    let digits = text.replace('_', "");
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i128::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn value(text: &str) -> Result<i128, ExprError> {
        evaluate(text, &mut |name| Ok((name == "photo.width").then_some(640)))
    }

    #[test]
    fn operators_bind_as_in_c() {
        for (text, expected) in [
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("7 / 2 * 2", 6),
            ("-7 / 2", -3),
            ("-7 % 4", -3),
            ("1 << 4 + 1", 32),
            ("256 >> 4", 16),
            ("0x10 + 1_000", 1016),
            ("10 - 3 - 2", 5),
            ("- - 3", 3),
            ("photo.width * 4", 2560),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn helpers_round_up() {
        for (text, expected) in [
            ("ceil_div(641, 16)", 41),
            ("ceil_div(640, 16)", 40),
            ("ceil_div(-1, 2)", 0),
            ("ceil_div(1, -2)", 0),
            ("ceil_div(-1, -2)", 1),
            ("align(5, 4)", 8),
            ("align(8, 4)", 8),
            ("min(2, max(1, 3))", 2),
            ("log2(1) + log2(1000)", 9),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_says_why() {
        for (text, message) in [
            ("1 / 0", "in \"1 / 0\": division by zero"),
            ("ceil_div(1, 0)", "in \"ceil_div(1, 0)\": division by zero"),
            ("width", "in \"width\": nothing is called `width`"),
            ("1 +", "in \"1 +\": unexpected end"),
            ("1 2", "in \"1 2\": unexpected `2`"),
            ("(1", "in \"(1\": unexpected end"),
            ("12ab", "in \"12ab\": `12ab` is no integer"),
            (
                "sin(1)",
                "in \"sin(1)\": no function `sin` of 1 arguments; there are ceil_div(a, b), align(a, n), min(a, b), max(a, b), log2(a)",
            ),
            ("1 << 127", "in \"1 << 127\": the value does not fit 128 bits"),
            (
                "170141183460469231731687303715884105727 + 1",
                "in \"170141183460469231731687303715884105727 + 1\": the value does not fit 128 bits",
            ),
        ] {
            assert_eq!(value(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let text = "(".repeat(100_000);
        assert!(matches!(value(&text), Err(ExprError::TooDeep(_))));
        assert!(matches!(value(&"-".repeat(100_000)), Err(ExprError::TooDeep(_))));
    }
}
