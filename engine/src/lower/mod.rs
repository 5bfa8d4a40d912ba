//! From statements to code: names resolved, types checked, every instruction selected or refused.

mod arith;
mod convert;
mod copies;
mod dead;
mod float;
mod flow;
mod logic;
mod memory;
mod refuse;
mod slots;
mod sync;
mod video;

use crate::{
    Rejection,
    ast::{Function, Instruction, Operand, Space, Statement, Text, Type, Variable},
    ir::{Code, Mma, Op, Special},
};
use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    sync::Arc,
    vec,
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
    refused: BTreeMap<&'a str, String>,
    files: BTreeMap<u64, &'a str>,
    /// What each function costs to lower.
    weights: Vec<usize>,
    /// What lowering may still cost, over all entries: functions that entries share are lowered for each.
    pub(crate) budget: usize,
    /// Word operations that data flow may still take, over all entries.
    pub(crate) work: usize,
}

/// Statements, operands, targets and parameters.
fn weight(function: &Function<'_>) -> usize {
    let operand = |operand: &Operand<'_>| match operand {
        Operand::List(list) => 1 + list.len(),
        _ => 1,
    };
    let statement = |statement: &Statement<'_>| match statement {
        Statement::Instruction(instruction) => 1 + instruction.operands.iter().map(operand).sum::<usize>(),
        Statement::Targets(_, targets) => 1 + targets.len(),
        _ => 1,
    };
    let body: usize = function.body.iter().flatten().map(statement).sum();
    1 + function.params.len() + function.returns.len() + body
}

