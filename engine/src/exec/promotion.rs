//! From the interpreter to compiled segments: both keep a block's state in the same places, so a warp can change over whenever it starts to run.
#![allow(unsafe_code)] // Calls into compiled code.

use super::{
    Machine,
    host::{Tier, tier},
    lanes::answer,
    warp::Warp,
};
use crate::compiled::{ANSWERS, Compiled, Frame};
use core::ptr::null;

/// What is compiled of the kernel, and what it was told of the block's work.
#[derive(Default)]
pub(super) struct Promotion<'k> {
    compiled: Option<&'k Compiled>,
    told: u64,
}

impl Machine<'_> {
    /// Changes over to compiled segments, if there are any by now.
    #[inline(always)]
    pub(super) fn promote(&mut self) {
        if self.promotion.compiled.is_none() {
            self.look_for_compiled();
        }
    }

    fn look_for_compiled(&mut self) {
        let at_once = match tier() {
            Tier::Best => false,
            Tier::Compiled => true,
            Tier::Baseline | Tier::Interpreted => return,
        };
        self.tell_work();
        if let Some(compiled) = self.code.tiers.of(self.code, self.key.is_some(), at_once) {
            self.promotion.compiled = Some(compiled);
            self.code = &compiled.code;
        }
    }

    /// Notes what the block has done since it last said so.
    pub(super) fn tell_work(&mut self) {
        if self.promotion.compiled.is_none() {
            self.code.tiers.spend(self.spent - self.promotion.told);
            self.promotion.told = self.spent;
        }
    }

    /// Runs a segment for the active lanes.
    #[inline(always)]
    pub(super) fn call(&mut self, warp: &mut Warp, segment: u32, active: u32) {
        let Some(compiled) = self.promotion.compiled else { return };
        let mut answers = [0u32; ANSWERS];
        let frame = Frame {
            w: warp.w.as_mut_ptr(),
            d: warp.d.as_mut_ptr(),
            p: warp.p.as_mut_ptr(),
            h: &mut warp.h,
            key: self.folded().map_or(null(), |key| key),
            pool: compiled.pool(),
            answers: &mut answers,
            mask: active,
        };
        // SAFETY: the warp was started with the slots of this kernel's code, which the compiled one shares; it was compiled with a digest
        // if there is a key.
        unsafe { compiled.call(segment, &frame) };
        if let Some(key) = &self.key {
            for holds in answers.iter().take(compiled.answers(segment)) {
                warp.scalar = answer(warp.scalar, key.lanes[0], *holds);
            }
        }
    }
}
