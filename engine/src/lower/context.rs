//! What the entries of a module share: tables, functions, and the budget of lowering.

use super::{Builder, Context, MAX_REASON, MAX_TABLE, MIN_WORK, Refused, WORK};
use crate::{
    Rejection,
    ast::{Function, Operand, Space, Statement, Text, Variable},
    ir::{self, Code},
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

/// Functions' addresses lie in the window of tables, behind all of them, so far apart.
const FUNCTIONS: u64 = 1 << 40;
const FUNCTION: u64 = 16;

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
pub(super) fn cut(mut text: String) -> String {
    if text.len() > MAX_REASON {
        let end = (0..=MAX_REASON).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

pub(super) fn align_up(value: u64, align: u64) -> u64 {
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
            taken: BTreeMap::new(),
            shared: BTreeMap::new(),
            table: Arc::from(Vec::new()),
            refused: BTreeMap::new(),
            files,
            weights,
            budget: total.saturating_mul(4).saturating_add(10_000),
            work: total.saturating_mul(WORK).saturating_add(MIN_WORK),
        };
        context.take_addresses();
        context.lay_out_tables();
        context
    }

    /// Gives the functions whose addresses variables hold, or instructions take, their addresses.
    fn take_addresses(&mut self) {
        let text = self.text;
        let mut taken = BTreeSet::new();
        let bodies = text.functions.iter().flat_map(|function| function.body.iter().flatten());
        let local = bodies.clone().filter_map(|statement| match statement {
            Statement::Variable(variable, _) => Some(variable),
            _ => None,
        });
        for relocation in text.variables.iter().chain(local).flat_map(|variable| &variable.relocations) {
            taken.insert(relocation.name);
        }
        for statement in bodies {
            let Statement::Instruction(instruction) = statement else { continue };
            if !instruction.opcode.starts_with("call") {
                taken.extend(instruction.operands.iter().filter_map(|operand| match operand {
                    Operand::Name(name) => Some(*name),
                    _ => None,
                }));
            }
        }
        for (index, function) in text.functions.iter().enumerate() {
            let known = self.functions.get(function.name) == Some(&index) && function.body.is_some() && !function.entry;
            if known && taken.contains(function.name) {
                let address = ir::window(ir::TAG_TABLE) + FUNCTIONS + FUNCTION * self.taken.len() as u64;
                self.taken.insert(function.name, address);
            }
        }
    }

    /// Where a function whose address is taken seems to lie in the window of tables.
    pub(super) fn address_of(&self, name: &str) -> Option<u64> {
        self.taken.get(name).map(|address| address - ir::window(ir::TAG_TABLE))
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
                let held = self.tables.get(relocation.name).copied().or_else(|| self.address_of(relocation.name));
                let Some(target) = held else {
                    let what = match self.functions.contains_key(relocation.name) {
                        true => "a function without a body here",
                        false => "not a variable of this module",
                    };
                    let reason =
                        format!("`{}` holds the address of `{}`, which is {what}", variable.name, relocation.name);
                    self.refused.insert(variable.name, reason);
                    continue;
                };
                let address = (ir::window(ir::TAG_TABLE) + target).wrapping_add(relocation.addend as u64);
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
            let mut through = false;
            for statement in function.body.iter().flatten() {
                let Statement::Instruction(instruction) = statement else { continue };
                if !instruction.opcode.starts_with("call") {
                    continue;
                }
                let named = |operand: &Operand<'a>| match operand {
                    Operand::Name(name) => Some(*name),
                    _ => None,
                };
                let target = instruction.operands.iter().find_map(named);
                if target.is_some_and(|target| !self.functions.contains_key(target)) {
                    // Through a pointer; a function that this one is called by would call itself.
                    if core::mem::replace(&mut through, true) {
                        continue;
                    }
                    for name in self.taken.keys() {
                        if let Some(&callee) = self.functions.get(name)
                            && !open.contains(&callee)
                            && !done.contains(&callee)
                        {
                            stack.push((callee, false));
                        }
                    }
                }
                for name in instruction.operands.iter().filter_map(named) {
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
        builder.find_fragments().map_err(|reason| (builder.line, builder.source, reason))?;
        builder.finish().map_err(|reason| (entry.line, (0, 0), reason))
    }
}
