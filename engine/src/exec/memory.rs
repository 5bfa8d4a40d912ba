//! Loads, stores and reductions of a warp.

use super::{Fault, Machine, shadow::Clock, warp::Warp};
use crate::{
    AccessError, TrapKind,
    ir::{self, Access, Extend, Ins, MIDDLE, Place, Reduce, TAG_SHIFT},
};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Region {
    Shared,
    Local,
    Table,
    Param,
    Buffer(u16),
}

/// Bytes of all lanes of one access, lane after lane.
type Bytes = [u8; 512];

fn lanes(mut mask: u32) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let lane = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        Some(lane)
    })
}

/// Region and offset of an address; the offset of a buffer may lie outside it.
#[inline(always)]
fn resolve(place: Place, address: u64) -> Option<(Region, u64)> {
    match place {
        Place::Shared => Some((Region::Shared, address)),
        Place::Local => Some((Region::Local, address)),
        Place::Param => Some((Region::Param, address)),
        Place::Generic | Place::Global | Place::Const => {
            let tag = address >> TAG_SHIFT;
            let offset = address & ((1 << TAG_SHIFT) - 1);
            let region = match tag {
                ir::TAG_TABLE => Region::Table,
                ir::TAG_SHARED if place == Place::Generic => Region::Shared,
                ir::TAG_LOCAL if place == Place::Generic => Region::Local,
                ir::TAG_PARAM if place == Place::Generic => Region::Param,
                _ if place != Place::Const => {
                    let index = u16::try_from(tag.checked_sub(ir::TAG_BUFFER)?).ok()?;
                    return Some((Region::Buffer(index), offset.wrapping_sub(MIDDLE)));
                }
                _ => return None,
            };
            Some((region, offset))
        }
    }
}

fn out_of_bounds(lane: usize) -> Fault {
    Fault::trap(TrapKind::OutOfBounds, lane)
}

/// How the active lanes' addresses lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    Same,
    /// All 32 lanes, one after the other without gaps.
    Row,
    Scattered,
}

