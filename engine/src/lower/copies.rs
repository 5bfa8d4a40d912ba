//! Copies of bytes that may be undefined, such as the padding of a structure.
//!
//! A register whose only uses are stores of it, directly or through moves, never shows its value. Loads into such a register take bytes that
//! nobody has written as zeros, and a companion register says which they are; its stores leave them unwritten where they go.

use super::{Builder, Class, NO, Raw, Vreg};
use crate::ir::{Access, Op, Place};
use alloc::{vec, vec::Vec};

fn may_be_undefined(access: Access) -> bool {
    matches!(access.place, Place::Shared | Place::Local | Place::Generic)
}

fn is_move(op: &Op) -> bool {
    matches!(op, Op::MovW | Op::MovD)
}

/// The registers that a load or a store moves.
fn data(raw: &Raw, access: Access) -> impl Iterator<Item = Vreg> {
    [raw.d, raw.e, raw.b, raw.c].into_iter().take(usize::from(access.count))
}

impl Builder<'_, '_> {
    /// The registers that nothing but stores and moves reads.
    fn carried(&self) -> Vec<bool> {
        let mut carried: Vec<bool> = self
            .registers
            .iter()
            .map(|register| register.class != Class::P && register.constant.is_none() && !register.pinned)
            .collect();
        let mut open = Vec::new();
        let drop = |register: Vreg, carried: &mut Vec<bool>, open: &mut Vec<Vreg>| {
            if let Some(flag) = carried.get_mut(register as usize)
                && core::mem::replace(flag, false)
            {
                open.push(register);
            }
        };
        // For each register the moves into it.
        let mut moves: Vec<(Vreg, Vreg)> = Vec::new();
        for raw in &self.raws {
            match raw.op {
                Op::Store(access) if may_be_undefined(access) => drop(raw.a, &mut carried, &mut open),
                op if is_move(&op) => moves.push((raw.d, raw.a)),
                _ => raw.uses(&self.ext, |register| drop(register, &mut carried, &mut open)),
            }
        }
        moves.sort_unstable();
        for &(to, from) in &moves {
            if carried.get(to as usize) != Some(&true) {
                drop(from, &mut carried, &mut open);
            }
        }
        while let Some(register) = open.pop() {
            let first = moves.partition_point(|(to, _)| *to < register);
            for (_, from) in moves.iter().skip(first).take_while(|(to, _)| *to == register) {
                drop(*from, &mut carried, &mut open);
            }
        }
        carried
    }

    /// Those of them that reach a store.
    fn stored(&self, carried: &[bool]) -> Vec<bool> {
        let mut stored = vec![false; self.registers.len()];
        let mut open = Vec::new();
        let mark = |register: Vreg, stored: &mut Vec<bool>, open: &mut Vec<Vreg>| {
            if carried.get(register as usize) == Some(&true)
                && let Some(flag) = stored.get_mut(register as usize)
                && !core::mem::replace(flag, true)
            {
                open.push(register);
            }
        };
        let mut moves: Vec<(Vreg, Vreg)> = Vec::new();
        for raw in &self.raws {
            match raw.op {
                Op::Store(access) => data(raw, access).for_each(|register| mark(register, &mut stored, &mut open)),
                op if is_move(&op) => moves.push((raw.d, raw.a)),
                _ => {}
            }
        }
        moves.sort_unstable();
        while let Some(register) = open.pop() {
            let first = moves.partition_point(|(to, _)| *to < register);
            for (_, from) in moves.iter().skip(first).take_while(|(to, _)| *to == register) {
                mark(*from, &mut stored, &mut open);
            }
        }
        stored
    }

