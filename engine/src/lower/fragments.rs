//! What happens to the fragments of `wmma`, whose layout is not specified: they may be loaded, moved, multiplied, stored, and all their
//! elements may be changed alike. Each register that holds a part of one has a companion with its mark, by which the run sees whether
//! a fragment is whole when it is used. Whatever else would show the layout is refused.

use super::{Builder, Class, NO, Raw, Refused, Vreg, product_registers};
use crate::ir::Op;
use alloc::{borrow::ToOwned, collections::BTreeMap, vec, vec::Vec};

/// Lane-steps of a change of an element beyond those of the instruction.
const COMBINE: u32 = 8;

/// A number for each operation that makes one element of others, of two's complement words.
fn number(op: &Op) -> Option<i32> {
    Some(match op {
        Op::AddW => 1,
        Op::SubW => 2,
        Op::MulW => 3,
        Op::MadW => 4,
        Op::AndW => 5,
        Op::OrW => 6,
        Op::XorW => 7,
        Op::ShlW => 8,
        Op::ShrUW => 9,
        Op::ShrSW => 10,
        Op::MinSW => 11,
        Op::MaxSW => 12,
        Op::MinUW => 13,
        Op::MaxUW => 14,
        Op::NotW => 15,
        Op::DivSW => 16,
        Op::DivUW => 17,
        _ => return None,
    })
}

/// The registers of the results of an instruction that makes fragments.
fn made(raw: &Raw) -> Option<(usize, usize)> {
    match raw.op {
        Op::Take(kind, start) => Some((start as usize, kind.registers())),
        Op::Product(product, start) => Some((start as usize, product_registers(product).0)),
        _ => None,
    }
}

impl Builder<'_, '_> {
    /// Moves of registers that surely hold a constant become moves of the constant: compilers take the zero of a sum for other things, too.
    fn settle_constants(&mut self) {
        let mut heads: Vec<usize> = self.labels.iter().flatten().chain(&self.starts).copied().collect();
        heads.sort_unstable();
        heads.dedup();
        let mut heads = heads.into_iter().peekable();
        let mut held: BTreeMap<Vreg, Vreg> = BTreeMap::new();
        let mut raws = core::mem::take(&mut self.raws);
        for (at, raw) in raws.iter_mut().enumerate() {
            while heads.next_if(|head| *head <= at).is_some() {
                held.clear();
            }
            if matches!(raw.op, Op::MovW)
                && let Some(constant) = held.get(&raw.a)
            {
                raw.a = *constant;
            }
            if matches!(raw.op, Op::Call | Op::Return) {
                held.clear();
            }
            raw.defs(&self.ext, |register| {
                held.remove(&register);
            });
            if matches!(raw.op, Op::MovW) && raw.guard == NO && self.constant_of(raw.a).is_some() {
                held.insert(raw.d, raw.a);
            }
        }
        self.raws = raws;
    }

    /// The registers that hold parts of fragments.
    fn parts(&self) -> Vec<bool> {
        let mut parts = vec![false; self.registers.len()];
        let mut open = Vec::new();
        let mark = |register: Vreg, parts: &mut Vec<bool>, open: &mut Vec<Vreg>| {
            if let Some(flag) = parts.get_mut(register as usize)
                && !core::mem::replace(flag, true)
            {
                open.push(register);
            }
        };
        let mut steps: Vec<(Vreg, Vreg)> = Vec::new();
        for raw in &self.raws {
            if let Some((start, count)) = made(raw) {
                for register in self.ext.iter().skip(start).take(count) {
                    mark(*register, &mut parts, &mut open);
                }
            } else if matches!(raw.op, Op::MovW) || number(&raw.op).is_some() {
                steps.extend([raw.a, raw.b, raw.c].into_iter().filter(|from| *from != NO).map(|from| (from, raw.d)));
            }
        }
        if open.is_empty() {
            return parts;
        }
        steps.sort_unstable();
        while let Some(register) = open.pop() {
            let first = steps.partition_point(|(from, _)| *from < register);
            for (_, to) in steps.iter().skip(first).take_while(|(from, _)| *from == register) {
                mark(*to, &mut parts, &mut open);
            }
        }
        parts
    }

