//! Moves, and what is read from special registers.

use super::{Builder, Class, Mods, NO, Refused, Vreg, arith::unfit, exactly, refuse};
use crate::alu;
use crate::{
    ast::{Operand, Type},
    ir::{Op, Ordering, Special},
};
use alloc::borrow::ToOwned;

impl<'a> Builder<'_, 'a> {
    /// Special registers, read into a fresh register.
    pub(super) fn special(&mut self, name: &str) -> Refused<Option<Vreg>> {
        let axis = |suffix: &str| match suffix {
            "x" => Some(0),
            "y" => Some(1),
            "z" => Some(2),
            _ => None,
        };
        let special = match name.split_once('.') {
            Some(("%tid", suffix)) => axis(suffix).map(Special::Tid),
            Some(("%ntid", suffix)) => axis(suffix).map(Special::Ntid),
            Some(("%ctaid", suffix)) => axis(suffix).map(Special::Ctaid),
            Some(("%nctaid", suffix)) => axis(suffix).map(Special::Nctaid),
            _ => match name {
                "%laneid" => Some(Special::Lane),
                "WARP_SZ" => Some(Special::WarpSize),
                "%lanemask_eq" => Some(Special::LaneMask(Ordering::Eq)),
                "%lanemask_lt" => Some(Special::LaneMask(Ordering::Lt)),
                "%lanemask_le" => Some(Special::LaneMask(Ordering::Le)),
                "%lanemask_gt" => Some(Special::LaneMask(Ordering::Gt)),
                "%lanemask_ge" => Some(Special::LaneMask(Ordering::Ge)),
                "%dynamic_smem_size" => Some(Special::TotalShared),
                _ => None,
            },
        };
        if special.is_none()
            && let Some(reason) = refuse::special(name)
        {
            return Err(reason);
        }
        Ok(special.map(|special| self.emit_special(special)))
    }

    pub(super) fn mov(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let [d, a] = exactly(operands)?;
        match (d, a) {
            (Operand::List(parts), a) => {
                let a = self.source(a, kind)?;
                self.unpack(mods, kind, parts, a)
            }
            (d, Operand::List(parts)) => {
                let value = self.pack(mods, kind, parts)?;
                let d = self.result(d, kind)?;
                self.emit(if kind.bits() == 64 { Op::MovD } else { Op::MovW }, d, value, NO, NO);
                Ok(())
            }
            (d, a) => {
                if kind == Type::U64
                    && let Operand::Name(name) = a
                    && let Some(reason) = refuse::special(name)
                {
                    return Err(reason);
                }
                let start = self.raws.len();
                let a = self.loose(a, kind)?;
                let wide = kind.bits() == 64;
                let d = self.result(d, kind)?;
                let (from, to) = (self.class(a), self.class(d));
                if from != to {
                    return Err("the operands of `mov` differ in width".to_owned());
                }
                if self.constant_of(a).is_none() && !self.is_temporary(a) && self.bits(a) != kind.bits() {
                    return Err("the operands of `mov` differ in width".to_owned());
                }
                let narrow = kind.bits() == 16 && self.bits(a) == 32 && self.constant_of(a).is_none();
                // A special register goes straight to its destination.
                if !narrow
                    && self.raws.len() == start + 1
                    && let Some(last) = self.raws.last_mut()
                    && last.d == a
                    && matches!(last.op, Op::Special(_))
                {
                    last.d = d;
                    return Ok(());
                }
                let op = match (kind, wide) {
                    (Type::Pred, _) => Op::MovP,
                    (_, true) => Op::MovD,
                    _ if narrow => Op::W1(alu::low16),
                    _ => Op::MovW,
                };
                self.emit(op, d, a, NO, NO);
                Ok(())
            }
        }
    }

    fn unpack(&mut self, mods: &Mods<'a>, kind: Type, parts: &[Operand<'a>], a: Vreg) -> Refused<()> {
        type Parts = &'static [(Op, u32)];
        let ops: Parts = match (kind.bits(), parts.len()) {
            (64, 2) => &[(Op::TruncW, 32), (Op::HighW, 32)],
            (64, 4) => &[
                (Op::WD(|a| a as u32 & 0xffff), 16),
                (Op::WD(|a| (a >> 16) as u32 & 0xffff), 16),
                (Op::WD(|a| (a >> 32) as u32 & 0xffff), 16),
                (Op::WD(|a| (a >> 48) as u32 & 0xffff), 16),
            ],
            (32, 2) => &[(Op::W1(alu::low16), 16), (Op::W1(|a| a >> 16), 16)],
            (32, 4) => &[
                (Op::W1(alu::low8), 8),
                (Op::W1(|a| a >> 8 & 0xff), 8),
                (Op::W1(|a| a >> 16 & 0xff), 8),
                (Op::W1(|a| a >> 24), 8),
            ],
            (16, 2) => &[(Op::W1(alu::low8), 8), (Op::W1(|a| a >> 8 & 0xff), 8)],
            _ => return unfit(mods),
        };
        // A destination may be the source itself.
        let mut source = a;
        if parts.iter().any(|part| matches!(part, Operand::Name(name) if self.register(name) == Ok(a))) {
            let (class, op) = if kind.bits() == 64 { (Class::D, Op::MovD) } else { (Class::W, Op::MovW) };
            source = self.fresh(class, op, a, NO, NO);
        }
        for (part, &(op, bits)) in parts.iter().zip(ops) {
            if *part == Operand::Name("_") {
                continue;
            }
            let Operand::Name(name) = *part else { return unfit(mods) };
            let d = self.register(name)?;
            if self.bits(d) != bits && !(bits == 8 && self.bits(d) == 16) {
                return Err("the parts of `mov` differ in width".to_owned());
            }
            self.emit(op, d, source, NO, NO);
        }
        Ok(())
    }

    fn pack(&mut self, mods: &Mods<'a>, kind: Type, parts: &[Operand<'a>]) -> Refused<Vreg> {
        let half = match (kind.bits(), parts.len()) {
            (64, 2) => Type::B32,
            (64, 4) | (32, 2) => Type::B16,
            (32, 4) | (16, 2) => Type::B8,
            _ => return unfit(mods),
        };
        let mut registers = [NO; 4];
        for (register, part) in registers.iter_mut().zip(parts) {
            *register = self.loose(part, half)?;
            let bits = self.bits(*register);
            if self.class(*register) != Class::W
                || self.constant_of(*register).is_none() && bits != half.bits() && !(half == Type::B8 && bits == 16)
            {
                return Err("the parts of `mov` differ in width".to_owned());
            }
        }
        let [a, b, c, d] = registers;
        Ok(match (kind.bits(), parts.len()) {
            (64, 2) => self.fresh(Class::D, Op::PackD, a, b, NO),
            (32, 2) => self.fresh(Class::W, Op::W2(|a, b| a & 0xffff | b << 16), a, b, NO),
            (16, 2) => self.fresh(Class::W, Op::W2(|a, b| a & 0xff | (b & 0xff) << 8), a, b, NO),
            (64, _) => {
                let low = self.fresh(Class::W, Op::W2(|a, b| a & 0xffff | b << 16), a, b, NO);
                let high = self.fresh(Class::W, Op::W2(|a, b| a & 0xffff | b << 16), c, d, NO);
                self.fresh(Class::D, Op::PackD, low, high, NO)
            }
            _ => {
                let low = self.fresh(Class::W, Op::W2(|a, b| a & 0xff | (b & 0xff) << 8), a, b, NO);
                let high = self.fresh(Class::W, Op::W2(|a, b| a & 0xff | (b & 0xff) << 8), c, d, NO);
                self.fresh(Class::W, Op::W2(|a, b| a & 0xffff | b << 16), low, high, NO)
            }
        })
    }
}
