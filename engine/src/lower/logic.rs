//! Bits, shifts, comparisons and selections.

use super::{Builder, Class, Mods, NO, Raw, Refused, Vreg, arith::unfit, exactly};
use crate::{
    alu::{self, bhalf, half},
    ast::{Operand, Type},
    ir::Op,
};
use alloc::{borrow::ToOwned, format};

/// Relations of `setp` and `set`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    // Unsigned, or unordered for floating point.
    Equ,
    Neu,
    Ltu,
    Leu,
    Gtu,
    Geu,
    Num,
    Nan,
}

const RELATIONS: [(&str, Relation); 18] = [
    ("eq", Relation::Eq),
    ("ne", Relation::Ne),
    ("lt", Relation::Lt),
    ("le", Relation::Le),
    ("gt", Relation::Gt),
    ("ge", Relation::Ge),
    ("lo", Relation::Lt),
    ("ls", Relation::Le),
    ("hi", Relation::Gt),
    ("hs", Relation::Ge),
    ("equ", Relation::Equ),
    ("neu", Relation::Neu),
    ("ltu", Relation::Ltu),
    ("leu", Relation::Leu),
    ("gtu", Relation::Gtu),
    ("geu", Relation::Geu),
    ("num", Relation::Num),
    ("nan", Relation::Nan),
];

const COMBINATIONS: [(&str, Op); 3] = [("and", Op::AndP), ("or", Op::OrP), ("xor", Op::XorP)];

