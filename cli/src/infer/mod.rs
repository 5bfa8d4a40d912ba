//! Proposing write maps: units run with every store allowed, and what they stored is put into the forms of job files.

mod coordinates;
mod fit;
mod flat;
mod form;
pub mod probe;
pub mod rounds;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use assay_engine::{
    Outcome, Trap, TrapKind,
    trace::{AccessKind, Event, Space},
};
use assay_primitives::{
    Arg, Launch, Unit, Writes,
    write_map::{Owner, Ownership},
};
use assay_worker::backend::{Buffers, Prepared};

pub use fit::{Seen, Shaped, fit, holds};
pub use form::Form;

use flat::Stored;

use crate::{
    job::writes::Target,
    unit::{Ranges, Ready, Rule, Watched},
};

/// How often a proposal is made anew with a CTA that it did not cover.
const ROUNDS: u32 = 4;
/// CTAs of a launch that are all chosen.
const FEW: u64 = 64;
/// Chosen CTAs of a launch beside its corners and their neighbours.
const OTHERS: u64 = 16;
/// Single stores that are looked at, at most.
const MAX_STORES: usize = 1 << 20;

/// CTAs of a launch that may run one after the other.
const MAX_SERIAL: u64 = 4096;
/// Why there is no proposal, where nothing is wrong with the kernel.
const NO_PATTERN: &str = "no regular pattern covers what the CTAs store";
/// What is left then.
const SERIAL: &str = ": run them one after the other with `serial = true`, which needs no `writes`";

/// What is proposed for one launch.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Position, in the order written.
    pub launch: u32,
    /// The entry.
    pub entry: String,
    /// Threads of a CTA.
    pub block: [u32; 3],
    /// For each buffer that is written: the forms, or why there are none.
    pub buffers: BTreeMap<u16, Result<Vec<Form>, String>>,
    /// For each buffer that is written: where the last store of the chosen CTAs ended.
    pub ends: BTreeMap<u16, u64>,
    /// A unit that broke a rule which no write map can mend.
    pub trap: Option<(Unit, Trap)>,
    /// CTAs whose stores made the proposal.
    pub sampled: u64,
    /// Units that were run, all rounds of a repeat counted, and keep to it.
    pub verified: u64,
    /// Whether the samples saw the data that the launch starts from.
    pub real_inputs: bool,
}

impl Proposal {
    /// Whether the launch can be written down.
    pub fn complete(&self) -> bool {
        self.trap.is_none() && self.buffers.values().all(Result::is_ok)
    }
}

/// What one CTA did.
struct Sample {
    cta: [u32; 3],
    written: BTreeMap<u16, Ranges>,
    read: BTreeMap<u16, Ranges>,
}

