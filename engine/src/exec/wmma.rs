//! Fragments of `wmma`. Their marks say which fragment, and which of its registers, a register holds: the number of the fragment above
//! four bits, the place in it from 1 below. Elements that are all changed alike are a new fragment; what is in disorder has no mark.

use super::{Fault, Machine, warp::Warp};
use crate::{
    TrapKind,
    ir::{Ins, Kind, Op, Part, Product, Slot},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// Most fragments of a block.
const MOST: usize = 1 << 27;
/// Most changes of fragments that are told apart.
const CHANGES: usize = 1 << 16;
const PLACE: u32 = 4;

/// An operand of a change of an element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operand {
    Absent,
    Fragment(u32),
    Value(u32),
}

/// The fragments that a block has made.
#[derive(Default)]
pub(super) struct Marks {
    kinds: Vec<Kind>,
    changes: BTreeMap<(i32, [Operand; 3]), u32>,
}

impl Marks {
    /// The number of a new fragment, from 1; 0 where there are too many.
    fn add(&mut self, kind: Kind) -> u32 {
        if self.kinds.len() >= MOST {
            return 0;
        }
        self.kinds.push(kind);
        self.kinds.len() as u32
    }

    fn kind(&self, number: u32) -> Option<Kind> {
        self.kinds.get((number as usize).checked_sub(1)?).copied()
    }

    /// The number of the fragment whose elements are made so.
    fn change(&mut self, operation: i32, operands: [Operand; 3], kind: Kind) -> u32 {
        if let Some(number) = self.changes.get(&(operation, operands)) {
            return *number;
        }
        if self.changes.len() >= CHANGES {
            return 0;
        }
        let number = self.add(kind);
        self.changes.insert((operation, operands), number);
        number
    }
}

fn mark(number: u32, place: usize) -> u32 {
    if number == 0 { 0 } else { number << PLACE | (place as u32 + 1) }
}

/// Where an element of a fragment is: lane, register, lowest bit.
fn position(kind: Kind, row: usize, column: usize) -> (usize, usize, usize) {
    let (rows, columns) = kind.extent();
    let place = if kind.columns { column * rows + row } else { row * columns + column };
    let bit = place * kind.element();
    let lane = 32 * kind.registers();
    (bit / lane, bit % lane / 32, bit % 32)
}

