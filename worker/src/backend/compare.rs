//! Two backends side by side: the same program, every byte of every state.

use super::{Backend, Buffers, Changed, Control, Prepared, RunError};
use assay_engine::Trap;
use assay_primitives::{BlobId, Hash, Unit, trace};

/// What two runs of one program show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Every byte of every state is the same.
    Same {
        /// What both would commit.
        trace_root: Hash,
    },
    /// The first byte that is not.
    Differs {
        /// The launch that left it.
        launch: u32,
        /// The buffer.
        buffer: u16,
        /// The byte's offset.
        offset: u64,
        /// By the first backend; `None` where its buffer ends.
        first: Option<u8>,
        /// By the second.
        second: Option<u8>,
    },
    /// A unit breaks a rule of the engine: nothing is promised.
    Trap(Unit, Trap),
}

/// Runs a job by both backends, and compares. Every state of the first is held in memory.
pub fn compare(
    job: &Prepared,
    start: &Buffers,
    first: &dyn Backend,
    second: &dyn Backend,
) -> Result<Compared, RunError> {
    let mut launches: Vec<Vec<Changed>> = Vec::new();
    let mut blobs = trace::initial_state(job.program());
    let mut roots = vec![trace::state_root(&blobs)];
    let summary = first.run(job, start.clone(), &Control::default(), &mut |_, changed| {
        for (buffer, bytes) in changed {
            if let Some(blob) = blobs.get_mut(usize::from(*buffer)) {
                *blob = BlobId::of(bytes);
            }
        }
        roots.push(trace::state_root(&blobs));
        launches.push(changed.to_vec());
        Ok(())
    })?;
    if let Some((unit, trap)) = summary.trap {
        return Ok(Compared::Trap(unit, trap));
    }
    let (mut ours, mut theirs) = (start.clone(), start.clone());
    let mut launches = launches.into_iter();
    let mut difference = None;
    second.run(job, start.clone(), &Control::default(), &mut |launch, changed| {
        let expected = launches.next().unwrap_or_default();
        apply(&mut ours, &expected);
        apply(&mut theirs, changed);
        let mut touched: Vec<u16> = expected.iter().chain(changed).map(|(buffer, _)| *buffer).collect();
        touched.sort_unstable();
        for buffer in touched {
            let bytes = |of: &Buffers| of.0.get(usize::from(buffer)).cloned().unwrap_or_default();
            difference = difference.take().or_else(|| first_difference(launch, buffer, &bytes(&ours), &bytes(&theirs)));
        }
        Ok(())
    })?;
    let missing = || RunError::Launch { launch: 0, reason: "the program has too many launches".into() };
    match difference {
        Some(difference) => Ok(difference),
        None => Ok(Compared::Same { trace_root: trace::trace_root(&roots).ok_or_else(missing)? }),
    }
}

fn apply(buffers: &mut Buffers, changed: &[Changed]) {
    for (buffer, bytes) in changed {
        if let Some(place) = buffers.0.get_mut(usize::from(*buffer)) {
            *place = bytes.clone();
        }
    }
}

fn first_difference(launch: u32, buffer: u16, ours: &[u8], theirs: &[u8]) -> Option<Compared> {
    let longer = ours.len().max(theirs.len());
    let at = (0..longer).find(|at| ours.get(*at) != theirs.get(*at))?;
    let (first, second) = (ours.get(at).copied(), theirs.get(at).copied());
    Some(Compared::Differs { launch, buffer, offset: at as u64, first, second })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::backend::{Cpu, Keep, Summary};
    use std::sync::Arc;

    /// The engine, with a bit of one byte wrong in one launch.
    struct Wrong {
        launch: u32,
        offset: usize,
    }

    impl Backend for Wrong {
        fn name(&self) -> String {
            "wrong".into()
        }

        fn run(
            &self,
            job: &Prepared,
            start: Buffers,
            control: &Control,
            keep: &mut Keep<'_>,
        ) -> Result<Summary, RunError> {
            Cpu::default().run(job, start, control, &mut |launch, changed| {
                let mut changed = changed.to_vec();
                if launch == self.launch {
                    Arc::make_mut(&mut changed[0].1)[self.offset] ^= 0x40;
                }
                keep(launch, &changed)
            })
        }
    }

    fn heat() -> (Prepared, Buffers) {
        let job = assay_kernels::heat::job(40, 24, 3).unwrap();
        let ptx = job.kernels.iter().map(|ptx| ptx.to_vec()).collect();
        (Prepared::new(job.program, ptx, 20_000_000).unwrap(), Buffers(job.buffers.into_iter().map(Arc::new).collect()))
    }

    #[test]
    fn the_engine_leaves_the_same_bytes_as_itself() {
        let (job, start) = heat();
        let (one, other) = (Cpu::default(), Cpu::new(std::num::NonZeroUsize::MIN));
        assert!(matches!(compare(&job, &start, &one, &other), Ok(Compared::Same { .. })));
    }

    #[test]
    fn one_wrong_bit_of_one_launch_is_found() {
        let (job, start) = heat();
        let Compared::Differs { launch, offset, first, second, .. } =
            compare(&job, &start, &Cpu::default(), &Wrong { launch: 1, offset: 777 }).unwrap()
        else {
            panic!("nothing found")
        };
        assert_eq!((launch, offset), (1, 777));
        assert_eq!(first.unwrap() ^ second.unwrap(), 0x40);
    }
}
