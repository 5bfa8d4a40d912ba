//! Integer arithmetic.

use super::{Builder, Class, Mods, NO, Refused, Vreg, exactly};
use crate::{
    alu,
    ast::{Operand, Type},
    ir::Op,
};
use alloc::{format, string::ToString};

/// Which half of a product.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Low,
    High,
    Wide,
}

const HALVES: [(&str, Half); 3] = [("lo", Half::Low), ("hi", Half::High), ("wide", Half::Wide)];

fn low16(a: u32) -> u32 {
    a & 0xffff
}

impl<'a> Builder<'_, 'a> {
    fn carry(&mut self) -> Vreg {
        match self.carry {
            Some(register) => register,
            None => {
                let register = self.new_register(Class::P, 1, false);
                self.carry = Some(register);
                register
            }
        }
    }

    /// Emits `d = op(a, b)` where only the register class matters.
    fn two(&mut self, operands: &[Operand<'a>], kind: Type, op: Op) -> Refused<()> {
        let [d, a, b] = exactly(operands)?;
        let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
        let d = self.result(d, kind)?;
        self.emit(op, d, a, b, NO);
        Ok(())
    }

    fn one(&mut self, operands: &[Operand<'a>], kind: Type, op: Op) -> Refused<()> {
        let [d, a] = exactly(operands)?;
        let a = self.source(a, kind)?;
        let d = self.result(d, kind)?;
        self.emit(op, d, a, NO, NO);
        Ok(())
    }

    /// Integer instructions; false where the instruction is none.
    pub(super) fn select_arith(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        let last_float = mods.words().last().and_then(|word| Type::parse(word)).is_some_and(Type::float);
        if last_float {
            return Ok(false);
        }
        match mods.name {
            "add" | "sub" | "addc" | "subc" => self.add(mods, operands)?,
            "mul" => self.mul(mods, operands)?,
            "mad" | "madc" => self.mad(mods, operands)?,
            "mul24" | "mad24" => self.mul24(mods, operands)?,
            "sad" => {
                let kind = mods.kind()?;
                let [d, a, b, c] = exactly(operands)?;
                let (a, b, c) = (self.source(a, kind)?, self.source(b, kind)?, self.source(c, kind)?);
                let d = self.result(d, kind)?;
                let op = match kind {
                    Type::U16 => Op::W3(|a, b, c| low16(alu::sad_u32(a, b, c))),
                    Type::S16 => Op::W3(|a, b, c| low16(alu::sad_s32(alu::sext16(a) as u32, alu::sext16(b) as u32, c))),
                    Type::U32 => Op::W3(alu::sad_u32),
                    Type::S32 => Op::W3(alu::sad_s32),
                    Type::U64 => Op::D3(alu::sad_u64),
                    Type::S64 => Op::D3(alu::sad_s64),
                    _ => return unfit(mods),
                };
                self.emit(op, d, a, b, c);
            }
            "div" | "rem" => {
                let kind = mods.kind()?;
                let division = mods.name == "div";
                let op = match (kind, division) {
                    (Type::U16, true) => Op::W2(|a, b| low16(alu::div_u32(a, b))),
                    (Type::U16, false) => Op::W2(|a, b| low16(alu::rem_u32(a, b))),
                    (Type::S16, true) => {
                        Op::W2(|a, b| low16(alu::div_s32(alu::sext16(a) as u32, alu::sext16(b) as u32)))
                    }
                    (Type::S16, false) => {
                        Op::W2(|a, b| low16(alu::rem_s32(alu::sext16(a) as u32, alu::sext16(b) as u32)))
                    }
                    (Type::U32, true) => Op::DivUW,
                    (Type::U32, false) => Op::RemUW,
                    (Type::S32, true) => Op::DivSW,
                    (Type::S32, false) => Op::RemSW,
                    (Type::U64, true) => Op::D2(alu::div_u64),
                    (Type::U64, false) => Op::D2(alu::rem_u64),
                    (Type::S64, true) => Op::D2(alu::div_s64),
                    (Type::S64, false) => Op::D2(alu::rem_s64),
                    _ => return unfit(mods),
                };
                self.two(operands, kind, op)?;
            }
            "abs" | "neg" => {
                let kind = mods.kind()?;
                let op = match (mods.name, kind) {
                    ("abs", Type::S16) => Op::W1(|a| low16(alu::sext16(a).unsigned_abs())),
                    ("abs", Type::S32) => Op::W1(alu::abs_s32),
                    ("abs", Type::S64) => Op::D1(|a| (a as i64).unsigned_abs()),
                    ("neg", Type::S16) => Op::W1(|a| low16(a.wrapping_neg())),
                    ("neg", Type::S32) => Op::W1(alu::neg_s32),
                    ("neg", Type::S64) => Op::D1(alu::neg_s64),
                    _ => return unfit(mods),
                };
                self.one(operands, kind, op)?;
            }
            "min" | "max" if mods.has("s16x2") || mods.has("u16x2") => self.min_halves(mods, operands)?,
            "min" | "max" => {
                let relu = mods.take("relu");
                let kind = mods.kind()?;
                let largest = mods.name == "max";
                let op = match (kind, largest) {
                    (Type::U16 | Type::U32, false) => Op::MinUW,
                    (Type::U16 | Type::U32, true) => Op::MaxUW,
                    (Type::S32, false) => Op::MinSW,
                    (Type::S32, true) => Op::MaxSW,
                    (Type::S16, false) => Op::W2(|a, b| low16(alu::sext16(a).min(alu::sext16(b)) as u32)),
                    (Type::S16, true) => Op::W2(|a, b| low16(alu::sext16(a).max(alu::sext16(b)) as u32)),
                    (Type::U64, false) => Op::D2(u64::min),
                    (Type::U64, true) => Op::D2(u64::max),
                    (Type::S64, false) => Op::D2(|a, b| (a as i64).min(b as i64) as u64),
                    (Type::S64, true) => Op::D2(|a, b| (a as i64).max(b as i64) as u64),
                    _ => return unfit(mods),
                };
                if relu && kind != Type::S32 {
                    return unfit(mods);
                }
                self.two(operands, kind, op)?;
                if relu {
                    let d = self.result(&operands[0], kind)?;
                    let zero = self.word(0);
                    self.emit(Op::MaxSW, d, d, zero, NO);
                }
            }
            "popc" | "clz" | "bfind" => {
                let kind = mods.kind()?;
                let shift = mods.take("shiftamt");
                let [d, a] = exactly(operands)?;
                let a = self.source(a, kind)?;
                let d = self.result(d, Type::U32)?;
                let op = match (mods.name, kind, shift) {
                    ("popc", Type::B32, false) => Op::W1(u32::count_ones),
                    ("popc", Type::B64, false) => Op::WD(u64::count_ones),
                    ("clz", Type::B32, false) => Op::W1(u32::leading_zeros),
                    ("clz", Type::B64, false) => Op::WD(u64::leading_zeros),
                    ("bfind", Type::U32, false) => Op::W1(alu::bfind_u32),
                    ("bfind", Type::S32, false) => Op::W1(alu::bfind_s32),
                    ("bfind", Type::U64, false) => Op::WD(alu::bfind_u64),
                    ("bfind", Type::S64, false) => Op::WD(alu::bfind_s64),
                    ("bfind", Type::U32, true) => Op::W1(|a| alu::shift_amount32(alu::bfind_u32(a))),
                    ("bfind", Type::S32, true) => Op::W1(|a| alu::shift_amount32(alu::bfind_s32(a))),
                    ("bfind", Type::U64, true) => Op::WD(|a| alu::shift_amount64(alu::bfind_u64(a))),
                    ("bfind", Type::S64, true) => Op::WD(|a| alu::shift_amount64(alu::bfind_s64(a))),
                    _ => return unfit(mods),
                };
                self.emit(op, d, a, NO, NO);
            }
            "brev" => {
                let kind = mods.kind()?;
                let op = match kind {
                    Type::B32 => Op::W1(u32::reverse_bits),
                    Type::B64 => Op::D1(u64::reverse_bits),
                    _ => return unfit(mods),
                };
                self.one(operands, kind, op)?;
            }
            "fns" => {
                let kind = mods.kind()?;
                if kind != Type::B32 {
                    return unfit(mods);
                }
                self.three(operands, Op::W3(alu::fns))?;
            }
            "bfe" => {
                let kind = mods.kind()?;
                let [d, a, b, c] = exactly(operands)?;
                let a = self.source(a, kind)?;
                let (b, c) = (self.source(b, Type::U32)?, self.source(c, Type::U32)?);
                let d = self.result(d, kind)?;
                let op = match kind {
                    Type::U32 => Op::W3(alu::bfe_u32),
                    Type::S32 => Op::W3(alu::bfe_s32),
                    Type::U64 => Op::DDWW(alu::bfe_u64),
                    Type::S64 => Op::DDWW(alu::bfe_s64),
                    _ => return unfit(mods),
                };
                self.emit(op, d, a, b, c);
            }
            "bfi" => {
                let kind = mods.kind()?;
                let [d, a, b, c, e] = exactly(operands)?;
                let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
                let (c, e) = (self.source(c, Type::U32)?, self.source(e, Type::U32)?);
                let d = self.result(d, kind)?;
                let op = match kind {
                    Type::B32 => Op::W4(alu::bfi32),
                    Type::B64 => Op::DDDWW(alu::bfi64),
                    _ => return unfit(mods),
                };
                let raw = super::Raw { d, e, a, b, c, ..self.raw(op) };
                self.push(raw);
            }
            "bmsk" => {
                let kind = mods.kind()?;
                let op = if mods.take("clamp") {
                    Op::W2(alu::bmsk_clamp)
                } else if mods.take("wrap") {
                    Op::W2(alu::bmsk_wrap)
                } else {
                    return unfit(mods);
                };
                self.two(operands, kind, op)?;
            }
            "szext" => {
                let kind = mods.kind()?;
                let op = match (kind, mods.take("clamp"), mods.take("wrap")) {
                    (Type::U32, true, false) => Op::W2(alu::szext_clamp_u),
                    (Type::S32, true, false) => Op::W2(alu::szext_clamp_s),
                    (Type::U32, false, true) => Op::W2(|a, b| alu::szext_clamp_u(a, b & 31)),
                    (Type::S32, false, true) => Op::W2(|a, b| alu::szext_clamp_s(a, b & 31)),
                    _ => return unfit(mods),
                };
                let [d, a, b] = exactly(operands)?;
                let (a, b) = (self.source(a, kind)?, self.source(b, Type::U32)?);
                let d = self.result(d, kind)?;
                self.emit(op, d, a, b, NO);
            }
            "dp4a" => {
                let kinds = (mods.kind()?, mods.kind()?);
                let op = match kinds {
                    (Type::S32, Type::S32) => Op::Dp4aSS,
                    (Type::U32, Type::U32) => Op::W3(alu::dp4a_uu),
                    (Type::U32, Type::S32) => Op::W3(alu::dp4a_su),
                    (Type::S32, Type::U32) => Op::W3(alu::dp4a_us),
                    _ => return unfit(mods),
                };
                self.three(operands, op)?;
            }
            "dp2a" => {
                let kinds = (mods.kind()?, mods.kind()?);
                let high = mods.take("hi");
                if !high && !mods.take("lo") {
                    return unfit(mods);
                }
                let op = Op::W3(match (kinds, high) {
                    ((Type::S32, Type::S32), false) => alu::dp2a_lo_ss,
                    ((Type::U32, Type::S32), false) => alu::dp2a_lo_su,
                    ((Type::S32, Type::U32), false) => alu::dp2a_lo_us,
                    ((Type::U32, Type::U32), false) => alu::dp2a_lo_uu,
                    ((Type::S32, Type::S32), true) => alu::dp2a_hi_ss,
                    ((Type::U32, Type::S32), true) => alu::dp2a_hi_su,
                    ((Type::S32, Type::U32), true) => alu::dp2a_hi_us,
                    ((Type::U32, Type::U32), true) => alu::dp2a_hi_uu,
                    _ => return unfit(mods),
                });
                self.three(operands, op)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `d = op(a, b, c)` on words.
    fn three(&mut self, operands: &[Operand<'a>], op: Op) -> Refused<()> {
        let [d, a, b, c] = exactly(operands)?;
        let (a, b, c) = (self.source(a, Type::B32)?, self.source(b, Type::B32)?, self.source(c, Type::B32)?);
        let d = self.result(d, Type::B32)?;
        self.emit(op, d, a, b, c);
        Ok(())
    }

    /// `min` and `max` of 16-bit integers in pairs.
    fn min_halves(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let signed = mods.take("s16x2");
        let relu = mods.take("relu");
        if !signed && (!mods.take("u16x2") || relu) {
            return unfit(mods);
        }
        let op = Op::W2(match (mods.name, signed) {
            ("min", false) => |a, b| alu::each_half(a, b, u32::min),
            ("max", false) => |a, b| alu::each_half(a, b, u32::max),
            ("min", true) => |a, b| alu::each_half(a, b, |a, b| alu::sext16(a).min(alu::sext16(b)) as u32),
            _ => |a, b| alu::each_half(a, b, |a, b| alu::sext16(a).max(alu::sext16(b)) as u32),
        });
        self.two(operands, Type::B32, op)?;
        if relu && let [d, ..] = operands {
            let d = self.result(d, Type::B32)?;
            let op = Op::W1(|a| alu::each_half(a, 0, |a, _| alu::sext16(a).max(0) as u32));
            self.emit(op, d, d, NO, NO);
        }
        Ok(())
    }

    fn add(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        if mods.take("u16x2") || mods.take("s16x2") {
            if mods.name != "add" {
                return unfit(mods);
            }
            let op = Op::W2(|a, b| alu::each_half(a, b, |a, b| a.wrapping_add(b)));
            return self.two(operands, Type::B32, op);
        }
        let kind = mods.kind()?;
        let subtract = mods.name.starts_with("sub");
        let carry_in = mods.name.ends_with('c');
        let carry_out = mods.take("cc");
        if carry_in || carry_out {
            let [d, a, b] = exactly(operands)?;
            let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
            let d = self.result(d, kind)?;
            let op = match (kind.bits(), subtract) {
                (32, false) => Op::AddCarryW,
                (32, true) => Op::SubCarryW,
                (64, false) => Op::AddCarryD,
                (64, true) => Op::SubCarryD,
                _ => return unfit(mods).map(|_: ()| ()),
            };
            let c = if carry_in { self.carry() } else { self.truth(subtract) };
            let e = if carry_out { self.carry() } else { NO };
            let raw = super::Raw { d, e, a, b, c, ..self.raw(op) };
            self.push(raw);
            return Ok(());
        }
        let op = match (kind, subtract, mods.take("sat")) {
            (Type::U32 | Type::S32, false, false) => Op::AddW,
            (Type::U32 | Type::S32, true, false) => Op::SubW,
            (Type::U64 | Type::S64, false, false) => Op::AddD,
            (Type::U64 | Type::S64, true, false) => Op::SubD,
            (Type::U16 | Type::S16, false, false) => Op::W2(alu::add16),
            (Type::U16 | Type::S16, true, false) => Op::W2(alu::sub16),
            (Type::S32, false, true) => Op::W2(alu::add_sat),
            (Type::S32, true, true) => Op::W2(alu::sub_sat),
            _ => return unfit(mods),
        };
        self.two(operands, kind, op)
    }

    fn mul(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let half = mods.take_any(&HALVES).unwrap_or(Half::Low);
        if half == Half::Wide {
            let [d, a, b] = exactly(operands)?;
            let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
            let (op, wide) = match kind {
                Type::U32 => (Op::WideUW, Type::U64),
                Type::S32 => (Op::WideSW, Type::S64),
                Type::U16 => (Op::MulW, Type::U32),
                Type::S16 => (Op::W2(|a, b| (alu::sext16(a) as u32).wrapping_mul(alu::sext16(b) as u32)), Type::S32),
                _ => return unfit(mods),
            };
            let d = self.result(d, wide)?;
            self.emit(op, d, a, b, NO);
            return Ok(());
        }
        let op = match (kind, half) {
            (Type::U32 | Type::S32, Half::Low) => Op::MulW,
            (Type::U32, _) => Op::MulHiUW,
            (Type::S32, _) => Op::MulHiSW,
            (Type::U64 | Type::S64, Half::Low) => Op::MulD,
            (Type::U64, _) => Op::D2(alu::mul_hi_u64),
            (Type::S64, _) => Op::D2(alu::mul_hi_s64),
            (Type::U16 | Type::S16, Half::Low) => Op::W2(alu::mul16),
            (Type::U16, _) => Op::W2(|a, b| a.wrapping_mul(b) >> 16),
            (Type::S16, _) => Op::W2(|a, b| low16((alu::sext16(a).wrapping_mul(alu::sext16(b)) >> 16) as u32)),
            _ => return unfit(mods),
        };
        self.two(operands, kind, op)
    }

    fn mad(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let half = mods.take_any(&HALVES).unwrap_or(Half::Low);
        let (carry_in, carry_out) = (mods.name == "madc", mods.take("cc"));
        let saturate = mods.take("sat");
        let [d, a, b, c] = exactly(operands)?;
        let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
        if half == Half::Wide {
            let (wide, op) = match kind {
                Type::U32 => (Type::U64, Op::MadWideUW),
                Type::S32 => (Type::S64, Op::MadWideSW),
                Type::U16 => (Type::U32, Op::MadW),
                Type::S16 => (
                    Type::S32,
                    Op::W3(|a, b, c| (alu::sext16(a) as u32).wrapping_mul(alu::sext16(b) as u32).wrapping_add(c)),
                ),
                _ => return unfit(mods),
            };
            let c = self.source(c, wide)?;
            let d = self.result(d, wide)?;
            self.emit(op, d, a, b, c);
            return Ok(());
        }
        let c = self.source(c, kind)?;
        let d = self.result(d, kind)?;
        if carry_in || carry_out {
            let (product, class, sum) = match (kind, half) {
                (Type::U32 | Type::S32, Half::Low) => (Op::MulW, Class::W, Op::AddCarryW),
                (Type::U32, Half::High) => (Op::MulHiUW, Class::W, Op::AddCarryW),
                (Type::S32, Half::High) => (Op::MulHiSW, Class::W, Op::AddCarryW),
                (Type::U64 | Type::S64, Half::Low) => (Op::MulD, Class::D, Op::AddCarryD),
                (Type::U64, Half::High) => (Op::D2(alu::mul_hi_u64), Class::D, Op::AddCarryD),
                (Type::S64, Half::High) => (Op::D2(alu::mul_hi_s64), Class::D, Op::AddCarryD),
                _ => return unfit(mods),
            };
            let product = self.fresh(class, product, a, b, NO);
            let carry = if carry_in { self.carry() } else { self.truth(false) };
            let out = if carry_out { self.carry() } else { NO };
            let raw = super::Raw { d, e: out, a: product, b: c, c: carry, ..self.raw(sum) };
            self.push(raw);
            return Ok(());
        }
        let op = match (kind, half, saturate) {
            (Type::U32 | Type::S32, Half::Low, false) => Op::MadW,
            (Type::U32, Half::High, false) => Op::W3(|a, b, c| alu::mul_hi_u32(a, b).wrapping_add(c)),
            (Type::S32, Half::High, false) => Op::W3(|a, b, c| alu::mul_hi_s32(a, b).wrapping_add(c)),
            (Type::S32, Half::High, true) => Op::W3(alu::mad_hi_sat),
            (Type::U64 | Type::S64, Half::Low, false) => Op::MadD,
            (Type::U64, Half::High, false) => Op::D3(|a, b, c| alu::mul_hi_u64(a, b).wrapping_add(c)),
            (Type::S64, Half::High, false) => Op::D3(|a, b, c| alu::mul_hi_s64(a, b).wrapping_add(c)),
            (Type::U16 | Type::S16, Half::Low, false) => Op::W3(|a, b, c| low16(a.wrapping_mul(b).wrapping_add(c))),
            (Type::U16, Half::High, false) => Op::W3(|a, b, c| low16((a.wrapping_mul(b) >> 16).wrapping_add(c))),
            (Type::S16, Half::High, false) => {
                Op::W3(|a, b, c| low16(((alu::sext16(a).wrapping_mul(alu::sext16(b)) >> 16) as u32).wrapping_add(c)))
            }
            _ => return unfit(mods),
        };
        self.emit(op, d, a, b, c);
        Ok(())
    }

    fn mul24(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let half = mods.take_any(&HALVES).unwrap_or(Half::Low);
        let op = Op::W2(match (kind, half) {
            (Type::U32, Half::Low) => alu::mul24_lo_u,
            (Type::S32, Half::Low) => alu::mul24_lo_s,
            (Type::U32, Half::High) => alu::mul24_hi_u,
            (Type::S32, Half::High) => alu::mul24_hi_s,
            _ => return unfit(mods),
        });
        if mods.name == "mul24" {
            return self.two(operands, kind, op);
        }
        let saturate = mods.take("sat");
        let [d, a, b, c] = exactly(operands)?;
        let (a, b, c) = (self.source(a, kind)?, self.source(b, kind)?, self.source(c, kind)?);
        let d = self.result(d, kind)?;
        let product = self.fresh(Class::W, op, a, b, NO);
        self.emit(if saturate { Op::W2(alu::add_sat) } else { Op::AddW }, d, product, c, NO);
        Ok(())
    }
}

pub(super) fn unfit<T>(mods: &Mods<'_>) -> Refused<T> {
    let last = mods.words().first().map(ToString::to_string).unwrap_or_default();
    let _ = last;
    Err(format!("the instruction `{}` is not supported", mods.opcode))
}
