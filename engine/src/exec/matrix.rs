//! Matrices of 8×8 16-bit elements: from shared memory into the fragments of a warp, and transposed among them.

use super::{
    Fault, Machine,
    memory::{Region, objection, resolve},
    warp::Warp,
};
use crate::{
    TrapKind,
    ir::{Access, Ins},
};

/// Rows of 16 bytes.
type Matrix = [[u8; 16]; 8];

/// The two elements that a lane holds.
fn fragment(matrix: &Matrix, transposed: bool, lane: usize) -> u32 {
    let (major, minor) = (lane / 4, lane % 4 * 2);
    let element = |at: usize| {
        let (row, column) = if transposed { (at, major) } else { (major, at) };
        let row = &matrix[row & 7];
        u32::from(row[2 * (column & 7)]) | u32::from(row[2 * (column & 7) + 1]) << 8
    };
    element(minor) | element(minor + 1) << 16
}

impl Machine<'_> {
    /// Lane `8 * i + r` names row `r` of matrix `i`; all lanes take part.
    pub(super) fn load_matrix(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        access: Access,
        transposed: bool,
        mask: u32,
    ) -> Result<(), Fault> {
        if mask != u32::MAX {
            return Err(Fault::trap(TrapKind::Barrier, mask.trailing_zeros() as usize & 31));
        }
        let addresses = Self::addresses(warp, ins, access);
        let clock = self.clock(warp);
        let grain = self.code.shared_grain as usize;
        let targets = [ins.d, ins.e, ins.b, ins.c];
        for (number, target) in targets.into_iter().enumerate().take(usize::from(access.count)) {
            let mut matrix: Matrix = [[0; 16]; 8];
            for (row, into) in matrix.iter_mut().enumerate() {
                let lane = number * 8 + row;
                let address = addresses[lane & 31];
                if address & 15 != 0 {
                    return Err(Fault::trap(TrapKind::Misaligned, lane));
                }
                let held = match resolve(access.place, address) {
                    Some((Region::Shared, offset)) => usize::try_from(offset).ok(),
                    _ => None,
                };
                let bytes = held.and_then(|start| Some((start, self.shared.get(start..start.checked_add(16)?)?)));
                let Some((start, bytes)) = bytes else { return Err(Fault::trap(TrapKind::OutOfBounds, lane)) };
                into.copy_from_slice(bytes);
                for at in start / grain..(start + 16) / grain {
                    if !self.shared_shadow.written(at) {
                        return Err(Fault::trap(TrapKind::Uninitialised, lane));
                    }
                    // Other lanes than the one that names the row get its elements.
                    for reader in [lane as u32, lane as u32 ^ 1, lane as u32 ^ 31] {
                        self.shared_shadow
                            .read(at, warp.first() + reader, clock)
                            .map_err(|why| objection(why, lane))?;
                    }
                }
            }
            let mut values = [0u32; 32];
            for (lane, value) in values.iter_mut().enumerate() {
                *value = fragment(&matrix, transposed, lane);
            }
            self.put_w(warp, target, &values, mask);
        }
        Ok(())
    }

    /// The same the other way: the warp's fragments into the rows.
    pub(super) fn store_matrix(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        access: Access,
        transposed: bool,
        mask: u32,
    ) -> Result<(), Fault> {
        if mask != u32::MAX {
            return Err(Fault::trap(TrapKind::Barrier, mask.trailing_zeros() as usize & 31));
        }
        let addresses = Self::addresses(warp, ins, access);
        let clock = self.clock(warp);
        let grain = self.code.shared_grain as usize;
        let sources = [ins.d, ins.e, ins.b, ins.c];
        for (number, source) in sources.into_iter().enumerate().take(usize::from(access.count)) {
            let mut matrix: Matrix = [[0; 16]; 8];
            for (lane, value) in warp.w[usize::from(source)].iter().enumerate() {
                let (major, minor) = (lane / 4, lane % 4 * 2);
                for (by, half) in [*value as u16, (*value >> 16) as u16].into_iter().enumerate() {
                    let (row, column) = if transposed { (minor + by, major) } else { (major, minor + by) };
                    matrix[row & 7][2 * (column & 7)..][..2].copy_from_slice(&half.to_le_bytes());
                }
            }
            for (row, from) in matrix.iter().enumerate() {
                let lane = number * 8 + row;
                let address = addresses[lane & 31];
                if address & 15 != 0 {
                    return Err(Fault::trap(TrapKind::Misaligned, lane));
                }
                let held = match resolve(access.place, address) {
                    Some((Region::Shared, offset)) => usize::try_from(offset).ok(),
                    _ => None,
                };
                let into = held.and_then(|start| Some((start, self.shared.get_mut(start..start.checked_add(16)?)?)));
                let Some((start, into)) = into else { return Err(Fault::trap(TrapKind::OutOfBounds, lane)) };
                into.copy_from_slice(from);
                for at in start / grain..(start + 16) / grain {
                    // Several lanes give a row its elements; none of them may count on the others.
                    let own = warp.first() + lane as u32;
                    self.shared_shadow.write(at, own, clock).map_err(|why| objection(why, lane))?;
                    for other in [own ^ 1, own ^ 31] {
                        self.shared_shadow.write_again(at, other, clock).map_err(|why| objection(why, lane))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Transposes the matrix that the warp holds.
    pub(super) fn move_matrix(&mut self, warp: &mut Warp, ins: &Ins) {
        let mut matrix: Matrix = [[0; 16]; 8];
        for (lane, value) in warp.w[usize::from(ins.a)].iter().enumerate() {
            matrix[lane / 4][lane % 4 * 4..][..4].copy_from_slice(&value.to_le_bytes());
        }
        let mut values = [0u32; 32];
        for (lane, value) in values.iter_mut().enumerate() {
            *value = fragment(&matrix, true, lane);
        }
        self.put_w(warp, ins.d, &values, u32::MAX);
    }
}
