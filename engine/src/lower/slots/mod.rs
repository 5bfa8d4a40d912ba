//! Virtual registers to slots: blocks, liveness, initialisation, linear scan.
//!
//! Registers used in one block only need no analysis. The others get bit-set data flow within a fixed budget of work;
//! a kernel beyond it is still correct, with longer intervals and more checks at run time.

mod absorbed;
mod flow;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod uses;

use super::{Builder, Class, NO, Raw, Refused, Vreg};
use crate::ir::{Block, Code, Gather, Ins, NONE, Op, Place, Slot};
use absorbed::{is_arithmetic, sources};
use alloc::{borrow::ToOwned, collections::BinaryHeap, format, vec, vec::Vec};
use core::cmp::Reverse;
use flow::{Sets, has};

/// Words of one bit set family; four families are kept.
const MAX_SET_WORDS: usize = 1 << 18;
/// Most 32-bit slots of a thread, 64-bit ones counted twice, constants included.
const MAX_SLOTS: usize = 4096;

/// A block of raw instructions.
#[derive(Clone, Debug)]
struct Node {
    start: usize,
    end: usize,
    next: Vec<u32>,
    root: bool,
}

fn ends_block(op: &Op) -> bool {
    matches!(op, Op::Branch | Op::BranchIndex | Op::Call | Op::Return | Op::Exit | Op::Trap | Op::Barrier(_))
}

fn starts_block(op: &Op) -> bool {
    matches!(
        op,
        Op::Gather
            | Op::Vote(_)
            | Op::MatchAnyW
            | Op::MatchAnyD
            | Op::MatchAllW
            | Op::MatchAllD
            | Op::Redux(_)
            | Op::WarpBarrier
            | Op::Mma(..)
            | Op::Uniform
            | Op::Take(..)
            | Op::Give(..)
            | Op::Product(..)
            | Op::LoadMatrix(..)
            | Op::StoreMatrix(..)
            | Op::MoveMatrix
            | Op::Barrier(_)
    )
}

struct Assembler<'c, 'a> {
    builder: Builder<'c, 'a>,
    nodes: Vec<Node>,
    /// Block of each raw instruction.
    block_of: Vec<u32>,
    /// Index among the registers that need analysis; `NO` for the others.
    index: Vec<u32>,
    analysed: Vec<Vreg>,
    /// Live intervals in half positions.
    intervals: Vec<(usize, usize)>,
    /// Which registers may be read before they are written.
    tracked: Vec<bool>,
    /// For each block, what is surely assigned at its start; `None` where the budget ran out.
    assigned: Option<Sets>,
    /// Choices carry what holds no value on, as copies do, and so does arithmetic whose result is one of these.
    absorbed: Option<Vec<bool>>,
}

/// Makes the code of a kernel.
pub(super) fn assemble(builder: Builder<'_, '_>) -> Refused<Code> {
    let mut assembler = Assembler {
        builder,
        nodes: Vec::new(),
        block_of: Vec::new(),
        index: Vec::new(),
        analysed: Vec::new(),
        intervals: Vec::new(),
        tracked: Vec::new(),
        assigned: None,
        absorbed: None,
    };
    assembler.find_blocks()?;
    assembler.analyse();
    if assembler.tracked.contains(&true) {
        let absorbed = assembler.absorbed();
        if assembler.chooses_among_unset(&absorbed) {
            assembler.absorbed = Some(absorbed);
            assembler.analyse();
        }
    }
    assembler.emit()
}

fn is_copy(op: &Op) -> bool {
    matches!(op, Op::MovW | Op::MovD | Op::MovP)
}

fn is_choice(raw: &Raw) -> bool {
    matches!(raw.op, Op::SelW | Op::SelD | Op::SelP) && raw.guard == NO
}

/// Whether it only stands for a value that nobody reads.
fn is_idle(raw: &Raw, intervals: &[(usize, usize)]) -> bool {
    matches!(raw.op, Op::BlankW | Op::BlankD)
        && intervals.get(raw.d as usize).is_some_and(|interval| interval.0 == interval.1)
}

