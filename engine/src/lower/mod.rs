//! From statements to code: names resolved, types checked, every instruction selected or refused.

mod arith;
mod body;
mod context;
mod convert;
mod copies;
mod dead;
mod float;
mod flow;
mod fragments;
mod logic;
mod memory;
mod mods;
mod moves;
mod names;
mod raw;
mod refuse;
mod slots;
mod sync;
mod video;
mod wmma;

use context::align_up;
pub(crate) use mods::{Mods, exactly};
pub(crate) use raw::{mma_registers, product_registers};

use crate::{
    ast::{Text, Type},
    ir::Op,
};
use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    string::String,
    sync::Arc,
    vec::Vec,
};

/// Most bytes of shared memory of a CTA, static and dynamic.
pub(crate) const MAX_SHARED: u32 = 96 * 1024;
/// Most bytes of local memory of a thread, call parameters included.
pub(crate) const MAX_LOCAL: u32 = 64 * 1024;
/// Most bytes of a module's tables.
const MAX_TABLE: u64 = 1 << 20;
/// Most bytes of parameters.
const MAX_PARAMS: u32 = 4352;
/// Most bytes of an opcode with its modifiers.
const MAX_OPCODE: usize = 256;
/// Most bytes of a rejection's reason, and of the file it names: a text may cause thousands of them.
const MAX_REASON: usize = 512;

/// Word operations of data flow for each unit of the text's weight, and for any text.
const WORK: usize = 1 << 7;
const MIN_WORK: usize = 1 << 23;

/// A virtual register.
pub(crate) type Vreg = u32;
/// No register.
pub(crate) const NO: Vreg = u32::MAX;

/// Register classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    W,
    D,
    P,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Register {
    pub(crate) class: Class,
    /// 1, 8, 16, 32 or 64.
    bits: u8,
    constant: Option<u64>,
    /// Made by lowering, so never read before it is written; not tracked.
    temporary: bool,
    /// Lives everywhere.
    pub(crate) pinned: bool,
}

/// An instruction before registers have slots. For branches `imm` is a label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub(crate) op: Op,
    pub(crate) guard: Vreg,
    pub(crate) negated: bool,
    pub(crate) d: Vreg,
    pub(crate) e: Vreg,
    pub(crate) a: Vreg,
    pub(crate) b: Vreg,
    pub(crate) c: Vreg,
    pub(crate) imm: i32,
    pub(crate) line: u32,
    pub(crate) cost: u32,
}

/// A refusal in the making: the reason; the line comes from the instruction at hand.
pub(crate) type Refused<T> = Result<T, String>;

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
enum Symbol {
    Register(Vreg),
    /// `%r<N>`: declaration and count.
    Range(Type, u32, u64),
    /// In memory at an address of its space.
    Memory(Site, u64),
}

/// Where a named variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    Table,
    Shared,
    Local,
    /// The kernel's parameters.
    Param,
    /// Parameters of calls, kept in local memory.
    CallParam {
        size: u32,
    },
}

/// A `.func` that the kernel can reach.
#[derive(Clone, Debug)]
struct Callee {
    label: u32,
    /// Where to come back to.
    back: Vreg,
    params: Vec<Formal>,
    returns: Vec<Formal>,
}

#[derive(Clone, Copy, Debug)]
enum Formal {
    Memory { at: u32, size: u32 },
    Register(Vreg, Type),
}

/// Module-wide facts that all entries share.
pub(crate) struct Context<'a> {
    text: &'a Text<'a>,
    functions: BTreeMap<&'a str, usize>,
    tables: BTreeMap<&'a str, u64>,
    shared: BTreeMap<&'a str, (u64, u32)>,
    /// Total bytes of module-scope shared variables of known size.
    table: Arc<[u8]>,
    /// Variables that no entry may name, and why.
    /// Functions whose address is taken, and their addresses.
    taken: BTreeMap<&'a str, u64>,
    refused: BTreeMap<&'a str, String>,
    files: BTreeMap<u64, &'a str>,
    /// What each function costs to lower.
    weights: Vec<usize>,
    /// What lowering may still cost, over all entries: functions that entries share are lowered for each.
    pub(crate) budget: usize,
    /// Word operations that data flow may still take, over all entries.
    pub(crate) work: usize,
}

