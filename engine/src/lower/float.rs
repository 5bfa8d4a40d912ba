//! Floating-point arithmetic: correctly rounded forms only.

use super::{Builder, Class, Mods, NO, Refused, Vreg, arith::unfit, exactly};
use crate::{
    alu::{self, bhalf, half, rounded},
    ast::{Operand, Type},
    ir::Op,
    soft::Round,
};
use alloc::{borrow::ToOwned, format};

const ROUNDINGS: [(&str, Round); 4] =
    [("rn", Round::Near), ("rz", Round::Zero), ("rm", Round::Down), ("rp", Round::Up)];

/// Lane-steps that an operation costs beyond one: what a host without the instruction takes to compute it in integers.
fn dear(name: &str, double: bool, near: bool) -> u32 {
    match (name, double, near) {
        ("sqrt", true, true) => 31,
        ("sqrt", true, false) => 63,
        ("div" | "rcp", true, false) => 31,
        ("fma", true, true) => 7,
        ("fma", true, false) => 15,
        ("add" | "sub" | "mul", true, false) => 7,
        ("sqrt", false, _) => 7,
        ("div" | "rcp", false, false) => 15,
        ("fma" | "add" | "sub" | "mul", false, false) => 3,
        _ => 0,
    }
}

macro_rules! by_mode {
    ($mode:expr, $variant:path, $name:ident) => {
        match $mode {
            Round::Zero => $variant(rounded::Zero::$name),
            Round::Down => $variant(rounded::Down::$name),
            Round::Up => $variant(rounded::Up::$name),
            Round::Near => $variant(rounded::Near::$name),
        }
    };
}
pub(super) use by_mode;

