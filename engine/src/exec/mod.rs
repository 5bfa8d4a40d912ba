//! Running one thread block: its warps in turn, from barrier to barrier.

mod bytes;
mod collective;
mod control;
mod copies;
mod digest;
mod host;
mod lanes;
mod local;
mod matrix;
mod memory;
mod order;
mod pages;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod promotion;
mod reduce;
mod rows;
mod shadow;
mod step;
mod target;
mod undefined;
mod update;
mod view;
mod warp;
#[cfg(feature = "trace")]
mod watch;
mod wmma;

use crate::{
    Argument, Geometry, LaunchError, Memory, Outcome, Param, Trap, TrapKind,
    ir::{BarrierKind, Code, MIDDLE, NONE, TAG_BUFFER, TAG_SHIFT, Vote},
    lower::MAX_SHARED,
};
use alloc::{boxed::Box, vec::Vec};
use core::mem::take;
use digest::Key;
#[cfg(feature = "std")]
pub use host::Tier;
#[cfg(feature = "std")]
pub(crate) use host::run_as;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(crate) use lanes::KEEP;
use pages::Pages;
use shadow::Shadow;
use warp::{Waiting, Warp};
#[cfg(feature = "trace")]
pub(crate) use watch::locate;

/// Most bytes of local memory of all threads of a block.
const MAX_LOCAL_TOTAL: u64 = 16 << 20;

/// Grains of global memory's shadow that are left to the next block at most.
const MAX_SPARE_GRAINS: usize = 1 << 20;

/// Why a warp cannot go on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Trap { kind: TrapKind, lane: usize, address: Option<(u16, u64)> },
    Incomplete { buffer: u16, offset: u64 },
}

impl Fault {
    fn trap(kind: TrapKind, lane: usize) -> Self {
        Self::Trap { kind, lane, address: None }
    }
}

/// A fault and the line where it happened.
#[derive(Clone, Copy, Debug)]
struct Stop {
    fault: Fault,
    line: u32,
}

/// Why a warp gave way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    Barrier,
    Exited,
}

/// Memory of blocks that ran, for those to come: what was in it is gone.
#[derive(Default)]
pub struct Spare {
    warps: Vec<Warp>,
    shared: Vec<u8>,
    shadow: Shadow,
    pages: Pages,
    params: Vec<u8>,
    scratch: Option<Box<rows::Scratch>>,
}

/// Everything of a running block but its warps.
pub(crate) struct Machine<'k> {
    code: &'k Code,
    geometry: Geometry,
    cta: [u32; 3],
    memory: &'k mut dyn Memory,
    shared: Vec<u8>,
    shared_shadow: Shadow,
    pages: Pages,
    tracked: [Option<(u16, bool)>; 8],
    params: Vec<u8>,
    dynamic: u32,
    /// Counts the barriers; made small again from time to time.
    time: u32,
    block_time: u32,
    /// By warp: the time of its last barrier.
    synced: [u32; 32],
    ticks: u32,
    fuel: u64,
    spent: u64,
    key: Option<Key>,
    /// Barriers may be of a part of a warp or of the block.
    parted: bool,
    meetings: order::Meetings,
    /// Threads that arrived at a barrier without waiting.
    arrived: [u32; 16],
    awaited: copies::Awaited,
    level: host::Level,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    promotion: promotion::Promotion<'k>,
    updates: update::Updates,
    marks: wmma::Marks,
    /// Absent while an access uses it.
    scratch: Option<Box<rows::Scratch>>,
    #[cfg(feature = "trace")]
    tracer: Option<crate::trace::Tracer<'k>>,
}

fn threads(geometry: &Geometry) -> Option<u32> {
    let [x, y, z] = geometry.block;
    if x == 0 || y == 0 || z == 0 || x > 1024 || y > 1024 || z > 64 {
        return None;
    }
    let threads = x.checked_mul(y)?.checked_mul(z)?;
    (threads <= 1024).then_some(threads)
}

