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

/// A warp's registers and digest, which one pass reads and writes.
pub(super) struct Rows<'a> {
    pub(super) w: &'a [Cell<[u32; 32]>],
    pub(super) d: &'a [Cell<[u64; 32]>],
    pub(super) h: &'a [Cell<u32>; 32],
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

    /// Writes what `f` computes of the active lanes and folds it into the digest.
    #[inline(always)]
    pub(super) fn fill<T: Copy>(
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
pub(super) fn all<R: Copy + Default>(mut f: impl FnMut(usize) -> R) -> [R; 32] {
    let mut result = [R::default(); 32];
    for (lane, value) in result.iter_mut().enumerate() {
        *value = f(lane);
    }
    result
}

/// The lanes where `f` holds; lanes outside the mask may hold anything.
#[inline(always)]
pub(super) fn test(mask: u32, mut f: impl FnMut(usize) -> bool) -> u32 {
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
pub(super) fn bit(mask: u32, lane: usize) -> u32 {
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
pub(super) fn narrow(value: u64) -> u32 {
    value as u32 ^ ((value >> 32) as u32).rotate_left(13)
}

impl Machine<'_> {
    /// The key's words for the digest.
    #[inline(always)]
    pub(super) fn folded(&self) -> &[u32; 32] {
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
    pub(super) fn put_lane(&self, warp: &mut Warp, slot: Slot, lane: usize, value: u32) {
        warp.w[usize::from(slot)][lane & 31] = value;
        if let Some(key) = &self.key {
            warp.h[lane & 31] = fold(warp.h[lane & 31], key.lanes[lane & 31], value);
        }
    }

    /// The same for one lane.
    #[inline(always)]
    pub(super) fn put_lane_d(&self, warp: &mut Warp, slot: Slot, lane: usize, value: u64) {
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
}
