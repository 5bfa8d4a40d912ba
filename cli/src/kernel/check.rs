//! What the engine says of each entry.

use std::collections::BTreeMap;

use assay_engine::Entry;
use assay_primitives::check::EntryInfo;
use serde::Serialize;

use super::{
    exact::Prepared,
    text::{Instructions, Text},
};

/// What the engine says of one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedEntry {
    /// Its name.
    pub name: String,
    /// Whether it can be bought.
    pub accepted: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Line of the PTX that the reason is about, from 1.
    pub line: Option<u32>,
    /// The same place in the source, where the PTX says it: `file:line`.
    pub source: Option<String>,
    /// Bytes of each parameter.
    pub parameters: Vec<u32>,
    /// Bytes of static shared memory.
    pub shared: Option<u32>,
    /// Bytes of local memory of a thread.
    pub local: Option<u32>,
    /// Most threads of a CTA.
    pub max_threads: Option<u32>,
    /// 32-bit registers that a thread needs at once on the engine; 64-bit ones count twice.
    pub registers: Option<u32>,
    /// Instructions as written, by what they do.
    pub instructions: Option<Instructions>,
    /// Approximate instructions that were replaced by exact ones, by their opcodes.
    pub replaced: BTreeMap<String, u32>,
}

/// Tells what became of each entry.
pub fn check(prepared: &Prepared) -> Vec<CheckedEntry> {
    let text = Text::read(prepared.written());
    let checked = |entry: &Entry| {
        let replaced = if prepared.replaced.is_empty() { BTreeMap::new() } else { text.replaced(&entry.name) };
        checked(entry, &text, replaced)
    };
    prepared.module.entries.iter().map(checked).collect()
}

fn checked(entry: &Entry, text: &Text, replaced: BTreeMap<String, u32>) -> CheckedEntry {
    let kernel = entry.kernel.as_ref();
    let rejection = kernel.err();
    let kernel = kernel.ok();
    CheckedEntry {
        name: entry.name.clone(),
        accepted: kernel.is_some(),
        reason: rejection.map(|rejection| rejection.reason.clone()),
        line: rejection.map(|rejection| rejection.line),
        source: rejection.and_then(|rejection| rejection.source.as_ref()).map(|(file, line)| format!("{file}:{line}")),
        parameters: entry.params.iter().map(|param| param.size).collect(),
        shared: kernel.map(|kernel| kernel.shared),
        local: kernel.map(|kernel| kernel.local),
        max_threads: kernel.map(|kernel| kernel.max_threads),
        registers: kernel.map(|kernel| kernel.statistics().registers),
        instructions: text.instructions(&entry.name),
        replaced,
    }
}

/// An accepted entry's interface, as the chain keeps it.
pub fn entry_info(entry: &Entry) -> Option<EntryInfo> {
    let kernel = entry.kernel.as_ref().ok()?;
    let params: Option<Vec<u16>> = entry.params.iter().map(|param| u16::try_from(param.size).ok()).collect();
    Some(EntryInfo {
        name: entry.name.clone().into_bytes().try_into().ok()?,
        params: params?.try_into().ok()?,
        shared: kernel.shared,
        max_threads: kernel.max_threads,
    })
}