/// Runs one block of a kernel.
pub(crate) fn run(
    code: &Code,
    max_threads: u32,
    params: &[Param],
    geometry: &Geometry,
    args: &[Argument],
    cta: [u32; 3],
    memory: &mut dyn Memory,
    fuel: u64,
    key: Option<&[u8; 32]>,
    spare: &mut Spare,
) -> Result<Outcome, LaunchError> {
    let machine = start(code, max_threads, params, geometry, args, cta, memory, fuel, key, spare)?;
    Ok(machine.finish(spare))
}

/// As [`run`], telling a tracer.
#[cfg(feature = "trace")]
pub(crate) fn trace(
    code: &Code,
    max_threads: u32,
    params: &[Param],
    geometry: &Geometry,
    args: &[Argument],
    cta: [u32; 3],
    memory: &mut dyn Memory,
    fuel: u64,
    key: Option<&[u8; 32]>,
    tracer: crate::trace::Tracer<'_>,
) -> Result<Outcome, LaunchError> {
    let mut spare = Spare::default();
    let mut machine = start(code, max_threads, params, geometry, args, cta, memory, fuel, key, &mut spare)?;
    machine.level = host::Level::Watched;
    machine.tracer = Some(tracer);
    Ok(machine.finish(&mut spare))
}

/// A block before its first instruction.
fn start<'k>(
    code: &'k Code,
    max_threads: u32,
    params: &[Param],
    geometry: &Geometry,
    args: &[Argument],
    cta: [u32; 3],
    memory: &'k mut dyn Memory,
    fuel: u64,
    key: Option<&[u8; 32]>,
    spare: &mut Spare,
) -> Result<Machine<'k>, LaunchError> {
    let threads = threads(geometry).ok_or(LaunchError::Geometry)?;
    let [x, y, z] = geometry.grid;
    let inside = cta.iter().zip(geometry.grid).all(|(at, extent)| *at < extent);
    let required = code.required.is_none_or(|required| required == geometry.block);
    if !inside || x > 0x7fff_ffff || y > 65535 || z > 65535 || threads > max_threads || !required {
        return Err(LaunchError::Geometry);
    }
    let align = code.dynamic_align.max(16);
    let dynamic = (code.shared + align - 1) & !(align - 1);
    let shared = if geometry.shared == 0 { code.shared } else { dynamic.saturating_add(geometry.shared) };
    if shared > MAX_SHARED || u64::from(code.local) * u64::from(threads) > MAX_LOCAL_TOTAL {
        return Err(LaunchError::Geometry);
    }
    parameters(code, params, args, &mut spare.params)?;
    let key = key.map(Key::new);
    let count = threads.div_ceil(32);
    spare.warps.resize_with(count as usize, Warp::default);
    for (number, warp) in (0..count).zip(&mut spare.warps) {
        warp.start(code, number, threads, key.as_ref());
    }
    spare.shared.clear();
    spare.shared.resize(shared as usize, 0);
    spare.shadow.restart((shared / code.shared_grain + 1) as usize);
    spare.pages.restart(memory, code.global_grain);
    spare.shadow.order.restart(threads);
    spare.pages.shadow.order.restart(threads);
    Ok(Machine {
        code,
        geometry: *geometry,
        cta,
        memory,
        shared: take(&mut spare.shared),
        shared_shadow: take(&mut spare.shadow),
        pages: take(&mut spare.pages),
        tracked: [None; 8],
        params: take(&mut spare.params),
        dynamic,
        time: 1,
        block_time: 1,
        synced: [0; 32],
        ticks: 1,
        fuel,
        spent: 0,
        key,
        parted: code.parts_warps || code.barrier_threads.iter().any(|threads| *threads != 32 * count),
        meetings: order::Meetings::default(),
        arrived: [0; 16],
        awaited: copies::Awaited::default(),
        level: host::Level::best(),
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        promotion: promotion::Promotion::default(),
        updates: update::Updates::default(),
        marks: wmma::Marks::default(),
        scratch: Some(spare.scratch.take().unwrap_or_else(rows::Scratch::new)),
        #[cfg(feature = "trace")]
        tracer: None,
    })
}

