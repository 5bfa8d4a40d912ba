//! How a unit came to break a rule: the access, and whom it collided with.

use std::collections::HashMap;

use assay_engine::{
    Outcome, Trap, TrapKind,
    trace::{AccessKind, Event, Place, Space},
};
use assay_primitives::{Unit, write_map::Owner};
use assay_worker::backend::{Buffers, Prepared};

use super::{Ready, Rule, Watched, inside, lanes, thread_at};

/// Bytes whose accesses are kept together; no access is longer.
const CELL: u64 = 16;
/// Accesses that are remembered of a cell.
const REMEMBERED: usize = 256;

/// Somebody who touched the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// `threadIdx`.
    pub thread: [u32; 3],
    /// Line of the PTX, from 1.
    pub line: u32,
    /// What it did.
    pub kind: AccessKind,
}

/// What is known of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// The fault.
    pub trap: Trap,
    /// The access that broke the rule: kind, space, offset, bytes. `None` where it was none.
    pub access: Option<(AccessKind, Space, u64, u32)>,
    /// For races: the other party.
    pub other: Option<Party>,
    /// For ownership: who owns the byte by the write map.
    pub owner: Option<Owner>,
    /// For ownership: what this CTA owns of the buffer, its first stretches.
    pub own: Vec<(u64, u64)>,
}

#[derive(Clone, Copy)]
struct Touch {
    offset: u64,
    bytes: u32,
    linear: u32,
    line: u32,
    kind: AccessKind,
    /// Barriers that the warp had passed.
    passed: u32,
}

impl Touch {
    fn meets(&self, offset: u64, bytes: u32) -> bool {
        self.offset < offset.saturating_add(bytes.into()) && offset < self.offset.saturating_add(self.bytes.into())
    }
}

#[derive(Default)]
struct History {
    cells: HashMap<(Space, u64), Vec<Touch>>,
    /// Barriers that each warp has passed since the last of the block.
    passed: HashMap<u32, u32>,
    /// The access that is under way.
    last: Option<(Place, AccessKind, u32, [Option<(Space, u64)>; 32])>,
}

impl History {
    fn event(&mut self, event: Event) {
        match event {
            Event::Barrier => {
                self.cells.clear();
                self.passed.clear();
            }
            Event::WarpBarrier { warp } => {
                let passed = self.passed.entry(warp).or_default();
                *passed = passed.saturating_add(1);
            }
            Event::Access { place, kind, bytes, addresses } => {
                self.keep();
                self.last = Some((place, kind, bytes, addresses));
            }
            Event::Step { place, .. } => {
                if self.last.is_some_and(|(last, ..)| last == place) {
                    self.keep();
                }
            }
        }
    }

    /// Puts the last access, which went well, among the others.
    fn keep(&mut self) {
        let Some((place, kind, bytes, addresses)) = self.last.take() else { return };
        let passed = self.passed.get(&place.warp).copied().unwrap_or(0);
        for lane in lanes(place.lanes) {
            let Some((space, offset)) = addresses.get(lane).copied().flatten() else { continue };
            if !matches!(space, Space::Shared | Space::Buffer(_)) {
                continue;
            }
            let linear = place.warp.saturating_mul(32).saturating_add(u32::try_from(lane).unwrap_or(0));
            let cell = self.cells.entry((space, offset / CELL)).or_default();
            if cell.len() >= REMEMBERED {
                cell.remove(0);
            }
            cell.push(Touch { offset, bytes, linear, line: place.line, kind, passed });
        }
    }

    /// The latest access of another thread that the access at hand is not ordered with.
    fn other(&mut self, linear: u32, kind: AccessKind, space: Space, offset: u64, bytes: u32) -> Option<Touch> {
        let passed = self.passed.get(&(linear / 32)).copied().unwrap_or(0);
        // The lanes beside it, in the same instruction.
        self.keep();
        let touches = self.cells.get(&(space, offset / CELL))?;
        let clash = |touch: &&Touch| {
            let ordered = touch.linear / 32 == linear / 32 && touch.passed < passed;
            let harmless = matches!(
                (touch.kind, kind),
                (AccessKind::Load, AccessKind::Load) | (AccessKind::Reduce, AccessKind::Reduce)
            );
            touch.linear != linear && !ordered && !harmless && touch.meets(offset, bytes)
        };
        touches.iter().rev().find(clash).copied()
    }
}

/// Runs the unit once more, watched, and tells how it came to its fault; `None` where it comes to none.
pub fn tell(prepared: &Prepared, unit: Unit, buffers: &Buffers, fuel: u64) -> Option<Story> {
    let ready = Ready::new(prepared.program(), prepared.modules(), unit)?;
    let ownership = ready.launch.writes.ownership(ready.launch.grid);
    let mut memory = Watched::new(buffers, Rule::Owned(ownership.clone(), unit.cta));
    let mut history = History::default();
    let outcome = ready.trace(&mut memory, fuel, None, &mut |event| history.event(event));
    let Ok(Outcome::Trap(trap)) = outcome else { return None };
    let [x, y, z] = trap.thread;
    let [bx, by, _] = ready.launch.block;
    let linear = x.saturating_add(bx.saturating_mul(y.saturating_add(by.saturating_mul(z))));
    let lane = usize::try_from(linear % 32).unwrap_or(0);
    let access = history.last.filter(|(place, ..)| place.line == trap.line && place.warp == linear / 32);
    let access = access.and_then(|(_, kind, bytes, addresses)| {
        let (space, offset) = addresses.get(lane).copied().flatten()?;
        Some((kind, space, offset, bytes))
    });
    let memory_fault = !matches!(trap.kind, TrapKind::FuelExhausted | TrapKind::Barrier | TrapKind::Trap);
    let access = access.filter(|_| memory_fault);
    let mut story = Story { trap, access, other: None, owner: None, own: Vec::new() };
    match (story.trap.kind, access) {
        (TrapKind::Race, Some((kind, space, offset, bytes))) => {
            story.other = history.other(linear, kind, space, offset, bytes).map(|touch| Party {
                thread: thread_at(ready.launch.block, touch.linear),
                line: touch.line,
                kind: touch.kind,
            });
        }
        (TrapKind::NotOwned | TrapKind::OwnedByOther, Some((_, space @ Space::Buffer(buffer), offset, bytes))) => {
            let wrong = (offset..offset.saturating_add(bytes.into()))
                .filter(|at| inside(&memory, space, *at))
                .map(|at| ownership.owner(buffer, at).0)
                .find(|owner| *owner != Owner::Cta(unit.cta));
            story.owner = wrong;
            ready.launch.writes.for_each_owned(unit.cta, |named, from, len| {
                if named == buffer {
                    super::memory::push(&mut story.own, from, from.saturating_add(len));
                }
                story.own.len() < 8
            });
        }
        _ => {}
    }
    Some(story)
}
