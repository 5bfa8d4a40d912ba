//! Moves and conversions. A conversion is a chain of exact steps and at most one rounding.

use super::{Builder, Class, Mods, NO, Refused, Vreg, arith::unfit, exactly, float::by_mode};
use crate::{
    alu::{self, bhalf, half, narrow, rounded},
    ast::{Operand, Type},
    ir::Op,
    soft::Round,
};
use alloc::{borrow::ToOwned, format};

/// A rounding of a conversion, and whether it goes to an integer.
const ROUNDINGS: [(&str, (Round, bool)); 8] = [
    ("rn", (Round::Near, false)),
    ("rz", (Round::Zero, false)),
    ("rm", (Round::Down, false)),
    ("rp", (Round::Up, false)),
    ("rni", (Round::Near, true)),
    ("rzi", (Round::Zero, true)),
    ("rmi", (Round::Down, true)),
    ("rpi", (Round::Up, true)),
];

macro_rules! narrow_by_mode {
    ($mode:expr, $variant:path, $name:ident) => {
        match $mode {
            Round::Zero => $variant(narrow::zero::$name),
            Round::Down => $variant(narrow::down::$name),
            Round::Up => $variant(narrow::up::$name),
            Round::Near => $variant(narrow::near::$name),
        }
    };
}