/// Registers that a call forgets for one lane-step more.
const FORGOTTEN: usize = 4;
/// Cells of the race detector that an access looks at for one lane-step more.
const CELLS: u32 = 8;
/// Bytes that it moves for one lane-step more.
const WIDE: u32 = 16;
/// Lane-steps that a barrier of a part costs beyond one.
const PART: u32 = 10;
/// The same of each cell that an access looks at where there are such barriers: it is looked at by itself.
const BESIDE_PARTS: u32 = 5;

impl Assembler<'_, '_> {
    fn find_blocks(&mut self) -> Refused<()> {
        let raws = &self.builder.raws;
        let mut leader = vec![false; raws.len() + 1];
        for &start in &self.builder.starts {
            leader[start] = true;
        }
        for at in &self.builder.labels {
            match at {
                Some(at) if *at < raws.len() => leader[*at] = true,
                _ => return Err("a label stands behind the end of its function".to_owned()),
            }
        }
        for (at, raw) in raws.iter().enumerate() {
            if starts_block(&raw.op) {
                leader[at] = true;
            }
            if ends_block(&raw.op) {
                leader[at + 1] = true;
            }
        }
        self.block_of = vec![0; raws.len()];
        for at in 0..raws.len() {
            if leader[at] {
                self.nodes.push(Node { start: at, end: at, next: Vec::new(), root: false });
            }
            let block = self.nodes.len() - 1;
            self.block_of[at] = block as u32;
            self.nodes[block].end = at + 1;
        }
        for &start in &self.builder.starts {
            let block = self.block_of[start] as usize;
            self.nodes[block].root = true;
        }
        let count = self.nodes.len();
        for block in 0..count {
            let raw = raws[self.nodes[block].end - 1];
            let guarded = raw.guard != NO;
            let mut next = Vec::new();
            let falls = match raw.op {
                Op::Branch => {
                    next.push(self.target(raw.imm as u32)?);
                    guarded
                }
                Op::BranchIndex => {
                    for &label in &self.builder.tables[raw.imm as usize] {
                        next.push(self.target(label)?);
                    }
                    guarded
                }
                Op::Return | Op::Exit | Op::Trap => guarded,
                _ => true,
            };
            if falls {
                if block + 1 >= count {
                    return Err("control runs off the end".to_owned());
                }
                next.push(block as u32 + 1);
            }
            next.sort_unstable();
            next.dedup();
            self.nodes[block].next = next;
        }
        Ok(())
    }

    fn analyse(&mut self) {
        self.analysed.clear();
        self.assigned = None;
        self.classify();
        self.liveness();
        self.initialisation();
    }

    /// Whether a register that may hold no value is one of two to choose from, or such a one is computed of it.
    fn chooses_among_unset(&self, absorbed: &[bool]) -> bool {
        let is = |register: Vreg| absorbed.get(register as usize).copied().unwrap_or(false);
        let unset = |register: Vreg| self.tracked.get(register as usize).copied().unwrap_or(false);
        self.builder.raws.iter().any(|raw| {
            is_choice(raw) && (unset(raw.a) || unset(raw.b))
                || is_arithmetic(&raw.op) && is(raw.d) && sources(raw).into_iter().any(unset)
        })
    }

    /// What an instruction only carries on, so that it need not hold a value.
    fn carried(&self, raw: &Raw) -> Option<[Vreg; 4]> {
        if is_copy(&raw.op) {
            return Some([raw.a, NO, NO, NO]);
        }
        let absorbed = self.absorbed.as_ref()?;
        if is_choice(raw) {
            return Some([raw.a, raw.b, NO, NO]);
        }
        (is_arithmetic(&raw.op) && absorbed.get(raw.d as usize) == Some(&true)).then(|| sources(raw))
    }

    fn target(&self, label: u32) -> Refused<u32> {
        match self.builder.labels.get(label as usize) {
            Some(Some(at)) => Ok(self.block_of[*at]),
            _ => Err("a branch has no target".to_owned()),
        }
    }