/// Proposes maps for every launch of a program; its own are not looked at. Launches run on what those before them leave, as far
/// as the time allows.
pub fn infer(prepared: &Prepared, start: Buffers, fuel: u64, time: Duration) -> Vec<Proposal> {
    let began = Instant::now();
    let program = prepared.program();
    let mut state = start;
    let mut proposals: BTreeMap<usize, (Proposal, Vec<Sample>)> = BTreeMap::new();
    // What launches of one shape were given: rounds of a loop are likely to be alike.
    let mut alike: BTreeMap<(Vec<u8>, [u32; 3], [u32; 3]), BTreeMap<u16, Vec<Form>>> = BTreeMap::new();
    let mut real = true;
    for number in 0..u32::try_from(program.launches()).unwrap_or(u32::MAX) {
        let Some(position) = crate::sample::position(program, number) else { continue };
        let Some(placed) = program.launch(number) else { continue };
        let launch = placed.launch;
        let known = alike.entry((launch.entry.to_vec(), launch.grid, launch.block)).or_default();
        let (proposal, samples) = proposals.entry(position).or_insert_with(|| {
            let mut proposal = Proposal {
                launch: u32::try_from(position).unwrap_or(u32::MAX),
                entry: String::from_utf8_lossy(&launch.entry).into_owned(),
                block: launch.block,
                buffers: BTreeMap::new(),
                ends: BTreeMap::new(),
                trap: None,
                sampled: 0,
                verified: 0,
                real_inputs: real,
            };
            let mut samples = Vec::new();
            for cta in ctas(launch.grid) {
                match sample(prepared, &state, Unit { launch: number, cta }, fuel) {
                    Some(Ok((sample, _))) => samples.push(sample),
                    Some(Err(trap)) => {
                        // Others are likely to take as long.
                        let endless = trap.kind == TrapKind::FuelExhausted;
                        proposal.trap = proposal.trap.or(Some((Unit { launch: number, cta }, trap)));
                        if endless {
                            break;
                        }
                    }
                    None => {}
                }
            }
            propose(&mut proposal, launch, &samples, &state, known, &|cta| {
                stores(prepared, &state, Unit { launch: number, cta }, fuel)
            });
            (proposal, samples)
        });
        if !real || proposal.trap.is_some() {
            real = false;
            continue;
        }
        for _ in 0..ROUNDS {
            let ownership = ownership(proposal, launch, &state);
            let whole = whole(prepared, &state, number, fuel, ownership.as_ref(), began, time);
            match whole {
                Whole::Done(after, units) => {
                    for (buffer, forms) in &proposal.buffers {
                        if let Ok(forms) = forms {
                            known.insert(*buffer, forms.clone());
                        }
                    }
                    proposal.verified = proposal.verified.saturating_add(units);
                    for (buffer, bytes) in after {
                        if let Some(place) = state.0.get_mut(usize::from(buffer)) {
                            *place = Arc::new(bytes);
                        }
                    }
                    break;
                }
                Whole::Strayed(sample) => {
                    samples.push(*sample);
                    proposal.verified = 0;
                    propose(proposal, launch, samples, &state, known, &|cta| {
                        stores(prepared, &state, Unit { launch: number, cta }, fuel)
                    });
                }
                Whole::Trapped(unit, trap) => {
                    proposal.trap = Some((unit, trap));
                    real = false;
                    break;
                }
                Whole::Late(units) => {
                    proposal.verified = proposal.verified.saturating_add(units);
                    real = false;
                    break;
                }
            }
        }
    }
    proposals.into_values().map(|(proposal, _)| proposal).collect()
}

fn target(buffer: u16, launch: &Launch, state: &Buffers) -> Target {
    let len = state.0.get(usize::from(buffer)).map_or(0, |bytes| bytes.len() as u64);
    Target { buffer, base: 0, len, grid: launch.grid }
}

