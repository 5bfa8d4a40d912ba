//! Between registers and the bytes that a warp moves.

use super::{Machine, warp::Warp};
use crate::ir::{Access, Extend, Ins};

/// Bytes that all lanes move at most in one access.
pub(super) const BYTES: usize = 512;
/// Bytes of all lanes of one access, lane after lane.
pub(super) type Bytes = [u8; BYTES];

/// A lane's element of `SIZE` bytes, `WIDTH` bytes apart.
#[inline(always)]
fn element<const SIZE: usize, const WIDTH: usize>(bytes: &Bytes, skip: usize, lane: usize) -> [u8; SIZE] {
    let rows: &[[u8; WIDTH]] = bytes.as_chunks().0;
    rows[lane].get(skip..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; SIZE])
}

#[inline(always)]
fn word<const WIDTH: usize>(bytes: &Bytes, skip: usize, lane: usize) -> u32 {
    u32::from_le_bytes(element::<4, WIDTH>(bytes, skip, lane))
}

#[inline(always)]
fn double<const WIDTH: usize>(bytes: &Bytes, skip: usize, lane: usize) -> u64 {
    u64::from_le_bytes(element::<8, WIDTH>(bytes, skip, lane))
}

/// Elements of one or two bytes.
#[inline(always)]
fn narrow<const SIZE: usize, const WIDTH: usize>(
    bytes: &Bytes,
    skip: usize,
    extend: Extend,
) -> impl Fn(usize) -> u32 + use<'_, SIZE, WIDTH> {
    let shift = 32 - 8 * SIZE as u32;
    // What the sign is spread over.
    let (up, kept) = match extend {
        Extend::Zero => (0, u32::MAX),
        Extend::Sign32 => (shift, u32::MAX),
        Extend::Sign16 => (shift, 0xffff),
    };
    move |lane| {
        let mut raw = [0u8; 4];
        raw[..SIZE].copy_from_slice(&element::<SIZE, WIDTH>(bytes, skip, lane));
        ((u32::from_le_bytes(raw) << up) as i32 >> up) as u32 & kept
    }
}

#[inline(always)]
fn scatter<const SIZE: usize, const WIDTH: usize>(bytes: &mut Bytes, skip: usize, values: &[u32; 32]) {
    for (bytes, value) in bytes.as_chunks_mut::<WIDTH>().0.iter_mut().zip(values) {
        if let Some(bytes) = bytes.get_mut(skip..).and_then(|bytes| bytes.first_chunk_mut::<SIZE>()) {
            bytes.copy_from_slice(&value.to_le_bytes()[..SIZE]);
        }
    }
}

#[inline(always)]
fn scatter_doubles<const WIDTH: usize>(bytes: &mut Bytes, skip: usize, values: &[u64; 32]) {
    for (bytes, value) in bytes.as_chunks_mut::<WIDTH>().0.iter_mut().zip(values) {
        if let Some(bytes) = bytes.get_mut(skip..).and_then(|bytes| bytes.first_chunk_mut()) {
            *bytes = value.to_le_bytes();
        }
    }
}
impl Machine<'_> {
    #[inline(always)]
    pub(super) fn unpack(&mut self, warp: &mut Warp, ins: &Ins, access: Access, bytes: &Bytes, mask: u32) {
        let extend = access.extend;
        match (access.size, access.count) {
            (4, 1) => self.fill_w(warp, ins.d, mask, |lane| word::<4>(bytes, 0, lane)),
            (8, 1) => self.fill_d(warp, ins.d, mask, |lane| double::<8>(bytes, 0, lane)),
            (1, 1) => self.fill_w(warp, ins.d, mask, narrow::<1, 1>(bytes, 0, extend)),
            (2, 1) => self.fill_w(warp, ins.d, mask, narrow::<2, 2>(bytes, 0, extend)),
            (size, count) => {
                let targets = [ins.d, ins.e, ins.b, ins.c];
                for (element, target) in targets.into_iter().enumerate().take(usize::from(count)) {
                    let skip = element * usize::from(size);
                    match (size, count) {
                        (8, _) => self.fill_d(warp, target, mask, |lane| double::<16>(bytes, skip, lane)),
                        (4, 2) => self.fill_w(warp, target, mask, |lane| word::<8>(bytes, skip, lane)),
                        (4, _) => self.fill_w(warp, target, mask, |lane| word::<16>(bytes, skip, lane)),
                        (2, 2) => self.fill_w(warp, target, mask, narrow::<2, 4>(bytes, skip, extend)),
                        (2, _) => self.fill_w(warp, target, mask, narrow::<2, 8>(bytes, skip, extend)),
                        (_, 2) => self.fill_w(warp, target, mask, narrow::<1, 2>(bytes, skip, extend)),
                        _ => self.fill_w(warp, target, mask, narrow::<1, 4>(bytes, skip, extend)),
                    }
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn pack(warp: &Warp, ins: &Ins, access: Access, bytes: &mut Bytes) {
        match (access.size, access.count) {
            (4, 1) => scatter::<4, 4>(bytes, 0, &warp.w[usize::from(ins.d)]),
            (8, 1) => scatter_doubles::<8>(bytes, 0, &warp.d[usize::from(ins.d)]),
            (1, 1) => scatter::<1, 1>(bytes, 0, &warp.w[usize::from(ins.d)]),
            (2, 1) => scatter::<2, 2>(bytes, 0, &warp.w[usize::from(ins.d)]),
            (size, count) => {
                let sources = [ins.d, ins.e, ins.b, ins.c];
                for (element, source) in sources.into_iter().map(usize::from).enumerate().take(usize::from(count)) {
                    let skip = element * usize::from(size);
                    match (size, count) {
                        (8, _) => scatter_doubles::<16>(bytes, skip, &warp.d[source]),
                        (4, 2) => scatter::<4, 8>(bytes, skip, &warp.w[source]),
                        (4, _) => scatter::<4, 16>(bytes, skip, &warp.w[source]),
                        (2, 2) => scatter::<2, 4>(bytes, skip, &warp.w[source]),
                        (2, _) => scatter::<2, 8>(bytes, skip, &warp.w[source]),
                        (_, 2) => scatter::<1, 2>(bytes, skip, &warp.w[source]),
                        _ => scatter::<1, 4>(bytes, skip, &warp.w[source]),
                    }
                }
            }
        }
    }
}
