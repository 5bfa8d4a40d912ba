//! Control: fragments of a diverged warp, fuel, barriers.

use super::{
    Fault, Machine, Stop,
    warp::{Fragment, Waiting, Warp},
};
use crate::{
    TrapKind,
    ir::{self, BarrierKind, Gather, Ins, NONE, Op, Ordering, Place, Slot, Special, Vote},
};

impl Machine<'_> {
    /// Notes the member masks of a warp-wide instruction; false where members are missing.
    pub(super) fn gathered(warp: &mut Warp, slot: Slot, mask: u32) -> Result<bool, Fault> {
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

    pub(super) fn special(&self, warp: &Warp, special: Special) -> [u32; 32] {
        let lanes = |f: fn(u32) -> u32| core::array::from_fn(|lane| f(lane as u32));
        match special {
            Special::Tid(axis) => self.places(warp.first(), usize::from(axis)),
            Special::Ntid(axis) => [self.geometry.block[usize::from(axis)]; 32],
            Special::Ctaid(axis) => [self.cta[usize::from(axis)]; 32],
            Special::Nctaid(axis) => [self.geometry.grid[usize::from(axis)]; 32],
            Special::WarpSize => [32; 32],
            Special::DynamicShared => [self.dynamic; 32],
            Special::TotalShared => [self.geometry.shared; 32],
            Special::Lane => lanes(|lane| lane),
            Special::LaneMask(Ordering::Eq) => lanes(|lane| 1 << lane),
            Special::LaneMask(Ordering::Lt) => lanes(|lane| (1 << lane) - 1),
            Special::LaneMask(Ordering::Le) => lanes(|lane| u32::MAX >> (31 - lane)),
            Special::LaneMask(Ordering::Gt) => lanes(|lane| !(u32::MAX >> (31 - lane))),
            Special::LaneMask(Ordering::Ge) => lanes(|lane| !((1 << lane) - 1)),
        }
    }

    /// Places along an axis of the warp's threads.
    fn places(&self, first: u32, axis: usize) -> [u32; 32] {
        let [wide, high, _] = self.geometry.block;
        let mut thread = self.thread(first);
        if thread[0] + 32 <= wide {
            return core::array::from_fn(|lane| thread[axis] + if axis == 0 { lane as u32 } else { 0 });
        }
        core::array::from_fn(|_| {
            let place = thread[axis];
            thread[0] += 1;
            if thread[0] == wide {
                thread = [0, thread[1] + 1, thread[2]];
            }
            if thread[1] == high {
                thread = [thread[0], 0, thread[2] + 1];
            }
            place
        })
    }

    pub(super) fn charge(&mut self, cost: u32, mask: u32) -> Result<(), Fault> {
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

    pub(super) fn copy_local(warp: &mut Warp, from: u32, to: u32, bytes: u32, mask: u32) {
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
    pub(super) fn resume(&self, warp: &mut Warp) -> Result<Option<Fragment>, Stop> {
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

    pub(super) fn line_of(&self, block: u32) -> u32 {
        let block = self.code.blocks[block as usize];
        self.code.lines.get(block.start as usize).copied().unwrap_or(0)
    }

    /// Whether the whole warp is in `mask`; lanes that are only on their way out leave first.
    #[inline(never)]
    pub(super) fn whole_warp(&mut self, warp: &mut Warp, mask: u32) -> Result<bool, Fault> {
        self.let_leave(warp)?;
        Ok(warp.live == mask)
    }

    /// Lanes that are only on their way out leave.
    #[inline(never)]
    pub(super) fn let_leave(&mut self, warp: &mut Warp) -> Result<(), Fault> {
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
        Ok(())
    }

    /// Lets those look again who wait for members of a mask: such as have left are not waited for.
    pub(super) fn wake(&self, warp: &mut Warp) {
        for fragment in &mut warp.fragments {
            let gather = self.code.blocks[fragment.block as usize].gather;
            fragment.blocked &= !matches!(gather, Gather::Members(_));
        }
    }

    /// Whether some lanes of the warp wait for the whole warp.
    pub(super) fn warp_awaited(&self, warp: &Warp) -> Option<u32> {
        warp.fragments
            .iter()
            .find(|fragment| fragment.blocked && self.code.blocks[fragment.block as usize].gather == Gather::Warp)
            .map(|fragment| fragment.block)
    }
}

pub(super) fn blend(old: &[u32; 32], value: u32, mask: u32) -> [u32; 32] {
    let mut values = *old;
    for (lane, into) in values.iter_mut().enumerate() {
        if mask >> lane & 1 == 1 {
            *into = value;
        }
    }
    values
}

pub(super) fn in_space(place: Place, address: u64) -> bool {
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
pub(super) fn barrier(warp: &Warp, ins: &Ins, kind: BarrierKind, mask: u32, line: u32) -> Option<Waiting> {
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

pub(super) fn machine_line(code: &ir::Code, at: u32) -> u32 {
    code.lines.get(at as usize).copied().unwrap_or(0)
}
