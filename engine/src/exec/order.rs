//! What barriers of a part of a warp or of a block put in order.
//!
//! A barrier of the whole block or of a whole warp is one time for all of its threads. One of a part needs to be known thread by thread: for each
//! lane, the time before which it is after what another lane of its warp did; for each warp, the same of the other warps, whole warps being what
//! takes part in a barrier of the block.

use super::{
    Fault, Machine,
    memory::lanes,
    warp::{Waiting, Warp},
};
use crate::TrapKind;
use alloc::{vec, vec::Vec};

const WARPS: usize = 32;

/// For each row, the times before which it is after all that each column did.
type Table = [[u32; 32]; 32];

/// Who a shadow says made an access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) first: u32,
    pub(super) count: u32,
}

/// The order that barriers of parts have made.
#[derive(Default)]
pub(super) struct Order {
    threads: u32,
    /// By warp, one more than its place among the tables; zero for none.
    places: [u8; WARPS],
    lanes: Vec<Table>,
    /// None or one.
    warps: Vec<Table>,
}

impl Order {
    /// No order, among so many threads.
    pub(super) fn restart(&mut self, threads: u32) {
        self.threads = threads;
        self.places = [0; WARPS];
        self.lanes.clear();
        self.warps.clear();
    }

    /// The lanes of a mask have passed a barrier at that time.
    pub(super) fn join_lanes(&mut self, warp: u32, mask: u32, now: u32) {
        let Some(place) = self.places.get_mut(warp as usize) else { return };
        if *place == 0 {
            self.lanes.push([[0; 32]; 32]);
            *place = self.lanes.len() as u8;
        }
        let Some(table) = self.lanes.get_mut(usize::from(*place) - 1) else { return };
        let mut joint = [0u32; 32];
        for row in lanes(mask).filter_map(|lane| table.get(lane)) {
            for (joint, seen) in joint.iter_mut().zip(row) {
                *joint = (*joint).max(*seen);
            }
        }
        for lane in lanes(mask) {
            if let Some(joint) = joint.get_mut(lane) {
                *joint = now;
            }
        }
        for lane in lanes(mask) {
            if let Some(row) = table.get_mut(lane) {
                *row = joint;
            }
        }
    }

    /// What a warp has seen of the others.
    pub(super) fn of_warp(&self, warp: u32) -> [u32; 32] {
        self.warps.first().and_then(|table| table.get(warp as usize)).copied().unwrap_or([0; 32])
    }

    /// The warps of a mask have seen that much more.
    pub(super) fn join_warps(&mut self, mask: u32, seen: &[u32; 32]) {
        if self.warps.is_empty() {
            self.warps.push([[0; 32]; 32]);
        }
        for table in &mut self.warps {
            for (warp, row) in table.iter_mut().enumerate() {
                if mask >> warp & 1 == 1 {
                    for (own, new) in row.iter_mut().zip(seen) {
                        *own = (*own).max(*new);
                    }
                }
            }
        }
    }

    /// Whether a thread is after all that a group did until that time; `synced` is the time of its warp's last barrier.
    pub(super) fn after(&self, thread: u32, synced: u32, group: Group, time: u32) -> bool {
        let end = (group.first + group.count).min(self.threads);
        let mut other = group.first;
        while other < end {
            let next = ((other | 31) + 1).min(end);
            let (own, theirs) = (thread / 32, other / 32);
            let fine = if own != theirs {
                self.warps
                    .first()
                    .and_then(|table| table.get(own as usize)?.get(theirs as usize))
                    .is_some_and(|seen| time < *seen)
            } else if time < synced {
                true
            } else {
                let row = usize::from(self.places.get(own as usize).copied().unwrap_or(0))
                    .checked_sub(1)
                    .and_then(|place| self.lanes.get(place)?.get(thread as usize & 31));
                (other..next).all(|lane| {
                    lane == thread || row.and_then(|row| row.get(lane as usize & 31)).is_some_and(|seen| time < *seen)
                })
            };
            if !fine {
                return false;
            }
            other = next;
        }
        true
    }

    /// All times in it.
    pub(super) fn times(&mut self) -> impl Iterator<Item = &mut u32> {
        self.lanes.iter_mut().chain(&mut self.warps).flatten().flatten()
    }
}

/// A numbered barrier of the block, as far as warps have arrived.
#[derive(Clone, Copy, Default)]
struct Meeting {
    /// By warp: the time before which what it did is in order with those that will have waited.
    released: [u32; 32],
    /// Those that arrived and do not wait, and for how many threads they hold the barrier.
    arrived: u32,
    threads: u32,
    /// By warp: when it was last here.
    left: [u32; 32],
}

impl Meeting {
    /// Whether a warp that has seen so much knows that all have left the barrier whom it could disturb.
    fn is_over(&self, warp: u32, seen: &[u32; 32], block: u32) -> bool {
        let mut past = self.left.iter().zip(seen).zip(0..);
        past.all(|((left, seen), other)| other == warp || *left <= block.max(*seen))
    }
}

/// The numbered barriers of the block; empty until one is of a part.
#[derive(Default)]
pub(super) struct Meetings(Vec<Meeting>);

impl Meetings {
    fn at(&mut self, id: u32) -> Option<&mut Meeting> {
        if self.0.is_empty() {
            self.0.resize(16, Meeting::default());
        }
        self.0.get_mut(id as usize)
    }

    fn times(&mut self) -> impl Iterator<Item = &mut u32> {
        self.0.iter_mut().flat_map(|meeting| meeting.released.iter_mut().chain(&mut meeting.left))
    }
}

