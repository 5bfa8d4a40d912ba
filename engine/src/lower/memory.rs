//! Loads, stores, address conversions, order-independent reductions.

use super::{Builder, Class, Hidden, Mods, NO, Raw, Refused, Site, Vreg, arith::unfit, exactly};
use crate::{
    ast::{Operand, Type},
    ir::{self, Access, Extend, Op, Place, Reduce, Update},
};
use alloc::{borrow::ToOwned, format};

/// Ordering, scope, caching and prefetch hints: within one thread block, without races, they change nothing.
const HINTS: [&str; 31] = [
    "weak",
    "volatile",
    "relaxed",
    "acquire",
    "release",
    "acq_rel",
    "cta",
    "gpu",
    "sys",
    "ca",
    "cg",
    "cs",
    "lu",
    "cv",
    "wb",
    "wt",
    "nc",
    "L1::evict_normal",
    "L1::evict_unchanged",
    "L1::evict_first",
    "L1::evict_last",
    "L1::no_allocate",
    "L2::64B",
    "L2::128B",
    "L2::256B",
    "L2::cache_hint",
    "L2::evict_normal",
    "L2::evict_first",
    "L2::evict_last",
    "mmio",
    "cluster",
];

pub(super) const PLACES: [(&str, Place); 10] = [
    ("global", Place::Global),
    ("const", Place::Const),
    ("shared", Place::Shared),
    ("shared::cta", Place::Shared),
    // Without a launch of clusters each CTA is a cluster of its own.
    ("shared::cluster", Place::Shared),
    ("local", Place::Local),
    ("param", Place::Param),
    ("param::entry", Place::Param),
    ("param::func", Place::Param),
    ("generic", Place::Generic),
];

/// Lane-steps that a copy costs beyond one: its start, its end and the checks of both.
const COPY: u32 = 7;

/// Lane-steps that a reduction costs beyond one: it is a load, an operation and a store.
const REDUCTION: u32 = 2;

/// Lane-steps that a change costs beyond one: it is looked up among those that the block has made.
const UPDATE: u32 = 7;

/// An address operand: where, the register, the rest.
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) register: Vreg,
    pub(super) offset: i32,
}

