//! Loads and stores that carry bytes which nobody has written from one place to another.

use super::{
    Fault, Machine,
    bytes::Bytes,
    memory::{Region, Run, lanes, located, objection, out_of_bounds, resolve},
    shadow::Clock,
    warp::Warp,
};
use crate::{
    TrapKind,
    ir::{Access, Ins, NONE},
};

/// Fuel of a lane whose bytes are looked at one by one.
const SLOW: u64 = 16;

impl Machine<'_> {
    /// Fuel for what is slow, beyond the lane-steps.
    pub(super) fn burn(&mut self, fuel: u64, mask: u32) -> Result<(), Fault> {
        let lane = mask.trailing_zeros() as usize & 31;
        self.fuel = self.fuel.checked_sub(fuel).ok_or(Fault::trap(TrapKind::FuelExhausted, lane))?;
        Ok(())
    }

    /// The companions of a load's or a store's registers.
    fn companion(&self, start: u32, element: usize) -> Option<usize> {
        self.code.ext.get(start as usize + element).filter(|slot| **slot != NONE).map(|slot| usize::from(*slot))
    }

    /// Sets a register that says which bytes are undefined; no result of the program.
    pub(super) fn accompany(warp: &mut Warp, ins: &Ins, mask: u32) {
        let values = warp.w[usize::from(ins.a)];
        for (lane, into) in warp.w[usize::from(ins.d)].iter_mut().enumerate() {
            if mask >> lane & 1 == 1 {
                *into = values[lane];
            }
        }
    }

    /// After an attempt to load as usual: again, where bytes are missing that the program only carries on.
    pub(super) fn load_copy(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        (access, start): (Access, u32),
        mask: u32,
        loaded: Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut missing = [0u32; 32];
        match loaded {
            Ok(()) => {}
            Err(Fault::Trap { kind: TrapKind::Uninitialised, .. }) => {
                missing = self.load_undefined(warp, ins, access, mask)?
            }
            Err(fault) => return Err(fault),
        }
        let bits = (1u32 << access.size) - 1;
        for element in 0..usize::from(access.count) {
            let Some(slot) = self.companion(start, element) else { continue };
            for (lane, into) in warp.w[slot].iter_mut().enumerate() {
                if mask >> lane & 1 == 1 {
                    *into = missing[lane] >> (element * usize::from(access.size)) & bits;
                }
            }
        }
        Ok(())
    }

    /// Loads lane by lane, zeros where nobody has written; one bit for each such byte of a lane.
    #[inline(never)]
    fn load_undefined(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<[u32; 32], Fault> {
        self.burn(SLOW * u64::from(mask.count_ones()), mask)?;
        let width = usize::from(access.size) * usize::from(access.count);
        let addresses = Self::addresses(warp, ins, access);
        let clock = self.clock(warp);
        let mut bytes: Bytes = [0; 512];
        let mut missing = [0u32; 32];
        for lane in lanes(mask) {
            let (region, offset) = resolve(access.place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            let into = &mut bytes[lane * width..(lane + 1) * width];
            missing[lane] = match region {
                Region::Shared => self.carry_shared(warp, offset, into, lane, clock)?,
                Region::Local => carry_local(warp, offset, into, lane)?,
                _ => {
                    self.fetch(warp, region, offset, into, Run { lane, count: 1, same: false }, width, clock)?;
                    0
                }
            };
        }
        self.unpack(warp, ins, access, &bytes, mask);
        Ok(missing)
    }

    fn carry_shared(
        &mut self,
        warp: &Warp,
        offset: u64,
        into: &mut [u8],
        lane: usize,
        clock: Clock,
    ) -> Result<u32, Fault> {
        let held = usize::try_from(offset)
            .ok()
            .and_then(|start| Some((start, self.shared.get(start..start.checked_add(into.len())?)?)));
        let Some((start, from)) = held else { return Err(out_of_bounds(lane)) };
        let grain = self.code.shared_grain as usize;
        let mut missing = 0u32;
        for (by, (into, from)) in into.chunks_mut(grain).zip(from.chunks(grain)).enumerate() {
            let at = start / grain + by;
            self.shared_shadow.read(at, warp.first() + lane as u32, clock).map_err(|why| objection(why, lane))?;
            if self.shared_shadow.written(at) {
                into.copy_from_slice(from);
            } else {
                missing |= ((1 << grain) - 1) << (by * grain);
            }
        }
        Ok(missing)
    }

    /// Whether all bytes that a store takes from its registers are defined.
    pub(super) fn is_defined(&self, warp: &Warp, access: Access, start: u32, mask: u32) -> bool {
        (0..usize::from(access.count))
            .filter_map(|element| self.companion(start, element))
            .all(|slot| warp.w[slot].iter().enumerate().all(|(lane, missing)| mask >> lane & 1 == 0 || *missing == 0))
    }

    /// Stores lane by lane, and nothing where there is nothing.
    #[inline(never)]
    pub(super) fn store_undefined(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        (access, start): (Access, u32),
        mask: u32,
    ) -> Result<(), Fault> {
        self.burn(SLOW * u64::from(mask.count_ones()), mask)?;
        let width = usize::from(access.size) * usize::from(access.count);
        let addresses = Self::addresses(warp, ins, access);
        Self::check_alignment(&addresses, mask, width as u64, access.place)?;
        let clock = self.clock(warp);
        let mut bytes: Bytes = [0; 512];
        Self::pack(warp, ins, access, &mut bytes);
        for lane in lanes(mask) {
            let missing = (0..usize::from(access.count)).fold(0u32, |missing, element| {
                let own = self.companion(start, element).map_or(0, |slot| warp.w[slot][lane]);
                missing | own << (element * usize::from(access.size))
            });
            let (region, offset) = resolve(access.place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            let from = &bytes[lane * width..(lane + 1) * width];
            match region {
                _ if missing == 0 => self.store_exact(warp, ins, access, 1 << lane)?,
                Region::Shared => self.leave_shared(warp, offset, from, missing, lane, clock)?,
                Region::Local => {
                    let step = Run { lane, count: 1, same: false };
                    Self::put_local(warp, offset, from, step, width, 0)?;
                    for by in (0..width).filter(|by| missing >> by & 1 == 1) {
                        let at = usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(by);
                        if let Some(written) = warp.local_written.get_mut(at / 4) {
                            written[at % 4] &= !(1 << lane);
                        }
                    }
                }
                Region::Table => return Err(Fault::trap(TrapKind::NotOwned, lane)),
                Region::Param => return Err(out_of_bounds(lane)),
                Region::Buffer(_) => return Err(located(Fault::trap(TrapKind::Uninitialised, lane), region, offset)),
            }
        }
        Ok(())
    }

    fn leave_shared(
        &mut self,
        warp: &Warp,
        offset: u64,
        from: &[u8],
        missing: u32,
        lane: usize,
        clock: Clock,
    ) -> Result<(), Fault> {
        let grain = self.code.shared_grain as usize;
        for (by, from) in from.chunks(grain).enumerate() {
            let offset = offset.saturating_add((by * grain) as u64);
            if missing >> (by * grain) & ((1 << grain) - 1) == 0 {
                self.put_shared(warp, offset, from, Run { lane, count: 1, same: false }, grain, clock)?;
                continue;
            }
            let held = usize::try_from(offset)
                .ok()
                .and_then(|start| Some((start, self.shared.get_mut(start..start.checked_add(grain)?)?)));
            let Some((start, held)) = held else { return Err(out_of_bounds(lane)) };
            held.fill(0);
            if self.is_awaited(start, grain) {
                return Err(Fault::trap(TrapKind::Race, lane));
            }
            self.shared_shadow
                .undefine(start / grain, warp.first() + lane as u32, clock)
                .map_err(|why| objection(why, lane))?;
        }
        Ok(())
    }
}

fn carry_local(warp: &Warp, offset: u64, into: &mut [u8], lane: usize) -> Result<u32, Fault> {
    let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
    let mut missing = 0u32;
    for (by, byte) in into.iter_mut().enumerate() {
        let at = start.saturating_add(by);
        let (Some(row), Some(written)) = (warp.local.get(at / 4), warp.local_written.get(at / 4)) else {
            return Err(out_of_bounds(lane));
        };
        if written[at % 4] >> lane & 1 == 1 {
            *byte = (row[lane] >> (8 * (at % 4))) as u8;
        } else {
            missing |= 1 << by;
        }
    }
    Ok(missing)
}
