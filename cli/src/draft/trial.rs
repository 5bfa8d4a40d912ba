//! What running a draft says of its guesses: buffers grow until no unit reaches beyond them, and launches that stop for another
//! reason are tried with other sizes and shapes.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use assay_engine::{Trap, TrapKind};
use assay_primitives::{Step, Unit};

use super::file::{Changes, Draft, Written, comment, write};
use crate::{
    UNIT_FUEL, explain,
    infer::{
        self, Proposal,
        probe::{Ran, probe},
    },
    job::{Job, Options, Source},
    local,
};

/// How often the buffers of one launch grow.
const ROUNDS: u32 = 24;
/// Bytes that a buffer grows to.
const MOST: u64 = 64 << 20;
/// Bytes of all buffers of a draft.
const ALL: u64 = 256 << 20;
/// How far dynamic shared memory grows.
const MOST_SHARED: u64 = 16;

/// Shapes of CTAs that are tried, by their axes.
#[rustfmt::skip]
const BLOCKS: [&[&[u32]]; 3] = [
    &[&[128], &[64], &[32], &[512], &[192], &[1024], &[16], &[8], &[1]],
    &[
        &[32, 8], &[32, 32], &[8, 8], &[16, 8], &[16, 4], &[64, 4], &[32, 4], &[8, 16], &[8, 32], &[32, 16], &[32, 2],
        &[256, 1], &[128, 1], &[64, 1], &[32, 1], &[8, 4], &[4, 8], &[4, 4], &[1, 1],
    ],
    &[&[8, 8, 8], &[4, 4, 4], &[32, 4, 2], &[16, 16, 1], &[16, 4, 4], &[8, 4, 2], &[8, 8, 1], &[32, 1, 1], &[2, 2, 2]],
];
/// Values of variables that are tried.
const VALUES: [u32; 10] = [256, 64, 128, 32, 16, 8, 4, 2, 1, 0];
/// Ways that got further, each with other guesses beside.
const FURTHER: usize = 3;

/// A draft that is tried.
pub struct Trial<'a> {
    draft: &'a Draft<'a>,
    file: &'a Path,
    left_out: BTreeSet<usize>,
    until: Instant,
    late: bool,
}

/// One way that a draft was tried.
pub struct Tried {
    /// As a job.
    pub job: Job,
    written: Written,
    ran: Ran,
}

/// How the guesses for a launch came out.
enum Settled {
    Runs(Changes),
    /// The time was up.
    Late(Changes),
    Stuck(Changes, Box<Tried>, Unit, Trap),
    /// No job can be made.
    Broken,
}

impl<'a> Trial<'a> {
    /// `draft` says where the kernel is, seen from `file`, which need not be there.
    pub fn new(draft: &'a Draft<'a>, file: &'a Path) -> Self {
        Self { draft, file, left_out: BTreeSet::new(), until: Instant::now(), late: false }
    }

    /// The changes with which its launches run, found in about this time; sizes are those guessed by `divisor`.
    pub fn changes(&mut self, time: Duration, divisor: u32) -> Changes {
        let end = Instant::now().checked_add(time).unwrap_or_else(Instant::now);
        let mut changes = Changes::default();
        self.left_out.clear();
        self.late = false;
        if divisor > 1 {
            let smaller = |value: u32| value.checked_div(divisor).unwrap_or(value).max(1);
            let vars = write(self.draft, &changes).vars;
            changes.vars = vars.into_iter().map(|(name, value)| (name, smaller(value))).collect();
        }
        let count = self.draft.entries.len();
        for at in 0..count {
            // Making the job anew takes time as well, where the kernel is long.
            if at > 0 && Instant::now() > end {
                self.late = true;
                break;
            }
            // Each has its share of the time that is left.
            let left = end.saturating_duration_since(Instant::now());
            let share = u32::try_from(count.saturating_sub(at)).ok().and_then(|count| left.checked_div(count));
            self.until = Instant::now().checked_add(share.unwrap_or(left)).unwrap_or(end);
            match self.settle(changes.clone(), at) {
                Settled::Runs(found) => changes = found,
                Settled::Late(found) => {
                    changes = found;
                    self.late = true;
                    self.left_out.insert(at);
                }
                Settled::Stuck(found, tried, unit, trap) => {
                    if let Some(found) = self.others(&changes, at, &tried, &trap) {
                        changes = found;
                        continue;
                    }
                    changes = found;
                    changes.notes.insert(at, note(&tried.job, unit, &trap));
                    self.left_out.insert(at);
                }
                Settled::Broken => return Changes::default(),
            }
        }
        changes.runs = changes.notes.is_empty() && !self.late;
        changes
    }

