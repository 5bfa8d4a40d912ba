//! Whether launches run at all: every unit, with every store allowed, up to the first that breaks a rule.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use assay_engine::Trap;
use assay_primitives::Unit;
use assay_worker::backend::{Buffers, Prepared};

use super::{cta_at, sample};

/// How running went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// To the end; whether the last of the launches stored anything.
    Whole(bool),
    /// A unit of the launch at this place, in the order written, broke a rule.
    Trapped(usize, Unit, Trap),
    /// The time was up.
    Late,
}

/// Runs the launches up to the place `last`, in the order written, without those at `left_out`.
pub fn probe(
    prepared: &Prepared,
    start: Buffers,
    fuel: u64,
    last: usize,
    left_out: impl Fn(usize) -> bool,
    until: Instant,
) -> Ran {
    let program = prepared.program();
    let mut state = start;
    let mut stored = false;
    for number in 0..u32::try_from(program.launches()).unwrap_or(u32::MAX) {
        let Some(position) = crate::sample::position(program, number) else { continue };
        let Some(placed) = program.launch(number) else { continue };
        if position > last {
            break;
        }
        if left_out(position) {
            continue;
        }
        let mut after: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
        let ctas = placed.launch.ctas();
        // The last CTA reaches furthest, as a rule.
        let feeler = ctas.checked_sub(1).filter(|index| *index > 0);
        for (index, keeps) in feeler.map(|index| (index, false)).into_iter().chain((0..ctas).map(|index| (index, true)))
        {
            if Instant::now() > until {
                return Ran::Late;
            }
            let Some(cta) = cta_at(placed.launch.grid, index) else { break };
            let unit = Unit { launch: number, cta };
            match sample(prepared, &state, unit, fuel) {
                Some(Ok((_, memory))) if keeps => memory.apply(&mut after, &state),
                Some(Ok(_)) | None => {}
                Some(Err(trap)) => return Ran::Trapped(position, unit, trap),
            }
        }
        stored |= position == last && !after.is_empty();
        for (buffer, bytes) in after {
            if let Some(place) = state.0.get_mut(usize::from(buffer)) {
                *place = Arc::new(bytes);
            }
        }
    }
    Ran::Whole(stored)
}