impl<'a> Builder<'_, 'a> {
    /// Moves and conversions; false where the instruction is none.
    pub(super) fn select_convert(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        match mods.name {
            "mov" => self.mov(mods, operands)?,
            "cvt" => self.cvt(mods, operands)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn cvt(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        if mods.has("pack") {
            return self.cvt_pack(mods, operands);
        }
        if let [.., last] = *mods.words()
            && let Some(op) = match last {
                "e4m3x2" => Some(alu::f16x2_from_e4m3x2 as fn(u32) -> u32),
                "e5m2x2" => Some(alu::f16x2_from_e5m2x2 as fn(u32) -> u32),
                _ => None,
            }
        {
            return self.cvt_from_bytes(mods, last, op, operands);
        }
        for word in ["e4m3x2", "e5m2x2", "tf32"] {
            if mods.has(word) {
                return Err(format!(
                    "`{}`: not every bit of the result is specified: compile for sm_80, or convert with integer arithmetic",
                    mods.opcode
                ));
            }
        }
        let from = mods.kind()?;
        let to = mods.kind()?;
        let ftz = mods.take("ftz");
        let saturate = mods.take("sat");
        let relu = mods.take("relu");
        let rounding = mods.take_any(&ROUNDINGS);
        let finite = mods.take("satfinite");
        if finite && !(from == Type::F32 && matches!(to, Type::F16 | Type::BF16 | Type::F16x2 | Type::BF16x2)) {
            return unfit(mods);
        }
        if matches!(to, Type::F16x2 | Type::BF16x2) {
            let [d, a, b] = exactly(operands)?;
            let (a, b) = (self.source(a, Type::F32)?, self.source(b, Type::F32)?);
            let d = self.result(d, to)?;
            let mode = match rounding {
                Some((mode, false)) => mode,
                _ => return unfit(mods),
            };
            let op = if to == Type::F16x2 {
                narrow_by_mode!(mode, Op::W2, f16x2_from_f32)
            } else {
                narrow_by_mode!(mode, Op::W2, bf16x2_from_f32)
            };
            if from != Type::F32 || saturate {
                return unfit(mods);
            }
            self.emit(op, d, a, b, NO);
            if finite {
                self.emit(Op::W1(if to == Type::F16x2 { half::finite2 } else { bhalf::finite2 }), d, d, NO, NO);
            }
            if relu {
                self.emit(Op::W1(if to == Type::F16x2 { half::relu2 } else { bhalf::relu2 }), d, d, NO, NO);
            }
            return Ok(());
        }
        if relu && !matches!(to, Type::F16 | Type::BF16) {
            return unfit(mods);
        }
        let [d, a] = exactly(operands)?;
        let source = self.loose(a, from)?;
        if self.constant_of(source).is_none() && self.bits(source) < from.bits()
            || from.float() && self.bits(source) != from.bits() && self.constant_of(source).is_none()
        {
            return Err("the operand is narrower than the type it is converted from".to_owned());
        }
        let source = self.cut(source, from);
        let Operand::Name(name) = *d else { return unfit(mods) };
        let d = if name == "_" { self.result(&Operand::Name("_"), to)? } else { self.register(name)? };
        if self.bits(d) < to.bits() || to.float() && self.bits(d) != to.bits() {
            return Err("the destination is narrower than the type of the conversion".to_owned());
        }
        let value = match (from.float(), to.float()) {
            (false, false) => self.int_to_int(mods, from, to, source, saturate)?,
            (false, true) => {
                let mode = match rounding {
                    Some((mode, false)) => mode,
                    _ => return Err(format!("`{}` names no rounding", mods.opcode)),
                };
                let value = self.int_to_float(mods, from, to, source, mode)?;
                self.saturated(to, value, saturate)
            }
            (true, false) => {
                let mode = match rounding {
                    Some((mode, true)) => mode,
                    _ => return Err(format!("`{}` names no rounding", mods.opcode)),
                };
                let source = self.ftz_input(from, source, ftz);
                self.float_to_int(mods, from, to, source, mode)?
            }
            (true, true) => {
                let source = self.ftz_input(from, source, ftz);
                let value = self.float_to_float(mods, from, to, source, rounding)?;
                let value =
                    if ftz && to == Type::F32 { self.fresh(Class::W, Op::W1(alu::ftz), value, NO, NO) } else { value };
                let mut value = self.saturated(to, value, saturate);
                if finite {
                    let clamp = if to == Type::F16 { half::finite } else { bhalf::finite };
                    value = self.fresh(Class::W, Op::W1(clamp), value, NO, NO);
                }
                match (relu, to) {
                    (true, Type::F16) => self.fresh(Class::W, Op::W1(half::relu), value, NO, NO),
                    (true, _) => self.fresh(Class::W, Op::W1(bhalf::relu), value, NO, NO),
                    _ => value,
                }
            }
        };
        self.widen_into(to, value, d);
        Ok(())
    }

    fn ftz_input(&mut self, from: Type, source: Vreg, ftz: bool) -> Vreg {
        if ftz && from == Type::F32 { self.fresh(Class::W, Op::W1(alu::ftz), source, NO, NO) } else { source }
    }

    fn saturated(&mut self, to: Type, value: Vreg, saturate: bool) -> Vreg {
        match (saturate, to) {
            (false, _) => value,
            (true, Type::F64) => self.fresh(Class::D, Op::D1(alu::sat64), value, NO, NO),
            (true, Type::F16) => self.fresh(Class::W, Op::W1(half::sat), value, NO, NO),
            (true, Type::BF16) => self.fresh(Class::W, Op::W1(bhalf::sat), value, NO, NO),
            (true, _) => self.fresh(Class::W, Op::W1(alu::sat), value, NO, NO),
        }
    }

    /// The value of type `kind` in the canonical form of its width: sign- or zero-extended to 32 bits.
    fn cut(&mut self, register: Vreg, kind: Type) -> Vreg {
        let register = if self.class(register) == Class::D && kind.bits() < 64 {
            self.fresh(Class::W, Op::TruncW, register, NO, NO)
        } else {
            register
        };
        let op: fn(u32) -> u32 = match kind {
            Type::S8 => alu::extend8,
            Type::S16 => alu::extend16,
            Type::U8 | Type::B8 => alu::low8,
            Type::U16 | Type::B16 | Type::F16 | Type::BF16 if self.bits(register) != 16 => alu::low16,
            _ => return register,
        };
        self.fresh(Class::W, Op::W1(op), register, NO, NO)
    }

    /// Writes a value of type `kind` into `d`, extended to the width of the register.
    fn widen_into(&mut self, kind: Type, value: Vreg, d: Vreg) {
        let wide = self.class(value) == Class::D;
        let op = match (self.bits(d), wide) {
            (64, true) => Op::MovD,
            (64, false) if kind.signed() => Op::SextD,
            (64, false) => Op::ZextD,
            (32, _) => Op::MovW,
            (8, _) => Op::W1(alu::low8),
            _ => Op::W1(alu::low16),
        };
        // The last step can write the destination itself.
        if matches!(op, Op::MovD | Op::MovW)
            && let Some(last) = self.raws.last_mut()
            && last.d == value
            && self.registers.get(value as usize).is_some_and(|r| r.temporary && r.constant.is_none())
        {
            last.d = d;
            return;
        }
        self.emit(op, d, value, NO, NO);
    }

    fn int_to_int(&mut self, mods: &Mods<'a>, from: Type, to: Type, a: Vreg, saturate: bool) -> Refused<Vreg> {
        if saturate {
            let wide = self.as_double(from, a);
            let op: fn(u64) -> u64 = match (from.signed(), to) {
                (true, Type::S8) => alu::clamp_s8_s,
                (true, Type::S16) => alu::clamp_s16_s,
                (true, Type::S32) => alu::clamp_s32_s,
                (true, Type::U8) => alu::clamp_u8_s,
                (true, Type::U16) => alu::clamp_u16_s,
                (true, Type::U32) => alu::clamp_u32_s,
                (true, Type::U64) => alu::clamp_u64_s,
                (false, Type::S8) => alu::clamp_s8_u,
                (false, Type::S16) => alu::clamp_s16_u,
                (false, Type::S32) => alu::clamp_s32_u,
                (false, Type::S64) => alu::clamp_s64_u,
                (false, Type::U8) => alu::clamp_u8_u,
                (false, Type::U16) => alu::clamp_u16_u,
                (false, Type::U32) => alu::clamp_u32_u,
                (true, Type::S64) | (false, Type::U64) => |a| a,
                _ => return unfit(mods),
            };
            let value = self.fresh(Class::D, Op::D1(op), wide, NO, NO);
            return Ok(if to.bits() == 64 { value } else { self.fresh(Class::W, Op::TruncW, value, NO, NO) });
        }
        Ok(match (from.bits() == 64, to.bits()) {
            (true, 64) => a,
            (false, 64) => self.as_double(from, a),
            (_, _) => self.cut(a, to),
        })
    }

    fn as_double(&mut self, from: Type, a: Vreg) -> Vreg {
        if from.bits() == 64 {
            a
        } else {
            self.fresh(Class::D, if from.signed() { Op::SextD } else { Op::ZextD }, a, NO, NO)
        }
    }

    fn int_to_float(&mut self, mods: &Mods<'a>, from: Type, to: Type, a: Vreg, mode: Round) -> Refused<Vreg> {
        let near = mode == Round::Near;
        let signed = from.signed();
        if from.bits() <= 32 {
            let op = match (to, signed) {
                (Type::F32, true) if near => Some(Op::F32FromS32),
                (Type::F32, false) if near => Some(Op::F32FromU32),
                (Type::F32, true) => Some(by_mode!(mode, Op::W1, from_s32)),
                (Type::F32, false) => Some(by_mode!(mode, Op::W1, from_u32)),
                (Type::F64, true) => Some(Op::G64FromS32),
                (Type::F64, false) => Some(Op::DW(|a| f64::from(a).to_bits())),
                _ => None,
            };
            if let Some(op) = op {
                let class = if to == Type::F64 { Class::D } else { Class::W };
                return Ok(self.fresh(class, op, a, NO, NO));
            }
        }
        let wide = self.as_double(from, a);
        let (class, op) = match (to, signed) {
            (Type::F32, true) if near => (Class::W, Op::WD(|a| (a as i64 as f32).to_bits())),
            (Type::F32, false) if near => (Class::W, Op::WD(|a| (a as f32).to_bits())),
            (Type::F32, true) => (Class::W, by_mode!(mode, Op::WD, from_s64)),
            (Type::F32, false) => (Class::W, by_mode!(mode, Op::WD, from_u64)),
            (Type::F64, true) if near => (Class::D, Op::D1(|a| (a as i64 as f64).to_bits())),
            (Type::F64, false) if near => (Class::D, Op::D1(|a| (a as f64).to_bits())),
            (Type::F64, true) => (Class::D, by_mode!(mode, Op::D1, f64_from_s64)),
            (Type::F64, false) => (Class::D, by_mode!(mode, Op::D1, f64_from_u64)),
            (Type::F16, true) => (Class::W, narrow_by_mode!(mode, Op::WD, f16_from_s64)),
            (Type::F16, false) => (Class::W, narrow_by_mode!(mode, Op::WD, f16_from_u64)),
            (Type::BF16, true) => (Class::W, narrow_by_mode!(mode, Op::WD, bf16_from_s64)),
            (Type::BF16, false) => (Class::W, narrow_by_mode!(mode, Op::WD, bf16_from_u64)),
            _ => return unfit(mods),
        };
        Ok(self.fresh(class, op, wide, NO, NO))
    }

    fn float_to_int(&mut self, mods: &Mods<'a>, from: Type, to: Type, a: Vreg, mode: Round) -> Refused<Vreg> {
        match (from, to, mode) {
            (Type::F32, Type::S32, Round::Near) => return Ok(self.fresh(Class::W, Op::S32FromF32Near, a, NO, NO)),
            (Type::F32, Type::S32, Round::Zero) => return Ok(self.fresh(Class::W, Op::S32FromF32Zero, a, NO, NO)),
            _ => {}
        }
        let wide = match from {
            Type::F64 => a,
            Type::F32 => self.fresh(Class::D, Op::G64FromF32, a, NO, NO),
            Type::F16 => self.fresh(Class::D, Op::DW(half::to_f64), a, NO, NO),
            Type::BF16 => self.fresh(Class::D, Op::DW(bhalf::to_f64), a, NO, NO),
            _ => return unfit(mods),
        };
        let integral = self.fresh(Class::D, by_mode!(mode, Op::D1, integral64), wide, NO, NO);
        let op: fn(u64) -> u64 = match (from == Type::F64, to) {
            (true, Type::S8) => alu::s8_from_f64,
            (true, Type::S16) => alu::s16_from_f64,
            (true, Type::S32) => alu::s32_from_f64,
            (true, Type::S64) => alu::s64_from_f64,
            (true, Type::U8) => alu::u8_from_f64,
            (true, Type::U16) => alu::u16_from_f64,
            (true, Type::U32) => alu::u32_from_f64,
            (true, Type::U64) => alu::u64_from_f64,
            (false, Type::S8) => alu::s8_from_f32,
            (false, Type::S16) => alu::s16_from_f32,
            (false, Type::S32) => alu::s32_from_f32,
            (false, Type::S64) => alu::s64_from_f32,
            (false, Type::U8) => alu::u8_from_f32,
            (false, Type::U16) => alu::u16_from_f32,
            (false, Type::U32) => alu::u32_from_f32,
            (false, Type::U64) => alu::u64_from_f32,
            _ => return unfit(mods),
        };
        let value = self.fresh(Class::D, Op::D1(op), integral, NO, NO);
        Ok(if to.bits() == 64 {
            value
        } else {
            let word = self.fresh(Class::W, Op::TruncW, value, NO, NO);
            self.cut(word, to)
        })
    }

    fn float_to_float(
        &mut self,
        mods: &Mods<'a>,
        from: Type,
        to: Type,
        a: Vreg,
        rounding: Option<(Round, bool)>,
    ) -> Refused<Vreg> {
        if let Some((mode, true)) = rounding {
            // To an integer of the same type.
            if from != to {
                return unfit(mods);
            }
            let (class, op) = match from {
                Type::F64 => (Class::D, by_mode!(mode, Op::D1, integral64)),
                Type::F32 => (Class::W, by_mode!(mode, Op::W1, integral)),
                Type::F16 => (Class::W, narrow_by_mode!(mode, Op::W1, integral_f16)),
                _ => (Class::W, narrow_by_mode!(mode, Op::W1, integral_bf16)),
            };
            return Ok(self.fresh(class, op, a, NO, NO));
        }
        let mode = rounding.map_or(Round::Near, |rounding| rounding.0);
        let narrowing =
            to.bits() < from.bits() || from == Type::F16 && to == Type::BF16 || from == Type::BF16 && to == Type::F16;
        if narrowing && rounding.is_none() {
            return Err(format!("`{}` names no rounding", mods.opcode));
        }
        let (class, op) = match (from, to) {
            (Type::F64, Type::F64) => (Class::D, Op::MovD),
            (Type::F32, Type::F32) => (Class::W, Op::MovW),
            (Type::F16, Type::F16) | (Type::BF16, Type::BF16) => (Class::W, Op::MovW),
            (Type::F32, Type::F64) => (Class::D, Op::G64FromF32),
            (Type::F16, Type::F64) => (Class::D, Op::DW(half::to_f64)),
            // The assembler moves the bits up, those of a NaN as well.
            (Type::BF16, Type::F64) => (Class::D, Op::DW(|a| alu::f64_from_f32(a << 16))),
            (Type::F16, Type::F32) => (Class::W, Op::W1(half::to_f32)),
            (Type::BF16, Type::F32) => (Class::W, Op::W1(|a| a << 16)),
            // By way of a format that holds both.
            (Type::F16, Type::BF16) => {
                let wide = self.fresh(Class::W, Op::W1(half::to_f32), a, NO, NO);
                return Ok(self.fresh(Class::W, narrow_by_mode!(mode, Op::W1, bf16_from_f32), wide, NO, NO));
            }
            (Type::BF16, Type::F16) => {
                let wide = self.fresh(Class::W, Op::W1(|a| a << 16), a, NO, NO);
                return Ok(self.fresh(Class::W, narrow_by_mode!(mode, Op::W1, f16_from_f32), wide, NO, NO));
            }
            (Type::F64, Type::F32) => (Class::W, by_mode!(mode, Op::WD, from_f64)),
            (Type::F64, Type::F16) => (Class::W, narrow_by_mode!(mode, Op::WD, f16_from_f64)),
            (Type::F32, Type::F16) => (Class::W, narrow_by_mode!(mode, Op::W1, f16_from_f32)),
            (Type::F64, Type::BF16) => (Class::W, narrow_by_mode!(mode, Op::WD, bf16_from_f64)),
            (Type::F32, Type::BF16) => (Class::W, narrow_by_mode!(mode, Op::W1, bf16_from_f32)),
            _ => return unfit(mods),
        };
        Ok(self.fresh(class, op, a, NO, NO))
    }

    /// Two halves from two 8-bit floating-point numbers.
    fn cvt_from_bytes(
        &mut self,
        mods: &mut Mods<'a>,
        word: &'a str,
        op: fn(u32) -> u32,
        operands: &[Operand<'a>],
    ) -> Refused<()> {
        mods.take(word);
        let relu = mods.take("relu");
        if mods.kind()? != Type::F16x2 || !mods.take("rn") {
            return unfit(mods);
        }
        let [d, a] = exactly(operands)?;
        let a = self.source(a, Type::B16)?;
        let d = self.result(d, Type::F16x2)?;
        let value = self.fresh(Class::W, Op::W1(op), a, NO, NO);
        self.emit(if relu { Op::W1(half::relu2) } else { Op::MovW }, d, value, NO, NO);
        Ok(())
    }

    fn cvt_pack(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("pack");
        let saturate = mods.take("sat");
        if !saturate {
            return unfit(mods);
        }
        let words = mods.words().to_vec();
        let (to, third) = match words.as_slice() {
            [to, "s32"] => (*to, false),
            [to, "s32", "b32"] => (*to, true),
            _ => return unfit(mods),
        };
        for word in &words {
            mods.take(word);
        }
        let op = Op::W3(match (to, third) {
            ("s4", true) => |a, b, c| c << 8 | clamp(a, -8, 7, 4) << 4 | clamp(b, -8, 7, 4),
            ("u4", true) => |a, b, c| c << 8 | clamp(a, 0, 15, 4) << 4 | clamp(b, 0, 15, 4),
            ("s2", true) => |a, b, c| c << 4 | clamp(a, -2, 1, 2) << 2 | clamp(b, -2, 1, 2),
            ("u2", true) => |a, b, c| c << 4 | clamp(a, 0, 3, 2) << 2 | clamp(b, 0, 3, 2),
            ("s16", false) => |a, b, _| clamp(a, -0x8000, 0x7fff, 16) << 16 | clamp(b, -0x8000, 0x7fff, 16),
            ("u16", false) => |a, b, _| clamp(a, 0, 0xffff, 16) << 16 | clamp(b, 0, 0xffff, 16),
            ("s8", true) => |a, b, c| c << 16 | clamp(a, -0x80, 0x7f, 8) << 8 | clamp(b, -0x80, 0x7f, 8),
            ("u8", true) => |a, b, c| c << 16 | clamp(a, 0, 0xff, 8) << 8 | clamp(b, 0, 0xff, 8),
            _ => return Err(format!("the instruction `{}` is not supported", mods.opcode)),
        });
        let (d, a, b, c) = match operands {
            [d, a, b] if !third => (d, a, b, None),
            [d, a, b, c] if third => (d, a, b, Some(c)),
            _ => return Err(format!("`{}` has another number of operands", mods.opcode)),
        };
        let (a, b) = (self.source(a, Type::S32)?, self.source(b, Type::S32)?);
        let c = match c {
            Some(c) => self.source(c, Type::B32)?,
            None => self.word(0),
        };
        let d = self.result(d, Type::B32)?;
        self.emit(op, d, a, b, c);
        Ok(())
    }
}

fn clamp(a: u32, low: i32, high: i32, bits: u32) -> u32 {
    (a as i32).clamp(low, high) as u32 & ((1 << bits) - 1)
}