fn parameters(code: &Code, params: &[Param], args: &[Argument], bytes: &mut Vec<u8>) -> Result<(), LaunchError> {
    if params.len() != args.len() || params.len() != code.params.len() {
        return Err(LaunchError::ArgumentCount);
    }
    bytes.clear();
    bytes.resize(code.param_bytes as usize, 0);
    for (index, (argument, (param, at))) in args.iter().zip(params.iter().zip(&code.params)).enumerate() {
        let at = *at as usize;
        let into = bytes.get_mut(at..at + param.size as usize).ok_or(LaunchError::Argument(index))?;
        match argument {
            Argument::Buffer { index: buffer, offset } => {
                if into.len() != 8 {
                    return Err(LaunchError::Argument(index));
                }
                pointer(into, 0, *buffer, *offset).ok_or(LaunchError::Argument(index))?;
            }
            Argument::Record(value, pointers) => {
                if into.len() != value.len() {
                    return Err(LaunchError::Argument(index));
                }
                into.copy_from_slice(value);
                for (at, buffer, offset) in pointers {
                    pointer(into, *at, *buffer, *offset).ok_or(LaunchError::Argument(index))?;
                }
            }
            Argument::Bytes(value) => {
                if into.len() != value.len() {
                    return Err(LaunchError::Argument(index));
                }
                into.copy_from_slice(value);
            }
        }
    }
    Ok(())
}

/// Writes the address of a buffer's byte at byte `at`.
fn pointer(into: &mut [u8], at: usize, buffer: u16, offset: u64) -> Option<()> {
    if offset >= MIDDLE {
        return None;
    }
    let address = ((TAG_BUFFER + u64::from(buffer)) << TAG_SHIFT) + MIDDLE;
    into.get_mut(at..at.checked_add(8)?)?.copy_from_slice(&address.wrapping_add(offset).to_le_bytes());
    Some(())
}

