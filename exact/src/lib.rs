//! Exact instructions in place of approximate ones, PTX to PTX.
//!
//! ```text
//! ex2.approx.f32 %f2, %f1;   a call of a function, which is appended to the text
//! rcp.approx.f32 %f2, %f1;   rcp.rn.f32 %f2, %f1;
//! ```
//!
//! The PTX manual says how far an approximate instruction may be off, and what it gives for zeros, infinities and NaNs; the
//! last bits are each architecture's own. What stands here instead keeps to the manual and has the same bits everywhere.
//! Every line of the text keeps its number. The functions are those of kernels/cuda/approximate.cu.

mod forms;
mod functions;
mod scan;
pub mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use forms::{Form, PREFIX};
use scan::Found;

/// PTX with exact instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exact {
    /// The text.
    pub ptx: Vec<u8>,
    /// How many instructions were replaced, by their opcodes.
    pub replaced: BTreeMap<String, u32>,
}

/// Why a text is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A comment or a string has no end.
    #[error("line {0}: a comment or a string does not end")]
    Endless(u32),
    /// Nothing after which functions can be declared.
    #[error("the text does not begin with .version and .target")]
    NoHeader,
    /// The text has names that the functions need.
    #[error("the text uses names that begin with assay_exact_")]
    Taken,
    /// A zero byte, at which drivers stop reading, with text behind it.
    #[error("line {0}: a zero byte")]
    Zero(u32),
    /// Of a function that is to be called. It is there for every form; a test tries them all.
    #[error("no function {0}")]
    Missing(&'static str),
}

/// Whether [`rewrite`] has something exact for an opcode.
pub fn is_replaced(opcode: &str) -> bool {
    Form::of(opcode).is_some()
}

/// Replaces the approximate instructions of a module; `None` where it has none. Reads any bytes, in linear time; of what is
/// no PTX, the result is none either.
pub fn rewrite(ptx: &[u8]) -> Result<Option<Exact>, Error> {
    let Found { header, instructions } = scan::scan(ptx)?;
    if instructions.is_empty() {
        return Ok(None);
    }
    let header = header.ok_or(Error::NoHeader)?;
    if ptx.windows(PREFIX.len()).any(|window| window == PREFIX.as_bytes()) {
        return Err(Error::Taken);
    }
    let end = ptx.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    let text = ptx.get(..end).unwrap_or_default();
    if let Some(at) = text.iter().position(|byte| *byte == 0) {
        let lines = text.iter().take(at).filter(|byte| **byte == b'\n').count();
        return Err(Error::Zero(u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)));
    }

    let mut replaced: BTreeMap<String, u32> = BTreeMap::new();
    let mut called = BTreeSet::new();
    for instruction in &instructions {
        let count = replaced.entry(instruction.opcode.to_owned()).or_default();
        *count = count.saturating_add(1);
        called.extend(instruction.form.function());
    }
    let functions = functions::with_callees(&called)?;

    let declared: String = functions.iter().map(|function| format!(" {};", function.header)).collect();
    let mut edits = vec![(header, header, declared)];
    for (number, instruction) in instructions.iter().enumerate() {
        let (start, end) = (instruction.start, instruction.end);
        let mut new = instruction.form.replacement(instruction, number);
        // Operands may stand on lines of their own; what follows keeps its line.
        let written = text.get(start..end).unwrap_or_default();
        new.extend(written.iter().filter(|byte| **byte == b'\n').map(|_| '\n'));
        edits.push((start, end, new));
    }
    let mut out = text::edited(text, edits);
    for function in &functions {
        out.extend_from_slice(format!("\n{}\n{}", function.header, function.body).as_bytes());
    }
    Ok(Some(Exact { ptx: out, replaced }))
}

/// The replaced instructions in words: `2 ex2.approx.f32, 1 rcp.approx.f32`.
pub fn in_words(replaced: &BTreeMap<String, u32>) -> String {
    let mut words = String::new();
    for (opcode, count) in replaced {
        let comma = if words.is_empty() { "" } else { ", " };
        let _ = write!(words, "{comma}{count} {opcode}");
    }
    words
}