/// Lowers the functions of one entry into one list.
pub(crate) struct Builder<'c, 'a> {
    pub(crate) context: &'c mut Context<'a>,
    pub(crate) registers: Vec<Register>,
    constants: BTreeMap<(u8, u64), Vreg>,
    ranges: BTreeMap<(u32, u64), Vreg>,
    declarations: u32,
    scopes: Vec<BTreeMap<&'a str, Symbol>>,
    pub(crate) raws: Vec<Raw>,
    /// Functions' first instruction, in order.
    pub(crate) starts: Vec<usize>,
    /// Where each label points, as an index into `raws`.
    pub(crate) labels: Vec<Option<usize>>,
    label_names: BTreeMap<(u32, &'a str), u32>,
    scope_parents: Vec<u32>,
    scope_path: Vec<u32>,
    next_scope: u32,
    pub(crate) tables: Vec<Vec<u32>>,
    target_lists: BTreeMap<&'a str, &'a [&'a str]>,
    pub(crate) ext: Vec<Vreg>,
    callees: BTreeMap<&'a str, Callee>,
    /// Return register of the function at hand; `None` in the entry.
    back: Option<Vreg>,
    /// The address of the function at hand is taken.
    taken: bool,
    carry: Option<Vreg>,
    pub(crate) params: Vec<u32>,
    pub(crate) param_bytes: u32,
    pub(crate) shared: u32,
    dynamic: Option<u32>,
    shared_placed: BTreeMap<&'a str, u64>,
    pub(crate) local: u32,
    pub(crate) shared_grain: u32,
    pub(crate) global_grain: u32,
    pub(crate) required: Option<[u32; 3]>,
    pub(crate) line: u32,
    pub(crate) source: (u32, u32),
    guard: Option<(Vreg, bool)>,
    cost: u32,
    /// Results that nobody may read: register, why, line and source.
    pub(crate) dead: Vec<(Vreg, Hidden, u32, (u32, u32))>,
    /// Parameter variables that hold what `printf` returned.
    printed: BTreeSet<u64>,
    /// Place and bytes of the variables that calls pass.
    parameters: Vec<(u32, u32)>,
    /// The address of one of them is taken.
    escaped: bool,
    /// By format, the first sum and the first product without a rounding.
    unrounded: [[Option<Unrounded<'a>>; 2]; 4],
}

/// Results that are no function of the launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// The old value of an atomic.
    Old,
    /// What `printf` returns.
    Printed,
    /// How a cache is asked to behave.
    Policy,
}

/// Opcode and place of arithmetic without a rounding.
type Unrounded<'a> = (&'a str, u32, (u32, u32));

impl<'c, 'a> Builder<'c, 'a> {
    fn new(context: &'c mut Context<'a>) -> Self {
        Self {
            context,
            registers: Vec::new(),
            constants: BTreeMap::new(),
            ranges: BTreeMap::new(),
            declarations: 0,
            scopes: Vec::new(),
            raws: Vec::new(),
            starts: Vec::new(),
            labels: Vec::new(),
            label_names: BTreeMap::new(),
            scope_parents: Vec::new(),
            scope_path: Vec::new(),
            next_scope: 0,
            tables: Vec::new(),
            target_lists: BTreeMap::new(),
            ext: Vec::new(),
            callees: BTreeMap::new(),
            back: None,
            taken: false,
            carry: None,
            params: Vec::new(),
            param_bytes: 0,
            shared: 0,
            dynamic: None,
            shared_placed: BTreeMap::new(),
            local: 0,
            shared_grain: 8,
            global_grain: 8,
            required: None,
            line: 0,
            source: (0, 0),
            guard: None,
            cost: 0,
            dead: Vec::new(),
            printed: BTreeSet::new(),
            parameters: Vec::new(),
            escaped: false,
            unrounded: Default::default(),
        }
    }

    // Registers.

    fn new_register(&mut self, class: Class, bits: u8, temporary: bool) -> Vreg {
        self.registers.push(Register { class, bits, constant: None, temporary, pinned: false });
        (self.registers.len() - 1) as Vreg
    }

    pub(crate) fn temporary(&mut self, class: Class) -> Vreg {
        let bits = match class {
            Class::W => 32,
            Class::D => 64,
            Class::P => 1,
        };
        self.new_register(class, bits, true)
    }

    fn declared(&mut self, kind: Type) -> Refused<Vreg> {
        let (class, bits) = match kind.bits() {
            1 => (Class::P, 1),
            8 => (Class::W, 8),
            16 => (Class::W, 16),
            32 => (Class::W, 32),
            64 => (Class::D, 64),
            _ => return Err("128-bit registers are not supported".to_owned()),
        };
        Ok(self.new_register(class, bits, false))
    }

    fn constant(&mut self, class: Class, value: u64) -> Vreg {
        let key = (class as u8, value);
        if let Some(&found) = self.constants.get(&key) {
            return found;
        }
        let register = self.temporary(class);
        if let Some(made) = self.registers.get_mut(register as usize) {
            made.constant = Some(value);
        }
        self.constants.insert(key, register);
        register
    }

    pub(crate) fn word(&mut self, value: u32) -> Vreg {
        self.constant(Class::W, u64::from(value))
    }

    pub(crate) fn double(&mut self, value: u64) -> Vreg {
        self.constant(Class::D, value)
    }

    pub(crate) fn truth(&mut self, value: bool) -> Vreg {
        self.constant(Class::P, u64::from(value))
    }

    pub(crate) fn constant_of(&self, register: Vreg) -> Option<u64> {
        self.registers.get(register as usize).and_then(|r| r.constant)
    }

    pub(crate) fn class(&self, register: Vreg) -> Class {
        self.registers.get(register as usize).map_or(Class::W, |r| r.class)
    }

    pub(crate) fn bits(&self, register: Vreg) -> u32 {
        self.registers.get(register as usize).map_or(0, |r| u32::from(r.bits))
    }

    pub(crate) fn is_temporary(&self, register: Vreg) -> bool {
        self.registers.get(register as usize).is_none_or(|r| r.temporary || r.pinned)
    }
}

/// Address of dynamic shared memory before its start is known.
const DYNAMIC: u64 = u64::MAX;
