//! The interpreter's loop: one match per decoded instruction, all lanes of a warp at once.
//!
//! The loop is compiled once per instruction-set level, chosen at run time; every level computes the same bits.
#![allow(unsafe_code)] // Calls into what is compiled for what the CPU was seen to have.

use super::{
    Fault, Machine, Pause, Stop,
    warp::{Fragment, Waiting, Warp},
};
use core::cell::Cell;

use crate::{
    TrapKind, alu,
    ir::{self, Access, BarrierKind, Gather, Ins, NONE, Op, Ordering, Place, Slot, Special, Vote},
    soft,
};

/// What the CPU offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Baseline,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2,
    /// As the baseline, telling a tracer.
    #[cfg(feature = "trace")]
    Watched,
}

impl Level {
    pub(super) fn best() -> Self {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        {
            let avx2 = std::is_x86_feature_detected!("avx2")
                && std::is_x86_feature_detected!("fma")
                && std::is_x86_feature_detected!("bmi2")
                && std::is_x86_feature_detected!("popcnt")
                && std::is_x86_feature_detected!("lzcnt");
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }
}

/// Operations that hosts have in hardware or not at all.
trait Host {
    /// A tracer is told of every instruction.
    #[cfg(feature = "trace")]
    const WATCHED: bool = false;

    fn fma(a: f32, b: f32, c: f32) -> f32;
    fn fma64(a: u64, b: u64, c: u64) -> u64;
    fn sqrt(a: u32) -> u32;
    fn sqrt64(a: u64) -> u64;
    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault>;
    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault>;
}

/// Integers only.
struct Plain;

impl Host for Plain {
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        soft::fma_f32(a, b, c)
    }

    #[inline(always)]
    fn fma64(a: u64, b: u64, c: u64) -> u64 {
        alu::rounded::Near::fma64(a, b, c)
    }

    #[inline(always)]
    fn sqrt(a: u32) -> u32 {
        #[cfg(feature = "std")]
        return alu::canon(f32::from_bits(a).sqrt());
        #[cfg(not(feature = "std"))]
        return alu::rounded::Near::sqrt(a);
    }

    #[inline(always)]
    fn sqrt64(a: u64) -> u64 {
        #[cfg(feature = "std")]
        return alu::canon64(f64::from_bits(a).sqrt(), [a, 0]);
        #[cfg(not(feature = "std"))]
        return alu::rounded::Near::sqrt64(a);
    }

    #[inline(never)]
    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        machine.load(warp, ins, access, mask)
    }

    #[inline(never)]
    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        machine.store(warp, ins, access, mask)
    }
}

/// As [`Plain`], and a tracer is told.
#[cfg(feature = "trace")]
struct Watched;

#[cfg(feature = "trace")]
impl Host for Watched {
    const WATCHED: bool = true;

    fn fma(a: f32, b: f32, c: f32) -> f32 {
        Plain::fma(a, b, c)
    }

    fn fma64(a: u64, b: u64, c: u64) -> u64 {
        Plain::fma64(a, b, c)
    }

    fn sqrt(a: u32) -> u32 {
        Plain::sqrt(a)
    }

    fn sqrt64(a: u64) -> u64 {
        Plain::sqrt64(a)
    }

    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        Plain::load(machine, warp, ins, access, mask)
    }

    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        Plain::store(machine, warp, ins, access, mask)
    }
}

/// With fused multiply-add instructions.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
struct Fused;

#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Host for Fused {
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fma64(a: u64, b: u64, c: u64) -> u64 {
        let value = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
        alu::canon64_3(value, [a, b, c])
    }

    #[inline(always)]
    fn sqrt(a: u32) -> u32 {
        alu::canon(f32::from_bits(a).sqrt())
    }

    #[inline(always)]
    fn sqrt64(a: u64) -> u64 {
        alu::canon64(f64::from_bits(a).sqrt(), [a, 0])
    }

    #[inline(always)]
    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        // SAFETY: only code that is itself compiled for these features uses this host.
        unsafe { avx2_load(machine, warp, ins, access, mask) }
    }

    #[inline(always)]
    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        // SAFETY: as above.
        unsafe { avx2_store(machine, warp, ins, access, mask) }
    }
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
#[inline(never)]
fn avx2_load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
    machine.load(warp, ins, access, mask)
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
#[inline(never)]
fn avx2_store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
    machine.store(warp, ins, access, mask)
}

/// Runs a warp until it waits at a barrier of the block or has exited.
pub(super) fn run(machine: &mut Machine<'_>, warp: &mut Warp) -> Result<Pause, Stop> {
    match machine.level {
        Level::Baseline => interpret::<Plain>(machine, warp),
        // SAFETY: the level is chosen by asking the CPU.
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        Level::Avx2 => unsafe { avx2(machine, warp) },
        #[cfg(feature = "trace")]
        Level::Watched => interpret::<Watched>(machine, warp),
    }
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
fn avx2(machine: &mut Machine<'_>, warp: &mut Warp) -> Result<Pause, Stop> {
    interpret::<Fused>(machine, warp)
}

/// Masks of up to this many lanes are worked on lane by lane, others by whole warps.
const FEW: u32 = 6;

/// Where the compiler has no vectors: registers and digest go in one pass, lane by lane.
const LANEWISE: bool = cfg!(target_arch = "wasm32");

/// The words of nobody's key, where none is asked for: what is folded with them is not looked at.
static NO_KEY: [u32; 32] = [0; 32];

/// A warp's registers and digest, which one pass reads and writes.
struct Rows<'a> {
    w: &'a [Cell<[u32; 32]>],
    d: &'a [Cell<[u64; 32]>],
    h: &'a [Cell<u32>; 32],
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn of(w: &'a mut [[u32; 32]], d: &'a mut [[u64; 32]], h: &'a mut [u32; 32]) -> Self {
        Self {
            w: Cell::from_mut(w).as_slice_of_cells(),
            d: Cell::from_mut(d).as_slice_of_cells(),
            h: Cell::from_mut(h).as_array_of_cells(),
        }
    }

    /// Writes what `f` computes of the active lanes and folds it into the digest.
    #[inline(always)]
    fn fill<T: Copy>(
        &self,
        into: &[Cell<T>; 32],
        key: &[u32; 32],
        active: u32,
        word: impl Fn(T) -> u32,
        f: impl Fn(usize) -> T,
    ) {
        let step = |lane: usize| {
            let value = f(lane);
            into[lane].set(value);
            self.h[lane].set(fold(self.h[lane].get(), key[lane], word(value)));
        };
        if active == u32::MAX {
            for eight in 0..4 {
                for lane in 8 * eight..8 * eight + 8 {
                    step(lane);
                }
            }
        } else {
            let mut left = active;
            while left != 0 {
                step(left.trailing_zeros() as usize & 31);
                left &= left - 1;
            }
        }
    }
}

