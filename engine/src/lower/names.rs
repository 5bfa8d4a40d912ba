//! What names and operands stand for.

use super::{Builder, Class, DYNAMIC, MAX_LOCAL, MAX_SHARED, NO, Refused, Site, Symbol, Vreg, align_up};
use crate::{
    ast::{Operand, Type},
    ir::{Op, Special},
};
use alloc::{borrow::ToOwned, format};

impl<'a> Builder<'_, 'a> {
    fn symbol(&mut self, name: &'a str) -> Refused<Option<Symbol>> {
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count().min(10);
        let mut range = None;
        'scopes: for scope in self.scopes.iter().rev() {
            if let Some(&symbol) = scope.get(name)
                && !matches!(symbol, Symbol::Range(..))
            {
                return Ok(Some(symbol));
            }
            for length in 1..=digits {
                let (prefix, suffix) = name.split_at(name.len() - length);
                if let Some(&Symbol::Range(kind, declaration, count)) = scope.get(prefix)
                    && (suffix.len() == 1 || !suffix.starts_with('0'))
                    && let Ok(number) = suffix.parse::<u64>()
                    && number < count
                {
                    range = Some((kind, declaration, number));
                    break 'scopes;
                }
            }
        }
        if let Some((kind, declaration, number)) = range {
            if let Some(&register) = self.ranges.get(&(declaration, number)) {
                return Ok(Some(Symbol::Register(register)));
            }
            let register = self.declared(kind)?;
            self.ranges.insert((declaration, number), register);
            return Ok(Some(Symbol::Register(register)));
        }
        if let Some(&at) = self.context.tables.get(name)
            && !self.context.refused.contains_key(name)
        {
            return Ok(Some(Symbol::Memory(Site::Table, at)));
        }
        if let Some(&(size, align)) = self.context.shared.get(name) {
            let at = match self.shared_placed.get(name) {
                Some(&at) => at,
                None => self.place_shared(name, size, align)?,
            };
            return Ok(Some(Symbol::Memory(Site::Shared, at)));
        }
        if let Some(reason) = self.context.refused.get(name) {
            return Err(reason.clone());
        }
        if let Some(at) = self.context.address_of(name) {
            return Ok(Some(Symbol::Memory(Site::Table, at)));
        }
        if self.context.functions.contains_key(name) {
            return Err(format!("the address of `{name}` is taken, which is no function with a body here"));
        }
        Ok(None)
    }

    /// Address of a shared variable; one without a length starts where the static ones end, which only the end of
    /// lowering knows: its address is [`DYNAMIC`] until then.
    pub(super) fn place_shared(&mut self, name: &'a str, size: u64, align: u32) -> Refused<u64> {
        if size == 0 {
            self.dynamic = Some(self.dynamic.unwrap_or(16).max(align));
            return Ok(DYNAMIC);
        }
        let at = align_up(u64::from(self.shared), u64::from(align));
        let end = at.saturating_add(size);
        if end > u64::from(MAX_SHARED) {
            return Err(format!("shared variables take more than {MAX_SHARED} bytes"));
        }
        self.shared = end as u32;
        self.shared_placed.insert(name, at);
        Ok(at)
    }

    pub(super) fn place_local(&mut self, size: u64, align: u32) -> Refused<u32> {
        let at = align_up(u64::from(self.local), u64::from(align.max(4)));
        let end = align_up(at.saturating_add(size), 4);
        if end > u64::from(MAX_LOCAL) {
            return Err(format!("a thread's local memory takes more than {MAX_LOCAL} bytes: use smaller local arrays"));
        }
        self.local = end as u32;
        Ok(at as u32)
    }

    // Operands.

    pub(crate) fn register(&mut self, name: &'a str) -> Refused<Vreg> {
        match self.symbol(name)? {
            Some(Symbol::Register(register)) => Ok(register),
            Some(_) => Err(format!("`{name}` is not a register")),
            None => Err(format!("`{name}` is not declared")),
        }
    }

    /// A variable's site and address.
    pub(crate) fn variable(&mut self, name: &'a str) -> Refused<Option<(Site, u64)>> {
        match self.symbol(name)? {
            Some(Symbol::Memory(site, at)) => Ok(Some((site, at))),
            _ => Ok(None),
        }
    }

    pub(crate) fn emit_special(&mut self, special: Special) -> Vreg {
        let d = self.temporary(Class::W);
        self.emit(Op::Special(special), d, NO, NO, NO);
        d
    }

    /// A source of any width, and its register. Literals take the width of `kind`.
    pub(crate) fn loose(&mut self, operand: &Operand<'a>, kind: Type) -> Refused<Vreg> {
        let class = match kind.bits() {
            1 => Class::P,
            64 => Class::D,
            _ => Class::W,
        };
        let mask = match kind.bits() {
            bits @ 0..64 => (1u64 << bits) - 1,
            _ => u64::MAX,
        };
        match *operand {
            Operand::Int(value) if kind == Type::F32 => Ok(self.word((value as i64 as f32).to_bits())),
            Operand::Int(value) if kind == Type::F64 => Ok(self.double((value as i64 as f64).to_bits())),
            Operand::Int(value) if kind == Type::Pred => Ok(self.truth(value != 0)),
            Operand::Int(value) => Ok(self.constant(class, value & mask)),
            Operand::F32(bits) if kind.bits() == 64 => Ok(self.double(f64::from(f32::from_bits(bits)).to_bits())),
            Operand::F32(bits) => Ok(self.constant(class, u64::from(bits) & mask)),
            Operand::F64(bits) if kind.bits() == 64 => Ok(self.double(bits)),
            Operand::F64(bits) if kind.bits() == 32 => Ok(self.word((f64::from_bits(bits) as f32).to_bits())),
            Operand::Name("WARP_SZ") => Ok(self.constant(class, 32)),
            Operand::Name(name) => {
                if let Some(special) = self.special(name)? {
                    return Ok(special);
                }
                match self.symbol(name)? {
                    Some(Symbol::Register(register)) => Ok(register),
                    Some(Symbol::Memory(site, at)) => self.address_of(site, at, 0, class),
                    Some(Symbol::Range(..)) | None => Err(format!("`{name}` is not declared")),
                }
            }
            Operand::Offset(name, offset) => match self.symbol(name)? {
                Some(Symbol::Memory(site, at)) => self.address_of(site, at, offset, class),
                _ => Err(format!("`{name}` is not a variable")),
            },
            Operand::Not(name) if kind == Type::Pred => {
                let register = self.register(name)?;
                let d = self.temporary(Class::P);
                self.emit(Op::NotP, d, register, NO, NO);
                Ok(d)
            }
            _ => Err("the operand does not fit the instruction".to_owned()),
        }
    }

    /// A source of exactly the width of `kind`.
    pub(crate) fn source(&mut self, operand: &Operand<'a>, kind: Type) -> Refused<Vreg> {
        let register = self.loose(operand, kind)?;
        let bits = self.bits(register);
        if bits == kind.bits() || self.constant_of(register).is_some() && (bits == 64) == (kind.bits() == 64) {
            return Ok(register);
        }
        Err(format!("an operand has {bits} bits, the instruction works on {}", kind.bits()))
    }

    pub(crate) fn result(&mut self, operand: &Operand<'a>, kind: Type) -> Refused<Vreg> {
        let Operand::Name(name) = *operand else {
            return Err("the destination is not a register".to_owned());
        };
        if name == "_" {
            return Ok(self.temporary(match kind.bits() {
                1 => Class::P,
                64 => Class::D,
                _ => Class::W,
            }));
        }
        let register = self.register(name)?;
        if self.bits(register) != kind.bits() {
            return Err(format!(
                "the destination has {} bits, the instruction works on {}",
                self.bits(register),
                kind.bits()
            ));
        }
        Ok(register)
    }

    fn address_of(&mut self, site: Site, at: u64, offset: i64, class: Class) -> Refused<Vreg> {
        self.escaped |= matches!(site, Site::CallParam { .. });
        let base = match site {
            Site::Table => crate::ir::window(crate::ir::TAG_TABLE),
            Site::Shared | Site::Local | Site::Param | Site::CallParam { .. } => 0,
        };
        if site == Site::Shared && at == DYNAMIC {
            let register = self.emit_special(Special::DynamicShared);
            let moved = if offset == 0 {
                register
            } else {
                let by = self.word(offset as u32);
                let d = self.temporary(Class::W);
                self.emit(Op::AddW, d, register, by, NO);
                d
            };
            return Ok(match class {
                Class::D => {
                    let d = self.temporary(Class::D);
                    self.emit(Op::ZextD, d, moved, NO, NO);
                    d
                }
                _ => moved,
            });
        }
        let address = (base + at).wrapping_add(offset as u64);
        match class {
            Class::D => Ok(self.double(address)),
            Class::W if site != Site::Table => Ok(self.word(address as u32)),
            _ => Err("the address of a global variable has 64 bits".to_owned()),
        }
    }

    // Emission.
}