    /// Whether the time was up before every launch had run.
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// The job of the draft, with its `writes` or without.
    pub fn job(&self, changes: &Changes, writes: bool) -> Option<(Job, Written)> {
        let written = write(self.draft, changes);
        let options = Options { without_writes: !writes, ..Options::default() };
        let job = Job::of(Source::of(self.file, written.text.clone()), &options).ok()?;
        Some((job, written))
    }

    /// Whether every unit of the launch at this place runs, and one stores something.
    pub fn runs(&self, changes: &Changes, at: usize) -> bool {
        self.run(changes, at).is_some_and(|tried| tried.ran == Ran::Whole(true))
    }

    /// Whether the `writes` mean what was proposed.
    pub fn says(&self, changes: &Changes, proposals: &[Proposal]) -> bool {
        let Some((job, written)) = self.job(changes, true) else { return false };
        let lengths: Vec<u64> = job.buffers.iter().map(|buffer| buffer.buffer.len).collect();
        let mut launches = job.program.steps.iter().filter_map(|step| match step {
            Step::Launch(launch) => Some(launch),
            // Its CTAs, one after the other.
            Step::Repeat { launches, .. } => launches.first(),
        });
        written.launches.len() == job.program.steps.len()
            && launches.by_ref().zip(0u32..).all(|(launch, at)| {
                let place = usize::try_from(at).unwrap_or(usize::MAX);
                let proposal = proposals.iter().find(|proposal| proposal.launch == at);
                !changes.writes.contains_key(&place)
                    || proposal.and_then(|proposal| infer::writes(proposal, launch.grid, &lengths)).as_ref()
                        == Some(&launch.writes)
            })
    }

    fn run(&self, changes: &Changes, last: usize) -> Option<Tried> {
        let (job, written) = self.job(changes, false)?;
        let prepared = local::prepare(&job, UNIT_FUEL).ok()?;
        let left_out = |position: usize| self.left_out.contains(&position);
        let ran = probe(&prepared, local::start(&job), UNIT_FUEL, last, left_out, self.until);
        Some(Tried { job, written, ran })
    }

    /// Lets buffers grow until the launch at `at` runs.
    fn settle(&self, changes: Changes, at: usize) -> Settled {
        let mut grown = changes.clone();
        let Some(mut tried) = self.run(&grown, at) else { return Settled::Broken };
        let mut rounds = 0..ROUNDS;
        loop {
            let (unit, trap) = match &tried.ran {
                Ran::Whole(_) => return Settled::Runs(grown),
                Ran::Late => return Settled::Late(grown),
                Ran::Trapped(_, unit, trap) => (*unit, trap.clone()),
            };
            let next = rounds.next().and_then(|_| larger(&grown, &tried, at, &trap));
            let Some((ran, next)) = next.and_then(|next| Some((self.run(&next, at)?, next))) else {
                return Settled::Stuck(without(grown, &changes, &tried, at, &trap), Box::new(tried), unit, trap);
            };
            (tried, grown) = (ran, next);
        }
    }

    /// The first of some other guesses with which the launch runs and stores something.
    fn others(&self, changes: &Changes, at: usize, stuck: &Tried, trap: &Trap) -> Option<Changes> {
        let mut further = Vec::new();
        for other in others(changes, at, stuck, trap) {
            if Instant::now() > self.until {
                return None;
            }
            match self.settle(other, at) {
                Settled::Runs(found) if self.runs(&found, at) => return Some(found),
                Settled::Stuck(found, tried, _, now) if now.line > trap.line && further.len() < FURTHER => {
                    further.push((found, tried, now));
                }
                _ => {}
            }
        }
        for (changes, stuck, trap) in further {
            for other in others(&changes, at, &stuck, &trap) {
                if Instant::now() > self.until {
                    return None;
                }
                if let Settled::Runs(found) = self.settle(other, at)
                    && self.runs(&found, at)
                {
                    return Some(found);
                }
            }
        }
        None
    }
}

