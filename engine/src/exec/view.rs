//! Loads of what nobody stores to: from where the bytes lie straight into a register.
//!
//! Whatever is out of the ordinary gives `None` before anything happened; then the access is made the other way.

use super::{
    Machine,
    bytes::extended,
    memory::{Region, lanes, resolve},
    target::regular,
    warp::Warp,
};
use crate::ir::{Access, Ins, Place};

/// Bytes of one element at a place, if they are all there.
#[inline(always)]
fn element<const W: usize>(bytes: &[u8], at: u64) -> Option<[u8; W]> {
    bytes.get(usize::try_from(at).ok()?..)?.first_chunk().copied()
}

impl Machine<'_> {
    // In Wasm the loop would grow by four times the loads, and get slower.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline(always))]
    pub(super) fn load_viewed(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Option<()> {
        if access.count != 1 || mask == 0 {
            return None;
        }
        match access.size {
            4 => {
                let values = self.viewed(warp, ins, access, mask, u32::from_le_bytes)?;
                self.put_w(warp, ins.d, &values, mask);
            }
            8 => {
                let values = self.viewed(warp, ins, access, mask, u64::from_le_bytes)?;
                self.put_d(warp, ins.d, &values, mask);
            }
            1 => {
                let extend = extended(8, access.extend);
                let values = self.viewed(warp, ins, access, mask, |[byte]| extend(byte.into()))?;
                self.put_w(warp, ins.d, &values, mask);
            }
            2 => {
                let extend = extended(16, access.extend);
                let values = self.viewed(warp, ins, access, mask, |bytes| extend(u16::from_le_bytes(bytes).into()))?;
                self.put_w(warp, ins.d, &values, mask);
            }
            _ => return None,
        }
        Some(())
    }

    #[inline(always)]
    fn viewed<const W: usize, T: Copy + Default>(
        &self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        make: impl Fn([u8; W]) -> T,
    ) -> Option<[T; 32]> {
        let by = i64::from(ins.imm) as u64;
        let aligned = |addresses: u64| addresses & (W as u64 - 1) == 0;
        match access.place {
            Place::Param if !access.wide => {
                let base = &warp.w[usize::from(ins.a)];
                let at = base[0].wrapping_add(by as u32).into();
                if !aligned(at) || !regular(base, base[0], |at| at) {
                    return None;
                }
                return element(&self.params, at).map(|bytes| [make(bytes); 32]);
            }
            Place::Generic | Place::Global if access.wide => {}
            _ => return None,
        }
        let base = &warp.d[usize::from(ins.a)];
        let address = base[mask.trailing_zeros() as usize & 31].wrapping_add(by);
        let (Region::Buffer(buffer), offset) = resolve(access.place, address)? else { return None };
        let (start, bytes) = self.memory.view(buffer, offset)?;
        // From a base to its place in the bytes.
        let ahead = by.wrapping_sub(address).wrapping_add(offset).wrapping_sub(start);
        let mut values = [T::default(); 32];
        if mask == u32::MAX {
            let step = base[1].wrapping_sub(base[0]);
            if (step == 0 || step == W as u64) && regular(base, base[0], |at| at.wrapping_add(step)) {
                if !aligned(address) {
                    return None;
                }
                let at = base[0].wrapping_add(ahead);
                if step == 0 {
                    return element(bytes, at).map(|bytes| [make(bytes); 32]);
                }
                let row = bytes.get(usize::try_from(at).ok()?..)?.get(..32 * W)?.as_chunks::<W>().0;
                for (value, bytes) in values.iter_mut().zip(row) {
                    *value = make(*bytes);
                }
                return Some(values);
            }
            let mut low = 0;
            for (value, base) in values.iter_mut().zip(base) {
                low |= base.wrapping_add(by);
                *value = make(element(bytes, base.wrapping_add(ahead))?);
            }
            return aligned(low).then_some(values);
        }
        let mut low = 0;
        for lane in lanes(mask) {
            let base = base[lane & 31];
            low |= base.wrapping_add(by);
            values[lane & 31] = make(element(bytes, base.wrapping_add(ahead))?);
        }
        aligned(low).then_some(values)
    }
}
