//! Changes of a cell that depend on their operands: the same change made many times has the same outcome in any order, two different ones
//! may not. The race detector keeps them apart by number.

use super::{
    Fault, Machine,
    memory::{Region, located, objection, out_of_bounds, resolve},
    shadow::{Clock, Objection, Shadow},
    warp::Warp,
};
use crate::{
    TrapKind,
    ir::{Access, Ins, Update},
};
use alloc::collections::BTreeMap;

/// The first number: those below are reductions.
const FIRST: u32 = 16;
/// Most changes that are told apart; further ones need an order like writes.
const MOST: usize = 0x3000;

/// A change: what, of how many bytes, and its operands.
type Change = (Update, usize, u64, u64);

/// The changes that a block has made.
#[derive(Default)]
pub(super) struct Updates {
    numbers: BTreeMap<Change, u32>,
    last: Option<(Change, u32)>,
}

impl Updates {
    /// The number of a change; `None` where there are too many.
    fn number(&mut self, change: Change) -> Option<u32> {
        if let Some((last, number)) = self.last
            && last == change
        {
            return Some(number);
        }
        let next = self.numbers.len();
        let number = match self.numbers.get(&change) {
            Some(number) => *number,
            None if next < MOST => {
                self.numbers.insert(change, FIRST + next as u32);
                FIRST + next as u32
            }
            None => return None,
        };
        self.last = Some((change, number));
        Some(number)
    }
}

fn note(shadow: &mut Shadow, at: usize, thread: u32, number: Option<u32>, clock: Clock) -> Result<(), Objection> {
    match number {
        Some(number) => shadow.reduce(at, thread, number, clock),
        None => shadow.write(at, thread, clock),
    }
}

/// One change of a cell of at most 8 bytes.
fn change((update, width, b, c): Change, cell: &mut [u8]) {
    let mut bytes = [0u8; 8];
    for (into, byte) in bytes.iter_mut().zip(&*cell) {
        *into = *byte;
    }
    let old = u64::from_le_bytes(bytes);
    let new = match update {
        Update::Up if old >= b => 0,
        Update::Up => old + 1,
        Update::Down if old == 0 || old > b => b,
        Update::Down => old - 1,
        Update::Swap if old == b => c,
        Update::Swap => old,
    };
    for (into, byte) in cell.iter_mut().zip(new.to_le_bytes()).take(width) {
        *into = byte;
    }
}

impl Machine<'_> {
    /// Lane by lane, with every check in its place.
    pub(super) fn update(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        update: Update,
        access: Access,
        mask: u32,
    ) -> Result<(), Fault> {
        let width = usize::from(access.size);
        let addresses = Self::addresses(warp, ins, access);
        Self::check_alignment(&addresses, mask, width as u64, access.place)?;
        let clock = self.clock(warp);
        let operand = |slot: u16, lane: usize| match width {
            8 => warp.d.get(usize::from(slot)).map_or(0, |row| row[lane]),
            2 => warp.w.get(usize::from(slot)).map_or(0, |row| u64::from(row[lane] & 0xffff)),
            _ => warp.w.get(usize::from(slot)).map_or(0, |row| u64::from(row[lane])),
        };
        for (lane, address) in addresses.iter().enumerate() {
            if mask >> lane & 1 == 0 {
                continue;
            }
            let (region, offset) = resolve(access.place, *address).ok_or(out_of_bounds(lane))?;
            let second = if update == Update::Swap { operand(ins.c, lane) } else { 0 };
            let made = (update, width, operand(ins.b, lane), second);
            let number = self.updates.number(made);
            let thread = warp.first() + lane as u32;
            match region {
                Region::Shared => {
                    let grain = self.code.shared_grain as usize;
                    let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                    let Some(cell) = self.shared.get_mut(start..start.saturating_add(width)) else {
                        return Err(out_of_bounds(lane));
                    };
                    for at in start / grain..(start + width) / grain {
                        if !self.shared_shadow.written(at) {
                            return Err(Fault::trap(TrapKind::Uninitialised, lane));
                        }
                        note(&mut self.shared_shadow, at, thread, number, clock).map_err(|why| objection(why, lane))?;
                    }
                    change(made, cell);
                }
                Region::Buffer(buffer) => {
                    let mut bytes = [0u8; 8];
                    let Some(cell) = bytes.get_mut(..width) else { return Err(out_of_bounds(lane)) };
                    if let Err(error) = self.memory.load(buffer, offset, cell) {
                        return Err(self.refused(buffer, offset, width, lane, error));
                    }
                    change(made, cell);
                    if let Err(error) = self.memory.store(buffer, offset, cell) {
                        return Err(self.refused(buffer, offset, width, lane, error));
                    }
                    if self.tracks(buffer) {
                        let grain = u64::from(self.code.global_grain);
                        for at in offset / grain..(offset + width as u64) / grain {
                            let at = self.pages.find(buffer, at);
                            note(&mut self.pages.shadow, at, thread, number, clock)
                                .map_err(|why| located(objection(why, lane), Region::Buffer(buffer), offset))?;
                        }
                    }
                }
                // Module variables belong to no thread block.
                Region::Table => return Err(Fault::trap(TrapKind::NotOwned, lane)),
                Region::Local | Region::Param => return Err(out_of_bounds(lane)),
            }
        }
        Ok(())
    }
}
