//! An opcode, word by word.

use super::Refused;
use crate::ast::{Operand, Type};
use alloc::{format, vec::Vec};

/// An opcode's words, taken one by one.
pub(crate) struct Mods<'a> {
    pub(crate) opcode: &'a str,
    pub(crate) name: &'a str,
    words: Vec<&'a str>,
}

impl<'a> Mods<'a> {
    pub(super) fn new(opcode: &'a str) -> Self {
        let mut parts = opcode.split('.');
        let name = parts.next().unwrap_or("");
        Self { opcode, name, words: parts.collect() }
    }

    /// Takes a modifier if it is there.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        match self.words.iter().position(|found| *found == word) {
            Some(at) => {
                self.words.remove(at);
                true
            }
            None => false,
        }
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    /// Takes the first word of the list that is there.
    pub(crate) fn take_any<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        let (at, value) = self
            .words
            .iter()
            .enumerate()
            .find_map(|(at, word)| choices.iter().find(|choice| choice.0 == *word).map(|choice| (at, choice.1)))?;
        self.words.remove(at);
        Some(value)
    }

    /// Takes the last word, a type.
    pub(crate) fn kind(&mut self) -> Refused<Type> {
        match self.words.last().and_then(|word| Type::parse(word)) {
            Some(kind) => {
                self.words.pop();
                Ok(kind)
            }
            None => Err(format!("`{}` does not end in a type", self.opcode)),
        }
    }

    pub(crate) fn first(&self) -> Option<&'a str> {
        self.words.first().copied()
    }

    pub(crate) fn words(&self) -> &[&'a str] {
        &self.words
    }

    pub(super) fn left(&self) -> Option<&'a str> {
        self.words.first().copied()
    }
}

/// The operands, exactly `N` of them.
pub(crate) fn exactly<'o, 'a, const N: usize>(operands: &'o [Operand<'a>]) -> Refused<&'o [Operand<'a>; N]> {
    operands.try_into().map_err(|_| format!("the instruction has {N} operands, not {}", operands.len()))
}
