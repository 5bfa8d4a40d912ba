//! `wmma` over integers. Which lane holds which element is not specified, so any choice will do as long as nobody can tell:
//! `fragments.rs` sees to that.
//!
//! A and B lie in registers as they lie in memory, sums in rows: lane after lane, each with as many neighbouring bytes.

use super::{Builder, Class, Mods, NO, Raw, Refused, Vreg, arith::unfit, exactly, memory::PLACES};
use crate::{
    ast::{Operand, Type},
    ir::{Access, Extend, Kind, Op, Part, Place, Product, Shuffle, Special},
};
use alloc::{borrow::ToOwned, vec, vec::Vec};

/// Lane-steps of a load or a store beyond one, and for each register.
const MOVE: u32 = 10;
const WORD: u32 = 4;

/// The extents of a product, and the bits of its elements.
const SHAPES: [(&str, (u8, u8, u8, u8)); 5] = [
    ("m16n16k16", (16, 16, 16, 8)),
    ("m8n32k16", (8, 32, 16, 8)),
    ("m32n8k16", (32, 8, 16, 8)),
    ("m8n8k32", (8, 8, 32, 4)),
    ("m8n8k128", (8, 8, 128, 1)),
];

/// Where a lane's bytes are: an address register and bytes from there.
type Spot = (Vreg, i32);

