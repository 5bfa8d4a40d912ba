//! PTX with exact instructions in place of approximate ones, parsed.

use std::collections::BTreeMap;

use assay_engine::{Module, ParseError};

/// PTX as it goes on chain.
pub struct Prepared {
    /// The text.
    pub ptx: Vec<u8>,
    /// The text, parsed.
    pub module: Module,
    /// The text as it was, where it was changed; lines have the same numbers.
    pub original: Option<Vec<u8>>,
    /// How many instructions were replaced, by their opcodes.
    pub replaced: BTreeMap<String, u32>,
}

impl Prepared {
    /// The text as it was.
    pub fn written(&self) -> &[u8] {
        self.original.as_deref().unwrap_or(&self.ptx)
    }
}

/// Parses PTX, with its approximate instructions replaced unless they are to stay. Where that cannot be done, the text is left
/// alone, and the engine says what is wrong with it.
pub fn prepare(ptx: Vec<u8>, replace: bool) -> Result<Prepared, ParseError> {
    if replace
        && let Ok(Some(exact)) = assay_exact::rewrite(&ptx)
        && let Ok(module) = Module::parse(&exact.ptx)
    {
        return Ok(Prepared { ptx: exact.ptx, module, original: Some(ptx), replaced: exact.replaced });
    }
    let module = Module::parse(&ptx)?;
    Ok(Prepared { ptx, module, original: None, replaced: BTreeMap::new() })
}