    fn ordinary(&self, register: Vreg) -> bool {
        self.builder.registers.get(register as usize).is_some_and(|r| r.constant.is_none() && !r.pinned)
    }

    /// Finds which registers need data flow, and the intervals of the others.
    fn classify(&mut self) {
        let count = self.builder.registers.len();
        const NEVER: u32 = u32::MAX;
        let mut home = vec![NEVER; count];
        let mut wide = vec![false; count];
        self.intervals = vec![(usize::MAX, 0); count];
        let raws = &self.builder.raws;
        for (at, raw) in raws.iter().enumerate() {
            let block = self.block_of[at];
            let mut see = |register: Vreg, use_: bool| {
                let slot = register as usize;
                if home[slot] == NEVER {
                    home[slot] = block;
                    let temporary = self.builder.registers[slot].temporary;
                    if use_ || raw.guard != NO && !temporary {
                        wide[slot] = true;
                    }
                } else if home[slot] != block {
                    wide[slot] = true;
                }
                let position = 2 * at + usize::from(!use_);
                let interval = &mut self.intervals[slot];
                interval.0 = interval.0.min(position);
                interval.1 = interval.1.max(position);
            };
            raw.uses(&self.builder.ext, |register| see(register, true));
            raw.defs(&self.builder.ext, |register| see(register, false));
        }
        // A copy may lack a value like its source.
        for raw in raws {
            let Some(sources) = self.carried(raw) else { continue };
            let lacking =
                |source: &Vreg| self.ordinary(*source) && wide.get(*source as usize).copied().unwrap_or(false);
            if sources.iter().any(lacking)
                && let Some(wide) = wide.get_mut(raw.d as usize)
            {
                *wide = true;
            }
        }
        self.index = vec![NO; count];
        self.tracked = vec![false; count];
        for register in 0..count as u32 {
            if wide[register as usize] && self.ordinary(register) {
                self.index[register as usize] = self.analysed.len() as u32;
                self.analysed.push(register);
            }
        }
    }

    /// Slots by linear scan, function after function.
    fn allocate(&self) -> (Vec<Slot>, [usize; 3]) {
        let registers = &self.builder.registers;
        let mut slots = vec![NONE; registers.len()];
        let mut order: Vec<u32> = (0..registers.len() as u32)
            .filter(|register| self.ordinary(*register) && self.intervals[*register as usize].0 != usize::MAX)
            .collect();
        order.sort_by_key(|register| (self.intervals[*register as usize].0, *register));
        let mut totals = [0usize; 3];
        let mut free: [BinaryHeap<Reverse<usize>>; 3] = Default::default();
        let mut active: BinaryHeap<Reverse<(usize, usize, usize)>> = BinaryHeap::new();
        let mut starts = self.builder.starts.iter().skip(1).peekable();
        for register in order {
            let (start, end) = self.intervals[register as usize];
            while starts.peek().is_some_and(|bound| 2 * **bound <= start) {
                starts.next();
                active.clear();
                free.iter_mut().for_each(BinaryHeap::clear);
            }
            while let Some(Reverse((until, class, slot))) = active.peek().copied() {
                if until >= start {
                    break;
                }
                active.pop();
                free[class].push(Reverse(slot));
            }
            let class = registers[register as usize].class as usize;
            let slot = match free[class].pop() {
                Some(Reverse(slot)) => slot,
                None => {
                    totals[class] += 1;
                    totals[class] - 1
                }
            };
            slots[register as usize] = slot.min(usize::from(NONE)) as Slot;
            active.push(Reverse((end, class, slot)));
        }
        for (register, facts) in registers.iter().enumerate() {
            if facts.pinned {
                let class = facts.class as usize;
                slots[register] = totals[class].min(usize::from(NONE)) as Slot;
                totals[class] += 1;
            }
        }
        (slots, totals)
    }