impl Machine<'_> {
    fn row<'w>(&self, warp: &'w Warp, at: usize) -> &'w [u32; 32] {
        const EMPTY: [u32; 32] = [0; 32];
        self.code.ext.get(at).and_then(|slot| warp.w.get(usize::from(*slot))).unwrap_or(&EMPTY)
    }

    fn slot(&self, at: usize) -> Slot {
        self.code.ext.get(at).copied().unwrap_or(0)
    }

    /// Instructions of the whole warp.
    pub(super) fn fragments(&mut self, warp: &mut Warp, ins: &Ins, mask: u32) -> Result<(), Fault> {
        if mask != u32::MAX {
            return Err(Fault::trap(TrapKind::Barrier, mask.trailing_zeros() as usize & 31));
        }
        match ins.op {
            Op::Uniform => {
                let (addresses, strides) = (&warp.d[usize::from(ins.a)], &warp.w[usize::from(ins.b)]);
                let other = (0..32).find(|lane| addresses[*lane] != addresses[0] || strides[*lane] != strides[0]);
                other.map_or(Ok(()), |lane| Err(Fault::trap(TrapKind::Barrier, lane)))
            }
            Op::Take(kind, start) => {
                let (start, count) = (start as usize, kind.registers());
                self.copy_words(warp, start + count, start, count);
                self.set_marks(warp, kind, start + 2 * count);
                Ok(())
            }
            Op::Give(kind, start) => {
                let (start, count) = (start as usize, kind.registers());
                self.check_whole(warp, kind, start + count, start + 2 * count)?;
                self.copy_words(warp, start + count, start, count);
                Ok(())
            }
            Op::Product(product, start) => self.product(warp, product, start as usize),
            _ => Ok(()),
        }
    }

    /// Copies registers; a result may lie where an operand lay.
    fn copy_words(&mut self, warp: &mut Warp, from: usize, into: usize, count: usize) {
        let mut words = [[0u32; 32]; 8];
        for (place, word) in words.iter_mut().enumerate().take(count) {
            *word = *self.row(warp, from + place);
        }
        for (place, word) in words.iter().enumerate().take(count) {
            self.put_w(warp, self.slot(into + place), word, u32::MAX);
        }
    }

    /// Registers that hold a new fragment.
    fn set_marks(&mut self, warp: &mut Warp, kind: Kind, at: usize) {
        let number = self.marks.add(kind);
        for place in 0..kind.registers() {
            if let Some(row) = warp.w.get_mut(usize::from(self.slot(at + place))) {
                *row = [mark(number, place); 32];
            }
        }
    }

    /// A fragment is whole where each register is in its place in all lanes, or where all its elements are the same.
    fn check_whole(&self, warp: &Warp, kind: Kind, at: usize, marks: usize) -> Result<(), Fault> {
        let count = kind.registers();
        let first = self.row(warp, at)[0];
        let bits = kind.element() as u32;
        let alike =
            first == first.rotate_left(bits) && (0..count).all(|place| *self.row(warp, at + place) == [first; 32]);
        let number = self.row(warp, marks)[0] >> PLACE;
        let in_place = |lane: usize| (0..count).all(|place| self.row(warp, marks + place)[lane] == mark(number, place));
        if alike || self.marks.kind(number) == Some(kind) && (0..32).all(in_place) {
            return Ok(());
        }
        let lane = (0..32).find(|lane| !in_place(*lane)).unwrap_or(0);
        Err(Fault::trap(TrapKind::Uninitialised, lane))
    }

    fn product(&mut self, warp: &mut Warp, product: Product, start: usize) -> Result<(), Fault> {
        let a = product.kind;
        let (b, sum) = (a.other(Part::B, product.columns), a.other(Part::Sum, false));
        let (of_a, of_b, of_sum) = (a.registers(), b.registers(), sum.registers());
        let at = [start, start + of_sum, start + of_sum + of_a, start + of_sum + of_a + of_b];
        let marks = at[3] + of_sum;
        let [_, at_a, at_b, at_c] = at;
        let behind = |place: usize| marks + place - start;
        self.check_whole(warp, a, at_a, behind(at_a))?;
        self.check_whole(warp, b, at_b, behind(at_b))?;
        self.check_whole(warp, sum, at_c, behind(at_c))?;
        let bits = a.element();
        let element = |kind: Kind, at: usize, row: usize, column: usize| -> i16 {
            let (lane, register, bit) = position(kind, row, column);
            let raw = self.row(warp, at + register)[lane & 31] >> bit & ((1u64 << bits) - 1) as u32;
            (if a.signed { ((raw << (32 - bits)) as i32) >> (32 - bits) } else { raw as i32 }) as i16
        };
        let (m, n, k) = (usize::from(a.m), usize::from(a.n), usize::from(a.k));
        // Rows of A, columns of B.
        let (mut rows, mut columns) = ([[0i16; 128]; 32], [[0i16; 128]; 32]);
        for (row, into) in rows.iter_mut().enumerate().take(m) {
            for (at, into) in into.iter_mut().enumerate().take(k) {
                *into = element(a, at_a, row, at);
            }
        }
        for (column, into) in columns.iter_mut().enumerate().take(n) {
            for (at, into) in into.iter_mut().enumerate().take(k) {
                *into = element(b, at_b, at, column);
            }
        }
        let mut outputs = [[0u32; 32]; 8];
        for (row, left) in rows.iter().enumerate().take(m) {
            for (column, right) in columns.iter().enumerate().take(n) {
                let terms = left.iter().zip(right).take(k);
                let dot: i32 = if product.xor {
                    terms.map(|(x, y)| i32::from(x ^ y)).sum()
                } else {
                    terms.map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
                };
                let (lane, register, _) = position(sum, row, column);
                let total = i64::from(self.row(warp, at_c + register)[lane & 31] as i32) + i64::from(dot);
                outputs[register & 7][lane & 31] = if product.saturate {
                    total.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32 as u32
                } else {
                    total as u32
                };
            }
        }
        for (place, output) in outputs.iter().enumerate().take(of_sum) {
            self.put_w(warp, self.slot(start + place), output, u32::MAX);
        }
        self.set_marks(warp, sum, marks);
        Ok(())
    }

    /// The marks of the elements that an instruction makes of others, lane by lane: all those that are made alike are one fragment.
    pub(super) fn combine(&mut self, warp: &mut Warp, ins: &Ins, start: u32, mask: u32) {
        let start = start as usize;
        for lane in 0..32 {
            if mask >> lane & 1 == 0 {
                continue;
            }
            let mut operands = [Operand::Absent; 3];
            let (mut place, mut kind, mut sound) = (None, None, true);
            for (at, operand) in operands.iter_mut().enumerate() {
                let (value, of) = (start + 1 + 2 * at, start + 2 + 2 * at);
                if self.slot(value) == crate::ir::NONE {
                    continue;
                }
                let found = self.row(warp, of)[lane];
                let number = found >> PLACE;
                if number == 0 {
                    *operand = Operand::Value(self.row(warp, value)[lane]);
                    continue;
                }
                let (own, own_kind) = (found & ((1 << PLACE) - 1), self.marks.kind(number));
                // Several elements of A and B share a register.
                sound &= own_kind.is_some_and(|kind| kind.part == Part::Sum);
                sound &= place.is_none_or(|place| place == own) && kind.is_none_or(|kind| Some(kind) == own_kind);
                (place, kind) = (Some(own), own_kind);
                *operand = Operand::Fragment(number);
            }
            let made = match (place, kind) {
                (Some(place), Some(kind)) if sound => match self.marks.change(ins.imm, operands, kind) {
                    0 => 0,
                    number => number << PLACE | place,
                },
                _ => 0,
            };
            let into = usize::from(self.slot(start));
            if let Some(row) = warp.w.get_mut(into) {
                row[lane] = made;
            }
        }
    }
}
