//! Local memory: a warp at a time, and with every check in its place.

use super::{
    Fault, Machine,
    bytes::Bytes,
    lanes::keep,
    memory::{Run, lanes, out_of_bounds},
    warp::Warp,
};
use crate::TrapKind;

#[inline(always)]
pub(super) fn gather_local<const W: usize>(warp: &Warp, offsets: &[u64; 32], mask: u32, bytes: &mut Bytes) -> bool {
    let out = bytes.as_chunks_mut::<W>().0;
    if W >= 4 && offsets.iter().all(|offset| *offset == offsets[0]) {
        for word in 0..W / 4 {
            let Ok(start) = usize::try_from(offsets[0]) else { return false };
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get(at), warp.local_written.get(at)) else {
                return false;
            };
            if written[0] & written[1] & written[2] & written[3] & mask != mask {
                return false;
            }
            for (out, value) in out.iter_mut().zip(row) {
                if let Some(out) = out.get_mut(4 * word..).and_then(|out| out.first_chunk_mut()) {
                    *out = value.to_le_bytes();
                }
            }
        }
        return true;
    }
    for lane in lanes(mask) {
        let (Ok(start), Some(out)) = (usize::try_from(offsets[lane & 31]), out.get_mut(lane)) else { return false };
        for (word, out) in out.chunks_mut(4).enumerate() {
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get(at), warp.local_written.get(at)) else {
                return false;
            };
            let value = row[lane & 31].to_le_bytes();
            if W >= 4 {
                if (written[0] & written[1] & written[2] & written[3]) >> lane & 1 == 0 {
                    return false;
                }
                out.copy_from_slice(&value);
                continue;
            }
            for (by, out) in out.iter_mut().enumerate() {
                let by = (start + by) % 4;
                if written[by] >> lane & 1 == 0 {
                    return false;
                }
                *out = value[by];
            }
        }
    }
    true
}

#[inline(always)]
pub(super) fn scatter_local<const W: usize>(warp: &mut Warp, offsets: &[u64; 32], mask: u32, bytes: &Bytes) -> bool {
    let from = bytes.as_chunks::<W>().0;
    if W >= 4 && offsets.iter().all(|offset| *offset == offsets[0]) {
        let keep = keep(mask);
        for word in 0..W / 4 {
            let Ok(start) = usize::try_from(offsets[0]) else { return false };
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get_mut(at), warp.local_written.get_mut(at)) else {
                return false;
            };
            for written in written {
                *written |= mask;
            }
            for ((into, from), keep) in row.iter_mut().zip(from).zip(&keep) {
                if let Some(bytes) = from.get(4 * word..).and_then(|bytes| bytes.first_chunk()) {
                    *into ^= (*into ^ u32::from_le_bytes(*bytes)) & keep;
                }
            }
        }
        return true;
    }
    for lane in lanes(mask) {
        let (Ok(start), Some(from)) = (usize::try_from(offsets[lane & 31]), from.get(lane)) else { return false };
        for (word, from) in from.chunks(4).enumerate() {
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get_mut(at), warp.local_written.get_mut(at)) else {
                return false;
            };
            let mut value = row[lane & 31].to_le_bytes();
            for (by, from) in from.iter().enumerate() {
                let by = (start + by) % 4;
                written[by] |= 1 << lane;
                value[by] = *from;
            }
            row[lane & 31] = u32::from_le_bytes(value);
        }
    }
    true
}

impl Machine<'_> {
    /// Each lane of the run reads its own local memory, `step` bytes further than the one before.
    pub(super) fn fetch_local(
        warp: &Warp,
        offset: u64,
        out: &mut [u8],
        run: Run,
        width: usize,
        step: u64,
    ) -> Result<(), Fault> {
        for (by, bytes) in out.chunks_exact_mut(width).enumerate() {
            let lane = run.lane + by;
            let start = usize::try_from(offset.saturating_add(by as u64 * step)).map_err(|_| out_of_bounds(lane))?;
            for (at, byte) in bytes.iter_mut().enumerate() {
                let at = start.saturating_add(at);
                let (Some(row), Some(written)) = (warp.local.get(at / 4), warp.local_written.get(at / 4)) else {
                    return Err(out_of_bounds(lane));
                };
                if written[at % 4] >> lane & 1 == 0 {
                    return Err(Fault::trap(TrapKind::Uninitialised, lane));
                }
                *byte = (row[lane] >> (8 * (at % 4))) as u8;
            }
        }
        Ok(())
    }

    pub(super) fn put_local(
        warp: &mut Warp,
        offset: u64,
        from: &[u8],
        run: Run,
        width: usize,
        step: u64,
    ) -> Result<(), Fault> {
        for (by, bytes) in from.chunks_exact(width).enumerate() {
            let lane = run.lane + by;
            let start = usize::try_from(offset.saturating_add(by as u64 * step)).map_err(|_| out_of_bounds(lane))?;
            for (at, byte) in bytes.iter().enumerate() {
                let at = start.saturating_add(at);
                let (Some(row), Some(written)) = (warp.local.get_mut(at / 4), warp.local_written.get_mut(at / 4))
                else {
                    return Err(out_of_bounds(lane));
                };
                let shift = 8 * (at % 4);
                row[lane] = row[lane] & !(0xff << shift) | u32::from(*byte) << shift;
                written[at % 4] |= 1 << lane;
            }
        }
        Ok(())
    }
}