    fn emit(mut self) -> Refused<Code> {
        let (mut slots, mut totals) = self.allocate();
        let (mut w_constants, mut d_constants, mut p_constants) = (Vec::new(), Vec::new(), Vec::new());
        for (register, facts) in self.builder.registers.iter().enumerate() {
            let Some(value) = facts.constant else { continue };
            // Folded away.
            if self.intervals[register].0 == usize::MAX {
                continue;
            }
            let class = facts.class as usize;
            let slot = totals[class].min(usize::from(NONE)) as Slot;
            totals[class] += 1;
            slots[register] = slot;
            match facts.class {
                Class::W => w_constants.push((slot, value as u32)),
                Class::D => d_constants.push((slot, value)),
                Class::P => p_constants.push((slot, value != 0)),
            }
        }
        // What tells whether a tracked register holds a value.
        let mut flags = vec![NONE; self.builder.registers.len()];
        for (register, tracked) in self.tracked.iter().enumerate() {
            if *tracked {
                flags[register] = totals[Class::P as usize].min(usize::from(NONE)) as Slot;
                totals[Class::P as usize] += 1;
            }
        }
        let [w, d, p] = totals;
        if w + 2 * d + p / 32 > MAX_SLOTS || p > MAX_SLOTS {
            return Err(format!(
                "a thread needs {} registers at once; at most {MAX_SLOTS}: split the kernel",
                w + 2 * d
            ));
        }
        let slot = |register: Vreg| if register == NO { NONE } else { slots[register as usize] };
        let (mut ins, mut lines, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
        let followed = self.followed(&flags);
        let words = self.words();
        let parted = self.has_barriers_of_parts();
        let mut state = vec![0u64; words];
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        let mut uses = uses::Uses::default();
        for (number, node) in self.nodes.iter().enumerate() {
            match &self.assigned {
                Some(sets) => state.copy_from_slice(sets.row(number)),
                None => state.fill(0),
            }
            let start = ins.len() as u32;
            let (mut cost, mut gather) = (0u32, Gather::Nobody);
            for raw in &self.builder.raws[node.start..node.end] {
                cost += raw.cost + self.cells(raw, parted);
                #[cfg(all(feature = "std", target_arch = "x86_64"))]
                uses.start(ins.len());
                self.checks(raw, &state, &flags, slot, |made: Ins| {
                    ins.push(made);
                    lines.push(raw.line);
                });
                self.assign(raw, &mut state);
                match raw.op {
                    Op::Gather | Op::Vote(_) | Op::Redux(_) | Op::WarpBarrier => gather = Gather::Members(slot(raw.b)),
                    Op::MatchAnyW | Op::MatchAnyD | Op::MatchAllW | Op::MatchAllD => {
                        gather = Gather::Members(slot(raw.b));
                    }
                    Op::Mma(..) | Op::LoadMatrix(..) | Op::StoreMatrix(..) | Op::MoveMatrix => gather = Gather::Warp,
                    Op::Uniform | Op::Take(..) | Op::Give(..) | Op::Product(..) => gather = Gather::Warp,
                    Op::Barrier(_) => gather = Gather::Warp,
                    _ => {}
                }
                if let Op::Enter { from, to } = raw.op {
                    let own = self.own(node.start, &followed);
                    cost += (own.len() / FORGOTTEN) as u32;
                    for (_, flag) in own {
                        let (d, none) = (*flag, NONE);
                        let [guard, e, a, b, c] = [none; 5];
                        ins.push(Ins { op: Op::Forget, guard, d, e, a, b, c, negated: false, imm: 0 });
                        lines.push(raw.line);
                    }
                    if from == to {
                        continue;
                    }
                }
                if matches!(raw.op, Op::Gather) || is_idle(raw, &self.intervals) {
                    continue;
                }
                let imm = match raw.op {
                    Op::Branch | Op::Call => self.target(raw.imm as u32)? as i32,
                    _ => raw.imm,
                };
                ins.push(Ins {
                    op: raw.op,
                    guard: slot(raw.guard),
                    d: slot(raw.d),
                    e: slot(raw.e),
                    a: slot(raw.a),
                    b: slot(raw.b),
                    c: slot(raw.c),
                    negated: raw.negated,
                    imm,
                });
                lines.push(raw.line);
                #[cfg(all(feature = "std", target_arch = "x86_64"))]
                {
                    // What may be read before it is written shows what was there.
                    let followed = self.ordinary(raw.d) && !self.tracked[raw.d as usize];
                    uses.read_until(ins.len(), followed.then(|| self.intervals[raw.d as usize].1));
                }
            }
            blocks.push(Block { start, end: ins.len() as u32, cost, gather, leaves: false });
        }
        mark_exits(&ins, &mut blocks);
        let mut tables = Vec::new();
        for table in &self.builder.tables {
            let mut targets = Vec::new();
            for &label in table {
                targets.push(self.target(label)?);
            }
            tables.push(targets);
        }
        let entry = self.builder.starts.last().map_or(0, |start| self.block_of[*start]);
        let ext = self.builder.ext.iter().map(|register| slot(*register)).collect();
        let constant = |slot: Slot| {
            let place = w_constants.binary_search_by_key(&slot, |(held, _)| *held).ok()?;
            w_constants.get(place).map(|(_, value)| *value)
        };
        let parts_warps = ins.iter().any(|ins| matches!(ins.op, Op::WarpBarrier) && constant(ins.b) != Some(u32::MAX));
        let counted = ins.iter().filter(|ins| matches!(ins.op, Op::Barrier(_)) && ins.b != NONE);
        let mut barrier_threads: Vec<u32> = counted.map(|ins| constant(ins.b).unwrap_or(0)).collect();
        barrier_threads.sort_unstable();
        barrier_threads.dedup();
        let builder = &mut self.builder;
        Ok(Code {
            ins,
            lines,
            blocks,
            entry,
            tables,
            ext,
            w: w as u16,
            d: d as u16,
            p: p as u16,
            w_constants,
            d_constants,
            p_constants,
            table: builder.context.table.clone(),
            params: core::mem::take(&mut builder.params),
            param_bytes: builder.param_bytes,
            shared: builder.shared,
            local: builder.local,
            dynamic_align: builder.dynamic.unwrap_or(16),
            shared_grain: builder.shared_grain,
            global_grain: builder.global_grain,
            required: builder.required,
            parts_warps,
            barrier_threads,
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            until: uses.until(),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            tiers: Default::default(),
        })
    }

    /// Lane-steps that an access costs beyond one, for what it moves and for the race detector, which keeps a cell for as many bytes as the
    /// kernel's smallest access has, and looks at all that a wider one touches.
    fn cells(&self, raw: &Raw, parted: bool) -> u32 {
        if self.is_of_part(raw) {
            return PART;
        }
        let (Op::Load(access)
        | Op::Store(access)
        | Op::Reduce(_, access)
        | Op::LoadCopy(access, _)
        | Op::StoreCopy(access, _)) = raw.op
        else {
            return 0;
        };
        let grain = match access.place {
            Place::Shared => self.builder.shared_grain,
            Place::Global => self.builder.global_grain,
            Place::Generic => self.builder.shared_grain.min(self.builder.global_grain),
            _ => return 0,
        };
        let bytes = u32::from(access.size) * u32::from(access.count);
        let plain = (bytes / grain.max(1) / CELLS).max(bytes / WIDE);
        if parted { plain + BESIDE_PARTS * (bytes / grain.max(1)).max(1) } else { plain }
    }

    /// Whether it is a barrier that may be of a part of a warp or of the block.
    fn is_of_part(&self, raw: &Raw) -> bool {
        match raw.op {
            Op::WarpBarrier => self.builder.constant_of(raw.b) != Some(u32::MAX.into()),
            Op::Barrier(_) => raw.b != NO,
            _ => false,
        }
    }

    fn has_barriers_of_parts(&self) -> bool {
        self.builder.raws.iter().any(|raw| self.is_of_part(raw))
    }

    /// Where each register begins that may be read before it is written, and what tells whether it holds a value; in order.
    fn followed(&self, flags: &[Slot]) -> Vec<(usize, Slot)> {
        let all = self.intervals.iter().zip(flags).map(|(interval, flag)| (interval.0, *flag));
        let mut followed: Vec<(usize, Slot)> = all.filter(|(_, flag)| *flag != NONE).collect();
        followed.sort_unstable();
        followed
    }

    /// Those of the function that starts here.
    fn own<'f>(&self, start: usize, followed: &'f [(usize, Slot)]) -> &'f [(usize, Slot)] {
        let starts = &self.builder.starts;
        let next = starts.get(starts.partition_point(|other| *other <= start)).copied().unwrap_or(usize::MAX);
        let before = |bound: usize| followed.partition_point(|(from, _)| *from < bound.saturating_mul(2));
        followed.get(before(start)..before(next)).unwrap_or_default()
    }

    /// Emits what checks and marks tracked registers around an instruction.
    fn checks(&self, raw: &Raw, state: &[u64], flags: &[Slot], slot: impl Fn(Vreg) -> Slot, mut emit: impl FnMut(Ins)) {
        let flag = |register: Vreg| if register == NO { NONE } else { flags[register as usize] };
        let plain = Ins {
            op: Op::Nop,
            guard: slot(raw.guard),
            d: NONE,
            e: NONE,
            a: NONE,
            b: NONE,
            c: NONE,
            negated: raw.negated,
            imm: 0,
        };
        let unsure = |register: Vreg| flag(register) != NONE && self.slot(register).is_some_and(|bit| !has(state, bit));
        if raw.guard != NO && unsure(raw.guard) {
            emit(Ins { op: Op::Need, guard: NONE, negated: false, a: flag(raw.guard), ..plain });
        }
        let choice = is_choice(raw);
        if choice && unsure(raw.c) {
            emit(Ins { op: Op::Need, a: flag(raw.c), ..plain });
        }
        if let Some(sources) = self.carried(raw)
            && flag(raw.d) != NONE
        {
            let d = flag(raw.d);
            let held = sources.map(|source| if unsure(source) { flag(source) } else { NONE });
            let [a, b, ..] = held;
            if choice && (a, b) != (NONE, NONE) {
                emit(Ins { op: Op::CarryChosen, d, a, b, c: slot(raw.c), ..plain });
                return;
            }
            // One whose source it is itself loses what the others lack.
            let mut op = if held.contains(&d) { Op::CarryBoth } else { Op::Carry };
            if held == [NONE; 4] {
                emit(Ins { op: Op::Mark, d, ..plain });
            }
            for a in held.into_iter().filter(|held| ![NONE, d].contains(held)) {
                emit(Ins { op, d, a, ..plain });
                op = Op::CarryBoth;
            }
            return;
        }
        // Of a choice only what is chosen is needed.
        if choice {
            for (register, negated) in [(raw.a, false), (raw.b, true)] {
                if unsure(register) {
                    emit(Ins { op: Op::Need, guard: slot(raw.c), negated, a: flag(register), ..plain });
                }
            }
        }
        raw.uses(&self.builder.ext, |register| {
            if !choice && register != raw.guard && unsure(register) {
                emit(Ins { op: Op::Need, a: flag(register), ..plain });
            }
        });
        raw.defs(&self.builder.ext, |register| {
            if flag(register) != NONE {
                emit(Ins { op: Op::Mark, d: flag(register), ..plain });
            }
        });
    }
}

/// Marks the blocks that do nothing but end the thread.
fn mark_exits(ins: &[Ins], blocks: &mut [Block]) {
    for _ in 0..4 {
        for number in 0..blocks.len() {
            let block = blocks[number];
            if block.end != block.start + 1 {
                continue;
            }
            let only = ins[block.start as usize];
            let leaves = only.guard == NONE
                && match only.op {
                    Op::Exit => true,
                    Op::Branch => blocks[only.imm as usize].leaves,
                    _ => false,
                };
            blocks[number].leaves = leaves;
        }
    }
}
