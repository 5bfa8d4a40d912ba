//! Barriers, warp-wide exchange, matrix products.

use super::{Builder, Mods, NO, Raw, Refused, Vreg, arith::unfit, mma_registers};
use crate::{
    ast::{Operand, Type},
    ir::{BarrierKind, Mma, Op, Reduce, Shuffle, Vote},
};
use alloc::{borrow::ToOwned, format, vec::Vec};

impl<'a> Builder<'_, 'a> {
    /// Barriers and warp-wide instructions; false where the instruction is none.
    pub(super) fn select_sync(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        match mods.name {
            "membar" | "fence" => {
                // Between threads of one block the race detector asks for barriers, so a fence alone orders nothing.
                for word in [
                    "sc",
                    "acq_rel",
                    "acquire",
                    "release",
                    "cta",
                    "gpu",
                    "sys",
                    "gl",
                    "cluster",
                    "proxy",
                    "alias",
                    "async",
                    "global",
                    "shared::cta",
                    "async::generic",
                ] {
                    mods.take(word);
                }
                if !operands.is_empty() || mods.first().is_some() {
                    return unfit(mods);
                }
                return Ok(true);
            }
            "bar" | "barrier" | "shfl" | "vote" | "match" | "redux" | "mma" | "wmma" => {}
            _ => return Ok(false),
        }
        let skip = self.jump_unless_guard();
        match mods.name {
            "bar" | "barrier" if mods.has("warp") => {
                mods.take("warp");
                mods.take("sync");
                let [mask] = super::exactly(operands)?;
                let mask = self.source(mask, Type::B32)?;
                self.emit(Op::WarpBarrier, NO, NO, mask, NO);
            }
            "bar" | "barrier" => self.barrier(mods, operands)?,
            "shfl" => self.shuffle(mods, operands)?,
            "vote" => self.vote(mods, operands)?,
            "match" => self.matching(mods, operands)?,
            "redux" => {
                let kind = mods.kind()?;
                mods.take("sync");
                let operation = match (mods.first().unwrap_or(""), kind) {
                    ("add", Type::U32 | Type::S32) => Reduce::Add,
                    ("min", Type::U32) => Reduce::MinU,
                    ("max", Type::U32) => Reduce::MaxU,
                    ("min", Type::S32) => Reduce::MinS,
                    ("max", Type::S32) => Reduce::MaxS,
                    ("and", Type::B32) => Reduce::And,
                    ("or", Type::B32) => Reduce::Or,
                    ("xor", Type::B32) => Reduce::Xor,
                    _ => return unfit(mods),
                };
                if let Some(word) = mods.first() {
                    mods.take(word);
                }
                let [d, a, mask] = super::exactly(operands)?;
                let (a, mask) = (self.source(a, kind)?, self.source(mask, Type::B32)?);
                let d = self.result(d, kind)?;
                self.emit(Op::Redux(operation), d, a, mask, NO);
            }
            "wmma" => self.wmma(mods, operands)?,
            _ => self.mma(mods, operands)?,
        }
        self.land(skip);
        Ok(true)
    }

    fn barrier(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("cta");
        mods.take("aligned");
        if mods.take("sync") || mods.has("arrive") {
            let kind = if mods.take("arrive") { BarrierKind::Arrive } else { BarrierKind::Sync };
            let (a, b) = match operands {
                [a] if kind == BarrierKind::Sync => (self.source(a, Type::U32)?, NO),
                [a, b] => (self.source(a, Type::U32)?, self.source(b, Type::U32)?),
                _ => return unfit(mods),
            };
            self.emit(Op::Barrier(kind), NO, a, b, NO);
            return Ok(());
        }
        if !mods.take("red") {
            return unfit(mods);
        }
        let kind = mods.kind()?;
        let vote = match (mods.first().unwrap_or(""), kind) {
            ("popc", Type::U32) => Vote::Count,
            ("and", Type::Pred) => Vote::All,
            ("or", Type::Pred) => Vote::Any,
            _ => return unfit(mods),
        };
        if let Some(word) = mods.first() {
            mods.take(word);
        }
        let (d, a, b, p) = match operands {
            [d, a, p] => (d, a, None, p),
            [d, a, b, p] => (d, a, Some(b), p),
            _ => return unfit(mods),
        };
        let a = self.source(a, Type::U32)?;
        let b = match b {
            Some(b) => self.source(b, Type::U32)?,
            None => NO,
        };
        let p = self.source(p, Type::Pred)?;
        let d = self.result(d, kind)?;
        self.emit(Op::Barrier(BarrierKind::Reduce(vote)), d, a, b, p);
        Ok(())
    }

    fn shuffle(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("sync");
        if mods.kind()? != Type::B32 {
            return unfit(mods);
        }
        let modes =
            [("up", Shuffle::Up), ("down", Shuffle::Down), ("bfly", Shuffle::Butterfly), ("idx", Shuffle::Index)];
        let Some(mode) = mods.take_any(&modes) else { return unfit(mods) };
        let [d, a, b, c, mask] = super::exactly(operands)?;
        let (d, valid) = match *d {
            Operand::Pair(d, valid) => (Operand::Name(d), Some(Operand::Name(valid))),
            ref d => (d.clone(), None),
        };
        let a = self.source(a, Type::B32)?;
        let (b, c) = (self.source(b, Type::U32)?, self.source(c, Type::U32)?);
        let mask = self.source(mask, Type::B32)?;
        let d = self.result(&d, Type::B32)?;
        let e = match valid {
            Some(valid) => self.result(&valid, Type::Pred)?,
            None => NO,
        };
        // The member mask travels in the block's gather; this marker carries it there.
        self.gather(mask);
        let raw = Raw { d, e, a, b, c, ..self.raw(Op::Shuffle(mode)) };
        self.push(raw);
        Ok(())
    }

    /// Puts the member mask where the next block's head finds it.
    fn gather(&mut self, mask: Vreg) {
        let cost = core::mem::take(&mut self.cost);
        let raw = Raw { b: mask, ..self.raw(Op::Gather) };
        self.push(raw);
        self.cost = cost;
    }

    fn vote(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("sync");
        let kind = mods.kind()?;
        let vote = match (mods.first().unwrap_or(""), kind) {
            ("all", Type::Pred) => Vote::All,
            ("any", Type::Pred) => Vote::Any,
            ("uni", Type::Pred) => Vote::Uniform,
            ("ballot", Type::B32) => Vote::Ballot,
            _ => return unfit(mods),
        };
        if let Some(word) = mods.first() {
            mods.take(word);
        }
        let [d, a, mask] = super::exactly(operands)?;
        let (a, mask) = (self.source(a, Type::Pred)?, self.source(mask, Type::B32)?);
        let d = self.result(d, kind)?;
        self.emit(Op::Vote(vote), d, a, mask, NO);
        Ok(())
    }

    fn matching(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("sync");
        let kind = mods.kind()?;
        let all = mods.take("all");
        if !all && !mods.take("any") {
            return unfit(mods);
        }
        let [d, a, mask] = super::exactly(operands)?;
        let (d, valid) = match *d {
            Operand::Pair(d, valid) if all => (Operand::Name(d), Some(Operand::Name(valid))),
            ref d => (d.clone(), None),
        };
        let (a, mask) = (self.source(a, kind)?, self.source(mask, Type::B32)?);
        let d = self.result(&d, Type::B32)?;
        let e = match valid {
            Some(valid) => self.result(&valid, Type::Pred)?,
            None => NO,
        };
        let op = match (kind, all) {
            (Type::B32, false) => Op::MatchAnyW,
            (Type::B64, false) => Op::MatchAnyD,
            (Type::B32, true) => Op::MatchAllW,
            (Type::B64, true) => Op::MatchAllD,
            _ => return unfit(mods),
        };
        let raw = Raw { d, e, a, b: mask, ..self.raw(op) };
        self.push(raw);
        Ok(())
    }

    fn mma(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let words = mods.words().to_vec();
        for word in &words {
            mods.take(word);
        }
        let mut saturate = false;
        let mut xor = false;
        let mut rest = Vec::new();
        for word in words {
            match word {
                "sync" | "aligned" | "row" | "col" | "popc" => {}
                "satfinite" => saturate = true,
                "xor" => xor = true,
                "and" => xor = false,
                "sp" | "sp::ordered_metadata" => return Err("sparse `mma` is not supported".to_owned()),
                word => rest.push(word),
            }
        }
        let refuse = || {
            Err(format!(
                "`{}` sums products in an order that differs between architectures: use integer types, or fmaf in a fixed order",
                mods.opcode
            ))
        };
        let [shape, d, a, b, c] = rest.as_slice() else { return refuse() };
        let (m, n, k) = match *shape {
            "m8n8k16" => (8, 8, 16),
            "m16n8k16" => (16, 8, 16),
            "m16n8k32" => (16, 8, 32),
            "m8n8k32" => (8, 8, 32),
            "m16n8k64" => (16, 8, 64),
            "m8n8k128" => (8, 8, 128),
            "m16n8k128" => (16, 8, 128),
            "m16n8k256" => (16, 8, 256),
            _ => return refuse(),
        };
        let element = |word: &str| match word {
            "u8" => Some((8, false)),
            "s8" => Some((8, true)),
            "u4" => Some((4, false)),
            "s4" => Some((4, true)),
            "b1" => Some((1, false)),
            _ => None,
        };
        let (Some((bits, signed_a)), Some((other, signed_b)), "s32", "s32") = (element(a), element(b), *d, *c) else {
            return refuse();
        };
        let fits = matches!(
            (bits, k, m),
            (8, 16, 8 | 16) | (8, 32, 16) | (4, 32, 8 | 16) | (4, 64, 16) | (1, 128, 8 | 16) | (1, 256, 16)
        );
        if bits != other || !fits {
            return refuse();
        }
        let shape = Mma { m, n, k, bits, signed_a, signed_b, saturate, xor };
        // A lane-step pays for two products of its thread's share; of single bits for a word of them.
        self.cost += u32::from(m) * u32::from(n) * u32::from(k) / 32 / if bits == 1 { 32 } else { 2 };
        let [d, a, b, c] = super::exactly(operands)?;
        let (results, inputs) = mma_registers(shape);
        let start = self.ext.len() as u32;
        let mut registers = Vec::new();
        let list = |operand: &Operand<'a>| match operand {
            Operand::List(list) => list.clone(),
            single => alloc::vec![single.clone()],
        };
        for operand in list(d) {
            registers.push(self.result(&operand, Type::B32)?);
        }
        if registers.len() != results {
            return unfit(mods);
        }
        for operand in [a, b, c] {
            for operand in list(operand) {
                registers.push(self.source(&operand, Type::B32)?);
            }
        }
        if registers.len() != results + inputs {
            return unfit(mods);
        }
        self.ext.extend(registers);
        self.emit(Op::Mma(shape, start), NO, NO, NO, NO);
        Ok(())
    }
}