/// Applies `f` to all lanes.
#[inline(always)]
fn all<R: Copy + Default>(mut f: impl FnMut(usize) -> R) -> [R; 32] {
    let mut result = [R::default(); 32];
    for (lane, value) in result.iter_mut().enumerate() {
        *value = f(lane);
    }
    result
}

/// The lanes where `f` holds; lanes outside the mask may hold anything.
#[inline(always)]
fn test(mask: u32, mut f: impl FnMut(usize) -> bool) -> u32 {
    let mut result = 0u32;
    if mask.count_ones() > FEW {
        for lane in 0..32 {
            result |= u32::from(f(lane)) << lane;
        }
    } else {
        let mut left = mask;
        while left != 0 {
            let lane = left.trailing_zeros() as usize & 31;
            left &= left - 1;
            result |= u32::from(f(lane)) << lane;
        }
    }
    result
}

#[inline(always)]
fn bit(mask: u32, lane: usize) -> u32 {
    0u32.wrapping_sub(mask >> lane & 1)
}

/// For each byte of a mask: all ones where its bit is set. Out of a table, so that no compiler knows these words for masks: it would store through
/// them, which some CPUs do lane by lane.
static KEEP: [[u32; 8]; 256] = {
    let mut table = [[0u32; 8]; 256];
    let mut at = 0;
    while at < 2048 {
        table[at / 8][at % 8] = 0u32.wrapping_sub((at / 8 >> (at % 8) & 1) as u32);
        at += 1;
    }
    table
};

/// All ones for each lane of the mask.
#[inline(always)]
pub(super) fn keep(mask: u32) -> [u32; 32] {
    let mut lanes = [0u32; 32];
    for (lanes, byte) in lanes.as_chunks_mut::<8>().0.iter_mut().zip(mask.to_le_bytes()) {
        *lanes = KEEP[usize::from(byte)];
    }
    lanes
}

#[inline(always)]
fn choose(keep: u32, new: u32, old: u32) -> u32 {
    old ^ (old ^ new) & keep
}

/// One step of the digest.
#[inline(always)]
fn fold(h: u32, key: u32, value: u32) -> u32 {
    (h ^ key).rotate_left(16).wrapping_add(value)
}

/// A 64-bit result in the digest's 32.
#[inline(always)]
fn narrow(value: u64) -> u32 {
    value as u32 ^ ((value >> 32) as u32).rotate_left(13)
}