/// The first bytes of a text.
fn cut(mut text: String) -> String {
    if text.len() > MAX_REASON {
        let end = (0..=MAX_REASON).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

fn align_up(value: u64, align: u64) -> u64 {
    value.saturating_add(align - 1) & !(align - 1)
}

impl<'a> Context<'a> {
    pub(crate) fn new(text: &'a Text<'a>) -> Self {
        let mut functions = BTreeMap::new();
        for (index, function) in text.functions.iter().enumerate() {
            if function.body.is_some() || !functions.contains_key(function.name) {
                functions.insert(function.name, index);
            }
        }
        let weights: Vec<usize> = text.functions.iter().map(weight).collect();
        let total: usize = weights.iter().sum();
        let mut files = BTreeMap::new();
        for &(number, path) in &text.files {
            files.entry(number).or_insert(path);
        }
        let mut context = Self {
            text,
            functions,
            tables: BTreeMap::new(),
            shared: BTreeMap::new(),
            table: Arc::from(Vec::new()),
            refused: BTreeMap::new(),
            files,
            weights,
            budget: total.saturating_mul(4).saturating_add(10_000),
            work: total.saturating_mul(WORK).saturating_add(MIN_WORK),
        };
        context.lay_out_tables();
        context
    }

    /// Gives a variable its place; where the room is used up, only the entries that name it are refused.
    fn place_table(&mut self, variable: &'a Variable<'a>, at: &mut u64, placed: &mut Vec<(&'a Variable<'a>, u64)>) {
        let start = align_up(*at, u64::from(variable.align));
        let end = start.saturating_add(variable.size);
        if end > MAX_TABLE {
            let reason = format!(
                "the variable `{}` takes {} bytes; those of a module together may take {MAX_TABLE}: pass a buffer",
                variable.name, variable.size
            );
            self.refused.insert(variable.name, reason);
            return;
        }
        self.tables.insert(variable.name, start);
        placed.push((variable, start));
        *at = end;
    }

    fn lay_out_tables(&mut self) {
        let mut at = 0u64;
        let mut placed = Vec::new();
        for variable in &self.text.variables {
            match variable.space {
                Space::Global | Space::Const if !variable.opaque => self.place_table(variable, &mut at, &mut placed),
                Space::Shared => {
                    self.shared.insert(variable.name, (variable.size, variable.align));
                }
                _ => {}
            }
        }
        // Functions may hold tables of their own.
        for function in &self.text.functions {
            for statement in function.body.iter().flatten() {
                if let Statement::Variable(variable, _) = statement
                    && matches!(variable.space, Space::Global | Space::Const)
                {
                    self.place_table(variable, &mut at, &mut placed);
                }
            }
        }
        let mut bytes = vec![0u8; at as usize];
        for (variable, at) in placed {
            let at = at as usize;
            if let Some(into) = bytes.get_mut(at..at + variable.init.len()) {
                into.copy_from_slice(&variable.init);
            }
            for relocation in &variable.relocations {
                let Some(&target) = self.tables.get(relocation.name) else {
                    let reason = match self.functions.contains_key(relocation.name) {
                        true => format!(
                            "`{}` holds the address of a function: calls through pointers, as of virtual functions, are not supported",
                            variable.name
                        ),
                        false => format!(
                            "`{}` holds the address of `{}`, which is not a variable of this module",
                            variable.name, relocation.name
                        ),
                    };
                    self.refused.insert(variable.name, reason);
                    continue;
                };
                let address = (crate::ir::window(crate::ir::TAG_TABLE) + target).wrapping_add(relocation.addend as u64);
                let from = at + relocation.at as usize;
                let address = (address >> relocation.shift).to_le_bytes();
                for (into, byte) in bytes.iter_mut().skip(from).zip(address).take(usize::from(relocation.bytes)) {
                    *into = byte;
                }
            }
        }
        self.table = Arc::from(bytes);
    }

    /// Functions reachable from `entry`, callees before callers, the entry last.
    fn reachable(&mut self, entry: usize) -> Result<Vec<usize>, (u32, (u32, u32), String)> {
        let mut order = Vec::new();
        let (mut open, mut done) = (BTreeSet::new(), BTreeSet::new());
        let mut stack = vec![(entry, false)];
        while let Some((index, leaving)) = stack.pop() {
            if leaving {
                open.remove(&index);
                done.insert(index);
                order.push(index);
                continue;
            }
            if done.contains(&index) || !open.insert(index) {
                continue;
            }
            stack.push((index, true));
            let text = self.text;
            let function = &text.functions[index];
            self.charge(self.weights[index]).map_err(|reason| (function.line, (0, 0), reason))?;
            for statement in function.body.iter().flatten() {
                let Statement::Instruction(instruction) = statement else { continue };
                if !instruction.opcode.starts_with("call") {
                    continue;
                }
                for operand in &instruction.operands {
                    let Operand::Name(name) = operand else { continue };
                    let Some(&callee) = self.functions.get(name) else { continue };
                    // The call itself says what is amiss.
                    if self.text.functions.get(callee).is_none_or(|function| function.body.is_none()) {
                        continue;
                    }
                    if open.contains(&callee) {
                        let reason = format!(
                            "`{name}` calls itself, directly or through others: recursion is not supported, use a loop"
                        );
                        return Err((instruction.line, instruction.source, reason));
                    }
                    if !done.contains(&callee) {
                        stack.push((callee, false));
                    }
                }
            }
        }
        Ok(order)
    }

    /// Takes from the budget.
    pub(crate) fn charge(&mut self, weight: usize) -> Refused<()> {
        match self.budget.checked_sub(weight) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err("the module's entries share too much code: split the module".to_owned()),
        }
    }

    /// Lowers one entry.
    pub(crate) fn lower(&mut self, index: usize) -> Result<Code, Rejection> {
        self.try_lower(index).map_err(|(line, source, reason)| {
            // Long reasons take time to write, too.
            self.budget = self.budget.saturating_sub(reason.len() / 16);
            let file = self.files.get(&u64::from(source.0)).filter(|_| source.0 != 0);
            let file = file.map(|path| path.get(..path.len().min(MAX_REASON)).unwrap_or("").to_owned());
            Rejection { line, source: file.map(|file| (file, source.1)), reason: cut(reason) }
        })
    }

    fn try_lower(&mut self, index: usize) -> Result<Code, (u32, (u32, u32), String)> {
        let text = self.text;
        let entry = &text.functions[index];
        if let Some(reason) = entry.refused {
            return Err((entry.line, (0, 0), reason.to_owned()));
        }
        let order = self.reachable(index)?;
        let mut builder = Builder::new(self);
        for &function in &order {
            let function = &text.functions[function];
            builder.function(function).map_err(|reason| (builder.line, builder.source, reason))?;
        }
        builder.required = entry.required;
        builder.check_contraction().map_err(|reason| (builder.line, builder.source, reason))?;
        builder.check_dead().map_err(|reason| (builder.line, builder.source, reason))?;
        builder.finish().map_err(|reason| (entry.line, (0, 0), reason))
    }
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
        if self.context.functions.contains_key(name) {
            return Err(format!(
                "the address of the function `{name}` is taken: calls through pointers are not supported, call it by its name"
            ));
        }
        Ok(None)
    }

    /// Address of a shared variable; one without a length starts where the static ones end, which only the end of
    /// lowering knows: its address is [`DYNAMIC`] until then.
    fn place_shared(&mut self, name: &'a str, size: u64, align: u32) -> Refused<u64> {
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

    fn place_local(&mut self, size: u64, align: u32) -> Refused<u32> {
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

    pub(crate) fn push(&mut self, raw: Raw) {
        self.raws.push(raw);
    }

    pub(crate) fn raw(&mut self, op: Op) -> Raw {
        let cost = core::mem::take(&mut self.cost);
        let (guard, negated) = self.guard.unwrap_or((NO, false));
        Raw { op, guard, negated, d: NO, e: NO, a: NO, b: NO, c: NO, imm: 0, line: self.line, cost }
    }

    pub(crate) fn emit(&mut self, op: Op, d: Vreg, a: Vreg, b: Vreg, c: Vreg) {
        let raw = Raw { d, a, b, c, ..self.raw(op) };
        self.push(raw);
    }

    /// Emits into a fresh register.
    pub(crate) fn fresh(&mut self, class: Class, op: Op, a: Vreg, b: Vreg, c: Vreg) -> Vreg {
        let d = self.temporary(class);
        self.emit(op, d, a, b, c);
        d
    }

    fn new_label(&mut self) -> u32 {
        self.labels.push(None);
        (self.labels.len() - 1) as u32
    }

    fn place_label(&mut self, label: u32) {
        let at = self.raws.len();
        if let Some(slot) = self.labels.get_mut(label as usize) {
            *slot = Some(at);
        }
    }

    pub(crate) fn find_label(&self, name: &'a str) -> Refused<u32> {
        for scope in self.scope_path.iter().rev() {
            if let Some(&label) = self.label_names.get(&(*scope, name)) {
                return Ok(label);
            }
        }
        Err(format!("the label `{}` does not exist", name.get(..60).unwrap_or(name)))
    }

    /// Lets guarded instructions that must not be skipped lane by lane be jumped over instead.
    pub(crate) fn jump_unless_guard(&mut self) -> Option<u32> {
        let (guard, negated) = self.guard.take()?;
        let label = self.new_label();
        let raw = Raw { guard, negated: !negated, imm: label as i32, ..self.raw(Op::Branch) };
        self.push(raw);
        Some(label)
    }

    pub(crate) fn land(&mut self, label: Option<u32>) {
        if let Some(label) = label {
            self.place_label(label);
        }
    }

    // Functions.

    fn declare(&mut self, name: &'a str, symbol: Symbol) -> Refused<()> {
        match self.scopes.last_mut() {
            Some(scope) => {
                if scope.insert(name, symbol).is_some() {
                    return Err(format!("`{name}` is declared twice"));
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn formals(&mut self, variables: &'a [Variable<'a>]) -> Refused<Vec<Formal>> {
        let mut formals = Vec::new();
        for variable in variables {
            let formal = if variable.space == Space::Register {
                let kind = match variable.size {
                    1 => Type::B8,
                    2 => Type::B16,
                    4 => Type::B32,
                    8 => Type::B64,
                    _ => return Err("a parameter register has at most 64 bits".to_owned()),
                };
                let register = self.declared(kind)?;
                if let Some(made) = self.registers.get_mut(register as usize) {
                    made.pinned = true;
                }
                self.declare(variable.name, Symbol::Register(register))?;
                Formal::Register(register, kind)
            } else {
                let at = self.place_local(variable.size, variable.align)?;
                let size = variable.size as u32;
                self.parameters.push((at, size));
                self.declare(variable.name, Symbol::Memory(Site::CallParam { size }, u64::from(at)))?;
                Formal::Memory { at, size }
            };
            formals.push(formal);
        }
        Ok(formals)
    }

    fn function(&mut self, function: &'a Function<'a>) -> Refused<()> {
        self.line = function.line;
        self.source = (0, 0);
        self.scopes.clear();
        self.scopes.push(BTreeMap::new());
        self.carry = None;
        self.starts.push(self.raws.len());
        let Some(body) = &function.body else {
            return Err(match function.name {
                "malloc" | "free" => "malloc and free on the device are not supported: pass buffers".to_owned(),
                name => format!("the function `{name}` is declared but not defined in this module"),
            });
        };
        if function.entry {
            self.back = None;
            let mut at = 0u32;
            for param in &function.params {
                at = align_up(u64::from(at), u64::from(param.align)) as u32;
                self.params.push(at);
                self.declare(param.name, Symbol::Memory(Site::Param, u64::from(at)))?;
                at = u32::try_from(param.size).ok().and_then(|size| at.checked_add(size)).unwrap_or(u32::MAX);
                if at > MAX_PARAMS {
                    return Err(format!("the parameters take more than {MAX_PARAMS} bytes"));
                }
            }
            self.param_bytes = at;
        } else {
            let back = self.temporary(Class::W);
            if let Some(made) = self.registers.get_mut(back as usize) {
                made.pinned = true;
            }
            self.back = Some(back);
            let returns = self.formals(&function.returns)?;
            let params = self.formals(&function.params)?;
            let label = self.new_label();
            self.place_label(label);
            self.callees.insert(function.name, Callee { label, back, params, returns });
        }
        self.collect_labels(body)?;
        let root = self.scope_path.first().copied().unwrap_or(0);
        self.scope_path.clear();
        self.scope_path.push(root);
        for statement in body {
            self.statement(statement)?;
        }
        // Control that runs off the end.
        self.guard = None;
        self.cost = 0;
        let raw = self.raw(Op::Trap);
        self.push(raw);
        Ok(())
    }

    fn collect_labels(&mut self, body: &'a [Statement<'a>]) -> Refused<()> {
        let root = self.scope_parents.len() as u32;
        self.scope_parents.push(root);
        let mut path = vec![root];
        self.next_scope = root + 1;
        self.target_lists.clear();
        for statement in body {
            match statement {
                Statement::Open => {
                    let scope = self.scope_parents.len() as u32;
                    self.scope_parents.push(path.last().copied().unwrap_or(root));
                    path.push(scope);
                }
                Statement::Close => {
                    path.pop();
                }
                Statement::Label(name, line) => {
                    let scope = path.last().copied().unwrap_or(root);
                    let label = self.new_label();
                    if self.label_names.insert((scope, name), label).is_some() {
                        self.line = *line;
                        return Err(format!("the label `{name}` stands twice"));
                    }
                }
                Statement::Targets(name, targets) => {
                    self.target_lists.insert(name, targets);
                }
                _ => {}
            }
        }
        self.scope_path = vec![root];
        Ok(())
    }

    fn statement(&mut self, statement: &'a Statement<'a>) -> Refused<()> {
        match statement {
            Statement::Open => {
                self.scopes.push(BTreeMap::new());
                self.scope_path.push(self.next_scope);
                self.next_scope += 1;
                Ok(())
            }
            Statement::Close => {
                self.scopes.pop();
                self.scope_path.pop();
                Ok(())
            }
            Statement::Label(name, line) => {
                self.line = *line;
                let label = self.find_label(name)?;
                self.place_label(label);
                Ok(())
            }
            Statement::Targets(..) => Ok(()),
            Statement::Register(kind, name, count) => match count {
                Some(count) => {
                    self.declarations += 1;
                    self.declare(name, Symbol::Range(*kind, self.declarations, *count))
                }
                None => {
                    let register = self.declared(*kind)?;
                    self.declare(name, Symbol::Register(register))
                }
            },
            Statement::Variable(variable, line) => {
                self.line = *line;
                let symbol = match variable.space {
                    Space::Shared => {
                        let at = self.place_shared(variable.name, variable.size, variable.align)?;
                        Symbol::Memory(Site::Shared, at)
                    }
                    Space::Local => {
                        let at = self.place_local(variable.size, variable.align)?;
                        Symbol::Memory(Site::Local, u64::from(at))
                    }
                    Space::Param => {
                        let at = self.place_local(variable.size, variable.align)?;
                        self.parameters.push((at, variable.size as u32));
                        Symbol::Memory(Site::CallParam { size: variable.size as u32 }, u64::from(at))
                    }
                    Space::Global | Space::Const => match self.context.tables.get(variable.name) {
                        Some(&at) => Symbol::Memory(Site::Table, at),
                        // Refused where it is used.
                        None => return Ok(()),
                    },
                    Space::Register => return Err("a register is declared with `.reg`".to_owned()),
                };
                self.declare(variable.name, symbol)
            }
            Statement::Instruction(instruction) => self.instruction(instruction),
        }
    }

    fn instruction(&mut self, instruction: &'a Instruction<'a>) -> Refused<()> {
        self.line = instruction.line;
        self.source = instruction.source;
        self.guard = None;
        if let Some((name, negated)) = instruction.guard {
            let register = self.register(name)?;
            if self.class(register) != Class::P {
                return Err(format!("the guard `{name}` is not a predicate"));
            }
            self.guard = Some((register, negated));
        }
        self.cost = 1;
        if instruction.opcode.len() > MAX_OPCODE {
            return Err(format!("the instruction `{}` is not supported", instruction.opcode));
        }
        let mut mods = Mods::new(instruction.opcode);
        self.select(&mut mods, &instruction.operands)?;
        if let Some(word) = mods.left() {
            return Err(refuse::modifier(instruction.opcode, word));
        }
        if self.cost > 0 {
            self.guard = None;
            self.emit(Op::Nop, NO, NO, NO, NO);
        }
        self.guard = None;
        Ok(())
    }

    fn select(&mut self, mods: &mut Mods<'a>, operands: &'a [Operand<'a>]) -> Refused<()> {
        if let Some(reason) = refuse::opcode(mods) {
            return Err(reason);
        }
        if self.select_arith(mods, operands)?
            || self.select_float(mods, operands)?
            || self.select_logic(mods, operands)?
            || self.select_video(mods, operands)?
            || self.select_convert(mods, operands)?
            || self.select_memory(mods, operands)?
            || self.select_sync(mods, operands)?
            || self.select_flow(mods, operands)?
        {
            return Ok(());
        }
        Err(format!("the instruction `{}` is not supported", mods.opcode))
    }

    fn finish(mut self) -> Refused<Code> {
        if self.shared > MAX_SHARED {
            return Err(format!("shared variables take more than {MAX_SHARED} bytes"));
        }
        self.find_copies();
        slots::assemble(self)
    }
}

/// Address of dynamic shared memory before its start is known.
const DYNAMIC: u64 = u64::MAX;

/// An opcode's words, taken one by one.
pub(crate) struct Mods<'a> {
    pub(crate) opcode: &'a str,
    pub(crate) name: &'a str,
    words: Vec<&'a str>,
}

impl<'a> Mods<'a> {
    fn new(opcode: &'a str) -> Self {
        let mut parts = opcode.split('.');
        let name = parts.next().unwrap_or("");
        Self { opcode, name, words: parts.collect() }
    }

    /// Takes a modifier if it is there.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        match self.words.iter().position(|found| *found == word) {
            Some(at) => {
                self.words.remove(at);
                true
            }
            None => false,
        }
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    /// Takes the first word of the list that is there.
    pub(crate) fn take_any<T: Copy>(&mut self, choices: &[(&str, T)]) -> Option<T> {
        let (at, value) = self
            .words
            .iter()
            .enumerate()
            .find_map(|(at, word)| choices.iter().find(|choice| choice.0 == *word).map(|choice| (at, choice.1)))?;
        self.words.remove(at);
        Some(value)
    }

    /// Takes the last word, a type.
    pub(crate) fn kind(&mut self) -> Refused<Type> {
        match self.words.last().and_then(|word| Type::parse(word)) {
            Some(kind) => {
                self.words.pop();
                Ok(kind)
            }
            None => Err(format!("`{}` does not end in a type", self.opcode)),
        }
    }

    pub(crate) fn first(&self) -> Option<&'a str> {
        self.words.first().copied()
    }

    pub(crate) fn words(&self) -> &[&'a str] {
        &self.words
    }

    fn left(&self) -> Option<&'a str> {
        self.words.first().copied()
    }
}

/// The operands, exactly `N` of them.
pub(crate) fn exactly<'o, 'a, const N: usize>(operands: &'o [Operand<'a>]) -> Refused<&'o [Operand<'a>; N]> {
    operands.try_into().map_err(|_| format!("the instruction has {N} operands, not {}", operands.len()))
}

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
            Op::Store(_) | Op::StoreCopy(..) | Op::StoreMatrix(..) | Op::Reduce(..) => {}
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