impl Machine<'_> {
    /// Lanes of a warp, fewer than all, pass a barrier of theirs.
    pub(super) fn join_lanes(&mut self, warp: &Warp, mask: u32) -> Result<(), Fault> {
        self.tick()?;
        self.parted = true;
        let mut left = mask;
        while left != 0 {
            let first = left.trailing_zeros() as usize & 31;
            let members = warp.members[first];
            let together =
                (0..32).filter(|lane| warp.members[*lane & 31] == members).fold(0, |all, lane| all | 1 << lane);
            let group = left & members & together;
            if group.count_ones() > 1 {
                self.shared_shadow.order.join_lanes(warp.number, group, self.time);
                self.pages.shadow.order.join_lanes(warp.number, group, self.time);
            }
            left &= !group & !(1 << first);
        }
        Ok(())
    }

    /// A warp arrives at a barrier and goes on.
    pub(super) fn arrive(&mut self, warp: u32, lane: usize, waiting: &Waiting) -> Result<(), Fault> {
        self.tick()?;
        self.parted = true;
        // Who meets must not depend on who is first.
        let (now, block) = (self.time, self.block_time);
        let seen = self.shared_shadow.order.of_warp(warp);
        if let Some(meeting) = self.meetings.at(waiting.id) {
            let alike = meeting.arrived == 0 || meeting.threads == waiting.threads;
            let again = meeting.arrived >> (warp & 31) & 1 == 1;
            if !alike || again || !meeting.is_over(warp, &seen, block) {
                return Err(Fault::trap(TrapKind::Barrier, lane));
            }
            for (released, seen) in meeting.released.iter_mut().zip(seen) {
                *released = (*released).max(seen);
            }
            if let Some(own) = meeting.released.get_mut(warp as usize) {
                *own = now;
            }
            meeting.arrived |= 1 << (warp & 31);
            meeting.threads = waiting.threads;
        }
        if let Some(arrived) = self.arrived.get_mut(waiting.id as usize) {
            *arrived = arrived.saturating_add(32);
        }
        Ok(())
    }

    /// Whether it is certain who meets at a barrier for so many threads.
    pub(super) fn may_meet(&mut self, id: u32, warps: u32, threads: u32) -> bool {
        let Some(meeting) = self.meetings.0.get(id as usize) else { return true };
        let alike = meeting.arrived == 0 || meeting.threads == threads;
        let order = &self.shared_shadow.order;
        let mut warps = lanes(warps).map(|warp| warp as u32);
        alike && warps.all(|warp| meeting.is_over(warp, &order.of_warp(warp), self.block_time))
    }

    /// Warps, fewer than all, pass a barrier of theirs. `certain`: with nobody else.
    pub(super) fn join_warps(&mut self, id: u32, warps: u32, certain: bool) -> Result<(), Fault> {
        self.tick()?;
        self.parted = true;
        let now = self.time;
        let Some(meeting) = self.meetings.at(id) else { return Ok(()) };
        let mut joint = meeting.released;
        for (warp, (left, released)) in meeting.left.iter_mut().zip(meeting.released).enumerate() {
            if warps >> warp & 1 == 1 {
                *left = now;
            } else if meeting.arrived >> warp & 1 == 1 {
                *left = released;
            }
        }
        (meeting.released, meeting.arrived) = ([0; 32], 0);
        for (warp, synced) in self.synced.iter_mut().enumerate() {
            if warps >> warp & 1 == 1 {
                *synced = now;
                for (joint, seen) in joint.iter_mut().zip(self.shared_shadow.order.of_warp(warp as u32)) {
                    *joint = (*joint).max(seen);
                }
            }
        }
        for (warp, joint) in joint.iter_mut().enumerate() {
            if warps >> warp & 1 == 1 {
                *joint = now;
            }
        }
        if certain {
            self.shared_shadow.order.join_warps(warps, &joint);
            self.pages.shadow.order.join_warps(warps, &joint);
        }
        Ok(())
    }

    /// All pass a barrier.
    pub(super) fn close(&mut self, id: u32) {
        if let Some(meeting) = self.meetings.0.get_mut(id as usize) {
            *meeting = Meeting::default();
        }
    }

    /// Makes all times small where barriers of parts compare with many of them: only their order counts.
    pub(super) fn rank_times(&mut self) {
        let block = self.block_time;
        let mut ranks = vec![0u16; 1 << 16];
        let mut note = |time: &mut u32| {
            // What is not after the block's barrier is in order by that.
            *time = if *time > block { *time } else { 0 };
            if let Some(rank) = ranks.get_mut(*time as usize) {
                *rank = 1;
            }
        };
        self.shared_shadow.order.times().for_each(&mut note);
        self.pages.shadow.order.times().for_each(&mut note);
        self.meetings.times().for_each(&mut note);
        self.synced.iter_mut().for_each(&mut note);
        if let Some(rank) = ranks.get_mut(block as usize) {
            *rank = 1;
        }
        // There are 33 tables at most, so that what is left is not soon used up.
        let mut so_far = 1u16;
        for rank in ranks.iter_mut().skip(1) {
            so_far = so_far.saturating_add(*rank);
            *rank = so_far;
        }
        if let Some(never) = ranks.first_mut() {
            *never = 0;
        }
        let rank = |time: u32| ranks.get(time as usize).map_or(u32::MAX, |rank| u32::from(*rank));
        let small = |time: &mut u32| *time = rank(*time);
        self.shared_shadow.order.times().for_each(small);
        self.pages.shadow.order.times().for_each(small);
        self.meetings.times().for_each(small);
        self.synced.iter_mut().for_each(small);
        self.shared_shadow.rank(rank);
        self.pages.shadow.rank(rank);
        (self.block_time, self.time) = (rank(block), rank(self.time));
    }
}