/// Puts what the samples stored into forms, buffer by buffer; takes the simplest that reads do not object to.
fn propose(
    proposal: &mut Proposal,
    launch: &Launch,
    samples: &[Sample],
    state: &Buffers,
    known: &BTreeMap<u16, Vec<Form>>,
    stores: &dyn Fn([u32; 3]) -> Option<BTreeMap<u16, Vec<Stored>>>,
) {
    let mut traced: Option<BTreeMap<u16, Vec<Stored>>> = None;
    proposal.sampled = samples.len() as u64;
    for (buffer, ranges) in samples.iter().flat_map(|sample| &sample.written) {
        let end = proposal.ends.entry(*buffer).or_default();
        *end = ranges.last().map_or(*end, |range| range.1.max(*end));
    }
    let sizes = launch.args.iter().filter_map(|arg| match arg {
        Arg::U32(value) => Some(u64::from(*value)),
        Arg::U64(value) => Some(*value),
        _ => None,
    });
    let shaped = Shaped { block: launch.block, sizes: sizes.filter(|size| *size > 0).collect() };
    let buffers: BTreeSet<u16> = samples.iter().flat_map(|sample| sample.written.keys().copied()).collect();
    proposal.buffers = buffers
        .into_iter()
        .map(|buffer| {
            let target = target(buffer, launch, state);
            let of = |sample: &Sample| Seen {
                cta: sample.cta,
                ranges: sample.written.get(&buffer).cloned().unwrap_or_default(),
            };
            let seen: Vec<Seen> = samples.iter().map(of).collect();
            let choose = |lists: Vec<Vec<Form>>| {
                let mut objection = None;
                for forms in lists {
                    let Some(writes) = fit::writes(&forms, &target) else { continue };
                    let ownership = writes.ownership(launch.grid);
                    match samples.iter().find_map(|sample| foreign_read(&ownership, buffer, sample)) {
                        None => return Ok(forms),
                        Some((reader, owner, at)) => objection = objection.or(Some((reader, owner, at))),
                    }
                }
                Err(match objection {
                    Some((reader, owner, at)) => format!(
                        "CTA {reader:?} loads byte {at}, which CTA {owner:?} would own in the same launch: split the launch, write to another buffer, or run the CTAs one after the other with `serial = true`"
                    ),
                    None => NO_PATTERN.to_owned(),
                })
            };
            let before = known.get(&buffer).filter(|forms| holds(forms, &seen, &target)).map(|forms| vec![forms.clone()]);
            let before = before.and_then(|forms| choose(forms).ok());
            let mut found = before.map_or_else(|| fit(&seen, &target, &shaped).and_then(choose), Ok);
            let several = seen.iter().filter(|seen| !seen.ranges.is_empty()).count() > 1;
            // Where only some threads store, what they may store is simpler.
            let long = matches!(&found, Ok(forms) if forms.len() > 1 || matches!(forms.as_slice(), [Form::Full { .. }]));
            if several && (found.is_err() || long) {
                let all = traced.get_or_insert_with(|| every(samples, stores).unwrap_or_default());
                let stored = all.get(&buffer).map_or(&[] as &[Stored], Vec::as_slice);
                let holding = |lists: Vec<Vec<Form>>| {
                    choose(lists.into_iter().filter(|forms| holds(forms, &seen, &target)).collect())
                };
                let tiles = coordinates::fit(stored, &target, launch.block);
                let tiles = tiles.into_iter().filter(|form| !long || matches!(form, Form::Tile { .. }));
                found = holding(tiles.map(|form| vec![form]).collect()).or(found);
                if found.is_err() {
                    let threads = launch.block.iter().fold(1u64, |all, side| all.saturating_mul((*side).into()));
                    found = holding(flat::fit(stored, &target, threads, &shaped.sizes)).or(found);
                }
            }
            let few = launch.ctas() <= MAX_SERIAL;
            (buffer, found.map_err(|reason| if few && reason.starts_with(NO_PATTERN) { reason + SERIAL } else { reason }))
        })
        .collect();
}

/// The stores of all samples, by buffer; `None` where they are too many.
fn every(
    samples: &[Sample],
    stores: &dyn Fn([u32; 3]) -> Option<BTreeMap<u16, Vec<Stored>>>,
) -> Option<BTreeMap<u16, Vec<Stored>>> {
    let mut all: BTreeMap<u16, Vec<Stored>> = BTreeMap::new();
    let mut count = 0usize;
    for cta in samples.iter().map(|sample| sample.cta).collect::<BTreeSet<_>>() {
        for (buffer, found) in stores(cta)? {
            count = count.saturating_add(found.len());
            all.entry(buffer).or_default().extend(found);
        }
        if count > MAX_STORES {
            return None;
        }
    }
    Some(all)
}

/// Runs one unit again and notes each store of each thread.
fn stores(prepared: &Prepared, state: &Buffers, unit: Unit, fuel: u64) -> Option<BTreeMap<u16, Vec<Stored>>> {
    let ready = Ready::new(prepared.program(), prepared.modules(), unit)?;
    let mut memory = Watched::new(state, Rule::Free);
    let mut found: BTreeMap<u16, Vec<Stored>> = BTreeMap::new();
    let mut visits: HashMap<(u32, u32), u32> = HashMap::new();
    let mut count = 0usize;
    let outcome = ready.trace(&mut memory, fuel, None, &mut |event| {
        let Event::Access { place, kind: AccessKind::Store | AccessKind::Reduce, bytes, addresses } = event else {
            return;
        };
        for (lane, address) in (0u32..).zip(addresses) {
            let Some((Space::Buffer(buffer), offset)) = address else { continue };
            count = count.saturating_add(1);
            if count > MAX_STORES {
                return;
            }
            let thread = place.warp.saturating_mul(32).saturating_add(lane);
            let visit = visits.entry((place.line, thread)).or_default();
            let site = (place.line, *visit);
            *visit = visit.saturating_add(1);
            found.entry(buffer).or_default().push(Stored { cta: unit.cta, thread, site, offset, bytes });
        }
    });
    (matches!(outcome, Ok(Outcome::Done { .. })) && count <= MAX_STORES).then_some(found)
}

