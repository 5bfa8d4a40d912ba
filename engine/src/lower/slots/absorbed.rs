//! Results that reach nothing but choices: compilers compute them of what holds no value yet, and choose another.

use super::{Assembler, is_choice, is_copy};
use crate::{
    ir::Op,
    lower::{NO, Raw, Vreg},
};
use alloc::vec::Vec;

/// Whether it computes a register of registers, and cannot fail.
#[rustfmt::skip]
pub(super) fn is_arithmetic(op: &Op) -> bool {
    use Op::*;
    matches!(
        op,
        AddW | SubW | MulW | MadW | AndW | OrW | XorW | NotW | ShlW | ShrUW | ShrSW | MinSW | MaxSW | MinUW | MaxUW
            | DivUW | DivSW | RemUW | RemSW | MulHiUW | MulHiSW | FunnelLeftWrapW | FunnelRightWrapW | Lop3W | PrmtW | Dp4aSS
            | AddF | SubF | MulF | FmaF | DivF | SqrtF | MinF | MaxF | F32FromS32 | F32FromU32 | S32FromF32Near | S32FromF32Zero
            | AddD | SubD | MulD | MadD | AndD | OrD | XorD | NotD | ShlD | ShrUD | ShrSD
            | AddG | SubG | MulG | FmaG | DivG | SqrtG
            | WideUW | WideSW | MadWideUW | MadWideSW | ZextD | SextD | TruncW | HighW | PackD | G64FromS32 | G64FromF32
            | W1(_) | W2(_) | W3(_) | W4(_) | D1(_) | D2(_) | D3(_) | WD(_) | DW(_) | DDWW(_) | DDDWW(_)
    )
}

/// What it computes of.
pub(super) fn sources(raw: &Raw) -> [Vreg; 4] {
    let last = if matches!(raw.op, Op::W4(_) | Op::DDDWW(_)) { raw.e } else { NO };
    [raw.a, raw.b, raw.c, last]
}

impl Assembler<'_, '_> {
    /// The registers that nothing reads but choices, copies, and arithmetic whose result is one of them.
    pub(super) fn absorbed(&self) -> Vec<bool> {
        let mut absorbed: Vec<bool> =
            (0..self.builder.registers.len() as u32).map(|register| self.ordinary(register)).collect();
        let mut open = Vec::new();
        let mut drop = |register: Vreg, open: &mut Vec<Vreg>| {
            if let Some(flag) = absorbed.get_mut(register as usize)
                && core::mem::replace(flag, false)
            {
                open.push(register);
            }
        };
        let mut made: Vec<(Vreg, Vreg)> = Vec::new();
        for raw in &self.builder.raws {
            if is_choice(raw) {
                drop(raw.c, &mut open);
            } else if is_copy(&raw.op) {
                drop(raw.guard, &mut open);
            } else if is_arithmetic(&raw.op) {
                drop(raw.guard, &mut open);
                made.extend(sources(raw).into_iter().filter(|source| *source != NO).map(|source| (raw.d, source)));
            } else {
                raw.uses(&self.builder.ext, |register| drop(register, &mut open));
            }
        }
        made.sort_unstable();
        for register in 0..self.builder.registers.len() as u32 {
            if !self.ordinary(register) {
                open.push(register);
            }
        }
        while let Some(register) = open.pop() {
            let first = made.partition_point(|(to, _)| *to < register);
            for (_, source) in made.iter().skip(first).take_while(|(to, _)| *to == register) {
                drop(*source, &mut open);
            }
        }
        absorbed
    }
}