impl Machine<'_> {
    /// The key's words for the digest.
    #[inline(always)]
    fn folded(&self) -> &[u32; 32] {
        self.key.as_ref().map_or(&NO_KEY, |key| &key.lanes)
    }

    /// Writes what `f` computes of each lane, and folds it into the digest.
    #[inline(always)]
    pub(super) fn fill_w(&mut self, warp: &mut Warp, slot: Slot, mask: u32, f: impl Fn(usize) -> u32) {
        if LANEWISE {
            let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
            let into = rows.w[usize::from(slot)].as_array_of_cells();
            rows.fill(into, self.folded(), mask, |value| value, f);
        } else {
            self.put_w(warp, slot, &all(f), mask);
        }
    }

    /// The same for 64 bits.
    #[inline(always)]
    pub(super) fn fill_d(&mut self, warp: &mut Warp, slot: Slot, mask: u32, f: impl Fn(usize) -> u64) {
        if LANEWISE {
            let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
            let into = rows.d[usize::from(slot)].as_array_of_cells();
            rows.fill(into, self.folded(), mask, narrow, f);
        } else {
            self.put_d(warp, slot, &all(f), mask);
        }
    }

    /// Writes a result and folds it into the digest.
    #[inline(always)]
    pub(super) fn put_w(&mut self, warp: &mut Warp, slot: Slot, values: &[u32; 32], mask: u32) {
        if LANEWISE {
            let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
            let into = rows.w[usize::from(slot)].as_array_of_cells();
            return rows.fill(into, self.folded(), mask, |value| value, |lane| values[lane]);
        }
        let into = &mut warp.w[usize::from(slot)];
        if mask == u32::MAX {
            *into = *values;
            if let Some(key) = &self.key {
                for lane in 0..32 {
                    warp.h[lane] = fold(warp.h[lane], key.lanes[lane], values[lane]);
                }
            }
            return;
        }
        let keep = keep(mask);
        for lane in 0..32 {
            into[lane] = choose(keep[lane], values[lane], into[lane]);
        }
        if let Some(key) = &self.key {
            for lane in 0..32 {
                let new = fold(warp.h[lane], key.lanes[lane], values[lane]);
                warp.h[lane] = choose(keep[lane], new, warp.h[lane]);
            }
        }
    }

    /// Writes a result and folds it into the digest.
    #[inline(always)]
    pub(super) fn put_d(&mut self, warp: &mut Warp, slot: Slot, values: &[u64; 32], mask: u32) {
        if LANEWISE {
            let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
            let into = rows.d[usize::from(slot)].as_array_of_cells();
            return rows.fill(into, self.folded(), mask, narrow, |lane| values[lane]);
        }
        let into = &mut warp.d[usize::from(slot)];
        if mask == u32::MAX {
            *into = *values;
            if let Some(key) = &self.key {
                for lane in 0..32 {
                    warp.h[lane] = fold(warp.h[lane], key.lanes[lane], narrow(values[lane]));
                }
            }
            return;
        }
        let keep = keep(mask);
        for lane in 0..32 {
            let wide = i64::from(keep[lane] as i32) as u64;
            into[lane] ^= (into[lane] ^ values[lane]) & wide;
        }
        if let Some(key) = &self.key {
            for lane in 0..32 {
                let new = fold(warp.h[lane], key.lanes[lane], narrow(values[lane]));
                warp.h[lane] = choose(keep[lane], new, warp.h[lane]);
            }
        }
    }

    /// The same for one lane.
    #[inline(always)]
    fn put_lane(&self, warp: &mut Warp, slot: Slot, lane: usize, value: u32) {
        warp.w[usize::from(slot)][lane & 31] = value;
        if let Some(key) = &self.key {
            warp.h[lane & 31] = fold(warp.h[lane & 31], key.lanes[lane & 31], value);
        }
    }

    /// The same for one lane.
    #[inline(always)]
    fn put_lane_d(&self, warp: &mut Warp, slot: Slot, lane: usize, value: u64) {
        warp.d[usize::from(slot)][lane & 31] = value;
        if let Some(key) = &self.key {
            warp.h[lane & 31] = fold(warp.h[lane & 31], key.lanes[lane & 31], narrow(value));
        }
    }

    /// Writes a predicate and folds it into the digest.
    #[inline(always)]
    pub(super) fn put_p(&mut self, warp: &mut Warp, slot: Slot, values: u32, mask: u32) {
        let into = &mut warp.p[usize::from(slot)];
        *into = *into & !mask | values & mask;
        if let Some(key) = &self.key {
            warp.scalar =
                (warp.scalar ^ key.lanes[0]).rotate_left(9).wrapping_mul(0x9e37_79b1).wrapping_add(values & mask);
        }
    }

    /// Notes the member masks of a warp-wide instruction; false where members are missing.
    fn gathered(warp: &mut Warp, slot: Slot, mask: u32) -> Result<bool, Fault> {
        let members = &warp.w[usize::from(slot)];
        for (lane, members) in members.iter().enumerate() {
            if mask >> lane & 1 == 0 {
                continue;
            }
            if members >> lane & 1 == 0 {
                return Err(Fault::trap(TrapKind::Barrier, lane));
            }
            if members & warp.live & !mask != 0 {
                return Ok(false);
            }
        }
        warp.members = *members;
        Ok(true)
    }

    fn special(&self, warp: &Warp, special: Special) -> [u32; 32] {
        let mut values = [0u32; 32];
        let [wide, high, _] = self.geometry.block;
        let mut thread = self.thread(warp.first());
        for (lane, value) in values.iter_mut().enumerate() {
            let own = lane as u32;
            *value = match special {
                Special::Tid(axis) => {
                    let place = thread[usize::from(axis)];
                    thread[0] += 1;
                    if thread[0] == wide {
                        thread = [0, thread[1] + 1, thread[2]];
                    }
                    if thread[1] == high {
                        thread = [thread[0], 0, thread[2] + 1];
                    }
                    place
                }
                Special::Ntid(axis) => self.geometry.block[usize::from(axis)],
                Special::Ctaid(axis) => self.cta[usize::from(axis)],
                Special::Nctaid(axis) => self.geometry.grid[usize::from(axis)],
                Special::Lane => own,
                Special::WarpSize => 32,
                Special::LaneMask(Ordering::Eq) => 1 << own,
                Special::LaneMask(Ordering::Lt) => (1 << own) - 1,
                Special::LaneMask(Ordering::Le) => u32::MAX >> (31 - own),
                Special::LaneMask(Ordering::Gt) => !(u32::MAX >> (31 - own)),
                Special::LaneMask(Ordering::Ge) => !((1 << own) - 1),
                Special::DynamicShared => self.dynamic,
                Special::TotalShared => self.geometry.shared,
            };
        }
        values
    }

    fn charge(&mut self, cost: u32, mask: u32) -> Result<(), Fault> {
        let lanes = mask.count_ones();
        match self.fuel.checked_sub(u64::from(cost) * u64::from(lanes.max(crate::LEAST_LANES))) {
            Some(rest) => {
                self.fuel = rest;
                self.spent += u64::from(cost) * u64::from(lanes);
                Ok(())
            }
            None => Err(Fault::trap(TrapKind::FuelExhausted, mask.trailing_zeros() as usize & 31)),
        }
    }

    fn copy_local(warp: &mut Warp, from: u32, to: u32, bytes: u32, mask: u32) {
        for by in 0..bytes.div_ceil(4) as usize {
            let (from, to) = (from as usize / 4 + by, to as usize / 4 + by);
            let (values, written) = (warp.local[from], warp.local_written[from]);
            for (lane, value) in values.iter().enumerate() {
                if mask >> lane & 1 == 1 {
                    warp.local[to][lane] = *value;
                }
            }
            for (into, from) in warp.local_written[to].iter_mut().zip(written) {
                *into = *into & !mask | from & mask;
            }
        }
    }

    /// Takes the next fragment to run: the one that is furthest behind in the code. `None` where all wait.
    fn next_fragment(warp: &mut Warp) -> Option<Fragment> {
        let mut best: Option<usize> = None;
        for (at, fragment) in warp.fragments.iter().enumerate() {
            if !fragment.blocked && best.is_none_or(|best| fragment.block < warp.fragments[best].block) {
                best = Some(at);
            }
        }
        let mut taken = warp.fragments.swap_remove(best?);
        // Those at the same place come along.
        let mut at = 0;
        while at < warp.fragments.len() {
            if warp.fragments[at].block == taken.block {
                taken.mask |= warp.fragments.swap_remove(at).mask;
            } else {
                at += 1;
            }
        }
        Some(taken)
    }

    /// Takes the next fragment, or says why there is none.
    #[inline(never)]
    fn resume(&self, warp: &mut Warp) -> Result<Option<Fragment>, Stop> {
        if let Some(fragment) = Self::next_fragment(warp) {
            return Ok(Some(fragment));
        }
        match warp.fragments.first() {
            Some(stuck) => Err(Stop {
                fault: Fault::trap(TrapKind::Barrier, stuck.mask.trailing_zeros() as usize & 31),
                line: self.line_of(stuck.block),
            }),
            None => Ok(None),
        }
    }

    fn line_of(&self, block: u32) -> u32 {
        let block = self.code.blocks[block as usize];
        self.code.lines.get(block.start as usize).copied().unwrap_or(0)
    }

    /// Whether the whole warp is in `mask`; lanes that are only on their way out leave first.
    #[inline(never)]
    fn whole_warp(&mut self, warp: &mut Warp, mask: u32) -> Result<bool, Fault> {
        let mut at = 0;
        while at < warp.fragments.len() {
            let fragment = warp.fragments[at];
            let mut block = self.code.blocks[fragment.block as usize];
            if !block.leaves {
                at += 1;
                continue;
            }
            warp.fragments.swap_remove(at);
            loop {
                self.charge(block.cost, fragment.mask)?;
                let last = self.code.ins[block.start as usize];
                if !matches!(last.op, Op::Branch) {
                    break;
                }
                block = self.code.blocks[last.imm as usize];
            }
            warp.live &= !fragment.mask;
        }
        Ok(warp.live == mask)
    }

    /// Whether some lanes of the warp wait for the whole warp.
    fn warp_awaited(&self, warp: &Warp) -> Option<u32> {
        warp.fragments
            .iter()
            .find(|fragment| fragment.blocked && self.code.blocks[fragment.block as usize].gather == Gather::Warp)
            .map(|fragment| fragment.block)
    }
}

