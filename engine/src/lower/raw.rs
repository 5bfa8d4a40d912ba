//! What an instruction reads and writes before registers have slots.

use super::{NO, Raw, Vreg};
use crate::ir::{Mma, Op};

impl Raw {
    /// Registers it reads, the guard apart.
    pub(crate) fn uses(&self, ext: &[Vreg], mut visit: impl FnMut(Vreg)) {
        let mut see = |register: Vreg| {
            if register != NO {
                visit(register);
            }
        };
        see(self.guard);
        see(self.a);
        match self.op {
            Op::Load(_) | Op::LoadMatrix(..) => {}
            Op::Store(_) | Op::StoreMatrix(..) => {
                see(self.d);
                see(self.e);
                see(self.b);
                see(self.c);
            }
            Op::LoadCopy(..) => {}
            Op::StoreCopy(access, start) => {
                see(self.d);
                see(self.e);
                see(self.b);
                see(self.c);
                for register in ext.iter().skip(start as usize).take(usize::from(access.count)) {
                    see(*register);
                }
            }
            Op::W4(_) | Op::DDDWW(_) => {
                see(self.b);
                see(self.c);
                see(self.e);
            }
            Op::Mma(shape, start) => {
                let (results, operands) = mma_registers(shape);
                for register in ext.iter().skip(start as usize + results).take(operands) {
                    see(*register);
                }
            }
            _ => {
                see(self.b);
                see(self.c);
            }
        }
    }

    /// Registers it writes.
    pub(crate) fn defs(&self, ext: &[Vreg], mut visit: impl FnMut(Vreg)) {
        let mut see = |register: Vreg| {
            if register != NO {
                visit(register);
            }
        };
        match self.op {
            Op::Store(_) | Op::StoreCopy(..) | Op::StoreMatrix(..) | Op::Reduce(..) | Op::Update(..) => {}
            Op::LoadCopy(access, start) => {
                see(self.d);
                see(self.e);
                see(self.b);
                see(self.c);
                for register in ext.iter().skip(start as usize).take(usize::from(access.count)) {
                    see(*register);
                }
            }
            Op::Load(_) | Op::LoadMatrix(..) => {
                see(self.d);
                see(self.e);
                see(self.b);
                see(self.c);
            }
            Op::W4(_) | Op::DDDWW(_) => see(self.d),
            Op::Mma(shape, start) => {
                let (results, _) = mma_registers(shape);
                for register in ext.iter().skip(start as usize).take(results) {
                    see(*register);
                }
            }
            _ => {
                see(self.d);
                see(self.e);
            }
        }
    }
}

/// Registers of the results, and of A, B and C together.
pub(crate) fn mma_registers(shape: Mma) -> (usize, usize) {
    let results = usize::from(shape.m) * usize::from(shape.n) / 32;
    let a = usize::from(shape.m) * usize::from(shape.k) * usize::from(shape.bits) / 1024;
    let b = usize::from(shape.n) * usize::from(shape.k) * usize::from(shape.bits) / 1024;
    (results, a + b + results)
}