/// The changes with room for the access that broke a rule.
fn larger(changes: &Changes, tried: &Tried, at: usize, trap: &Trap) -> Option<Changes> {
    if trap.kind != TrapKind::OutOfBounds || !matches!(tried.ran, Ran::Trapped(position, ..) if position == at) {
        return None;
    }
    let mut next = changes.clone();
    let Some((index, offset)) = trap.address else {
        let times = changes.shared.get(&at).copied().unwrap_or(1).saturating_mul(2);
        let dynamic = tried.written.launches.get(at).is_some_and(|shape| shape.dynamic);
        next.shared.insert(at, times);
        return (dynamic && times <= MOST_SHARED).then_some(next);
    };
    let buffer = tried.job.buffers.get(usize::from(index))?;
    tried.written.buffers.get(&buffer.name)?;
    let len = buffer.buffer.len;
    let times = changes.times.get(&buffer.name).copied().unwrap_or(1);
    let guess = len.checked_div(times)?.max(1);
    let wanted = offset.checked_add(1)?.div_ceil(guess).checked_next_power_of_two()?.max(times.saturating_mul(2));
    let new = guess.checked_mul(wanted)?;
    let others = tried.job.buffers.iter().fold(0u64, |sum, buffer| sum.saturating_add(buffer.buffer.len));
    if new > MOST || others.saturating_sub(len).saturating_add(new) > ALL {
        return None;
    }
    next.times.insert(buffer.name.clone(), wanted);
    Some(next)
}

/// What grew stays, but for what has not helped.
fn without(mut grown: Changes, before: &Changes, tried: &Tried, at: usize, trap: &Trap) -> Changes {
    if trap.kind != TrapKind::OutOfBounds {
        return grown;
    }
    let name = trap.address.and_then(|(index, _)| tried.job.buffers.get(usize::from(index))).map(|buffer| &buffer.name);
    match name {
        Some(name) => match before.times.get(name) {
            Some(times) => grown.times.insert(name.clone(), *times),
            None => grown.times.remove(name),
        },
        None => grown.shared.remove(&at),
    };
    grown
}

/// Other guesses, the least surprising first.
fn others(changes: &Changes, at: usize, stuck: &Tried, trap: &Trap) -> Vec<Changes> {
    let mut found = Vec::new();
    let Some(shape) = stuck.written.launches.get(at) else { return found };
    let mut values = Vec::new();
    // Values that are taken for places: whole numbers, small ones.
    for (name, random) in &stuck.written.buffers {
        for most in [15, 3, 1, 0].into_iter().filter(|_| *random) {
            let mut other = changes.clone();
            other.small.insert(name.clone(), most);
            values.push(other);
        }
    }
    let mut blocks = Vec::new();
    for block in BLOCKS.get(shape.block.len().saturating_sub(1)).copied().unwrap_or_default() {
        if *block != shape.block.as_slice() {
            let mut other = changes.clone();
            other.blocks.insert(at, block.to_vec());
            blocks.push(other);
        }
    }
    let mut sizes = Vec::new();
    for value in VALUES {
        for name in &shape.sizes {
            if stuck.written.vars.get(name).is_some_and(|old| *old != value) {
                let mut other = changes.clone();
                other.vars.insert(name.clone(), value);
                sizes.push(other);
            }
        }
    }
    let in_buffer = trap.address.is_some();
    let order = match trap.kind {
        TrapKind::FuelExhausted => [sizes, blocks, values],
        TrapKind::OutOfBounds if in_buffer => [values, sizes, blocks],
        _ if in_buffer => [sizes, blocks, values],
        _ => [blocks, sizes, values],
    };
    found.extend(order.into_iter().flatten());
    found
}

/// A comment of what stopped a launch.
fn note(job: &Job, unit: Unit, trap: &Trap) -> String {
    let [x, y, z] = unit.cta;
    let [tx, ty, tz] = trap.thread;
    let rule = explain::rule(trap.kind);
    let mut text = format!(
        "With these guesses it stops: {rule}, CTA ({x}, {y}, {z}), thread ({tx}, {ty}, {tz}), line {} of the PTX",
        trap.line
    );
    if let Some((index, offset)) = trap.address
        && let Some(buffer) = job.buffers.get(usize::from(index))
    {
        // Before the buffer, where it looks huge.
        text.push_str(&format!(", byte {} of `{}`", offset.cast_signed(), buffer.name));
        if trap.kind == TrapKind::OutOfBounds {
            text.push_str(&format!(", which no size cures ({} bytes then)", buffer.buffer.len));
        }
    }
    comment(&text)
}
