//! Running a program from stored inputs to stored states.

use super::record::Execution;
use crate::{
    backend::{Backend, Buffers, Control, Prepared, RunError},
    blobs::Store,
};
use assay_primitives::trace;
use std::sync::Arc;

/// Runs the program; only buffers that changed are stored anew.
pub fn execute(store: &Store, backend: &dyn Backend, job: &Prepared, control: &Control) -> Result<Execution, RunError> {
    let initial = trace::initial_state(job.program());
    let buffers = initial.iter().map(|blob| store.read(blob).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let mut state = initial.clone();
    let mut states = vec![initial];
    let summary = backend.run(job, Buffers(buffers), control, &mut |_, changed| {
        for (buffer, bytes) in changed {
            let blob = store.put(bytes)?;
            if let Some(slot) = state.get_mut(usize::from(*buffer)) {
                *slot = blob;
            }
        }
        states.push(state.clone());
        Ok(())
    })?;
    Ok(Execution { states, lane_steps: summary.lane_steps, trap: summary.trap.map(|(unit, _)| unit) })
}