impl<'a> Builder<'_, 'a> {
    /// Memory instructions; false where the instruction is none.
    pub(super) fn select_memory(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        match mods.name {
            "ld" | "ldu" => self.load(mods, operands)?,
            "st" => self.store(mods, operands)?,
            "ldmatrix" | "stmatrix" | "movmatrix" => {
                let skip = self.jump_unless_guard();
                self.matrix(mods, operands)?;
                self.land(skip);
            }
            "cp" => self.copy(mods, operands)?,
            "cvta" => self.cvta(mods, operands)?,
            "isspacep" => {
                let place = mods.take_any(&PLACES);
                let [d, a] = exactly(operands)?;
                let a = self.source(a, Type::B64)?;
                let d = self.result(d, Type::Pred)?;
                match place {
                    Some(place) => self.emit(Op::InSpace(place), d, a, NO, NO),
                    None => return unfit(mods),
                }
            }
            "atom" | "red" => self.reduce(mods, operands)?,
            // A hint, for whoever takes it as one.
            "createpolicy" => {
                while let Some(word) = mods.first() {
                    mods.take(word);
                }
                let [d, ..] = operands else { return unfit(mods) };
                let d = self.result(d, Type::B64)?;
                let value = self.double(0);
                self.emit(Op::MovD, d, value, NO, NO);
                self.dead.push((d, Hidden::Policy, self.line, self.source));
            }
            // They change when things happen, not what.
            "prefetch" | "prefetchu" | "applypriority" | "nanosleep" | "pmevent" | "griddepcontrol" | "setmaxnreg" => {
                while let Some(word) = mods.first() {
                    mods.take(word);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn hints(mods: &mut Mods<'a>) {
        for hint in HINTS {
            mods.take(hint);
        }
    }

    pub(super) fn note_grain(&mut self, place: Place, size: u32) {
        if matches!(place, Place::Shared | Place::Generic) {
            self.shared_grain = self.shared_grain.min(size);
        }
        if matches!(place, Place::Global | Place::Generic) {
            self.global_grain = self.global_grain.min(size);
        }
    }

    pub(super) fn target(&mut self, operand: &Operand<'a>, place: Place) -> Refused<Target> {
        let Operand::Address(base, offset) = *operand else {
            return Err("the address is not in brackets".to_owned());
        };
        let Some(name) = base else {
            let register = self.double(offset as u64);
            return Ok(Target { place, register, offset: 0 });
        };
        if let Some((site, at)) = self.variable(name)? {
            let place = match (place, site) {
                (Place::Param, Site::CallParam { .. }) => Place::Local,
                (Place::Param, Site::Param)
                | (Place::Global | Place::Const, Site::Table)
                | (Place::Shared, Site::Shared)
                | (Place::Local, Site::Local) => place,
                (Place::Generic, Site::Table) => Place::Global,
                _ => return Err(format!("`{name}` is not in the instruction's state space")),
            };
            let register = match site {
                Site::CallParam { .. } => self.word(at as u32),
                Site::Table => self.source(&Operand::Name(name), Type::B64)?,
                _ => self.source(&Operand::Name(name), Type::B32)?,
            };
            if let Ok(offset) = i32::try_from(offset) {
                return Ok(Target { place, register, offset });
            }
            return Err("the offset is too large".to_owned());
        }
        let register = self.register(name)?;
        if !matches!(self.bits(register), 32 | 64) {
            return Err(format!("`{name}` is not an address"));
        }
        if let Ok(offset) = i32::try_from(offset) {
            return Ok(Target { place, register, offset });
        }
        if self.class(register) == Class::W {
            return Err("the offset is too large".to_owned());
        }
        let by = self.double(offset as u64);
        let register = self.fresh(Class::D, Op::AddD, register, by, NO);
        Ok(Target { place, register, offset: 0 })
    }

    /// Space, type and number of elements of a load or store.
    fn shape(&mut self, mods: &mut Mods<'a>) -> Refused<(Place, Type, u8)> {
        let kind = mods.kind()?;
        Self::hints(mods);
        let place = mods.take_any(&PLACES).unwrap_or(Place::Generic);
        let count = mods.take_any(&[("v2", 2u8), ("v4", 4), ("v8", 8)]).unwrap_or(1);
        if kind == Type::Pred || kind.bits() > 64 || kind.bits() / 8 * u32::from(count) > 16 || count > 4 {
            return unfit(mods);
        }
        Ok((place, kind, count))
    }

    fn elements<'o>(operand: &'o Operand<'a>, count: u8) -> Refused<&'o [Operand<'a>]> {
        match (operand, count) {
            (Operand::List(list), count) if list.len() == usize::from(count) => Ok(list),
            (Operand::List(_), _) => Err("the vector has another number of elements".to_owned()),
            (single, 1) => Ok(core::slice::from_ref(single)),
            _ => Err("the instruction needs a vector operand".to_owned()),
        }
    }

    fn load(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let (place, kind, count) = self.shape(mods)?;
        let [d, address] = match operands {
            [d, address] | [d, address, _] => [d, address],
            _ => return unfit(mods),
        };
        if place == Place::Param && self.load_printed(d, address, kind, count)? {
            return Ok(());
        }
        let target = self.target(address, place)?;
        let size = (kind.bits() / 8) as u8;
        let mut results = [NO; 4];
        let mut widened = [None; 4];
        let mut extend = Extend::Zero;
        for ((result, widen), operand) in results.iter_mut().zip(&mut widened).zip(Self::elements(d, count)?) {
            let Operand::Name(name) = *operand else { return unfit(mods) };
            let class = if size == 8 { Class::D } else { Class::W };
            if name == "_" {
                *result = self.temporary(class);
                continue;
            }
            let register = self.register(name)?;
            let bits = self.bits(register);
            if bits < kind.bits() {
                return Err(format!("`{name}` is narrower than what is loaded"));
            }
            extend = match (kind.signed(), bits) {
                (false, _) => Extend::Zero,
                (true, 16) if size == 1 => Extend::Sign16,
                (true, 32 | 64) if size < 4 => Extend::Sign32,
                _ => Extend::Zero,
            };
            if self.class(register) == class {
                *result = register;
            } else {
                *result = self.temporary(class);
                *widen = Some((register, *result));
            }
        }
        self.note_grain(target.place, u32::from(size) * u32::from(count));
        let wide = self.class(target.register) == Class::D;
        let access = Access { place: target.place, size, count, extend, wide };
        let [d, e, b, c] = results;
        let raw = Raw { d, e, a: target.register, b, c, imm: target.offset, ..self.raw(Op::Load(access)) };
        self.push(raw);
        for (register, narrow) in widened.into_iter().flatten() {
            self.emit(if kind.signed() { Op::SextD } else { Op::ZextD }, register, narrow, NO, NO);
        }
        Ok(())
    }

    /// Loads what a call of `printf` returned; false where the address is no such variable.
    fn load_printed(&mut self, d: &Operand<'a>, address: &Operand<'a>, kind: Type, count: u8) -> Refused<bool> {
        let Operand::Address(Some(name), 0) = *address else { return Ok(false) };
        let Some((Site::CallParam { .. }, at)) = self.variable(name)? else { return Ok(false) };
        if !self.printed.contains(&at) || count != 1 || kind.bits() != 32 {
            return Ok(false);
        }
        let d = self.result(d, kind)?;
        let value = self.word(0);
        self.emit(Op::MovW, d, value, NO, NO);
        self.dead.push((d, Hidden::Printed, self.line, self.source));
        Ok(true)
    }

    fn matrix(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let whole = mods.take("sync") && mods.take("aligned") && mods.take("m8n8");
        let transposed = mods.take("trans");
        if !whole || kind != Type::B16 {
            return unfit(mods);
        }
        let [d, a] = exactly(operands)?;
        if mods.name == "movmatrix" {
            if !transposed {
                return unfit(mods);
            }
            let a = self.source(a, Type::B32)?;
            let d = self.result(d, Type::B32)?;
            self.emit(Op::MoveMatrix, d, a, NO, NO);
            return Ok(());
        }
        let place = mods.take_any(&PLACES).unwrap_or(Place::Generic);
        let Some(count) = mods.take_any(&[("x1", 1u8), ("x2", 2), ("x4", 4)]) else { return unfit(mods) };
        if !matches!(place, Place::Generic | Place::Shared) {
            return unfit(mods);
        }
        let store = mods.name == "stmatrix";
        let (d, a) = if store { (a, d) } else { (d, a) };
        let target = self.target(a, place)?;
        let mut results = [NO; 4];
        for (result, operand) in results.iter_mut().zip(Self::elements(d, count)?) {
            *result = if store { self.source(operand, Type::B32)? } else { self.result(operand, Type::B32)? };
        }
        self.note_grain(Place::Shared, 8);
        let wide = self.class(target.register) == Class::D;
        let access = Access { place: target.place, size: 4, count, extend: Extend::Zero, wide };
        let [d, e, b, c] = results;
        let op = if store { Op::StoreMatrix(access, transposed) } else { Op::LoadMatrix(access, transposed) };
        let raw = Raw { d, e, a: target.register, b, c, imm: target.offset, ..self.raw(op) };
        self.push(raw);
        Ok(())
    }

    fn store(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let (place, kind, count) = self.shape(mods)?;
        let [address, value] = match operands {
            [address, value] | [address, value, _] => [address, value],
            _ => return unfit(mods),
        };
        if place == Place::Const {
            return Err("constant memory cannot be written".to_owned());
        }
        let target = self.target(address, place)?;
        if target.place == Place::Param {
            return Err("the kernel's parameters cannot be written".to_owned());
        }
        let size = (kind.bits() / 8) as u8;
        let mut sources = [NO; 4];
        for (source, operand) in sources.iter_mut().zip(Self::elements(value, count)?) {
            let register = self.loose(operand, kind)?;
            if self.constant_of(register).is_none() && self.bits(register) < kind.bits() {
                return Err("the value is narrower than what is stored".to_owned());
            }
            *source = match (self.class(register), size) {
                (Class::D, 8) | (Class::W, 1..=4) => register,
                (Class::D, _) => self.fresh(Class::W, Op::TruncW, register, NO, NO),
                _ => return unfit(mods),
            };
        }
        self.note_grain(target.place, u32::from(size) * u32::from(count));
        let wide = self.class(target.register) == Class::D;
        let access = Access { place: target.place, size, count, extend: Extend::Zero, wide };
        let [d, e, b, c] = sources;
        let raw = Raw { d, e, a: target.register, b, c, imm: target.offset, ..self.raw(Op::Store(access)) };
        self.push(raw);
        Ok(())
    }

    /// `cp.async`: copies from global to shared memory that come at the wait.
    fn copy(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("async");
        if mods.take("commit_group") {
            self.emit(Op::CloseGroup, NO, NO, NO, NO);
            return Ok(());
        }
        if mods.take("wait_all") {
            self.emit(Op::WaitCopies(None), NO, NO, NO, NO);
            return Ok(());
        }
        if mods.take("wait_group") {
            let [Operand::Int(but)] = operands else { return unfit(mods) };
            let but = u32::try_from(*but).unwrap_or(u32::MAX);
            self.emit(Op::WaitCopies(Some(but)), NO, NO, NO, NO);
            return Ok(());
        }
        let hinted = mods.has("L2::cache_hint");
        Self::hints(mods);
        if !(mods.take("shared") || mods.take("shared::cta")) || !mods.take("global") {
            return unfit(mods);
        }
        let (address, source, bytes, rest) = match operands {
            [to, from, Operand::Int(bytes), rest @ .., _] if hinted => (to, from, *bytes, rest),
            [to, from, Operand::Int(bytes), rest @ ..] if !hinted => (to, from, *bytes, rest),
            _ => return unfit(mods),
        };
        let count = match bytes {
            4 => 1,
            8 => 2,
            16 => 4,
            _ => return Err("`cp.async` copies 4, 8 or 16 bytes".to_owned()),
        };
        let taken = match rest {
            [] => NO,
            [operand] => {
                let ignored = match operand {
                    Operand::Name(name) | Operand::Not(name) => {
                        self.register(name).is_ok_and(|register| self.class(register) == Class::P)
                    }
                    _ => false,
                };
                if ignored {
                    let ignore = self.source(operand, Type::Pred)?;
                    let (none, all) = (self.word(0), self.word(bytes as u32));
                    self.fresh(Class::W, Op::SelW, none, all, ignore)
                } else {
                    self.source(operand, Type::U32)?
                }
            }
            _ => return unfit(mods),
        };
        let source = self.target(source, Place::Global)?;
        if self.class(source.register) != Class::D {
            return Err("addresses have 64 bits: compile with -m64".to_owned());
        }
        let from = if source.offset == 0 {
            source.register
        } else {
            let by = self.double(i64::from(source.offset) as u64);
            self.fresh(Class::D, Op::AddD, source.register, by, NO)
        };
        let target = self.target(address, Place::Shared)?;
        self.note_grain(Place::Shared, bytes as u32);
        self.note_grain(Place::Global, bytes as u32);
        let wide = self.class(target.register) == Class::D;
        let access = Access { place: Place::Shared, size: 4, count, extend: Extend::Zero, wide };
        self.cost += COPY;
        let raw = Raw { a: target.register, b: from, c: taken, imm: target.offset, ..self.raw(Op::StartCopy(access)) };
        self.push(raw);
        Ok(())
    }

    fn cvta(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let from_generic = mods.take("to");
        let Some(place) = mods.take_any(&PLACES) else { return unfit(mods) };
        if kind != Type::U64 {
            return Err("addresses have 64 bits: compile with -m64".to_owned());
        }
        let [d, a] = exactly(operands)?;
        let a = self.source(a, kind)?;
        let d = self.result(d, kind)?;
        let base = match place {
            Place::Global | Place::Const | Place::Generic => 0,
            Place::Shared => ir::window(ir::TAG_SHARED),
            Place::Local => ir::window(ir::TAG_LOCAL),
            Place::Param => ir::window(ir::TAG_PARAM),
        };
        if base == 0 {
            self.emit(Op::MovD, d, a, NO, NO);
        } else {
            let base = self.double(base);
            self.emit(if from_generic { Op::SubD } else { Op::AddD }, d, a, base, NO);
        }
        Ok(())
    }

    fn reduce(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let kind = mods.kind()?;
        let hinted = mods.has("L2::cache_hint");
        Self::hints(mods);
        let place = mods.take_any(&PLACES).unwrap_or(Place::Generic);
        if !matches!(place, Place::Shared | Place::Global | Place::Generic) {
            return unfit(mods);
        }
        let swaps = mods.has("cas") && mods.name == "atom";
        let exchange = mods.has("exch") && matches!(kind, Type::B32 | Type::B64);
        let operation = match (mods.first().unwrap_or(""), kind) {
            // Without its old value it is a store, which the race detector watches.
            ("exch", _) if exchange => Reduce::Add,
            ("add", Type::U32 | Type::S32 | Type::U64) => Reduce::Add,
            ("and", Type::B32 | Type::B64) => Reduce::And,
            ("or", Type::B32 | Type::B64) => Reduce::Or,
            ("xor", Type::B32 | Type::B64) => Reduce::Xor,
            ("min", Type::U32 | Type::U64) => Reduce::MinU,
            ("max", Type::U32 | Type::U64) => Reduce::MaxU,
            ("min", Type::S32 | Type::S64) => Reduce::MinS,
            ("max", Type::S32 | Type::S64) => Reduce::MaxS,
            // With the largest bound they wrap like an addition.
            ("inc" | "dec", Type::U32) => Reduce::Add,
            ("cas", Type::B16 | Type::B32 | Type::B64) if swaps => Reduce::Add,
            _ => return Err(format!("`{}`: the outcome may depend on the order of threads", mods.opcode)),
        };
        let word = mods.first().unwrap_or("");
        mods.take(word);
        let operands = match operands {
            [operands @ .., _] if hinted => operands,
            operands => operands,
        };
        let mut old = None;
        let (operands, second) = match operands {
            [operands @ .., second] if swaps => (operands, Some(self.source(second, kind)?)),
            operands => (operands, None),
        };
        let (address, value) = match (mods.name, operands) {
            ("atom", [result, address, value]) => {
                if *result != Operand::Name("_") {
                    let register = self.result(result, kind)?;
                    old = Some(register);
                    self.dead.push((register, Hidden::Old, self.line, self.source));
                }
                (address, value)
            }
            ("red", [address, value]) => (address, value),
            _ => return unfit(mods),
        };
        let target = self.target(address, place)?;
        let mut value = self.source(value, kind)?;
        let update = match word {
            "cas" => Some(Update::Swap),
            "inc" | "dec" if self.constant_of(value) == Some(u64::from(u32::MAX)) => {
                value = self.word(if word == "inc" { 1 } else { u32::MAX });
                None
            }
            "inc" => Some(Update::Up),
            "dec" => Some(Update::Down),
            _ => None,
        };
        let size = (kind.bits() / 8) as u8;
        self.note_grain(target.place, u32::from(size));
        let wide = self.class(target.register) == Class::D;
        let access = Access { place: target.place, size, count: 1, extend: Extend::Zero, wide };
        let raw = Raw { a: target.register, imm: target.offset, ..self.raw(Op::Nop) };
        let raw = if exchange {
            Raw { op: Op::Store(access), d: value, ..raw }
        } else if let Some(update) = update {
            Raw { op: Op::Update(update, access), b: value, c: second.unwrap_or(NO), cost: raw.cost + UPDATE, ..raw }
        } else {
            Raw { op: Op::Reduce(operation, access), b: value, cost: raw.cost + REDUCTION, ..raw }
        };
        self.push(raw);
        // Something that nobody looks at may carry it about.
        if let ("atom", Some(old)) = (mods.name, old) {
            let op = if self.class(old) == Class::D { Op::BlankD } else { Op::BlankW };
            self.emit(op, old, NO, NO, NO);
        }
        Ok(())
    }
}
