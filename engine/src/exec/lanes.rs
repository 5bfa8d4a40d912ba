//! Registers and digest: results of a warp's lanes are written and folded in one go.

use super::{Machine, warp::Warp};
use crate::ir::Slot;
use core::cell::Cell;

/// Masks of up to this many lanes are worked on lane by lane, others by whole warps.
pub(super) const FEW: u32 = 6;

/// Where the compiler has no vectors: registers and digest go in one pass, lane by lane.
pub(super) const LANEWISE: bool = cfg!(target_arch = "wasm32");

/// The words of nobody's key, where none is asked for: what is folded with them is not looked at.
static NO_KEY: [u32; 32] = [0; 32];

/// A value of a lane, which a mask keeps or replaces.
pub(super) trait Value: Copy {
    /// `new` where `keep` is all ones, else `old`.
    fn choose(keep: u32, new: Self, old: Self) -> Self;
    /// In the digest's 32 bits.
    fn word(self) -> u32;
}

impl Value for u32 {
    #[inline(always)]
    fn choose(keep: u32, new: Self, old: Self) -> Self {
        old ^ (old ^ new) & keep
    }

    #[inline(always)]
    fn word(self) -> u32 {
        self
    }
}

impl Value for u64 {
    #[inline(always)]
    fn choose(keep: u32, new: Self, old: Self) -> Self {
        old ^ (old ^ new) & i64::from(keep as i32) as u64
    }

    #[inline(always)]
    fn word(self) -> u32 {
        self as u32 ^ ((self >> 32) as u32).rotate_left(13)
    }
}

/// A warp's registers and digest, which are read and written in one go: eight lanes at a time, so that compilers see vectors, or lane by lane.
pub(super) struct Rows<'a> {
    pub(super) w: &'a [Cell<[u32; 32]>],
    pub(super) d: &'a [Cell<[u64; 32]>],
    h: &'a [Cell<u32>; 32],
}

impl<'a> Rows<'a> {
    #[inline(always)]
    pub(super) fn of(w: &'a mut [[u32; 32]], d: &'a mut [[u64; 32]], h: &'a mut [u32; 32]) -> Self {
        Self {
            w: Cell::from_mut(w).as_slice_of_cells(),
            d: Cell::from_mut(d).as_slice_of_cells(),
            h: Cell::from_mut(h).as_array_of_cells(),
        }
    }

    /// Writes what `f` computes of the active lanes and folds it into the digest. `f` may be asked for other lanes too.
    #[inline(always)]
    pub(super) fn put<T: Value>(
        &self,
        into: &[Cell<T>; 32],
        key: Option<&[u32; 32]>,
        active: u32,
        f: impl Fn(usize) -> T,
    ) {
        if LANEWISE {
            self.put_each(into, key.unwrap_or(&NO_KEY), active, f);
        } else if active == u32::MAX {
            each(into, f);
            if let Some(key) = key {
                each(self.h, |lane| fold(self.h[lane].get(), key[lane], into[lane].get().word()));
            }
        } else if active.count_ones() > FEW {
            let keep = keep(active);
            each(into, |lane| T::choose(keep[lane], f(lane), into[lane].get()));
            if let Some(key) = key {
                each(self.h, |lane| {
                    let old = self.h[lane].get();
                    u32::choose(keep[lane], fold(old, key[lane], into[lane].get().word()), old)
                });
            }
        } else {
            let mut left = active;
            while left != 0 {
                let lane = left.trailing_zeros() as usize & 31;
                left &= left - 1;
                let value = f(lane);
                into[lane].set(value);
                if let Some(key) = key {
                    self.h[lane].set(fold(self.h[lane].get(), key[lane], value.word()));
                }
            }
        }
    }