/// A byte that the CTA loads and another one owns.
fn foreign_read(ownership: &Ownership, buffer: u16, sample: &Sample) -> Option<([u32; 3], [u32; 3], u64)> {
    for (from, until) in sample.read.get(&buffer)? {
        let mut at = *from;
        while at < *until {
            let (owner, end) = ownership.owner(buffer, at);
            if let Owner::Cta(owner) = owner
                && owner != sample.cta
            {
                return Some((sample.cta, owner, at));
            }
            at = end.max(at.saturating_add(1));
        }
    }
    None
}

/// Whether the CTA stores only what it owns and loads nothing that others own, in buffers with a proposal.
fn keeps_to(ownership: &Ownership, sample: &Sample, proposed: &BTreeSet<u16>) -> bool {
    let owned = |buffer: u16, ranges: &Ranges| {
        ranges.iter().all(|(from, until)| {
            let mut at = *from;
            while at < *until {
                let (owner, end) = ownership.owner(buffer, at);
                if owner != Owner::Cta(sample.cta) {
                    return false;
                }
                at = end.max(at.saturating_add(1));
            }
            true
        })
    };
    sample.written.iter().all(|(buffer, ranges)| owned(*buffer, ranges))
        && proposed.iter().all(|buffer| foreign_read(ownership, *buffer, sample).is_none())
}

/// The proposal as write maps over a grid and buffers of such lengths; `None` where a buffer has none.
pub fn writes(proposal: &Proposal, grid: [u32; 3], lengths: &[u64]) -> Option<Writes> {
    let mut maps = Vec::new();
    for (buffer, forms) in &proposal.buffers {
        let len = *lengths.get(usize::from(*buffer))?;
        let Writes::Maps(found) = fit::writes(forms.as_ref().ok()?, &Target { buffer: *buffer, base: 0, len, grid })?;
        maps.extend(found);
    }
    Some(Writes::Maps(maps.try_into().ok()?))
}

/// Whether a single CTA has with `forms` what it has with `own` before the byte `end` of a buffer of `len` bytes.
pub fn covers(forms: &[Form], own: &[Form], buffer: u16, len: u64, end: u64) -> bool {
    let target = Target { buffer, base: 0, len, grid: [1; 3] };
    let Some(writes) = fit::writes(own, &target) else { return false };
    let mut ranges = Ranges::new();
    writes.for_each_owned([0; 3], |_, from, bytes| {
        ranges.push((from, from.saturating_add(bytes).min(end)));
        true
    });
    ranges.retain(|(from, until)| from < until);
    holds(forms, &[Seen { cta: [0; 3], ranges }], &target)
}

/// Who owns what by the proposal; `None` where a buffer has none.
fn ownership(proposal: &Proposal, launch: &Launch, state: &Buffers) -> Option<(Ownership, BTreeSet<u16>)> {
    let lengths: Vec<u64> = state.0.iter().map(|bytes| bytes.len() as u64).collect();
    let writes = writes(proposal, launch.grid, &lengths)?;
    Some((writes.ownership(launch.grid), proposal.buffers.keys().copied().collect()))
}

/// Runs one unit with every store allowed; `None` where there is no such unit.
#[allow(clippy::type_complexity)]
fn sample<'a>(
    prepared: &Prepared,
    state: &'a Buffers,
    unit: Unit,
    fuel: u64,
) -> Option<Result<(Sample, Watched<'a>), Trap>> {
    let ready = Ready::new(prepared.program(), prepared.modules(), unit)?;
    let mut memory = Watched::new(state, Rule::Free);
    match ready.run(&mut memory, fuel, None).ok()? {
        Outcome::Done { .. } => {
            let sample = Sample { cta: unit.cta, written: memory.written(), read: memory.read() };
            Some(Ok((sample, memory)))
        }
        Outcome::Trap(trap) => Some(Err(trap)),
        Outcome::Incomplete { .. } => None,
    }
}