impl<'a> Builder<'_, 'a> {
    pub(super) fn wmma(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        if !mods.take("sync") || !mods.take("aligned") {
            return unfit(mods);
        }
        let Some((m, n, k, bits)) = mods.take_any(&SHAPES) else { return unfit(mods) };
        let kind = Kind { part: Part::A, m, n, k, bits, signed: false, columns: false };
        if mods.take("mma") {
            return self.product(mods, kind, operands);
        }
        let store = mods.take("store");
        let part = match (store, mods.first()) {
            (false, Some("load")) => {
                mods.take("load");
                mods.take_any(&[("a", Part::A), ("b", Part::B), ("c", Part::Sum)])
            }
            (true, _) => mods.take_any(&[("d", Part::Sum)]),
            _ => None,
        };
        let (Some(part), Some(columns)) = (part, mods.take_any(&[("row", false), ("col", true)])) else {
            return unfit(mods);
        };
        let place = mods.take_any(&PLACES).unwrap_or(Place::Generic);
        let element = mods.take_any(&[
            ("s32", (32, true)),
            ("u8", (8, false)),
            ("s8", (8, true)),
            ("u4", (4, false)),
            ("s4", (4, true)),
            ("b1", (1, false)),
        ]);
        let Some((found, signed)) = element else { return unfit(mods) };
        let fits = match part {
            Part::Sum => found == 32,
            // Single bits and fours lie along the sum.
            _ => found == bits && (bits == 8 || columns == (part == Part::B)),
        };
        if !fits || !matches!(place, Place::Generic | Place::Global | Place::Shared) {
            return unfit(mods);
        }
        let kind = match part {
            Part::Sum => kind.other(part, false),
            _ => Kind { part, signed, columns, ..kind },
        };
        let (first, second, stride) = match operands {
            [first, second] => (first, second, None),
            [first, second, stride] => (first, second, Some(stride)),
            _ => return unfit(mods),
        };
        let (address, list) = if store { (first, second) } else { (second, first) };
        self.cost += MOVE + WORD * kind.registers() as u32;
        let (spots, partner) = self.places(kind, columns, place, address, stride)?;
        let Operand::List(list) = list else { return unfit(mods) };
        if list.len() != kind.registers() {
            return unfit(mods);
        }
        let words: Vec<Vreg> = list.iter().map(|_| self.temporary(Class::W)).collect();
        let start = self.ext.len() as u32;
        if store {
            let sources = list.iter().map(|operand| self.source(operand, Type::B32)).collect::<Refused<Vec<_>>>()?;
            self.ext.extend(words.iter().chain(&sources));
            // Marks, where there are some.
            self.ext.extend(sources.iter().map(|_| NO));
            self.emit(Op::Give(kind, start), NO, NO, NO, NO);
            // All lanes are here: what the warp did before is done.
            let (one, mask) = (self.word(1), self.word(u32::MAX));
            self.emit(Op::WarpBarrier, NO, NO, mask, NO);
            self.touch(place, &spots, &words, true);
            // Any lane may be the one that stores an element: none may count on its being its own.
            let clamp = self.word(31);
            let mut others = Vec::new();
            for word in words {
                let other = self.temporary(Class::W);
                let raw = Raw { b: mask, ..self.raw(Op::Gather) };
                self.push(raw);
                let raw = Raw { d: other, a: word, b: one, c: clamp, ..self.raw(Op::Shuffle(Shuffle::Butterfly)) };
                self.push(raw);
                others.push(other);
            }
            self.touch(place, &partner, &others, true);
            return Ok(());
        }
        let results = list.iter().map(|operand| self.result(operand, Type::B32)).collect::<Refused<Vec<_>>>()?;
        let others: Vec<Vreg> = list.iter().map(|_| self.temporary(Class::W)).collect();
        self.touch(place, &spots, &words, false);
        self.touch(place, &partner, &others, false);
        self.ext.extend(results.iter().chain(&words));
        self.ext.extend(results.iter().map(|_| NO));
        self.emit(Op::Take(kind, start), NO, NO, NO, NO);
        Ok(())
    }

    /// Where the lanes' bytes lie in memory, and those of the lane beside: a place for each run of neighbouring words.
    fn places(
        &mut self,
        kind: Kind,
        columns: bool,
        place: Place,
        address: &Operand<'a>,
        stride: Option<&Operand<'a>>,
    ) -> Refused<(Vec<Spot>, Vec<Spot>)> {
        let target = self.target(address, place)?;
        if target.place != place {
            return Err("a fragment lies in global or in shared memory".to_owned());
        }
        let (rows, width) = kind.extent();
        // What lies together in memory.
        let minor = if columns { rows } else { width };
        let stride = match stride {
            Some(stride) => self.source(stride, Type::U32)?,
            None => self.word(minor as u32),
        };
        let base = match self.class(target.register) {
            Class::D => target.register,
            _ => self.fresh(Class::D, Op::ZextD, target.register, NO, NO),
        };
        self.emit(Op::Uniform, NO, base, stride, NO);
        let bytes = match kind.element() {
            32 => self.shift(Op::ShlW, stride, 2),
            4 => self.shift(Op::ShrUW, stride, 1),
            1 => self.shift(Op::ShrUW, stride, 3),
            _ => stride,
        };
        let lane = self.emit_special(Special::Lane);
        let one = self.word(1);
        let beside = self.fresh(Class::W, Op::XorW, lane, one, NO);
        let own = self.spots(kind, columns, (base, target.offset), bytes, lane);
        let other = self.spots(kind, columns, (base, target.offset), bytes, beside);
        Ok((own, other))
    }

    fn shift(&mut self, op: Op, value: Vreg, by: u32) -> Vreg {
        let by = self.word(by);
        self.fresh(Class::W, op, value, by, NO)
    }

    /// The places of one lane.
    fn spots(&mut self, kind: Kind, columns: bool, (base, offset): Spot, stride: Vreg, lane: Vreg) -> Vec<Spot> {
        let (rows, width) = kind.extent();
        let count = kind.registers();
        let across = kind.part == Part::Sum && columns;
        let minor = if columns && !across { rows } else { width };
        // Lanes of a row, or of a column.
        let lanes = (minor * kind.element() / 8 / (4 * count)).max(1) as u32;
        let major = self.shift(Op::ShrUW, lane, lanes.trailing_zeros());
        let mask = self.word(lanes - 1);
        let within = self.fresh(Class::W, Op::AndW, lane, mask, NO);
        let first = self.word(count as u32 * if across { 1 } else { 4 });
        let within = self.fresh(Class::W, Op::MulW, within, first, NO);
        if !across {
            let far = self.fresh(Class::D, Op::WideUW, major, stride, NO);
            let near = self.fresh(Class::D, Op::ZextD, within, NO, NO);
            let at = self.fresh(Class::D, Op::AddD, base, far, NO);
            let at = self.fresh(Class::D, Op::AddD, at, near, NO);
            return (0..count.div_ceil(4)).map(|part| (at, offset.wrapping_add(16 * part as i32))).collect();
        }
        // A sum in columns: its rows go across them.
        let four = self.word(4);
        let near = self.fresh(Class::D, Op::WideUW, major, four, NO);
        let base = self.fresh(Class::D, Op::AddD, base, near, NO);
        let mut spots = Vec::new();
        for word in 0..count {
            let by = self.word(word as u32);
            let column = self.fresh(Class::W, Op::AddW, within, by, NO);
            let far = self.fresh(Class::D, Op::WideUW, column, stride, NO);
            spots.push((self.fresh(Class::D, Op::AddD, base, far, NO), offset));
        }
        spots
    }

    /// Loads or stores words at places.
    fn touch(&mut self, place: Place, spots: &[Spot], words: &[Vreg], store: bool) {
        let count = words.len() / spots.len().max(1);
        for (&(register, imm), words) in spots.iter().zip(words.chunks(count.max(1))) {
            let access = Access { place, size: 4, count: words.len() as u8, extend: Extend::Zero, wide: true };
            self.note_grain(place, 4 * words.len() as u32);
            let mut data = words.iter().copied().chain([NO; 3]);
            let mut next = || data.next().unwrap_or(NO);
            let (d, e, b, c) = (next(), next(), next(), next());
            let op = if store { Op::Store(access) } else { Op::Load(access) };
            let raw = Raw { d, e, a: register, b, c, imm, ..self.raw(op) };
            self.push(raw);
        }
    }

    fn product(&mut self, mods: &mut Mods<'a>, kind: Kind, operands: &[Operand<'a>]) -> Refused<()> {
        let layouts = [("row", false), ("col", true)];
        let xor = mods.take("xor");
        let and = mods.take("and");
        let counted = mods.take("popc");
        let words = mods.words().to_vec();
        let saturate = words.last() == Some(&"satfinite");
        let words = if saturate { words.split_last().map_or(&words[..], |(_, rest)| rest) } else { &words[..] };
        let [first, second, "s32", a, b, "s32"] = *words else { return unfit(mods) };
        let layout = |word: &str| layouts.iter().find(|(name, _)| *name == word).map(|(_, columns)| *columns);
        let (Some(columns), Some(other)) = (layout(first), layout(second)) else { return unfit(mods) };
        let element = match a {
            "u8" => (8, false),
            "s8" => (8, true),
            "u4" => (4, false),
            "s4" => (4, true),
            "b1" => (1, false),
            _ => return unfit(mods),
        };
        let single = kind.bits == 1;
        let plain = kind.bits == 8 || !columns && other;
        if a != b
            || element.0 != kind.bits
            || !plain
            || counted != single
            || (xor || and) != single
            || saturate && single
        {
            return unfit(mods);
        }
        let mut all = vec![first, second, "s32", a, b, "s32"];
        if saturate {
            all.push("satfinite");
        }
        for word in all {
            mods.take(word);
        }
        let kind = Kind { signed: element.1, columns, ..kind };
        let product = Product { kind, columns: other, saturate, xor };
        self.cost += u32::from(kind.m) * u32::from(kind.n) * u32::from(kind.k) / 32 / if single { 32 } else { 2 };
        let [d, a, b, c] = exactly(operands)?;
        let list = |operand: &Operand<'a>| match operand {
            Operand::List(list) => list.clone(),
            single => vec![single.clone()],
        };
        let mut registers = Vec::new();
        for operand in list(d) {
            registers.push(self.result(&operand, Type::B32)?);
        }
        let mut fits = registers.len() == kind.other(Part::Sum, false).registers();
        for (operand, part) in [(a, Part::A), (b, Part::B), (c, Part::Sum)] {
            let list = list(operand);
            fits &= list.len() == kind.other(part, false).registers();
            for operand in list {
                registers.push(self.source(&operand, Type::B32)?);
            }
        }
        if !fits {
            return unfit(mods);
        }
        let start = self.ext.len() as u32;
        let marks = registers.len();
        self.ext.extend(registers);
        self.ext.extend(core::iter::repeat_n(NO, marks));
        self.emit(Op::Product(product, start), NO, NO, NO, NO);
        Ok(())
    }
}