    /// Refuses what shows the layout of fragments, and gives their registers companions.
    pub(super) fn find_fragments(&mut self) -> Refused<()> {
        let some = |raw: &Raw| matches!(raw.op, Op::Take(..) | Op::Give(..) | Op::Product(..));
        if !self.raws.iter().any(some) {
            return Ok(());
        }
        self.settle_constants();
        let parts = self.parts();
        let is_part = |register: Vreg| parts.get(register as usize) == Some(&true);
        for raw in &self.raws {
            if some(raw) || matches!(raw.op, Op::MovW) || number(&raw.op).is_some() {
                continue;
            }
            let mut shown = false;
            raw.uses(&self.ext, |register| shown |= is_part(register));
            if shown {
                (self.line, self.source) = (raw.line, (0, 0));
                return Err("an element of a `wmma` fragment is used by itself, and which thread holds which element is not specified: \
                            store the fragment and load the element, or use `mma.sync`"
                    .to_owned());
            }
        }
        let mut companions = vec![NO; self.registers.len()];
        for (companion, _) in companions.iter_mut().zip(&parts).filter(|(_, part)| **part) {
            *companion = self.temporary(Class::W);
        }
        let nothing = self.word(0);
        let of = |register: Vreg| match companions.get(register as usize) {
            Some(&companion) if companion != NO => companion,
            _ => nothing,
        };
        let raws = core::mem::take(&mut self.raws);
        let mut moved = Vec::with_capacity(raws.len() + 1);
        for raw in raws {
            moved.push(self.raws.len());
            let silent = Raw { d: NO, e: NO, a: NO, b: NO, c: NO, imm: 0, cost: 0, ..raw };
            match raw.op {
                Op::Take(kind, start) => {
                    self.note_marks(start as usize, kind.registers(), start as usize + 2 * kind.registers(), of)
                }
                Op::Give(kind, start) => {
                    let count = kind.registers();
                    self.note_marks(start as usize + count, count, start as usize + 2 * count, of);
                }
                Op::Product(product, start) => {
                    let (results, operands) = product_registers(product);
                    self.note_marks(start as usize, results + operands, start as usize + results + operands, of);
                }
                op => {
                    if let Some(number) = number(&op).filter(|_| is_part(raw.d)) {
                        let start = self.ext.len() as u32;
                        self.ext.push(of(raw.d));
                        for operand in [raw.a, raw.b, raw.c] {
                            let mark = if operand == NO { NO } else { of(operand) };
                            self.ext.extend([operand, mark]);
                        }
                        self.raws.push(Raw { op: Op::Combine(start), imm: number, cost: COMBINE, ..silent });
                        self.raws.push(raw);
                        continue;
                    }
                    self.raws.push(raw);
                    let from = if matches!(op, Op::MovW) { of(raw.a) } else { nothing };
                    let mut made = Vec::new();
                    raw.defs(&self.ext, |register| {
                        if is_part(register) {
                            made.push(of(register));
                        }
                    });
                    for companion in made {
                        self.raws.push(Raw { op: Op::Companion, d: companion, a: from, ..silent });
                    }
                    continue;
                }
            }
            self.raws.push(raw);
        }
        moved.push(self.raws.len());
        for at in self.starts.iter_mut().chain(self.labels.iter_mut().flatten()) {
            if let Some(moved) = moved.get(*at) {
                *at = *moved;
            }
        }
        Ok(())
    }

    /// Writes the companions of `count` registers of ext from `from` to `into` on.
    fn note_marks(&mut self, from: usize, count: usize, into: usize, of: impl Fn(Vreg) -> Vreg) {
        for at in 0..count {
            let register = self.ext.get(from + at).copied().unwrap_or(NO);
            if let Some(mark) = self.ext.get_mut(into + at) {
                *mark = of(register);
            }
        }
    }
}
