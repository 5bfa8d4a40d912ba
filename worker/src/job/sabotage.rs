//! Misbehaviour on demand, for tests and the demo. Each kind costs a provider its bond, its pay or its time.

use super::record::Execution;
use crate::{
    backend::Prepared,
    blobs::{Store, StoreError},
};
use std::collections::BTreeMap;

/// What to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Sabotage {
    /// Flip a byte of what each CTA of the widest launch leaves, and serve the false states consistently.
    WrongByte,
    /// Serve no witness.
    Withhold,
    /// End the process after the claim.
    DieAfterClaim,
    /// End the process after the run, before the commit.
    DieAfterRun,
    /// End the process after the commit.
    DieAfterCommit,
}

impl Sabotage {
    /// Ends the process if this is the moment.
    pub fn die_at(self, moment: Self) {
        if self == moment {
            tracing::error!("sabotage: the process ends here ({moment:?})");
            std::process::exit(86);
        }
    }
}

/// Changes a byte of every CTA of the launch with the most CTAs in the state that it left, so that nearly any unit an auditor
/// draws shows the fault.
pub fn falsify(store: &Store, job: &Prepared, execution: &mut Execution) -> Result<(), StoreError> {
    let launches = (0u32..).map_while(|number| job.program().launch(number).map(|placed| (number, placed.launch)));
    let Some((number, launch)) = launches.max_by_key(|(number, launch)| (launch.ctas(), std::cmp::Reverse(*number)))
    else {
        return Ok(());
    };
    let after = usize::try_from(number).unwrap_or(usize::MAX).saturating_add(1);
    let Some(state) = execution.states.get_mut(after) else { return Ok(()) };
    let mut changed: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    for index in 0..launch.ctas() {
        let Some(cta) = crate::backend::cta_at(launch.grid, index) else { continue };
        let mut place = None;
        launch.writes.for_each_owned(cta, |buffer, offset, _| {
            place = Some((buffer, offset));
            false
        });
        let Some((buffer, offset)) = place else { continue };
        if let std::collections::btree_map::Entry::Vacant(entry) = changed.entry(buffer)
            && let Some(blob) = state.get(usize::from(buffer))
        {
            entry.insert(store.read(blob)?);
        }
        let byte = changed.get_mut(&buffer).and_then(|bytes| bytes.get_mut(usize::try_from(offset).ok()?));
        if let Some(byte) = byte {
            *byte ^= 1;
        }
    }
    for (buffer, bytes) in changed {
        if let Some(slot) = state.get_mut(usize::from(buffer)) {
            *slot = store.put(&bytes)?;
        }
    }
    tracing::error!("sabotage: the state after launch {number} is false");
    Ok(())
}