    #[inline(always)]
    fn put_each<T: Value>(&self, into: &[Cell<T>; 32], key: &[u32; 32], active: u32, f: impl Fn(usize) -> T) {
        let step = |lane: usize| {
            let value = f(lane);
            into[lane].set(value);
            self.h[lane].set(fold(self.h[lane].get(), key[lane], value.word()));
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

/// Sets all lanes to what `f` computes of them, eight by eight: all of these are computed before the first is set, as vectors are.
#[inline(always)]
fn each<T: Copy>(into: &[Cell<T>; 32], f: impl Fn(usize) -> T) {
    eight::<T, 0>(into, &f);
    eight::<T, 8>(into, &f);
    eight::<T, 16>(into, &f);
    eight::<T, 24>(into, &f);
}

#[inline(always)]
fn eight<T: Copy, const AT: usize>(into: &[Cell<T>; 32], f: &impl Fn(usize) -> T) {
    // Not through the reference: that would be one more call.
    let values =
        [(*f)(AT), (*f)(AT + 1), (*f)(AT + 2), (*f)(AT + 3), (*f)(AT + 4), (*f)(AT + 5), (*f)(AT + 6), (*f)(AT + 7)];
    into[AT].set(values[0]);
    into[AT + 1].set(values[1]);
    into[AT + 2].set(values[2]);
    into[AT + 3].set(values[3]);
    into[AT + 4].set(values[4]);
    into[AT + 5].set(values[5]);
    into[AT + 6].set(values[6]);
    into[AT + 7].set(values[7]);
}

/// The lanes where `f` holds; lanes outside the mask may hold anything.
#[inline(always)]
pub(super) fn test(mask: u32, mut f: impl FnMut(usize) -> bool) -> u32 {
    let mut result = 0u32;
    if mask == u32::MAX || mask.count_ones() > FEW {
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

/// For each byte of a mask: all ones where its bit is set. Out of a table, so that no compiler knows these words for masks: it would store through
/// them, which some CPUs do lane by lane.
pub(crate) static KEEP: [[u32; 8]; 256] = {
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

/// One step of the digest.
#[inline(always)]
fn fold(h: u32, key: u32, value: u32) -> u32 {
    (h ^ key).rotate_left(16).wrapping_add(value)
}

/// One step of the digest of predicates.
#[inline(always)]
pub(super) fn answer(scalar: u32, key: u32, holds: u32) -> u32 {
    (scalar ^ key).rotate_left(9).wrapping_mul(0x9e37_79b1).wrapping_add(holds)
}

impl Machine<'_> {
    /// The key's words for the digest.
    #[inline(always)]
    pub(super) fn folded(&self) -> Option<&[u32; 32]> {
        self.key.as_ref().map(|key| &key.lanes)
    }

    /// Writes what `f` computes of each lane, and folds it into the digest.
    #[inline(always)]
    pub(super) fn fill_w(&mut self, warp: &mut Warp, slot: Slot, mask: u32, f: impl Fn(usize) -> u32) {
        let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
        rows.put(rows.w[usize::from(slot)].as_array_of_cells(), self.folded(), mask, f);
    }

    /// The same for 64 bits.
    #[inline(always)]
    pub(super) fn fill_d(&mut self, warp: &mut Warp, slot: Slot, mask: u32, f: impl Fn(usize) -> u64) {
        let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
        rows.put(rows.d[usize::from(slot)].as_array_of_cells(), self.folded(), mask, f);
    }

    /// Writes a result and folds it into the digest.
    #[inline(always)]
    pub(super) fn put_w(&mut self, warp: &mut Warp, slot: Slot, values: &[u32; 32], mask: u32) {
        self.fill_w(warp, slot, mask, |lane| values[lane]);
    }

    /// Writes a result and folds it into the digest.
    #[inline(always)]
    pub(super) fn put_d(&mut self, warp: &mut Warp, slot: Slot, values: &[u64; 32], mask: u32) {
        self.fill_d(warp, slot, mask, |lane| values[lane]);
    }

    /// Writes a predicate and folds it into the digest.
    #[inline(always)]
    pub(super) fn put_p(&mut self, warp: &mut Warp, slot: Slot, values: u32, mask: u32) {
        let into = &mut warp.p[usize::from(slot)];
        *into = *into & !mask | values & mask;
        if let Some(key) = &self.key {
            warp.scalar = answer(warp.scalar, key.lanes[0], values & mask);
        }
    }
}