impl<'a> Builder<'_, 'a> {
    /// Logic instructions; false where the instruction is none.
    pub(super) fn select_logic(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        match mods.name {
            "and" | "or" | "xor" => {
                let kind = mods.kind()?;
                let op = match (mods.name, kind) {
                    ("and", Type::Pred) => Op::AndP,
                    ("or", Type::Pred) => Op::OrP,
                    ("xor", Type::Pred) => Op::XorP,
                    ("and", Type::B16 | Type::B32) => Op::AndW,
                    ("or", Type::B16 | Type::B32) => Op::OrW,
                    ("xor", Type::B16 | Type::B32) => Op::XorW,
                    ("and", Type::B64) => Op::AndD,
                    ("or", Type::B64) => Op::OrD,
                    ("xor", Type::B64) => Op::XorD,
                    _ => return unfit(mods),
                };
                let [d, a, b] = exactly(operands)?;
                let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
                let d = self.result(d, kind)?;
                self.emit(op, d, a, b, NO);
            }
            "not" | "cnot" => {
                let kind = mods.kind()?;
                let op = match (mods.name, kind) {
                    ("not", Type::Pred) => Op::NotP,
                    ("not", Type::B16) => Op::W1(|a| !a & 0xffff),
                    ("not", Type::B32) => Op::NotW,
                    ("not", Type::B64) => Op::NotD,
                    ("cnot", Type::B16 | Type::B32) => Op::W1(|a| u32::from(a == 0)),
                    ("cnot", Type::B64) => Op::D1(|a| u64::from(a == 0)),
                    _ => return unfit(mods),
                };
                let [d, a] = exactly(operands)?;
                let a = self.source(a, kind)?;
                let d = self.result(d, kind)?;
                self.emit(op, d, a, NO, NO);
            }
            "shl" | "shr" => {
                let kind = mods.kind()?;
                let [d, a, b] = exactly(operands)?;
                let a = self.source(a, kind)?;
                let b = self.source(b, Type::U32)?;
                let d = self.result(d, kind)?;
                let op = match (mods.name, kind) {
                    ("shl", Type::B16) => Op::W2(|a, b| alu::shl32(a, b) & 0xffff),
                    ("shl", Type::B32) => Op::ShlW,
                    ("shl", Type::B64) => Op::ShlD,
                    ("shr", Type::B16 | Type::U16 | Type::B32 | Type::U32) => Op::ShrUW,
                    ("shr", Type::S16) => Op::W2(|a, b| alu::shr_s32(alu::sext16(a) as u32, b) & 0xffff),
                    ("shr", Type::S32) => Op::ShrSW,
                    ("shr", Type::B64 | Type::U64) => Op::ShrUD,
                    ("shr", Type::S64) => Op::ShrSD,
                    _ => return unfit(mods),
                };
                self.emit(op, d, a, b, NO);
            }
            "shf" => {
                if mods.kind()? != Type::B32 {
                    return unfit(mods);
                }
                let op = match (mods.take("l"), mods.take("r"), mods.take("wrap"), mods.take("clamp")) {
                    (true, false, true, false) => Op::FunnelLeftWrapW,
                    (false, true, true, false) => Op::FunnelRightWrapW,
                    (true, false, false, true) => Op::W3(alu::funnel_left_clamp),
                    (false, true, false, true) => Op::W3(alu::funnel_right_clamp),
                    _ => return unfit(mods),
                };
                self.words3(operands, op)?;
            }
            "lop3" if mods.has("or") || mods.has("and") => self.lop3_predicate(mods, operands)?,
            "lop3" => {
                if mods.kind()? != Type::B32 {
                    return unfit(mods);
                }
                let [d, a, b, c, Operand::Int(table)] = exactly(operands)? else {
                    return Err("the table of `lop3` is a number".to_owned());
                };
                let (a, b, c) = (self.source(a, Type::B32)?, self.source(b, Type::B32)?, self.source(c, Type::B32)?);
                let d = self.result(d, Type::B32)?;
                let raw = Raw { d, a, b, c, imm: (*table & 0xff) as i32, ..self.raw(Op::Lop3W) };
                self.push(raw);
            }
            "prmt" => {
                let modes: [(&str, fn(u32, u32, u32) -> u32); 6] = [
                    ("f4e", alu::prmt_f4e),
                    ("b4e", alu::prmt_b4e),
                    ("rc8", alu::prmt_rc8),
                    ("ecl", alu::prmt_ecl),
                    ("ecr", alu::prmt_ecr),
                    ("rc16", alu::prmt_rc16),
                ];
                let op = mods.take_any(&modes).map_or(Op::PrmtW, Op::W3);
                if mods.kind()? != Type::B32 {
                    return unfit(mods);
                }
                self.words3(operands, op)?;
            }
            "setp" => self.setp(mods, operands)?,
            "set" => self.set(mods, operands)?,
            "selp" => {
                let kind = mods.kind()?;
                let [d, a, b, p] = exactly(operands)?;
                let (a, b) = (self.source(a, kind)?, self.source(b, kind)?);
                let p = self.source(p, Type::Pred)?;
                let d = self.result(d, kind)?;
                let op = match kind {
                    Type::Pred => Op::SelP,
                    kind if kind.bits() == 64 => Op::SelD,
                    kind if kind.bits() <= 32 => Op::SelW,
                    _ => return unfit(mods),
                };
                self.emit(op, d, a, b, p);
            }
            "slct" => {
                let by = mods.kind()?;
                let kind = mods.kind()?;
                let ftz = mods.take("ftz");
                let [d, a, b, c] = exactly(operands)?;
                let (a, b, c) = (self.source(a, kind)?, self.source(b, kind)?, self.source(c, by)?);
                let d = self.result(d, kind)?;
                let op = match (by, ftz) {
                    (Type::S32, _) => Op::PW1(|a| (a as i32) >= 0),
                    (Type::F32, false) => Op::PW1(|a| f32::from_bits(a) >= 0.0),
                    (Type::F32, true) => Op::PW1(|a| f32::from_bits(alu::ftz(a)) >= 0.0),
                    _ => return unfit(mods),
                };
                let p = self.fresh(Class::P, op, c, NO, NO);
                self.emit(if kind.bits() == 64 { Op::SelD } else { Op::SelW }, d, a, b, p);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// `lop3.or.b32 d|p, a, b, c, table, q`: `p` is whether any bit is set, with `q`.
    fn lop3_predicate(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let (kind, combine) = (mods.kind()?, mods.take_any(&COMBINATIONS));
        let ([Operand::Pair(d, p), a, b, c, Operand::Int(table), q], Some(combine)) = (exactly(operands)?, combine)
        else {
            return unfit(mods);
        };
        let (a, b, c) = (self.source(a, kind)?, self.source(b, kind)?, self.source(c, kind)?);
        let q = self.source(q, Type::Pred)?;
        let (d, p) = (self.result(&Operand::Name(d), Type::B32)?, self.result(&Operand::Name(p), Type::Pred)?);
        let value = self.temporary(Class::W);
        let raw = Raw { d: value, a, b, c, imm: (*table & 0xff) as i32, ..self.raw(Op::Lop3W) };
        self.push(raw);
        let some = self.fresh(Class::P, Op::PW1(|a| a != 0), value, NO, NO);
        self.emit(combine, p, some, q, NO);
        self.emit(Op::MovW, d, value, NO, NO);
        Ok(())
    }

    fn words3(&mut self, operands: &[Operand<'a>], op: Op) -> Refused<()> {
        let [d, a, b, c] = exactly(operands)?;
        let (a, b, c) = (self.source(a, Type::B32)?, self.source(b, Type::B32)?, self.source(c, Type::B32)?);
        let d = self.result(d, Type::B32)?;
        self.emit(op, d, a, b, c);
        Ok(())
    }

    /// The comparison in a fresh predicate.
    fn compare(&mut self, mods: &Mods<'a>, relation: Relation, kind: Type, a: Vreg, b: Vreg) -> Refused<Vreg> {
        let d = self.temporary(Class::P);
        if kind.float() {
            self.compare_float(mods, relation, kind, d, a, b)?;
            return Ok(d);
        }
        let signed = kind.signed();
        let (op, swap, invert) = match relation {
            Relation::Eq => (0, false, false),
            Relation::Ne => (0, false, true),
            Relation::Lt => (1, false, false),
            Relation::Gt => (1, true, false),
            Relation::Le => (2, false, false),
            Relation::Ge => (2, true, false),
            _ => return unfit(mods),
        };
        let op = match (kind.bits(), op, signed) {
            (16 | 32, 0, _) => Op::EqW,
            (16, 1, true) => Op::PW2(|a, b| alu::sext16(a) < alu::sext16(b)),
            (16, 2, true) => Op::PW2(|a, b| alu::sext16(a) <= alu::sext16(b)),
            (32, 1, true) => Op::LtSW,
            (32, 2, true) => Op::LeSW,
            (16 | 32, 1, false) => Op::LtUW,
            (16 | 32, 2, false) => Op::LeUW,
            (64, 0, _) => Op::EqD,
            (64, 1, true) => Op::LtSD,
            (64, 2, true) => Op::LeSD,
            (64, 1, false) => Op::LtUD,
            (64, 2, false) => Op::LeUD,
            _ => return unfit(mods),
        };
        let (a, b) = if swap { (b, a) } else { (a, b) };
        let raw = Raw { d, a, b, imm: i32::from(invert), ..self.raw(op) };
        self.push(raw);
        Ok(d)
    }

    fn compare_float(
        &mut self,
        mods: &Mods<'a>,
        relation: Relation,
        kind: Type,
        d: Vreg,
        a: Vreg,
        b: Vreg,
    ) -> Refused<()> {
        let (eq, lt, le) = match kind {
            Type::F32 => (Op::EqF, Op::LtF, Op::LeF),
            Type::F64 => (Op::EqG, Op::LtG, Op::LeG),
            Type::F16 => (Op::PW2(half::eq), Op::PW2(half::lt), Op::PW2(half::le)),
            Type::BF16 => (Op::PW2(bhalf::eq), Op::PW2(bhalf::lt), Op::PW2(bhalf::le)),
            _ => return unfit(mods),
        };
        // The unordered relations are the ordered opposites, inverted.
        let (op, swap, invert) = match relation {
            Relation::Eq => (eq, false, false),
            Relation::Lt => (lt, false, false),
            Relation::Gt => (lt, true, false),
            Relation::Le => (le, false, false),
            Relation::Ge => (le, true, false),
            Relation::Neu => (eq, false, true),
            Relation::Ltu => (le, true, true),
            Relation::Gtu => (le, false, true),
            Relation::Leu => (lt, true, true),
            Relation::Geu => (lt, false, true),
            Relation::Ne | Relation::Equ | Relation::Num | Relation::Nan => {
                let ordered = match kind {
                    Type::F32 => Op::PW2(|a, b| !f32::from_bits(a).is_nan() && !f32::from_bits(b).is_nan()),
                    Type::F64 => Op::PD2(|a, b| !f64::from_bits(a).is_nan() && !f64::from_bits(b).is_nan()),
                    Type::F16 => Op::PW2(|a, b| !half::is_nan(a) && !half::is_nan(b)),
                    _ => Op::PW2(|a, b| !bhalf::is_nan(a) && !bhalf::is_nan(b)),
                };
                let ordered = self.fresh(Class::P, ordered, a, b, NO);
                match relation {
                    Relation::Num => self.emit(Op::MovP, d, ordered, NO, NO),
                    Relation::Nan => self.emit(Op::NotP, d, ordered, NO, NO),
                    _ => {
                        let equal = self.temporary(Class::P);
                        let raw = Raw { d: equal, a, b, ..self.raw(eq) };
                        self.push(raw);
                        if relation == Relation::Ne {
                            let differs = self.fresh(Class::P, Op::NotP, equal, NO, NO);
                            self.emit(Op::AndP, d, differs, ordered, NO);
                        } else {
                            let nan = self.fresh(Class::P, Op::NotP, ordered, NO, NO);
                            self.emit(Op::OrP, d, equal, nan, NO);
                        }
                    }
                }
                return Ok(());
            }
        };
        // Functions have no inversion of their own.
        let (a, b) = if swap { (b, a) } else { (a, b) };
        if invert && matches!(op, Op::PW2(_)) {
            let plain = self.fresh(Class::P, op, a, b, NO);
            self.emit(Op::NotP, d, plain, NO, NO);
            return Ok(());
        }
        let raw = Raw { d, a, b, imm: i32::from(invert), ..self.raw(op) };
        self.push(raw);
        Ok(())
    }

    fn compared(&mut self, mods: &mut Mods<'a>, kind: Type, a: &Operand<'a>, b: &Operand<'a>) -> Refused<Vreg> {
        let Some(relation) = mods.take_any(&RELATIONS) else { return unfit(mods) };
        let ftz = mods.take("ftz");
        let (mut a, mut b) = (self.source(a, kind)?, self.source(b, kind)?);
        if ftz {
            let flush = match kind {
                Type::F32 => alu::ftz,
                Type::F16 => half::flush,
                _ => return unfit(mods),
            };
            a = self.fresh(Class::W, Op::W1(flush), a, NO, NO);
            b = self.fresh(Class::W, Op::W1(flush), b, NO, NO);
        }
        self.compare(mods, relation, kind, a, b)
    }

    fn setp(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let combine = mods.take_any(&COMBINATIONS);
        let (d, a, b, c) = match (operands, combine) {
            ([d, a, b], None) => (d, a, b, None),
            ([d, a, b, c], Some(_)) => (d, a, b, Some(c)),
            _ => return Err(format!("`{}` has another number of operands", mods.opcode)),
        };
        // The guard may be one of the results.
        let guard = self.guard;
        if let Some((register, negated)) = guard {
            self.guard = None;
            let copy = self.fresh(Class::P, Op::MovP, register, NO, NO);
            self.guard = Some((copy, negated));
        }
        let c = match c {
            Some(c) => Some(self.source(c, Type::Pred)?),
            None => None,
        };
        if matches!(kind, Type::F16x2 | Type::BF16x2) {
            // The third operand may be one of the results, which the halves' predicates would overwrite.
            return self.setp_halves(mods, kind, d, a, b, combine.zip(c));
        }
        let plain = self.compared(mods, kind, a, b)?;
        let (first, second) = match *d {
            Operand::Pair(first, second) => (Operand::Name(first), Some(Operand::Name(second))),
            ref single => (single.clone(), None),
        };
        let second = match second {
            Some(second) => {
                let opposite = self.fresh(Class::P, Op::NotP, plain, NO, NO);
                let value = match (combine, c) {
                    (Some(op), Some(c)) => self.fresh(Class::P, op, opposite, c, NO),
                    _ => opposite,
                };
                Some((self.result(&second, Type::Pred)?, value))
            }
            None => None,
        };
        let first = self.result(&first, Type::Pred)?;
        match (combine, c) {
            (Some(op), Some(c)) => self.emit(op, first, plain, c, NO),
            _ => {
                // The comparison can write its result itself.
                match self.raws.last_mut() {
                    Some(last) if second.is_none() && last.d == plain => last.d = first,
                    _ => self.emit(Op::MovP, first, plain, NO, NO),
                }
            }
        }
        if let Some((register, value)) = second {
            self.emit(Op::MovP, register, value, NO, NO);
        }
        Ok(())
    }

    /// All ones in each half where the relation holds.
    fn compared_halves(&mut self, mods: &mut Mods<'a>, kind: Type, a: &Operand<'a>, b: &Operand<'a>) -> Refused<Vreg> {
        let Some(relation) = mods.take_any(&RELATIONS) else { return unfit(mods) };
        let ftz = mods.take("ftz");
        let (mut a, mut b) = (self.source(a, kind)?, self.source(b, kind)?);
        if ftz {
            if kind != Type::F16x2 {
                return unfit(mods);
            }
            a = self.fresh(Class::W, Op::W1(half::flush2), a, NO, NO);
            b = self.fresh(Class::W, Op::W1(half::flush2), b, NO, NO);
        }
        macro_rules! masks {
            ($format:ident: $($relation:ident $a:ident $b:ident $holds:expr;)*) => {
                match relation {
                    $(Relation::$relation => |a, b| {
                        alu::each_half(a, b, |$a, $b| {
                            use $format::{eq, is_nan, le, lt};
                            let _ = (eq, is_nan, le, lt);
                            if $holds { 0xffff } else { 0 }
                        })
                    },)*
                }
            };
        }
        macro_rules! relations {
            ($format:ident) => {
                masks! { $format:
                    Eq a b eq(a, b);
                    Ne a b !eq(a, b) && !is_nan(a) && !is_nan(b);
                    Lt a b lt(a, b);
                    Le a b le(a, b);
                    Gt a b lt(b, a);
                    Ge a b le(b, a);
                    Equ a b eq(a, b) || is_nan(a) || is_nan(b);
                    Neu a b !eq(a, b);
                    Ltu a b !le(b, a);
                    Leu a b !lt(b, a);
                    Gtu a b !le(a, b);
                    Geu a b !lt(a, b);
                    Num a b !is_nan(a) && !is_nan(b);
                    Nan a b is_nan(a) || is_nan(b);
                }
            };
        }
        let op: fn(u32, u32) -> u32 = if kind == Type::F16x2 { relations!(half) } else { relations!(bhalf) };
        Ok(self.fresh(Class::W, Op::W2(op), a, b, NO))
    }

    /// One predicate for each half.
    fn setp_halves(
        &mut self,
        mods: &mut Mods<'a>,
        kind: Type,
        d: &Operand<'a>,
        a: &Operand<'a>,
        b: &Operand<'a>,
        combine: Option<(Op, Vreg)>,
    ) -> Refused<()> {
        let Operand::Pair(low, high) = *d else { return unfit(mods) };
        let combine = combine.map(|(op, with)| (op, self.fresh(Class::P, Op::MovP, with, NO, NO)));
        let mask = self.compared_halves(mods, kind, a, b)?;
        let low_holds = self.fresh(Class::P, Op::PW1(|a| a & 0xffff != 0), mask, NO, NO);
        let high_holds = self.fresh(Class::P, Op::PW1(|a| a >> 16 != 0), mask, NO, NO);
        for (name, holds) in [(low, low_holds), (high, high_holds)] {
            let d = self.result(&Operand::Name(name), Type::Pred)?;
            match combine {
                Some((op, with)) => {
                    let value = self.fresh(Class::P, op, holds, with, NO);
                    self.emit(Op::MovP, d, value, NO, NO);
                }
                None => self.emit(Op::MovP, d, holds, NO, NO),
            }
        }
        Ok(())
    }

    fn set(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let to = mods.kind()?;
        let combine = mods.take_any(&COMBINATIONS);
        let (d, a, b, c) = match (operands, combine) {
            ([d, a, b], None) => (d, a, b, None),
            ([d, a, b, c], Some(_)) => (d, a, b, Some(c)),
            _ => return Err(format!("`{}` has another number of operands", mods.opcode)),
        };
        if matches!(kind, Type::F16x2 | Type::BF16x2) {
            let ones = match (to, kind) {
                (Type::U32 | Type::S32, _) => None,
                (Type::F16x2, Type::F16x2) => Some(0x3c00_3c00),
                (Type::BF16x2, Type::BF16x2) => Some(0x3f80_3f80),
                _ => return unfit(mods),
            };
            let mut mask = self.compared_halves(mods, kind, a, b)?;
            if let (Some(op), Some(c)) = (combine, c) {
                let c = self.source(c, Type::Pred)?;
                let (none, all) = (self.word(0), self.word(u32::MAX));
                let (first, second) = match op {
                    Op::AndP => (mask, none),
                    Op::OrP => (all, mask),
                    _ => (self.fresh(Class::W, Op::NotW, mask, NO, NO), mask),
                };
                mask = self.fresh(Class::W, Op::SelW, first, second, c);
            }
            if let Some(ones) = ones {
                let ones = self.word(ones);
                mask = self.fresh(Class::W, Op::AndW, mask, ones, NO);
            }
            let d = self.result(d, to)?;
            self.emit(Op::MovW, d, mask, NO, NO);
            return Ok(());
        }
        let mut value = self.compared(mods, kind, a, b)?;
        if let (Some(op), Some(c)) = (combine, c) {
            let c = self.source(c, Type::Pred)?;
            value = self.fresh(Class::P, op, value, c, NO);
        }
        let d = self.result(d, to)?;
        let one = match to {
            Type::U32 | Type::S32 => self.word(u32::MAX),
            Type::F32 => self.word(1f32.to_bits()),
            Type::U16 | Type::S16 => self.word(0xffff),
            Type::F16 => self.word(0x3c00),
            Type::BF16 => self.word(0x3f80),
            _ => return unfit(mods),
        };
        let zero = self.word(0);
        self.emit(Op::SelW, d, one, zero, value);
        Ok(())
    }
}