impl Machine<'_> {
    /// Runs it to its end and leaves its memory to the next.
    fn finish(mut self, spare: &mut Spare) -> Outcome {
        let mut warps = take(&mut spare.warps);
        let ended = self.block(&mut warps);
        let outcome = self.outcome(ended, &warps);
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        self.tell_work();
        *spare = Spare {
            warps,
            shared: self.shared,
            shadow: self.shared_shadow,
            // A block that went far is no measure for the others.
            pages: if self.pages.shadow.len() > MAX_SPARE_GRAINS { Pages::default() } else { self.pages },
            params: self.params,
            scratch: self.scratch,
        };
        outcome
    }

    fn outcome(&self, ended: Result<(), (u32, Stop)>, warps: &[Warp]) -> Outcome {
        match ended {
            Ok(()) => {
                let lane_steps = self.spent;
                let digest = self
                    .key
                    .as_ref()
                    .map_or([0; 32], |key| key.finish(warps.iter().map(|warp| (&warp.h, warp.scalar)), lane_steps));
                Outcome::Done { lane_steps, digest }
            }
            Err((warp, Stop { fault, line })) => match fault {
                Fault::Incomplete { buffer, offset } => Outcome::Incomplete { buffer, offset },
                Fault::Trap { kind, lane, address } => {
                    let thread = self.thread(warp * 32 + lane as u32);
                    Outcome::Trap(Trap { kind, line, thread, address })
                }
            },
        }
    }

    fn thread(&self, linear: u32) -> [u32; 3] {
        let [x, y, _] = self.geometry.block;
        [linear % x, linear / x % y, linear / x / y]
    }

    /// All warps to their end. An error names the warp.
    fn block(&mut self, warps: &mut [Warp]) -> Result<(), (u32, Stop)> {
        loop {
            let mut left = false;
            for warp in warps.iter_mut() {
                if warp.live == 0 || warp.waiting.is_some() {
                    continue;
                }
                let number = warp.number;
                match host::run(self, warp).map_err(|stop| (number, stop))? {
                    Pause::Barrier => left = true,
                    Pause::Exited => {}
                }
            }
            left |= warps.iter().any(|warp| warp.waiting.is_some());
            if !left {
                return Ok(());
            }
            self.release(warps)?;
        }
    }

    /// Advances time.
    fn tick(&mut self) -> Result<(), Fault> {
        self.ticks = self.ticks.checked_add(1).ok_or(Fault::trap(TrapKind::FuelExhausted, 0))?;
        if self.time >= shadow::LAST_TIME {
            self.rebase();
        }
        self.time += 1;
        Ok(())
    }

    /// Makes all times small.
    #[cold]
    fn rebase(&mut self) {
        if self.parted {
            return self.rank_times();
        }
        self.shared_shadow.rebase(self.block_time, &self.synced);
        self.pages.shadow.rebase(self.block_time, &self.synced);
        for synced in &mut self.synced {
            *synced = if *synced > self.block_time { shadow::REBASED_NOW } else { 0 };
        }
        self.block_time = shadow::REBASED_BLOCK;
        self.time = shadow::REBASED_NOW;
    }

    /// Lets the warps pass whose barrier is complete; traps where none is.
    fn release(&mut self, warps: &mut [Warp]) -> Result<(), (u32, Stop)> {
        let mut released = false;
        let live: u32 = warps.iter().map(|warp| warp.live.count_ones()).sum();
        let live_warps = warps.iter().filter(|warp| warp.live != 0).count();
        for id in 0..16u32 {
            let mut wanted = None;
            let (mut waiting, mut count, mut votes, mut numbers) = (0u32, 0usize, 0u32, 0u32);
            for warp in warps.iter() {
                let Some(at) = warp.waiting.filter(|at| at.id == id) else { continue };
                if wanted.is_some_and(|(threads, kind)| (threads, kind) != (at.threads, at.kind)) {
                    return Err(barrier_fault(warp, &at));
                }
                wanted = Some((at.threads, at.kind));
                waiting += warp.live.count_ones();
                count += 1;
                numbers |= 1 << (warp.number & 31);
                votes += (at.votes & warp.live).count_ones();
            }
            let Some((threads, kind)) = wanted else { continue };
            let full = count == live_warps;
            let ahead = self.arrived[id as usize];
            let arrived = ahead.saturating_add(32 * count as u32);
            let complete = if threads == 0 { full } else { arrived == threads || full && arrived >= live };
            if !complete {
                continue;
            }
            released = true;
            let all = 32 * warps.len() as u32;
            let alone = threads == 32 && ahead == 0;
            if !alone && !self.may_meet(id, numbers, if threads == 0 { all } else { threads }) {
                let first = warps.iter().find_map(|warp| Some((warp, warp.waiting.filter(|at| at.id == id)?)));
                if let Some((warp, at)) = first {
                    return Err(barrier_fault(warp, &at));
                }
            }
            self.arrived[id as usize] = 0;
            let everyone = count == live_warps;
            for warp in warps.iter_mut() {
                let Some(at) = warp.waiting.filter(|at| at.id == id) else { continue };
                warp.waiting = None;
                if let BarrierKind::Reduce(vote) = kind {
                    let mask = warp.live;
                    let holds = match vote {
                        Vote::All => votes == waiting,
                        _ => votes > 0,
                    };
                    if at.d != NONE {
                        if vote == Vote::Count {
                            self.put_w(warp, at.d, &[votes; 32], mask);
                        } else {
                            self.put_p(warp, at.d, if holds { u32::MAX } else { 0 }, mask);
                        }
                    }
                }
            }
            // Threads that have exited were never here, nor is what one does after it arrived before the barrier.
            if everyone && (threads == 0 || threads == all && ahead == 0) {
                self.tick().map_err(|fault| (0, Stop { fault, line: 0 }))?;
                self.block_time = self.time;
                self.close(id);
            } else {
                let certain = arrived <= threads;
                self.join_warps(id, numbers, certain).map_err(|fault| (0, Stop { fault, line: 0 }))?;
            }
            if everyone {
                #[cfg(feature = "trace")]
                self.tell_barrier();
            }
        }
        if released {
            return Ok(());
        }
        match warps.iter().find_map(|warp| warp.waiting.map(|at| (warp, at))) {
            Some((warp, at)) => Err(barrier_fault(warp, &at)),
            None => Ok(()),
        }
    }
}

fn barrier_fault(warp: &Warp, at: &Waiting) -> (u32, Stop) {
    let lane = warp.live.trailing_zeros() as usize & 31;
    (warp.number, Stop { fault: Fault::trap(TrapKind::Barrier, lane), line: at.line })
}
