//! Results that nobody may read, and who reads what.

use super::{Builder, Hidden, Raw, Refused, Vreg};
use crate::ir::{Op, Place};
use alloc::{borrow::ToOwned, collections::BTreeMap, vec, vec::Vec};
use core::ops::Range;

/// Bytes of a cell of call parameters.
const CELL: u64 = 4;

/// What is followed: registers, and the cells of call parameters behind them.
struct Wanted {
    registers: usize,
    flags: Vec<bool>,
    open: Vec<usize>,
}

impl Wanted {
    fn want(&mut self, node: usize) {
        if let Some(flag) = self.flags.get_mut(node)
            && !core::mem::replace(flag, true)
        {
            self.open.push(node);
        }
    }

    fn register(&mut self, register: Vreg) {
        if (register as usize) < self.registers {
            self.want(register as usize);
        }
    }

    fn cells(&mut self, cells: Range<usize>) {
        for cell in cells {
            self.want(self.registers + cell);
        }
    }
}

impl Builder<'_, '_> {
    /// The cells of call parameters that an instruction reads, and those that it writes; `None` where it touches other memory as well.
    fn parameter_cells(&self, raw: &Raw, held: &[bool]) -> Option<(Range<usize>, Range<usize>)> {
        let cells = |at: u64, bytes: u64| {
            let range = (at / CELL) as usize..at.saturating_add(bytes).div_ceil(CELL) as usize;
            held.get(range.clone()).filter(|held| held.iter().all(|held| *held)).map(|_| range)
        };
        match raw.op {
            Op::CopyLocal { from, to, bytes } => {
                Some((cells(from.into(), bytes.into())?, cells(to.into(), bytes.into())?))
            }
            Op::Load(access) | Op::Store(access) if access.place == Place::Local => {
                let at = self.constant_of(raw.a)?.checked_add_signed(raw.imm.into())?;
                let touched = cells(at, u64::from(access.size) * u64::from(access.count))?;
                Some(if matches!(raw.op, Op::Load(_)) { (touched, 0..0) } else { (0..0, touched) })
            }
            _ => None,
        }
    }

    /// The registers that something but moves, arithmetic and passing as a parameter reads, directly or through these.
    fn needed(&self) -> Vec<bool> {
        let registers = self.registers.len();
        let mut held = vec![false; (u64::from(self.local) / CELL) as usize + 1];
        if !self.escaped {
            for &(at, size) in &self.parameters {
                let range = (u64::from(at) / CELL) as usize..(u64::from(at) + u64::from(size)).div_ceil(CELL) as usize;
                if let Some(held) = held.get_mut(range) {
                    held.fill(true);
                }
            }
        }
        let mut wanted = Wanted { registers, flags: vec![false; registers + held.len()], open: Vec::new() };
        let mut makers: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut work = self.context.work;
        for (at, raw) in self.raws.iter().enumerate() {
            if let Some((read, written)) = self.parameter_cells(raw, &held) {
                match work.checked_sub(read.len() + written.len()) {
                    Some(left) => work = left,
                    None => return vec![true; registers],
                }
                for cell in written {
                    makers.entry(registers + cell).or_default().push(at as u32);
                }
            } else if matches!(raw.op, Op::Shuffle(_)) {
                // What it hands on may be as dead as what it was given; from where it takes that may not.
                raw.uses(&self.ext, |register| {
                    if register != raw.a || [raw.b, raw.c].contains(&register) {
                        wanted.register(register)
                    }
                });
            } else if !raw.op.is_pure() {
                raw.uses(&self.ext, |register| wanted.register(register));
                continue;
            }
            raw.defs(&self.ext, |register| makers.entry(register as usize).or_default().push(at as u32));
        }
        while let Some(node) = wanted.open.pop() {
            for at in makers.remove(&node).unwrap_or_default() {
                let Some(raw) = self.raws.get(at as usize) else { continue };
                raw.uses(&self.ext, |register| wanted.register(register));
                if let Some((read, _)) = self.parameter_cells(raw, &held) {
                    wanted.cells(read);
                }
            }
        }
        wanted.flags.truncate(registers);
        wanted.flags
    }

    /// Nobody may read what is no function of the launch.
    pub(super) fn check_dead(&mut self) -> Refused<()> {
        if self.dead.is_empty() {
            return Ok(());
        }
        let used = self.needed();
        for &(register, hidden, line, source) in &self.dead {
            if used.get(register as usize).copied().unwrap_or(false) {
                self.line = line;
                self.source = source;
                return Err(match hidden {
                    Hidden::Old => {
                        "the old value of an atomic depends on the order of threads: do not use the result, use a scan, or fix the order with `serial` in the job file"
                    }
                    Hidden::Policy => "what a cache policy looks like is not specified: use it as a hint only",
                    Hidden::Printed => "what printf returns is not part of a unit's result: do not use it",
                }
                .to_owned());
            }
        }
        Ok(())
    }
}
