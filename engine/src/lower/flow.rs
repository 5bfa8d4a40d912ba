//! Branches, calls, ends of threads.

use super::{Builder, Callee, Class, Formal, Mods, NO, Raw, Refused, Site, arith::unfit};
use crate::{
    ast::{Operand, Type},
    ir::Op,
};
use alloc::{borrow::ToOwned, format, vec::Vec};

/// Bytes of a call's parameter that cost one lane-step more.
const COPIED: u32 = 16;

const NO_VARIABLE: &str = "a call's parameter is not a variable";

impl<'a> Builder<'_, 'a> {
    /// Control flow; false where the instruction is none.
    pub(super) fn select_flow(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        match mods.name {
            "bra" => {
                mods.take("uni");
                let [Operand::Name(name)] = operands else { return unfit(mods) };
                let label = self.find_label(name)?;
                let raw = Raw { imm: label as i32, ..self.raw(Op::Branch) };
                self.push(raw);
            }
            "brx" => {
                mods.take("idx");
                mods.take("uni");
                let [index, Operand::Name(list)] = operands else { return unfit(mods) };
                let index = self.source(index, Type::U32)?;
                let Some(&names) = self.target_lists.get(list) else {
                    return Err(format!("the branch targets `{list}` do not exist"));
                };
                if self.context.charge(names.len()).is_err() {
                    return Err("the indirect branches have too many targets".to_owned());
                }
                let mut targets = Vec::new();
                for name in names {
                    targets.push(self.find_label(name)?);
                }
                let table = self.tables.len() as i32;
                self.tables.push(targets);
                let raw = Raw { a: index, imm: table, ..self.raw(Op::BranchIndex) };
                self.push(raw);
            }
            "ret" => {
                mods.take("uni");
                match self.back {
                    Some(back) => self.emit(Op::Return, NO, back, NO, NO),
                    None => self.emit(Op::Exit, NO, NO, NO, NO),
                }
            }
            "exit" => self.emit(Op::Exit, NO, NO, NO, NO),
            "trap" => self.emit(Op::Trap, NO, NO, NO, NO),
            "call" => self.call(mods, operands)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn call(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        mods.take("uni");
        let empty = Vec::new();
        // A prototype behind the target says nothing that the operands do not.
        let (returns, name, params) = match operands {
            [Operand::Name(name)] | [Operand::Name(name), Operand::Name(_)] => (&empty, *name, &empty),
            [Operand::Name(name), Operand::List(params)]
            | [Operand::Name(name), Operand::List(params), Operand::Name(_)] => (&empty, *name, params),
            [Operand::List(returns), Operand::Name(name)]
            | [Operand::List(returns), Operand::Name(name), Operand::Name(_)] => (returns, *name, &empty),
            [Operand::List(returns), Operand::Name(name), Operand::List(params)]
            | [Operand::List(returns), Operand::Name(name), Operand::List(params), Operand::Name(_)] => {
                (returns, *name, params)
            }
            _ => return Err("a call of another form than compilers write".to_owned()),
        };
        if matches!(name, "__assertfail" | "__assert_fail") && !self.callees.contains_key(name) {
            self.emit(Op::Trap, NO, NO, NO, NO);
            return Ok(());
        }
        if name == "vprintf" && !self.callees.contains_key(name) {
            return self.print(returns, params);
        }
        let Some(callee) = self.callees.get(name).cloned() else {
            return match name {
                // Destructors in tables of virtual functions free what they destroy.
                "malloc" | "free" if self.taken => {
                    self.emit(Op::Trap, NO, NO, NO, NO);
                    Ok(())
                }
                "malloc" | "free" => Err("malloc and free on the device are not supported: pass buffers".to_owned()),
                _ if self.register(name).is_ok() => self.call_through(name, returns, params),
                _ => Err(format!("the function `{name}` is not defined in this module")),
            };
        };
        if params.len() != callee.params.len() || returns.len() != callee.returns.len() {
            return Err(format!("`{name}` is called with another number of parameters than it has"));
        }
        let skip = self.jump_unless_guard();
        self.call_known(&callee, returns, params)?;
        self.land(skip);
        Ok(())
    }

    /// Parameters there, the call, and what it returned back.
    fn call_known(&mut self, callee: &Callee, returns: &[Operand<'a>], params: &[Operand<'a>]) -> Refused<()> {
        for (operand, formal) in params.iter().zip(&callee.params) {
            match *formal {
                Formal::Memory { at, size } => {
                    let from = self.call_param(operand, size)?;
                    self.cost += size / COPIED;
                    self.emit(Op::CopyLocal { from, to: at, bytes: size }, NO, NO, NO, NO);
                }
                Formal::Register(register, kind) => {
                    let value = self.source(operand, kind)?;
                    let op = if self.class(register) == Class::D { Op::MovD } else { Op::MovW };
                    self.emit(op, register, value, NO, NO);
                }
            }
        }
        let raw = Raw { d: callee.back, imm: callee.label as i32, ..self.raw(Op::Call) };
        self.push(raw);
        for (operand, formal) in returns.iter().zip(&callee.returns) {
            match *formal {
                Formal::Memory { at, size } => {
                    let to = self.call_param(operand, size)?;
                    self.cost += size / COPIED;
                    self.emit(Op::CopyLocal { from: at, to, bytes: size }, NO, NO, NO, NO);
                }
                Formal::Register(register, kind) => {
                    let d = self.result(operand, kind)?;
                    let op = if self.class(register) == Class::D { Op::MovD } else { Op::MovW };
                    self.emit(op, d, register, NO, NO);
                }
            }
        }
        Ok(())
    }

    /// A call through a pointer: of the function, among those whose address is taken and that have such parameters, whose address
    /// it is. A function that is about to call itself so is not among them.
    fn call_through(&mut self, pointer: &'a str, returns: &[Operand<'a>], params: &[Operand<'a>]) -> Refused<()> {
        let pointer = self.source(&Operand::Name(pointer), Type::U64)?;
        let mut sizes = [Vec::new(), Vec::new()];
        for (sizes, operands) in sizes.iter_mut().zip([params, returns]) {
            for operand in operands {
                let Operand::Name(name) = *operand else { return Err(NO_VARIABLE.to_owned()) };
                sizes.push(match self.variable(name)? {
                    Some((Site::CallParam { size }, _)) => size,
                    _ => return Err(NO_VARIABLE.to_owned()),
                });
            }
        }
        let fits = |formals: &[Formal], sizes: &[u32]| {
            formals.len() == sizes.len()
                && formals
                    .iter()
                    .zip(sizes)
                    .all(|(formal, size)| matches!(formal, Formal::Memory { size: own, .. } if own == size))
        };
        let skip = self.jump_unless_guard();
        let done = self.new_label();
        self.context.charge(self.context.taken.len())?;
        let taken: Vec<(&str, u64)> = self.context.taken.iter().map(|(name, address)| (*name, *address)).collect();
        for (name, address) in taken {
            let Some(callee) = self.callees.get(name).cloned() else { continue };
            if self.back == Some(callee.back) || !fits(&callee.params, &sizes[0]) || !fits(&callee.returns, &sizes[1]) {
                continue;
            }
            self.context.charge(params.len() + returns.len() + 4)?;
            let other = self.new_label();
            let address = self.constant(Class::D, address);
            let is = self.fresh(Class::P, Op::EqD, pointer, address, NO);
            let raw = Raw { guard: is, negated: true, imm: other as i32, ..self.raw(Op::Branch) };
            self.push(raw);
            self.call_known(&callee, returns, params)?;
            let raw = Raw { imm: done as i32, ..self.raw(Op::Branch) };
            self.push(raw);
            self.place_label(other);
        }
        self.emit(Op::Trap, NO, NO, NO, NO);
        self.place_label(done);
        self.land(skip);
        Ok(())
    }

    /// What a thread prints is no output of a unit: the arguments were computed, and that is all.
    fn print(&mut self, returns: &[Operand<'a>], params: &[Operand<'a>]) -> Refused<()> {
        for operand in params {
            self.call_param(operand, 8)?;
        }
        for operand in returns {
            let at = self.call_param(operand, 4)?;
            self.printed.insert(u64::from(at));
        }
        Ok(())
    }

    /// Address of a call's parameter variable of that size.
    fn call_param(&mut self, operand: &Operand<'a>, size: u32) -> Refused<u32> {
        let Operand::Name(name) = *operand else {
            return Err(NO_VARIABLE.to_owned());
        };
        match self.variable(name)? {
            Some((Site::CallParam { size: own }, at)) if own == size => Ok(at as u32),
            _ => Err(format!("`{name}` is not a parameter variable of {size} bytes")),
        }
    }
}
