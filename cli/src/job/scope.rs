//! What names in expressions mean.

use std::{cell::Cell, collections::BTreeMap};

use toml::de::DeValue;

use super::{
    error::{JobError, Problem},
    expr::{self, ExprError},
    source::Node,
};

/// The names of a job file. Values are found when they are asked for, so that order does not matter.
#[derive(Default)]
pub struct Scope<'a> {
    known: BTreeMap<String, i128>,
    lazy: BTreeMap<String, Node<'a>>,
    round: Option<u64>,
    period: Cell<u64>,
}

fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a.max(1)
}

/// Either an error of the expression at hand, or one of a value it needs.
enum Failure {
    Here(ExprError),
    There(JobError),
}

impl From<ExprError> for Failure {
    fn from(error: ExprError) -> Self {
        Self::Here(error)
    }
}

impl<'a> Scope<'a> {
    /// Gives a name a value.
    pub fn set(&mut self, name: impl Into<String>, value: i128) {
        self.known.insert(name.into(), value);
    }

    /// Gives a name the value of a node, found when asked for.
    pub fn set_lazy(&mut self, name: impl Into<String>, node: Node<'a>) {
        self.lazy.insert(name.into(), node);
    }

    /// Takes a name's value away.
    pub fn unset(&mut self, name: &str) {
        self.known.remove(name);
    }

    /// Says which round of a `for` or a repeat is read, if any.
    pub fn set_round(&mut self, round: Option<u64>) {
        self.round = round;
    }

    /// Which of several names, `a|b`, is meant in this round; a single one is always meant.
    pub fn pick<'n>(&self, node: &Node<'_>, names: &'n str) -> Result<&'n str, JobError> {
        let count = names.split('|').count() as u64;
        if count == 1 {
            return Ok(names.trim());
        }
        let round = self.round.ok_or_else(|| {
            node.error(Problem::Form("`a|b` takes turns from round to round: it stands in a `for` or a `repeat`"))
        })?;
        self.period.set(self.period.get().max(1).saturating_mul(count / gcd(count, self.period.get().max(1))));
        let index = round.checked_rem(count).and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
        Ok(names.split('|').nth(index).unwrap_or_default().trim())
    }

    /// Rounds after which the names of [`Scope::pick`] come again, since this was asked for.
    pub fn take_period(&self) -> u64 {
        self.period.replace(1).max(1)
    }

    /// Names of the file, for messages.
    pub fn has(&self, name: &str) -> bool {
        self.known.contains_key(name) || self.lazy.contains_key(name)
    }

    /// The integer at a node: a number or an expression.
    pub fn integer(&self, node: &Node<'_>) -> Result<i128, JobError> {
        self.integer_in(node, &mut Vec::new())
    }

    /// The value of `text`, a part of what stands at `node`.
    pub fn expression(&self, node: &Node<'_>, text: &str) -> Result<i128, JobError> {
        self.expression_in(node, text, &mut Vec::new())
    }

    fn integer_in(&self, node: &Node<'_>, stack: &mut Vec<String>) -> Result<i128, JobError> {
        match node.value() {
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| node.error(Problem::Expression(ExprError::Overflow(number.as_str().to_owned())))),
            DeValue::String(text) => self.expression_in(node, text, stack),
            _ => Err(node.expected("an integer or an expression")),
        }
    }

    fn expression_in(&self, node: &Node<'_>, text: &str, stack: &mut Vec<String>) -> Result<i128, JobError> {
        let outcome = expr::evaluate(text, &mut |name| {
            if let Some(value) = self.known.get(name) {
                return Ok(Some(*value));
            }
            let Some(lazy) = self.lazy.get(name) else { return Ok(None) };
            if stack.iter().any(|waiting| waiting == name) {
                return Err(ExprError::Cycle(name.to_owned()).into());
            }
            stack.push(name.to_owned());
            let value = self.integer_in(lazy, stack);
            stack.pop();
            value.map(Some).map_err(Failure::There)
        });
        outcome.map_err(|failure| match failure {
            Failure::Here(error) => node.error(Problem::Expression(error)),
            Failure::There(error) => error,
        })
    }

    /// The integer at a node, in `low..=high`.
    pub fn within(&self, node: &Node<'_>, low: i128, high: i128) -> Result<i128, JobError> {
        let value = self.integer(node)?;
        if value < low || value > high { Err(node.error(Problem::Range { value, low, high })) } else { Ok(value) }
    }

    /// An integer of 0 or more.
    pub fn u64(&self, node: &Node<'_>) -> Result<u64, JobError> {
        let value = self.within(node, 0, i128::from(u64::MAX))?;
        Ok(u64::try_from(value).unwrap_or(u64::MAX))
    }

    /// An integer of 0 or more that fits 32 bits.
    pub fn u32(&self, node: &Node<'_>) -> Result<u32, JobError> {
        let value = self.within(node, 0, i128::from(u32::MAX))?;
        Ok(u32::try_from(value).unwrap_or(u32::MAX))
    }
}