impl Machine<'_> {
    #[inline(always)]
    fn addresses(&self, warp: &Warp, ins: &Ins, access: Access) -> [u64; 32] {
        let mut addresses = [0u64; 32];
        let by = i64::from(ins.imm) as u64;
        if access.wide {
            let base = &warp.d[usize::from(ins.a)];
            for lane in 0..32 {
                addresses[lane] = base[lane].wrapping_add(by);
            }
        } else {
            let base = &warp.w[usize::from(ins.a)];
            for lane in 0..32 {
                addresses[lane] = u64::from(base[lane].wrapping_add(by as u32));
            }
        }
        addresses
    }

    #[inline(always)]
    fn pattern(addresses: &[u64; 32], mask: u32, total: u64) -> Result<Pattern, Fault> {
        let first = addresses[mask.trailing_zeros() as usize & 31];
        let (mut same, mut row, mut aligned) = (true, true, true);
        if mask == u32::MAX {
            for (lane, address) in addresses.iter().enumerate() {
                same &= *address == first;
                row &= *address == first.wrapping_add(lane as u64 * total);
                aligned &= *address & (total - 1) == 0;
            }
        } else {
            row = false;
            for lane in lanes(mask) {
                same &= addresses[lane] == first;
                aligned &= addresses[lane] & (total - 1) == 0;
            }
        }
        if !aligned {
            for lane in lanes(mask) {
                if addresses[lane] & (total - 1) != 0 {
                    return Err(Fault::trap(TrapKind::Misaligned, lane));
                }
            }
        }
        Ok(if same {
            Pattern::Same
        } else if row {
            Pattern::Row
        } else {
            Pattern::Scattered
        })
    }

    fn clock(&self, warp: &Warp) -> Clock {
        Clock { now: self.time, block: self.block_time, warp: warp.synced.max(self.block_time) }
    }

    /// The address for a trap's report.
    fn located(mut fault: Fault, region: Region, offset: u64) -> Fault {
        if let (Fault::Trap { address, .. }, Region::Buffer(buffer)) = (&mut fault, region) {
            *address = Some((buffer, offset));
        }
        fault
    }

    pub(super) fn load(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let total = u64::from(access.size) * u64::from(access.count);
        let addresses = self.addresses(warp, ins, access);
        let pattern = Self::pattern(&addresses, mask, total)
            .map_err(|fault| Self::with_address(fault, access.place, &addresses))?;
        let clock = self.clock(warp);
        let mut bytes: Bytes = [0; 512];
        let width = total as usize;
        let first = mask.trailing_zeros() as usize & 31;
        match pattern {
            Pattern::Same => {
                let (region, offset) = resolve(access.place, addresses[first]).ok_or(out_of_bounds(first))?;
                if region == Region::Local {
                    for lane in lanes(mask) {
                        self.fetch_local(warp, offset, &mut bytes[lane * width..][..width], lane)?;
                    }
                } else {
                    let mut one = [0u8; 16];
                    let one = &mut one[..width];
                    self.fetch(warp, region, offset, one, first, clock)?;
                    // More than one reader: the second tells the shadow so.
                    if let Some(second) = lanes(mask).nth(1) {
                        self.note_read(warp, region, offset, width, second, clock)?;
                    }
                    for lane in lanes(mask) {
                        bytes[lane * width..][..width].copy_from_slice(one);
                    }
                }
            }
            Pattern::Row => {
                let done = match resolve(access.place, addresses[0]) {
                    Some((region, offset)) => self.fetch_row(warp, region, offset, width, &mut bytes, clock)?,
                    None => false,
                };
                if !done {
                    self.fetch_each(warp, access.place, &addresses, width, &mut bytes, mask, clock)?;
                }
            }
            Pattern::Scattered => {
                self.fetch_each(warp, access.place, &addresses, width, &mut bytes, mask, clock)?;
            }
        }
        self.unpack(warp, ins, access, &bytes, mask);
        Ok(())
    }

    fn with_address(fault: Fault, place: Place, addresses: &[u64; 32]) -> Fault {
        if let Fault::Trap { lane, .. } = fault
            && let Some((region, offset)) = resolve(place, addresses[lane & 31])
        {
            return Self::located(fault, region, offset);
        }
        fault
    }

    #[allow(clippy::too_many_arguments)]
    fn fetch_each(
        &mut self,
        warp: &Warp,
        place: Place,
        addresses: &[u64; 32],
        width: usize,
        bytes: &mut Bytes,
        mask: u32,
        clock: Clock,
    ) -> Result<(), Fault> {
        for lane in lanes(mask) {
            let (region, offset) = resolve(place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            self.fetch(warp, region, offset, &mut bytes[lane * width..][..width], lane, clock)?;
        }
        Ok(())
    }

    /// Whether the row could be read at once; where it could not, lane by lane tells why.
    fn fetch_row(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        width: usize,
        bytes: &mut Bytes,
        clock: Clock,
    ) -> Result<bool, Fault> {
        let length = 32 * width;
        let thread = warp.first() as u16;
        match region {
            Region::Shared => {
                let grain = self.code.shared_grain as usize;
                let Ok(start) = usize::try_from(offset) else { return Ok(false) };
                if grain != width {
                    return Ok(false);
                }
                let Some(from) = self.shared.get(start..start.saturating_add(length)) else { return Ok(false) };
                if !self.shared_shadow.read_row(start / grain, thread, clock, true) {
                    return Ok(false);
                }
                bytes[..length].copy_from_slice(from);
                Ok(true)
            }
            Region::Buffer(buffer) => {
                if self.tracks(buffer) {
                    let grain = u64::from(self.code.global_grain);
                    if grain != width as u64 || super::shadow::Pages::rest(offset / grain) < 32 {
                        return Ok(false);
                    }
                    if self.memory.load(buffer, offset, &mut bytes[..length]).is_err() {
                        return Ok(false);
                    }
                    let at = self.pages.find(buffer, offset / grain);
                    return Ok(self.pages.shadow.read_row(at, thread, clock, false));
                }
                Ok(self.memory.load(buffer, offset, &mut bytes[..length]).is_ok())
            }
            Region::Table | Region::Local | Region::Param => Ok(false),
        }
    }

    #[inline(always)]
    fn fetch(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        out: &mut [u8],
        lane: usize,
        clock: Clock,
    ) -> Result<(), Fault> {
        let width = out.len();
        let from = match region {
            Region::Shared => {
                let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                let Some(from) = self.shared.get(start..start.saturating_add(width)) else {
                    return Err(out_of_bounds(lane));
                };
                let grain = self.code.shared_grain as usize;
                let thread = (warp.first() + lane as u32) as u16;
                for at in start / grain..(start + width) / grain {
                    if !self.shared_shadow.written(at) {
                        return Err(Fault::trap(TrapKind::Uninitialised, lane));
                    }
                    self.shared_shadow
                        .read(at, thread, clock)
                        .map_err(|_| Fault::trap(TrapKind::Race, lane))?;
                }
                from
            }
            Region::Local => return self.fetch_local(warp, offset, out, lane),
            Region::Table => {
                let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                self.code.table.get(start..start.saturating_add(width)).ok_or(out_of_bounds(lane))?
            }
            Region::Param => {
                let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                self.params.get(start..start.saturating_add(width)).ok_or(out_of_bounds(lane))?
            }
            Region::Buffer(buffer) => {
                if let Err(error) = self.memory.load(buffer, offset, out) {
                    return Err(self.refused(buffer, offset, width, lane, error));
                }
                return self.note_read(warp, region, offset, width, lane, clock);
            }
        };
        out.copy_from_slice(from);
        Ok(())
    }

    #[inline(always)]
    fn note_read(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        width: usize,
        lane: usize,
        clock: Clock,
    ) -> Result<(), Fault> {
        let thread = (warp.first() + lane as u32) as u16;
        match region {
            Region::Shared => {
                let grain = u64::from(self.code.shared_grain);
                for at in offset / grain..(offset + width as u64) / grain {
                    self.shared_shadow
                        .read(at as usize, thread, clock)
                        .map_err(|_| Fault::trap(TrapKind::Race, lane))?;
                }
                Ok(())
            }
            Region::Buffer(buffer) if self.tracks(buffer) => {
                let grain = u64::from(self.code.global_grain);
                for at in offset / grain..(offset + width as u64) / grain {
                    let index = self.pages.find(buffer, at);
                    self.pages.shadow.read(index, thread, clock).map_err(|_| {
                        Self::located(Fault::trap(TrapKind::Race, lane), region, offset)
                    })?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether accesses to a buffer need the race detector.
    #[inline(always)]
    fn tracks(&mut self, buffer: u16) -> bool {
        match self.tracked {
            Some((last, tracked)) if last == buffer => tracked,
            _ => {
                let tracked = self.memory.writable(buffer);
                self.tracked = Some((buffer, tracked));
                tracked
            }
        }
    }

    fn refused(&mut self, buffer: u16, offset: u64, width: usize, lane: usize, error: AccessError) -> Fault {
        let kind = match error {
            AccessError::OutOfBounds => TrapKind::OutOfBounds,
            AccessError::NotOwned => TrapKind::NotOwned,
            AccessError::OwnedByOther => TrapKind::OwnedByOther,
            AccessError::Incomplete => {
                let mut one = [0u8; 1];
                let missing = (0..width as u64).find(|by| {
                    self.memory.load(buffer, offset.wrapping_add(*by), &mut one) == Err(AccessError::Incomplete)
                });
                return Fault::Incomplete { buffer, offset: offset.wrapping_add(missing.unwrap_or(0)) };
            }
        };
        Fault::Trap { kind, lane, address: Some((buffer, offset)) }
    }

    fn fetch_local(&self, warp: &Warp, offset: u64, out: &mut [u8], lane: usize) -> Result<(), Fault> {
        let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
        for (at, byte) in out.iter_mut().enumerate() {
            let at = start.saturating_add(at);
            let (Some(row), Some(written)) = (warp.local.get(at / 4), warp.local_written.get(at / 4)) else {
                return Err(out_of_bounds(lane));
            };
            if written[at % 4] >> lane & 1 == 0 {
                return Err(Fault::trap(TrapKind::Uninitialised, lane));
            }
            *byte = (row[lane] >> (8 * (at % 4))) as u8;
        }
        Ok(())
    }

    fn unpack(&mut self, warp: &mut Warp, ins: &Ins, access: Access, bytes: &Bytes, mask: u32) {
        let width = usize::from(access.size) * usize::from(access.count);
        let targets = [ins.d, ins.e, ins.b, ins.c];
        for (element, target) in targets.iter().enumerate().take(usize::from(access.count)) {
            let skip = element * usize::from(access.size);
            match access.size {
                8 => {
                    let mut values = [0u64; 32];
                    for (lane, value) in values.iter_mut().enumerate() {
                        let at = lane * width + skip;
                        let mut word = [0u8; 8];
                        word.copy_from_slice(&bytes[at..at + 8]);
                        *value = u64::from_le_bytes(word);
                    }
                    self.put_d(warp, *target, &values, mask);
                }
                4 => {
                    let mut values = [0u32; 32];
                    for (lane, value) in values.iter_mut().enumerate() {
                        let at = lane * width + skip;
                        *value = u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
                    }
                    self.put_w(warp, *target, &values, mask);
                }
                size => {
                    let mut values = [0u32; 32];
                    for (lane, value) in values.iter_mut().enumerate() {
                        let at = lane * width + skip;
                        let raw = if size == 2 {
                            u32::from(bytes[at]) | u32::from(bytes[at + 1]) << 8
                        } else {
                            u32::from(bytes[at])
                        };
                        let shift = 32 - 8 * u32::from(size);
                        *value = match access.extend {
                            Extend::Zero => raw,
                            Extend::Sign32 => ((raw << shift) as i32 >> shift) as u32,
                            Extend::Sign16 => ((raw << shift) as i32 >> shift) as u32 & 0xffff,
                        };
                    }
                    self.put_w(warp, *target, &values, mask);
                }
            }
        }
    }

    pub(super) fn store(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let total = u64::from(access.size) * u64::from(access.count);
        let addresses = self.addresses(warp, ins, access);
        let pattern = Self::pattern(&addresses, mask, total)
            .map_err(|fault| Self::with_address(fault, access.place, &addresses))?;
        let clock = self.clock(warp);
        let width = total as usize;
        let mut bytes: Bytes = [0; 512];
        let sources = [ins.d, ins.e, ins.b, ins.c];
        for (element, source) in sources.iter().enumerate().take(usize::from(access.count)) {
            let skip = element * usize::from(access.size);
            let size = usize::from(access.size);
            if size == 8 {
                let values = &warp.d[usize::from(*source)];
                for (lane, value) in values.iter().enumerate() {
                    bytes[lane * width + skip..][..8].copy_from_slice(&value.to_le_bytes());
                }
            } else {
                let values = &warp.w[usize::from(*source)];
                for (lane, value) in values.iter().enumerate() {
                    bytes[lane * width + skip..][..size].copy_from_slice(&value.to_le_bytes()[..size]);
                }
            }
        }
        if pattern == Pattern::Row
            && let Some((region, offset)) = resolve(access.place, addresses[0])
            && self.put_row(warp, region, offset, &bytes[..32 * width], width, clock)?
        {
            return Ok(());
        }
        for lane in lanes(mask) {
            let (region, offset) = resolve(access.place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            let thread = (warp.first() + lane as u32) as u16;
            let value = &bytes[lane * width..][..width];
            match region {
                Region::Shared => {
                    let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                    let Some(into) = self.shared.get_mut(start..start.saturating_add(width)) else {
                        return Err(out_of_bounds(lane));
                    };
                    let grain = self.code.shared_grain as usize;
                    for at in start / grain..(start + width) / grain {
                        self.shared_shadow
                            .write(at, thread, clock)
                            .map_err(|_| Fault::trap(TrapKind::Race, lane))?;
                    }
                    into.copy_from_slice(value);
                }
                Region::Local => {
                    let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                    for (at, byte) in value.iter().enumerate() {
                        let at = start.saturating_add(at);
                        let (Some(row), Some(written)) =
                            (warp.local.get_mut(at / 4), warp.local_written.get_mut(at / 4))
                        else {
                            return Err(out_of_bounds(lane));
                        };
                        let shift = 8 * (at % 4);
                        row[lane] = row[lane] & !(0xff << shift) | u32::from(*byte) << shift;
                        written[at % 4] |= 1 << lane;
                    }
                }
                // Module variables belong to no thread block.
                Region::Table => return Err(Fault::trap(TrapKind::NotOwned, lane)),
                Region::Param => return Err(out_of_bounds(lane)),
                Region::Buffer(buffer) => {
                    if let Err(error) = self.memory.store(buffer, offset, value) {
                        return Err(self.refused(buffer, offset, width, lane, error));
                    }
                    if self.tracks(buffer) {
                        let grain = u64::from(self.code.global_grain);
                        for at in offset / grain..(offset + width as u64) / grain {
                            let index = self.pages.find(buffer, at);
                            self.pages.shadow.write(index, thread, clock).map_err(|_| {
                                Self::located(Fault::trap(TrapKind::Race, lane), region, offset)
                            })?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn put_row(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        bytes: &[u8],
        width: usize,
        clock: Clock,
    ) -> Result<bool, Fault> {
        let thread = warp.first() as u16;
        match region {
            Region::Shared => {
                let grain = self.code.shared_grain as usize;
                let Ok(start) = usize::try_from(offset) else { return Ok(false) };
                if grain != width {
                    return Ok(false);
                }
                let Some(into) = self.shared.get_mut(start..start.saturating_add(bytes.len())) else {
                    return Ok(false);
                };
                if !self.shared_shadow.write_row(start / grain, thread, clock) {
                    return Ok(false);
                }
                into.copy_from_slice(bytes);
                Ok(true)
            }
            Region::Buffer(buffer) => {
                let grain = u64::from(self.code.global_grain);
                if self.tracks(buffer) && (grain != width as u64 || super::shadow::Pages::rest(offset / grain) < 32) {
                    return Ok(false);
                }
                if self.memory.store(buffer, offset, bytes).is_err() {
                    return Ok(false);
                }
                if !self.tracks(buffer) {
                    return Ok(true);
                }
                let at = self.pages.find(buffer, offset / grain);
                Ok(self.pages.shadow.write_row(at, thread, clock))
            }
            _ => Ok(false),
        }
    }

    pub(super) fn reduce(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        operation: Reduce,
        access: Access,
        mask: u32,
    ) -> Result<(), Fault> {
        let width = usize::from(access.size);
        let addresses = self.addresses(warp, ins, access);
        Self::pattern(&addresses, mask, width as u64)?;
        let clock = self.clock(warp);
        let grain = self.code.shared_grain as usize;
        for lane in lanes(mask) {
            let start = usize::try_from(addresses[lane]).map_err(|_| out_of_bounds(lane))?;
            let thread = (warp.first() + lane as u32) as u16;
            let Some(cell) = self.shared.get_mut(start..start.saturating_add(width)) else {
                return Err(out_of_bounds(lane));
            };
            for at in start / grain..(start + width) / grain {
                if !self.shared_shadow.written(at) {
                    return Err(Fault::trap(TrapKind::Uninitialised, lane));
                }
                self.shared_shadow
                    .reduce(at, thread, operation as u16, clock)
                    .map_err(|_| Fault::trap(TrapKind::Race, lane))?;
            }
            if width == 8 {
                let mut old = [0u8; 8];
                old.copy_from_slice(cell);
                let new = combine64(operation, u64::from_le_bytes(old), warp.d[usize::from(ins.b)][lane]);
                cell.copy_from_slice(&new.to_le_bytes());
            } else {
                let mut old = [0u8; 4];
                old.copy_from_slice(cell);
                let new = combine(operation, u32::from_le_bytes(old), warp.w[usize::from(ins.b)][lane]);
                cell.copy_from_slice(&new.to_le_bytes());
            }
        }
        Ok(())
    }
}

/// One step of a reduction.
pub(super) fn combine(operation: Reduce, a: u32, b: u32) -> u32 {
    match operation {
        Reduce::Add => a.wrapping_add(b),
        Reduce::And => a & b,
        Reduce::Or => a | b,
        Reduce::Xor => a ^ b,
        Reduce::MinU => a.min(b),
        Reduce::MaxU => a.max(b),
        Reduce::MinS => (a as i32).min(b as i32) as u32,
        Reduce::MaxS => (a as i32).max(b as i32) as u32,
    }
}

fn combine64(operation: Reduce, a: u64, b: u64) -> u64 {
    match operation {
        Reduce::Add => a.wrapping_add(b),
        Reduce::And => a & b,
        Reduce::Or => a | b,
        Reduce::Xor => a ^ b,
        Reduce::MinU => a.min(b),
        Reduce::MaxU => a.max(b),
        Reduce::MinS => (a as i64).min(b as i64) as u64,
        Reduce::MaxS => (a as i64).max(b as i64) as u64,
    }
}
