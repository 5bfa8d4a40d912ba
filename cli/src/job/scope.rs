//! What names in expressions mean.

use std::collections::BTreeMap;

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
