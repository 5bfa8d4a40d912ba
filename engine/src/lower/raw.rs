//! What an instruction reads and writes before registers have slots.

use super::{NO, Raw, Vreg};
use crate::ir::{Mma, Op, Part, Product};

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
            Op::Take(kind, start) => {
                let count = kind.registers();
                for register in ext.iter().skip(start as usize + count).take(count) {
                    see(*register);
                }
            }
            Op::Give(kind, start) => {
                let count = kind.registers();
                for register in ext.iter().skip(start as usize + count).take(2 * count) {
                    see(*register);
                }
            }
            Op::Product(product, start) => {
                let (results, operands) = product_registers(product);
                let start = start as usize + results;
                for register in ext.iter().skip(start).take(operands) {
                    see(*register);
                }
                for register in ext.iter().skip(start + operands + results).take(operands) {
                    see(*register);
                }
            }
            Op::Combine(start) => {
                for register in ext.iter().skip(start as usize + 1).take(6) {
                    see(*register);
                }
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
            Op::Store(_) | Op::StoreCopy(..) | Op::StoreMatrix(..) | Op::Reduce(..) | Op::Update(..) | Op::Uniform => {}
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
            Op::Take(kind, start) => {
                let count = kind.registers();
                for at in (start as usize..).take(count).chain((start as usize + 2 * count..).take(count)) {
                    see(ext.get(at).copied().unwrap_or(NO));
                }
            }
            Op::Give(kind, start) => {
                for register in ext.iter().skip(start as usize).take(kind.registers()) {
                    see(*register);
                }
            }
            Op::Product(product, start) => {
                let (results, operands) = product_registers(product);
                let marks = start as usize + results + operands;
                for at in (start as usize..).take(results).chain((marks..).take(results)) {
                    see(ext.get(at).copied().unwrap_or(NO));
                }
            }
            Op::Combine(start) => see(ext.get(start as usize).copied().unwrap_or(NO)),
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

/// Registers of the results, and of A, B and C together.
pub(crate) fn product_registers(product: Product) -> (usize, usize) {
    let kind = product.kind;
    let of = |part| kind.other(part, false).registers();
    (of(Part::Sum), of(Part::A) + of(Part::B) + of(Part::Sum))
}
