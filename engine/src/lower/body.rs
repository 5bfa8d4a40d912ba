//! Functions, statements and labels.

use super::{
    Builder, Callee, Class, Formal, MAX_OPCODE, MAX_PARAMS, MAX_SHARED, Mods, NO, Raw, Refused, Site, Symbol, Vreg,
    align_up, refuse, slots,
};
use crate::{
    ast::{Function, Instruction, Operand, Space, Statement, Type, Variable},
    ir::{Code, Op},
};
use alloc::{borrow::ToOwned, collections::BTreeMap, format, vec, vec::Vec};

/// Bytes of a function's local memory that a call forgets for one lane-step more.
const FORGOTTEN_BYTES: u32 = 64;

impl<'a> Builder<'_, 'a> {
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

    pub(super) fn new_label(&mut self) -> u32 {
        self.labels.push(None);
        (self.labels.len() - 1) as u32
    }

    pub(super) fn place_label(&mut self, label: u32) {
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

    pub(super) fn function(&mut self, function: &'a Function<'a>) -> Refused<()> {
        self.line = function.line;
        self.source = (0, 0);
        self.scopes.clear();
        self.scopes.push(BTreeMap::new());
        self.carry = None;
        self.taken = self.context.taken.contains_key(function.name);
        self.starts.push(self.raws.len());
        let mut entered = None;
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
            self.guard = None;
            self.cost = 0;
            entered = Some((self.raws.len(), self.local));
            let raw = self.raw(Op::Enter { from: self.local, to: self.local });
            self.push(raw);
        }
        self.collect_labels(body)?;
        let root = self.scope_path.first().copied().unwrap_or(0);
        self.scope_path.clear();
        self.scope_path.push(root);
        for statement in body {
            self.statement(statement)?;
        }
        if let Some((at, from)) = entered
            && let Some(raw) = self.raws.get_mut(at)
        {
            raw.op = Op::Enter { from, to: self.local };
            raw.cost = self.local.saturating_sub(from) / FORGOTTEN_BYTES;
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

    pub(super) fn finish(mut self) -> Refused<Code> {
        if self.shared > MAX_SHARED {
            return Err(format!("shared variables take more than {MAX_SHARED} bytes"));
        }
        self.find_copies();
        slots::assemble(self)
    }
}