/// Where control goes after a block.
enum Next {
    Fall,
    Jump(u32),
    /// Some lanes to one block, the rest falls through.
    Part(u32, u32),
    /// All lanes are placed in fragments already, or gone.
    Placed,
}

#[inline(always)]
#[allow(clippy::too_many_lines, clippy::cognitive_complexity)]
fn interpret<H: Host>(machine: &mut Machine<'_>, warp: &mut Warp) -> Result<Pause, Stop> {
    let code = machine.code;
    'fragment: loop {
        let Some(current) = machine.resume(warp)? else { return Ok(Pause::Exited) };
        let (mut block, mask) = (current.block, current.mask);
        // The nearest block where others are.
        let horizon = warp.fragments.iter().map(|fragment| fragment.block).min().unwrap_or(u32::MAX);
        loop {
            let this = code.blocks[block as usize];
            let located = |fault: Fault| Stop { fault, line: machine_line(code, this.start) };
            match this.gather {
                Gather::Nobody => {}
                Gather::Members(slot) => {
                    if !Machine::gathered(warp, slot, mask).map_err(located)? {
                        warp.fragments.push(Fragment { block, mask, blocked: true });
                        continue 'fragment;
                    }
                }
                Gather::Warp => {
                    if !machine.whole_warp(warp, mask).map_err(located)? {
                        warp.fragments.push(Fragment { block, mask, blocked: true });
                        continue 'fragment;
                    }
                }
            }
            machine.charge(this.cost, mask).map_err(located)?;
            if horizon != u32::MAX && !this.leaves && machine.warp_awaited(warp).is_some() {
                warp.strayed |= mask;
            }
            let mut next = Next::Fall;
            let mut at = this.start as usize;
            while at < this.end as usize {
                let ins: &Ins = &code.ins[at];
                let mut active = mask;
                if ins.guard != NONE {
                    let guard = warp.p[usize::from(ins.guard)];
                    active &= if ins.negated { !guard } else { guard };
                    if active == 0 {
                        at += 1;
                        continue;
                    }
                }
                let (a, b, c) = (usize::from(ins.a), usize::from(ins.b), usize::from(ins.c));

                macro_rules! word {
                    (($($name:ident = $class:ident[$slot:expr]),*) $lane:ident => $value:expr) => {{
                        if LANEWISE {
                            let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
                            $(let $name = rows.$class[$slot].as_array_of_cells();)*
                            let into = rows.w[usize::from(ins.d)].as_array_of_cells();
                            rows.fill(into, machine.folded(), active, |value| value, |$lane| {
                                $(let $name = $name[$lane].get();)*
                                $value
                            });
                        } else if active.count_ones() > FEW {
                            $(let $name = &warp.$class[$slot];)*
                            let values = all(|$lane| {
                                $(let $name = $name[$lane];)*
                                $value
                            });
                            machine.put_w(warp, ins.d, &values, active);
                        } else {
                            let mut left = active;
                            while left != 0 {
                                let $lane = left.trailing_zeros() as usize & 31;
                                left &= left - 1;
                                $(let $name = warp.$class[$slot][$lane];)*
                                let value = $value;
                                machine.put_lane(warp, ins.d, $lane, value);
                            }
                        }
                    }};
                }
                macro_rules! double {
                    (($($name:ident = $class:ident[$slot:expr]),*) $lane:ident => $value:expr) => {{
                        if LANEWISE {
                            let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
                            $(let $name = rows.$class[$slot].as_array_of_cells();)*
                            let into = rows.d[usize::from(ins.d)].as_array_of_cells();
                            rows.fill(into, machine.folded(), active, narrow, |$lane| {
                                $(let $name = $name[$lane].get();)*
                                $value
                            });
                        } else if active.count_ones() > FEW {
                            $(let $name = &warp.$class[$slot];)*
                            let values = all(|$lane| {
                                $(let $name = $name[$lane];)*
                                $value
                            });
                            machine.put_d(warp, ins.d, &values, active);
                        } else {
                            let mut left = active;
                            while left != 0 {
                                let $lane = left.trailing_zeros() as usize & 31;
                                left &= left - 1;
                                $(let $name = warp.$class[$slot][$lane];)*
                                let value = $value;
                                machine.put_lane_d(warp, ins.d, $lane, value);
                            }
                        }
                    }};
                }
                macro_rules! w1 {
                    ($f:expr) => {{
                        let f = $f;
                        word!((x = w[a]) lane => f(x))
                    }};
                }
                macro_rules! w2 {
                    ($f:expr) => {{
                        let f = $f;
                        word!((x = w[a], y = w[b]) lane => f(x, y))
                    }};
                }
                macro_rules! w3 {
                    ($f:expr) => {{
                        let f = $f;
                        word!((x = w[a], y = w[b], z = w[c]) lane => f(x, y, z))
                    }};
                }
                macro_rules! f2 {
                    ($f:expr) => {{
                        let f = $f;
                        w2!(|x: u32, y: u32| alu::canon(f(f32::from_bits(x), f32::from_bits(y))))
                    }};
                }
                macro_rules! d1 {
                    ($f:expr) => {{
                        let f = $f;
                        double!((x = d[a]) lane => f(x))
                    }};
                }
                macro_rules! d2 {
                    ($f:expr) => {{
                        let f = $f;
                        double!((x = d[a], y = d[b]) lane => f(x, y))
                    }};
                }
                macro_rules! d3 {
                    ($f:expr) => {{
                        let f = $f;
                        double!((x = d[a], y = d[b], z = d[c]) lane => f(x, y, z))
                    }};
                }
                macro_rules! g2 {
                    ($f:expr) => {{
                        let f = $f;
                        d2!(|x: u64, y: u64| alu::canon64(f(f64::from_bits(x), f64::from_bits(y)), [x, y]))
                    }};
                }
                macro_rules! p {
                    ($array:ident, $f:expr) => {{
                        let f = $f;
                        let (x, y) = (&warp.$array[a], &warp.$array[b]);
                        let holds = test(active, |lane| f(x[lane], y[lane]));
                        let holds = holds ^ 0u32.wrapping_sub(ins.imm as u32);
                        machine.put_p(warp, ins.d, holds, active);
                    }};
                }
                macro_rules! stop {
                    ($fault:expr) => {
                        return Err(Stop { fault: $fault, line: code.lines[at] })
                    };
                }

                #[cfg(feature = "trace")]
                if H::WATCHED {
                    machine.tell_before(warp, ins, active, code.lines[at]);
                }
                match ins.op {
                    Op::Nop | Op::Gather => {}
                    Op::MovW => w1!(|x: u32| x),
                    Op::AddW => w2!(u32::wrapping_add),
                    Op::SubW => w2!(u32::wrapping_sub),
                    Op::MulW => w2!(u32::wrapping_mul),
                    Op::MadW => w3!(|x: u32, y: u32, z: u32| x.wrapping_mul(y).wrapping_add(z)),
                    Op::AndW => w2!(|x: u32, y: u32| x & y),
                    Op::OrW => w2!(|x: u32, y: u32| x | y),
                    Op::XorW => w2!(|x: u32, y: u32| x ^ y),
                    Op::NotW => w1!(|x: u32| !x),
                    Op::ShlW => w2!(alu::shl32),
                    Op::ShrUW => w2!(alu::shr_u32),
                    Op::ShrSW => w2!(alu::shr_s32),
                    Op::MinSW => w2!(|x: u32, y: u32| (x as i32).min(y as i32) as u32),
                    Op::MaxSW => w2!(|x: u32, y: u32| (x as i32).max(y as i32) as u32),
                    Op::MinUW => w2!(|x: u32, y: u32| x.min(y)),
                    Op::MaxUW => w2!(|x: u32, y: u32| x.max(y)),
                    Op::DivUW => w2!(alu::div_u32),
                    Op::DivSW => w2!(alu::div_s32),
                    Op::RemUW => w2!(alu::rem_u32),
                    Op::RemSW => w2!(alu::rem_s32),
                    Op::MulHiUW => w2!(alu::mul_hi_u32),
                    Op::MulHiSW => w2!(alu::mul_hi_s32),
                    Op::FunnelLeftWrapW => w3!(alu::funnel_left_wrap),
                    Op::FunnelRightWrapW => w3!(alu::funnel_right_wrap),
                    Op::Lop3W => {
                        let mut table = [0u32; 8];
                        for (bit, word) in table.iter_mut().enumerate() {
                            *word = 0u32.wrapping_sub(ins.imm as u32 >> bit & 1);
                        }
                        w3!(|x: u32, y: u32, z: u32| alu::lop3(x, y, z, &table));
                    }
                    Op::PrmtW => {
                        let selectors = &warp.w[c];
                        let one = selectors.iter().fold(0, |apart, other| apart | (other ^ selectors[0])) == 0;
                        match alu::Permutation::of(selectors[0]).filter(|_| one) {
                            Some(permutation) => w2!(|x: u32, y: u32| permutation.apply(x, y)),
                            None => w3!(alu::prmt),
                        }
                    }
                    Op::Dp4aSS => w3!(alu::dp4a_ss),
                    Op::SelW => {
                        let choose = warp.p[c];
                        word!((x = w[a], y = w[b]) lane => {
                            let first = bit(choose, lane);
                            x & first | y & !first
                        });
                    }
                    Op::AddF => f2!(|x: f32, y: f32| x + y),
                    Op::SubF => f2!(|x: f32, y: f32| x - y),
                    Op::MulF => f2!(|x: f32, y: f32| x * y),
                    Op::FmaF => w3!(|x: u32, y: u32, z: u32| alu::canon(H::fma(
                        f32::from_bits(x),
                        f32::from_bits(y),
                        f32::from_bits(z)
                    ))),
                    Op::DivF => f2!(|x: f32, y: f32| x / y),
                    Op::SqrtF => w1!(H::sqrt),
                    Op::MinF => w2!(alu::min_f32),
                    Op::MaxF => w2!(alu::max_f32),
                    Op::F32FromS32 => w1!(|x: u32| (x as i32 as f32).to_bits()),
                    Op::F32FromU32 => w1!(|x: u32| (x as f32).to_bits()),
                    Op::S32FromF32Near => w1!(|x: u32| soft::rint_f32(f32::from_bits(x)) as i32 as u32),
                    Op::S32FromF32Zero => w1!(|x: u32| f32::from_bits(x) as i32 as u32),
                    Op::MovD => d1!(|x: u64| x),
                    Op::AddD => d2!(u64::wrapping_add),
                    Op::SubD => d2!(u64::wrapping_sub),
                    Op::MulD => d2!(u64::wrapping_mul),
                    Op::MadD => d3!(|x: u64, y: u64, z: u64| x.wrapping_mul(y).wrapping_add(z)),
                    Op::AndD => d2!(|x: u64, y: u64| x & y),
                    Op::OrD => d2!(|x: u64, y: u64| x | y),
                    Op::XorD => d2!(|x: u64, y: u64| x ^ y),
                    Op::NotD => d1!(|x: u64| !x),
                    Op::ShlD => double!((x = d[a], y = w[b]) lane => alu::shl64(x, y)),
                    Op::ShrUD => double!((x = d[a], y = w[b]) lane => alu::shr_u64(x, y)),
                    Op::ShrSD => double!((x = d[a], y = w[b]) lane => alu::shr_s64(x, y)),
                    Op::SelD => {
                        let choose = warp.p[c];
                        double!((x = d[a], y = d[b]) lane => if choose >> lane & 1 == 1 { x } else { y });
                    }
                    Op::AddG => g2!(|x: f64, y: f64| x + y),
                    Op::SubG => g2!(|x: f64, y: f64| x - y),
                    Op::MulG => g2!(|x: f64, y: f64| x * y),
                    Op::FmaG => d3!(H::fma64),
                    Op::DivG => g2!(|x: f64, y: f64| x / y),
                    Op::SqrtG => d1!(H::sqrt64),
                    Op::WideUW => double!((x = w[a], y = w[b]) lane => u64::from(x) * u64::from(y)),
                    Op::WideSW => double!((x = w[a], y = w[b]) lane => wide_s(x, y)),
                    Op::MadWideUW => double!((x = w[a], y = w[b], z = d[c]) lane => {
                        (u64::from(x) * u64::from(y)).wrapping_add(z)
                    }),
                    Op::MadWideSW => {
                        double!((x = w[a], y = w[b], z = d[c]) lane => wide_s(x, y).wrapping_add(z));
                    }
                    Op::ZextD => double!((x = w[a]) lane => u64::from(x)),
                    Op::SextD => double!((x = w[a]) lane => i64::from(x as i32) as u64),
                    Op::TruncW => word!((x = d[a]) lane => x as u32),
                    Op::HighW => word!((x = d[a]) lane => (x >> 32) as u32),
                    Op::PackD => {
                        double!((x = w[a], y = w[b]) lane => u64::from(x) | u64::from(y) << 32);
                    }
                    Op::G64FromS32 => double!((x = w[a]) lane => f64::from(x as i32).to_bits()),
                    Op::G64FromF32 => double!((x = w[a]) lane => alu::f64_from_f32(x)),
                    Op::W1(f) => w1!(f),
                    Op::W2(f) => w2!(f),
                    Op::W3(f) => w3!(f),
                    Op::W4(f) => {
                        let e = usize::from(ins.e);
                        word!((x = w[a], y = w[b], z = w[c], v = w[e]) lane => f(x, y, z, v));
                    }
                    Op::D1(f) => d1!(f),
                    Op::D2(f) => d2!(f),
                    Op::D3(f) => d3!(f),
                    Op::WD(f) => word!((x = d[a]) lane => f(x)),
                    Op::DW(f) => double!((x = w[a]) lane => f(x)),
                    Op::DDWW(f) => double!((x = d[a], y = w[b], z = w[c]) lane => f(x, y, z)),
                    Op::DDDWW(f) => {
                        let e = usize::from(ins.e);
                        double!((x = d[a], y = d[b], z = w[c], v = w[e]) lane => f(x, y, z, v));
                    }
                    Op::EqW => p!(w, |x: u32, y: u32| x == y),
                    Op::LtSW => p!(w, |x: u32, y: u32| (x as i32) < y as i32),
                    Op::LeSW => p!(w, |x: u32, y: u32| x as i32 <= y as i32),
                    Op::LtUW => p!(w, |x: u32, y: u32| x < y),
                    Op::LeUW => p!(w, |x: u32, y: u32| x <= y),
                    Op::EqF => p!(w, |x: u32, y: u32| f32::from_bits(x) == f32::from_bits(y)),
                    Op::LtF => p!(w, |x: u32, y: u32| f32::from_bits(x) < f32::from_bits(y)),
                    Op::LeF => p!(w, |x: u32, y: u32| f32::from_bits(x) <= f32::from_bits(y)),
                    Op::EqD => p!(d, |x: u64, y: u64| x == y),
                    Op::LtSD => p!(d, |x: u64, y: u64| (x as i64) < y as i64),
                    Op::LeSD => p!(d, |x: u64, y: u64| x as i64 <= y as i64),
                    Op::LtUD => p!(d, |x: u64, y: u64| x < y),
                    Op::LeUD => p!(d, |x: u64, y: u64| x <= y),
                    Op::EqG => p!(d, |x: u64, y: u64| f64::from_bits(x) == f64::from_bits(y)),
                    Op::LtG => p!(d, |x: u64, y: u64| f64::from_bits(x) < f64::from_bits(y)),
                    Op::LeG => p!(d, |x: u64, y: u64| f64::from_bits(x) <= f64::from_bits(y)),
                    Op::PW1(f) => {
                        let x = &warp.w[a];
                        let holds = test(active, |lane| f(x[lane]));
                        machine.put_p(warp, ins.d, holds, active);
                    }
                    Op::PW2(f) => p!(w, f),
                    Op::PD1(f) => {
                        let x = &warp.d[a];
                        let holds = test(active, |lane| f(x[lane]));
                        machine.put_p(warp, ins.d, holds, active);
                    }
                    Op::PD2(f) => p!(d, f),
                    Op::MovP => machine.put_p(warp, ins.d, warp.p[a], active),
                    Op::NotP => machine.put_p(warp, ins.d, !warp.p[a], active),
                    Op::AndP => machine.put_p(warp, ins.d, warp.p[a] & warp.p[b], active),
                    Op::OrP => machine.put_p(warp, ins.d, warp.p[a] | warp.p[b], active),
                    Op::XorP => machine.put_p(warp, ins.d, warp.p[a] ^ warp.p[b], active),
                    Op::SelP => {
                        let choose = warp.p[c];
                        machine.put_p(warp, ins.d, warp.p[a] & choose | warp.p[b] & !choose, active);
                    }
                    Op::AddCarryW | Op::SubCarryW => {
                        let (x, y, carry) = (&warp.w[a], &warp.w[b], warp.p[c]);
                        let subtract = matches!(ins.op, Op::SubCarryW);
                        let (mut values, mut out) = ([0u32; 32], 0u32);
                        for lane in 0..32 {
                            let by = u64::from(y[lane]) + u64::from(carry >> lane & 1);
                            let sum =
                                if subtract { u64::from(x[lane]).wrapping_sub(by) } else { u64::from(x[lane]) + by };
                            values[lane] = sum as u32;
                            out |= ((sum >> 32) as u32 & 1) << lane;
                        }
                        machine.put_w(warp, ins.d, &values, active);
                        if ins.e != NONE {
                            machine.put_p(warp, ins.e, out, active);
                        }
                    }
                    Op::AddCarryD | Op::SubCarryD => {
                        let (x, y, carry) = (&warp.d[a], &warp.d[b], warp.p[c]);
                        let subtract = matches!(ins.op, Op::SubCarryD);
                        let (mut values, mut out) = ([0u64; 32], 0u32);
                        for lane in 0..32 {
                            let by = u128::from(y[lane]) + u128::from(carry >> lane & 1);
                            let sum =
                                if subtract { u128::from(x[lane]).wrapping_sub(by) } else { u128::from(x[lane]) + by };
                            values[lane] = sum as u64;
                            out |= ((sum >> 64) as u32 & 1) << lane;
                        }
                        machine.put_d(warp, ins.d, &values, active);
                        if ins.e != NONE {
                            machine.put_p(warp, ins.e, out, active);
                        }
                    }
                    Op::Load(access) => {
                        if let Err(fault) = H::load(machine, warp, ins, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::Store(access) => {
                        if let Err(fault) = H::store(machine, warp, ins, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::LoadCopy(access, start) => {
                        let loaded = H::load(machine, warp, ins, access, active);
                        if let Err(fault) = machine.load_copy(warp, ins, (access, start), active, loaded) {
                            stop!(fault);
                        }
                    }
                    Op::StoreCopy(access, start) => {
                        let stored = if machine.is_defined(warp, access, start, active) {
                            H::store(machine, warp, ins, access, active)
                        } else {
                            machine.store_undefined(warp, ins, (access, start), active)
                        };
                        if let Err(fault) = stored {
                            stop!(fault);
                        }
                    }
                    Op::BlankW => warp.w[usize::from(ins.d)] = blend(&warp.w[usize::from(ins.d)], 0, active),
                    Op::BlankD => {
                        for (lane, into) in warp.d[usize::from(ins.d)].iter_mut().enumerate() {
                            *into &= u64::from(active >> lane & 1).wrapping_sub(1);
                        }
                    }
                    Op::Companion => Machine::accompany(warp, ins, active),
                    Op::StartCopy(access) => {
                        if let Err(fault) = machine.start_copies(warp, ins, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::CloseGroup => Machine::close_group(warp, active),
                    Op::WaitCopies(but) => {
                        if let Err(fault) = machine.wait_copies(warp, but, active) {
                            stop!(fault);
                        }
                    }
                    Op::Reduce(operation, access) => {
                        if let Err(fault) = machine.reduce(warp, ins, operation, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::Update(update, access) => {
                        if let Err(fault) = machine.update(warp, ins, update, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::CopyLocal { from, to, bytes } => Machine::copy_local(warp, from, to, bytes, active),
                    Op::InSpace(place) => {
                        let x = &warp.d[a];
                        let holds = test(active, |lane| in_space(place, x[lane]));
                        machine.put_p(warp, ins.d, holds, active);
                    }
                    Op::Special(special) => {
                        let values = machine.special(warp, special);
                        machine.put_w(warp, ins.d, &values, active);
                    }
                    Op::Shuffle(mode) => {
                        if let Err(fault) = machine.shuffle(warp, ins, mode, active) {
                            stop!(fault);
                        }
                    }
                    Op::Vote(vote) => machine.vote(warp, ins, vote, active),
                    Op::MatchAnyW | Op::MatchAnyD | Op::MatchAllW | Op::MatchAllD => {
                        machine.matching(warp, ins, active);
                    }
                    Op::Redux(operation) => machine.redux(warp, ins, operation, active),
                    Op::WarpBarrier => {
                        // Only a barrier of all live lanes orders the warp's accesses.
                        if (0..32).all(|lane| active >> lane & 1 == 0 || warp.members[lane] & warp.live == warp.live) {
                            if let Err(fault) = machine.tick() {
                                stop!(fault);
                            }
                            machine.synced[warp.number as usize & 31] = machine.time;
                        }
                    }
                    Op::LoadMatrix(access, transposed) => {
                        if let Err(fault) = machine.load_matrix(warp, ins, access, transposed, active) {
                            stop!(fault);
                        }
                    }
                    Op::StoreMatrix(access, transposed) => {
                        if let Err(fault) = machine.store_matrix(warp, ins, access, transposed, active) {
                            stop!(fault);
                        }
                    }
                    Op::MoveMatrix => {
                        if active != u32::MAX {
                            stop!(Fault::trap(TrapKind::Barrier, active.trailing_zeros() as usize & 31));
                        }
                        machine.move_matrix(warp, ins);
                    }
                    Op::Mma(shape, start) => {
                        if active != u32::MAX {
                            stop!(Fault::trap(TrapKind::Barrier, active.trailing_zeros() as usize & 31));
                        }
                        machine.mma(warp, shape, start);
                    }
                    Op::Uniform | Op::Take(..) | Op::Give(..) | Op::Product(..) => {
                        if let Err(fault) = machine.fragments(warp, ins, active) {
                            stop!(fault);
                        }
                    }
                    Op::Combine(start) => machine.combine(warp, ins, start, active),
                    Op::Mark => warp.p[usize::from(ins.d)] |= active,
                    Op::Carry => {
                        let held = warp.p[a];
                        let into = &mut warp.p[usize::from(ins.d)];
                        *into = *into & !active | held & active;
                    }
                    Op::Need => {
                        let missing = active & !warp.p[a];
                        if missing != 0 {
                            stop!(Fault::trap(TrapKind::Uninitialised, missing.trailing_zeros() as usize));
                        }
                    }
                    Op::Branch => {
                        next = if active == mask {
                            Next::Jump(ins.imm as u32)
                        } else {
                            Next::Part(ins.imm as u32, active)
                        };
                    }
                    Op::Call => {
                        warp.w[usize::from(ins.d)] = blend(&warp.w[usize::from(ins.d)], block + 1, active);
                        next = Next::Jump(ins.imm as u32);
                    }
                    Op::Return | Op::BranchIndex => {
                        let values = warp.w[a];
                        let table = match ins.op {
                            Op::BranchIndex => Some(&code.tables[ins.imm as usize]),
                            _ => None,
                        };
                        let mut left = active;
                        while left != 0 {
                            let lane = left.trailing_zeros() as usize;
                            let value = values[lane];
                            let mut group = 0u32;
                            for (other, found) in values.iter().enumerate() {
                                group |= u32::from(*found == value) << other;
                            }
                            group &= left;
                            left &= !group;
                            let target = match table {
                                Some(table) => match table.get(value as usize) {
                                    Some(target) => *target,
                                    None => stop!(Fault::trap(TrapKind::OutOfBounds, lane)),
                                },
                                None => value,
                            };
                            warp.fragments.push(Fragment { block: target, mask: group, blocked: false });
                        }
                        if active != mask {
                            warp.fragments.push(Fragment { block: block + 1, mask: mask & !active, blocked: false });
                        }
                        next = Next::Placed;
                    }
                    Op::Exit => {
                        if let Some(awaited) = machine.warp_awaited(warp)
                            && warp.strayed & active != 0
                        {
                            let lane = (warp.strayed & active).trailing_zeros() as usize;
                            return Err(Stop {
                                fault: Fault::trap(TrapKind::Barrier, lane),
                                line: machine.line_of(awaited),
                            });
                        }
                        warp.live &= !active;
                        if active != mask {
                            warp.fragments.push(Fragment { block: block + 1, mask: mask & !active, blocked: false });
                        }
                        next = Next::Placed;
                    }
                    Op::Trap => stop!(Fault::trap(TrapKind::Trap, active.trailing_zeros() as usize & 31)),
                    Op::Barrier(kind) => {
                        let waiting = match barrier(warp, ins, kind, active, code.lines[at]) {
                            Some(waiting) => waiting,
                            None => stop!(Fault::trap(TrapKind::Barrier, active.trailing_zeros() as usize & 31)),
                        };
                        if kind == BarrierKind::Arrive {
                            let arrived = &mut machine.arrived[waiting.id as usize];
                            *arrived = arrived.saturating_add(32);
                        } else {
                            warp.waiting = Some(waiting);
                            warp.strayed = 0;
                            warp.fragments.push(Fragment { block: block + 1, mask, blocked: false });
                            return Ok(Pause::Barrier);
                        }
                    }
                }
                #[cfg(feature = "trace")]
                if H::WATCHED {
                    machine.tell_after(warp, ins, active, code.lines[at]);
                }
                at += 1;
            }
            let target = match next {
                Next::Fall => block + 1,
                Next::Jump(target) => target,
                Next::Part(target, taken) => {
                    warp.fragments.push(Fragment { block: target, mask: taken, blocked: false });
                    warp.fragments.push(Fragment { block: block + 1, mask: mask & !taken, blocked: false });
                    continue 'fragment;
                }
                Next::Placed => continue 'fragment,
            };
            if target >= horizon {
                warp.fragments.push(Fragment { block: target, mask, blocked: false });
                continue 'fragment;
            }
            block = target;
        }
    }
}

#[inline(always)]
fn wide_s(x: u32, y: u32) -> u64 {
    (i64::from(x as i32) * i64::from(y as i32)) as u64
}

fn blend(old: &[u32; 32], value: u32, mask: u32) -> [u32; 32] {
    let mut values = *old;
    for (lane, into) in values.iter_mut().enumerate() {
        if mask >> lane & 1 == 1 {
            *into = value;
        }
    }
    values
}

fn in_space(place: Place, address: u64) -> bool {
    let tag = address >> ir::TAG_SHIFT;
    match place {
        Place::Shared => tag == ir::TAG_SHARED,
        Place::Local => tag == ir::TAG_LOCAL,
        Place::Param => tag == ir::TAG_PARAM,
        Place::Const => false,
        Place::Global | Place::Generic => tag == ir::TAG_TABLE || tag >= ir::TAG_BUFFER,
    }
}

/// The barrier that a warp arrives at; `None` where its operands make no sense.
fn barrier(warp: &Warp, ins: &Ins, kind: BarrierKind, mask: u32, line: u32) -> Option<Waiting> {
    let first = mask.trailing_zeros() as usize & 31;
    let uniform = |slot: Slot| {
        let values = &warp.w[usize::from(slot)];
        let value = values[first];
        (0..32).all(|lane| mask >> lane & 1 == 0 || values[lane] == value).then_some(value)
    };
    let id = uniform(ins.a)?;
    let threads = if ins.b == NONE {
        0
    } else {
        match uniform(ins.b)? {
            0 => return None,
            threads if threads % 32 != 0 => return None,
            threads => threads,
        }
    };
    let votes = match kind {
        BarrierKind::Reduce(Vote::All | Vote::Any | Vote::Count | Vote::Uniform | Vote::Ballot) => {
            warp.p[usize::from(ins.c)]
        }
        BarrierKind::Sync | BarrierKind::Arrive => 0,
    };
    (id < 16).then_some(Waiting { id, threads, kind, d: ins.d, votes, line })
}

fn machine_line(code: &ir::Code, at: u32) -> u32 {
    code.lines.get(at as usize).copied().unwrap_or(0)
}