/// How running all units of a launch went.
enum Whole {
    /// The buffers that changed, and the units.
    Done(BTreeMap<u16, Vec<u8>>, u64),
    /// A CTA that does not keep to the proposal.
    Strayed(Box<Sample>),
    Trapped(Unit, Trap),
    /// The time was up after so many units.
    Late(u64),
}

fn whole(
    prepared: &Prepared,
    state: &Buffers,
    number: u32,
    fuel: u64,
    proposed: Option<&(Ownership, BTreeSet<u16>)>,
    began: Instant,
    time: Duration,
) -> Whole {
    let Some(placed) = prepared.program().launch(number) else { return Whole::Late(0) };
    let (grid, ctas) = (placed.launch.grid, placed.launch.ctas());
    let next = AtomicU64::new(0);
    let late = AtomicBool::new(false);
    let kept = AtomicU64::new(0);
    let after = Mutex::new(BTreeMap::new());
    let ended: Mutex<Option<Whole>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= ctas || late.load(Ordering::Relaxed) {
                        break;
                    }
                    if began.elapsed() > time {
                        late.store(true, Ordering::Relaxed);
                        break;
                    }
                    let Some(cta) = cta_at(grid, index) else { break };
                    let unit = Unit { launch: number, cta };
                    let stop = match sample(prepared, state, unit, fuel) {
                        Some(Ok((sample, memory))) => match proposed {
                            Some((ownership, buffers)) if !keeps_to(ownership, &sample, buffers) => {
                                Some(Whole::Strayed(Box::new(sample)))
                            }
                            _ => {
                                kept.fetch_add(1, Ordering::Relaxed);
                                memory.apply(&mut after.lock().unwrap_or_else(PoisonError::into_inner), state);
                                None
                            }
                        },
                        Some(Err(trap)) => Some(Whole::Trapped(unit, trap)),
                        None => None,
                    };
                    if let Some(stop) = stop {
                        ended.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stop);
                        late.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            });
        }
    });
    if let Some(ended) = ended.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return ended;
    }
    let units = if proposed.is_some() { kept.into_inner() } else { 0 };
    if late.into_inner() {
        return Whole::Late(units);
    }
    Whole::Done(after.into_inner().unwrap_or_else(PoisonError::into_inner), units)
}

fn cta_at(grid: [u32; 3], index: u64) -> Option<[u32; 3]> {
    let [width, height, _] = grid.map(u64::from);
    let x = index.checked_rem(width)?;
    let rest = index.checked_div(width)?;
    let at = [x, rest.checked_rem(height)?, rest.checked_div(height)?];
    Some([u32::try_from(at[0]).ok()?, u32::try_from(at[1]).ok()?, u32::try_from(at[2]).ok()?])
}

/// CTAs that show a pattern: the corners and the middle with their neighbours along each axis, and others in between.
fn ctas(grid: [u32; 3]) -> BTreeSet<[u32; 3]> {
    let last = grid.map(|extent| extent.saturating_sub(1));
    let mut chosen = BTreeSet::new();
    for corner in 0..8u32 {
        chosen.insert([0, 1, 2].map(|axis: usize| if corner >> axis & 1 == 1 { last[axis] } else { 0 }));
    }
    for start in [[0; 3], last.map(|last| 1.min(last)), last.map(|last| last / 2)] {
        for axis in 0..3 {
            for by in 0..=2u32 {
                let mut cta: [u32; 3] = start;
                if let (Some(at), Some(last)) = (cta.get_mut(axis), last.get(axis)) {
                    *at = at.saturating_add(by).min(*last);
                }
                chosen.insert(cta);
            }
        }
    }
    let all = grid.iter().fold(1u64, |product, extent| product.saturating_mul((*extent).into()));
    if all <= FEW {
        return (0..all).filter_map(|index| cta_at(grid, index)).collect();
    }
    for index in 1..=OTHERS {
        // Odd steps, so that the places differ along every axis.
        let place = (all / OTHERS.saturating_add(1)).max(1).saturating_mul(index).saturating_add(index % 3);
        if let Some(cta) = cta_at(grid, place.checked_rem(all).unwrap_or(0)) {
            chosen.insert(cta);
        }
    }
    chosen
}