    /// Those of them that may hold bytes which nobody has written.
    fn unsure(&self, carried: &[bool], stored: &[bool]) -> Vec<bool> {
        let mut unsure = vec![false; self.registers.len()];
        let mut open = Vec::new();
        let mark = |register: Vreg, unsure: &mut Vec<bool>, open: &mut Vec<Vreg>| {
            if carried.get(register as usize) == Some(&true)
                && let Some(flag) = unsure.get_mut(register as usize)
                && !core::mem::replace(flag, true)
            {
                open.push(register);
            }
        };
        let mut moves: Vec<(Vreg, Vreg)> = Vec::new();
        for raw in &self.raws {
            match raw.op {
                Op::Load(access) if is_copy(raw, access, carried, stored) => {
                    data(raw, access).for_each(|register| mark(register, &mut unsure, &mut open));
                }
                op if is_move(&op) => moves.push((raw.a, raw.d)),
                _ => {}
            }
        }
        moves.sort_unstable();
        while let Some(register) = open.pop() {
            let first = moves.partition_point(|(from, _)| *from < register);
            for (_, to) in moves.iter().skip(first).take_while(|(from, _)| *from == register) {
                mark(*to, &mut unsure, &mut open);
            }
        }
        unsure
    }

    /// Gives the registers that only carry bytes from place to place their companions.
    pub(super) fn find_copies(&mut self) {
        let some = self.raws.iter().any(|raw| matches!(raw.op, Op::Load(access) if may_be_undefined(access)));
        if !some {
            return;
        }
        let carried = self.carried();
        let stored = self.stored(&carried);
        let unsure = self.unsure(&carried, &stored);
        if !unsure.contains(&true) {
            return;
        }
        let mut companions = vec![NO; self.registers.len()];
        for (register, _) in unsure.iter().enumerate().filter(|(_, unsure)| **unsure) {
            let made = self.temporary(Class::W);
            if let Some(companion) = companions.get_mut(register) {
                *companion = made;
            }
        }
        let of = |register: Vreg| companions.get(register as usize).copied().unwrap_or(NO);
        let nothing = self.word(0);
        let raws = core::mem::take(&mut self.raws);
        let mut moved = Vec::with_capacity(raws.len() + 1);
        for raw in raws {
            moved.push(self.raws.len());
            let start = self.ext.len() as u32;
            match raw.op {
                Op::Load(access) if is_copy(&raw, access, &carried, &stored) => {
                    let found: Vec<Vreg> = data(&raw, access).map(of).collect();
                    if found.iter().any(|companion| *companion != NO) {
                        self.ext.extend(found);
                        self.raws.push(Raw { op: Op::LoadCopy(access, start), ..raw });
                        continue;
                    }
                    self.raws.push(raw);
                }
                Op::Store(access) if data(&raw, access).any(|register| of(register) != NO) => {
                    self.ext.extend(data(&raw, access).map(of));
                    self.raws.push(Raw { op: Op::StoreCopy(access, start), ..raw });
                }
                op => {
                    self.raws.push(raw);
                    let from = if is_move(&op) && of(raw.a) != NO { of(raw.a) } else { nothing };
                    let mut made = Vec::new();
                    raw.defs(&self.ext, |register| made.push(of(register)));
                    for companion in made.into_iter().filter(|companion| *companion != NO) {
                        let silent =
                            Raw { op: Op::Companion, d: companion, e: NO, a: from, b: NO, c: NO, cost: 0, ..raw };
                        self.raws.push(silent);
                    }
                }
            }
        }
        moved.push(self.raws.len());
        for at in self.starts.iter_mut().chain(self.labels.iter_mut().flatten()) {
            if let Some(moved) = moved.get(*at) {
                *at = *moved;
            }
        }
    }
}

/// Whether whatever a load takes from memory is carried on, and nothing else.
fn is_copy(raw: &Raw, access: Access, carried: &[bool], stored: &[bool]) -> bool {
    may_be_undefined(access)
        && data(raw, access).all(|register| carried.get(register as usize) == Some(&true))
        && data(raw, access).any(|register| stored.get(register as usize) == Some(&true))
}