impl<'a> Builder<'_, 'a> {
    fn flushed(&mut self, register: Vreg, ftz: bool) -> Vreg {
        if ftz && self.constant_of(register).is_none_or(|value| alu::ftz(value as u32) != value as u32) {
            self.fresh(Class::W, Op::W1(alu::ftz), register, NO, NO)
        } else {
            register
        }
    }

    /// Emits the operation, then flushes and saturates as asked.
    fn finish_f32(&mut self, op: Op, d: Vreg, sources: [Vreg; 3], ftz: bool, saturate: bool) {
        let [a, b, c] = sources;
        if !ftz && !saturate {
            self.emit(op, d, a, b, c);
            return;
        }
        let mut value = self.fresh(Class::W, op, a, b, c);
        if ftz && saturate {
            value = self.fresh(Class::W, Op::W1(alu::ftz), value, NO, NO);
        }
        self.emit(if saturate { Op::W1(alu::sat) } else { Op::W1(alu::ftz) }, d, value, NO, NO);
    }

    /// Notes arithmetic without a rounding: the assembler may contract a product and a sum into one operation.
    fn unrounded(&mut self, kind: Type, product: bool, opcode: &'a str) {
        let format = match kind {
            Type::F16 | Type::F16x2 => 0,
            Type::BF16 | Type::BF16x2 => 1,
            Type::F32 => 2,
            _ => 3,
        };
        if let Some(found) = self.unrounded.get_mut(format).and_then(|found| found.get_mut(usize::from(product))) {
            found.get_or_insert((opcode, self.line, self.source));
        }
    }

    /// Refuses an entry that has both a product and a sum without a rounding in one format; either alone is exact.
    pub(super) fn check_contraction(&mut self) -> Refused<()> {
        for (format, found) in self.unrounded.into_iter().enumerate() {
            if let [Some((sum, ..)), Some((product, line, source))] = found {
                (self.line, self.source) = (line, source);
                let way = match format {
                    0 | 1 => "write __hfma, or __hmul_rn and __hadd_rn",
                    _ => "compile with --fmad=false",
                };
                return Err(format!(
                    "`{product}` and `{sum}` name no rounding, so the assembler may contract them into one operation: {way}"
                ));
            }
        }
        Ok(())
    }

    fn sources<const N: usize>(&mut self, operands: &[Operand<'a>], kind: Type, ftz: bool) -> Refused<[Vreg; 3]> {
        let mut sources = [NO; 3];
        for (source, operand) in sources.iter_mut().zip(operands).take(N) {
            let register = self.source(operand, kind)?;
            *source = self.flushed(register, ftz && kind == Type::F32);
        }
        Ok(sources)
    }

    /// Floating-point instructions; false where the instruction is none.
    pub(super) fn select_float(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        let name = match mods.name {
            "mad" => "fma",
            name => name,
        };
        let count = match name {
            "add" | "sub" | "mul" | "div" | "min" | "max" | "copysign" => 2,
            "fma" => 3,
            "rcp" | "sqrt" | "abs" | "neg" => 1,
            "testp" => return self.testp(mods, operands).map(|()| true),
            _ => return Ok(false),
        };
        let kind = mods.kind()?;
        if matches!(kind, Type::F16 | Type::F16x2 | Type::BF16 | Type::BF16x2) {
            return self.select_half(name, kind, mods, operands).map(|()| true);
        }
        if !kind.float() {
            return unfit(mods);
        }
        let ftz = mods.take("ftz");
        let saturate = mods.take("sat");
        let rounding = mods.take_any(&ROUNDINGS);
        if mods.has("approx") || mods.has("full") {
            return Err(super::refuse::approximate(mods));
        }
        if matches!(name, "add" | "sub" | "mul" | "fma" | "div" | "rcp" | "sqrt") && rounding.is_none() {
            if !matches!(name, "add" | "sub" | "mul") {
                return Err(format!("`{}` names no rounding: use the form with .rn", mods.opcode));
            }
            self.unrounded(kind, name == "mul", mods.opcode);
        }
        if operands.len() != count + 1 {
            // `min` and `max` take three operands from sm_100 on.
            return Err(format!("`{}` has {} operands here", mods.opcode, count + 1));
        }
        let mode = rounding.unwrap_or(Round::Near);
        let near = mode == Round::Near;
        self.cost += dear(name, kind == Type::F64, near);
        let first = operands.get(1..).unwrap_or_default();
        let mut s = match count {
            1 => self.sources::<1>(first, kind, ftz)?,
            2 => self.sources::<2>(first, kind, ftz)?,
            _ => self.sources::<3>(first, kind, ftz)?,
        };
        let d = self.result(&operands[0], kind)?;
        if kind == Type::F64 {
            let nan = mods.take("NaN");
            let op = match name {
                "add" if near => Op::AddG,
                "sub" if near => Op::SubG,
                "mul" if near => Op::MulG,
                "fma" if near => Op::FmaG,
                "div" if near => Op::DivG,
                "sqrt" if near => Op::SqrtG,
                "add" => by_mode!(mode, Op::D2, add64),
                "sub" => by_mode!(mode, Op::D2, sub64),
                "mul" => by_mode!(mode, Op::D2, mul64),
                "div" => by_mode!(mode, Op::D2, div64),
                "fma" => by_mode!(mode, Op::D3, fma64),
                "sqrt" => by_mode!(mode, Op::D1, sqrt64),
                "rcp" => {
                    s = [self.double(1f64.to_bits()), s[0], NO];
                    if near { Op::DivG } else { by_mode!(mode, Op::D2, div64) }
                }
                "abs" => Op::D1(alu::abs_f64),
                "neg" => Op::D1(alu::neg_f64),
                "min" if !nan => Op::D2(alu::min_f64),
                "max" if !nan => Op::D2(alu::max_f64),
                "copysign" => Op::D2(alu::copysign64),
                _ => return unfit(mods),
            };
            if saturate || ftz {
                return unfit(mods);
            }
            self.emit(op, d, s[0], s[1], s[2]);
            return Ok(true);
        }
        let nan = mods.take("NaN");
        let xorsign = mods.take("xorsign");
        let absolute = mods.take("abs");
        let op = match name {
            "add" if near => Op::AddF,
            "sub" if near => Op::SubF,
            "mul" if near => Op::MulF,
            "fma" if near => Op::FmaF,
            "div" if near => Op::DivF,
            "sqrt" if near => Op::SqrtF,
            "add" => by_mode!(mode, Op::W2, add),
            "sub" => by_mode!(mode, Op::W2, sub),
            "mul" => by_mode!(mode, Op::W2, mul),
            "div" => by_mode!(mode, Op::W2, div),
            "fma" => by_mode!(mode, Op::W3, fma),
            "sqrt" => by_mode!(mode, Op::W1, sqrt),
            "rcp" => {
                s = [self.word(1f32.to_bits()), s[0], NO];
                if near { Op::DivF } else { by_mode!(mode, Op::W2, div) }
            }
            "abs" => Op::W1(alu::abs_f32),
            "neg" => Op::W1(alu::neg_f32),
            "copysign" => Op::W2(alu::copysign32),
            "min" if xorsign && absolute => Op::W2(if nan { xorsign_min_nan } else { xorsign_min }),
            "max" if xorsign && absolute => Op::W2(if nan { xorsign_max_nan } else { xorsign_max }),
            "min" if nan => Op::W2(alu::min_nan_f32),
            "max" if nan => Op::W2(alu::max_nan_f32),
            "min" => Op::MinF,
            "max" => Op::MaxF,
            _ => return unfit(mods),
        };
        self.finish_f32(op, d, s, ftz, saturate);
        Ok(true)
    }

    fn select_half(&mut self, name: &str, kind: Type, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let (ftz, saturate, nan, relu) = (mods.take("ftz"), mods.take("sat"), mods.take("NaN"), mods.take("relu"));
        let xorsign = mods.take("xorsign");
        if xorsign && !(mods.take("abs") && matches!(name, "min" | "max")) {
            return unfit(mods);
        }
        let rounded = mods.take("rn");
        if matches!(name, "add" | "sub" | "mul") && !rounded {
            self.unrounded(kind, name == "mul", mods.opcode);
        }
        if name == "fma" && !rounded {
            return Err("`fma` names no rounding".to_owned());
        }
        if matches!(kind, Type::F16x2 | Type::BF16x2) && matches!(name, "add" | "sub" | "mul" | "fma") {
            // Two roundings.
            self.cost += 1;
        }
        macro_rules! table {
            ($($format:pat, $name:pat, $nan:pat => $op:expr;)*) => {
                match (kind, name, nan) {
                    $(($format, $name, $nan) => $op,)*
                    _ => return unfit(mods),
                }
            };
        }
        let op = table! {
            Type::F16, "add", false => Op::W2(half::add);
            Type::F16, "sub", false => Op::W2(half::sub);
            Type::F16, "mul", false => Op::W2(half::mul);
            Type::F16, "fma", false => Op::W3(half::fma);
            Type::F16, "min", false => Op::W2(half::min);
            Type::F16, "max", false => Op::W2(half::max);
            Type::F16, "min", true => Op::W2(half::min_nan);
            Type::F16, "max", true => Op::W2(half::max_nan);
            Type::F16, "neg", false => Op::W1(half::neg);
            Type::F16, "abs", false => Op::W1(half::abs);
            Type::F16x2, "add", false => Op::W2(half::add2);
            Type::F16x2, "sub", false => Op::W2(half::sub2);
            Type::F16x2, "mul", false => Op::W2(half::mul2);
            Type::F16x2, "fma", false => Op::W3(half::fma2);
            Type::F16x2, "min", false => Op::W2(half::min2);
            Type::F16x2, "max", false => Op::W2(half::max2);
            Type::F16x2, "min", true => Op::W2(half::min_nan2);
            Type::F16x2, "max", true => Op::W2(half::max_nan2);
            Type::F16x2, "neg", false => Op::W1(half::neg2);
            Type::F16x2, "abs", false => Op::W1(half::abs2);
            Type::BF16, "add", false => Op::W2(bhalf::add);
            Type::BF16, "sub", false => Op::W2(bhalf::sub);
            Type::BF16, "mul", false => Op::W2(bhalf::mul);
            Type::BF16, "fma", false => Op::W3(bhalf::fma);
            Type::BF16, "min", false => Op::W2(bhalf::min);
            Type::BF16, "max", false => Op::W2(bhalf::max);
            Type::BF16, "min", true => Op::W2(bhalf::min_nan);
            Type::BF16, "max", true => Op::W2(bhalf::max_nan);
            Type::BF16, "neg", false => Op::W1(bhalf::neg);
            Type::BF16, "abs", false => Op::W1(bhalf::abs);
            Type::BF16x2, "add", false => Op::W2(bhalf::add2);
            Type::BF16x2, "sub", false => Op::W2(bhalf::sub2);
            Type::BF16x2, "mul", false => Op::W2(bhalf::mul2);
            Type::BF16x2, "fma", false => Op::W3(bhalf::fma2);
            Type::BF16x2, "min", false => Op::W2(bhalf::min2);
            Type::BF16x2, "max", false => Op::W2(bhalf::max2);
            Type::BF16x2, "min", true => Op::W2(bhalf::min_nan2);
            Type::BF16x2, "max", true => Op::W2(bhalf::max_nan2);
            Type::BF16x2, "neg", false => Op::W1(bhalf::neg2);
            Type::BF16x2, "abs", false => Op::W1(bhalf::abs2);
        };
        let (flush, clamp, rectify): (fn(u32) -> u32, fn(u32) -> u32, fn(u32) -> u32) = match kind {
            Type::F16 => (half::flush, half::sat, half::relu),
            Type::F16x2 => (half::flush2, half::sat2, half::relu2),
            Type::BF16 => (bhalf::flush, bhalf::sat, bhalf::relu),
            _ => (bhalf::flush2, bhalf::sat2, bhalf::relu2),
        };
        let count = match op {
            Op::W1(_) => 1,
            Op::W2(_) => 2,
            _ => 3,
        };
        if operands.len() != count + 1 {
            return unfit(mods);
        }
        let mut s = [NO; 3];
        for (source, operand) in s.iter_mut().zip(operands.get(1..).unwrap_or_default()) {
            *source = self.source(operand, kind)?;
            if ftz {
                *source = self.fresh(Class::W, Op::W1(flush), *source, NO, NO);
            }
        }
        let d = self.result(&operands[0], kind)?;
        let [a, b, _] = s;
        if xorsign {
            let magnitude = self.word(if kind.bits() == 32 { 0x7fff_7fff } else { 0x7fff });
            s = [a, b, NO].map(|of| if of == NO { NO } else { self.fresh(Class::W, Op::AndW, of, magnitude, NO) });
        }
        let mut value = self.fresh(Class::W, op, s[0], s[1], s[2]);
        if xorsign {
            let sign: fn(u32, u32, u32) -> u32 = match kind {
                Type::F16 | Type::F16x2 => |value, a, b| {
                    alu::each_half3(value, a, b, |value, a, b| signed_half(value, a ^ b, half::is_nan(value)))
                },
                _ => |value, a, b| {
                    alu::each_half3(value, a, b, |value, a, b| signed_half(value, a ^ b, bhalf::is_nan(value)))
                },
            };
            value = self.fresh(Class::W, Op::W3(sign), value, a, b);
        }
        for (wanted, then) in [(ftz, flush), (saturate, clamp), (relu, rectify)] {
            if wanted {
                value = self.fresh(Class::W, Op::W1(then), value, NO, NO);
            }
        }
        self.emit(Op::MovW, d, value, NO, NO);
        Ok(())
    }

    fn testp(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let [d, a] = exactly(operands)?;
        let a = self.source(a, kind)?;
        let d = self.result(d, Type::Pred)?;
        let test = mods.words().first().copied().unwrap_or("");
        macro_rules! classify {
            ($float:ident, $variant:path) => {
                match test {
                    "finite" => $variant(|a| $float::from_bits(a).is_finite()),
                    "infinite" => $variant(|a| $float::from_bits(a).is_infinite()),
                    "number" => $variant(|a| !$float::from_bits(a).is_nan()),
                    "notanumber" => $variant(|a| $float::from_bits(a).is_nan()),
                    "normal" => $variant(|a| $float::from_bits(a).is_normal()),
                    "subnormal" => $variant(|a| $float::from_bits(a).is_subnormal()),
                    _ => return unfit(mods),
                }
            };
        }
        let op = match kind {
            Type::F32 => classify!(f32, Op::PW1),
            Type::F64 => classify!(f64, Op::PD1),
            _ => return unfit(mods),
        };
        mods.take(test);
        self.emit(op, d, a, NO, NO);
        Ok(())
    }
}

fn with_xored_sign(value: u32, a: u32, b: u32) -> u32 {
    if f32::from_bits(value).is_nan() { value } else { value & 0x7fff_ffff | (a ^ b) & 0x8000_0000 }
}

fn signed_half(value: u32, sign: u32, nan: bool) -> u32 {
    if nan { value } else { value & 0x7fff | sign & 0x8000 }
}

fn magnitude(a: u32) -> u32 {
    a & 0x7fff_ffff
}

fn xorsign_min(a: u32, b: u32) -> u32 {
    with_xored_sign(alu::min_f32(magnitude(a), magnitude(b)), a, b)
}

fn xorsign_max(a: u32, b: u32) -> u32 {
    with_xored_sign(alu::max_f32(magnitude(a), magnitude(b)), a, b)
}

fn xorsign_min_nan(a: u32, b: u32) -> u32 {
    with_xored_sign(alu::min_nan_f32(magnitude(a), magnitude(b)), a, b)
}

fn xorsign_max_nan(a: u32, b: u32) -> u32 {
    with_xored_sign(alu::max_nan_f32(magnitude(a), magnitude(b)), a, b)
}
