//! Steps to instructions: which register holds which part of a slot, and what goes back to memory.

use super::{
    Unfit,
    assembler::{Assembler, Operand, Patch, Vector},
    pool::{Pool, Word},
    segment::{Part, Step},
};
use iced_x86::{Code, Instruction, Register};
use std::collections::BTreeMap;

/// Not used again in the segment, but maybe after it.
const LATER: u32 = u32::MAX - 1;
/// Not used again.
const NEVER: u32 = u32::MAX;

/// What steps use on their way.
pub(super) const T0: Vector = 15;
pub(super) const T1: Vector = 14;
pub(super) const T2: Vector = 13;
/// The result of a step under a guard.
const GUARDED: Vector = 12;
/// All ones for each active lane, where not all are.
const MASK: Vector = 11;
/// The digest's words, and the key's.
pub(super) const DIGEST: Vector = 10;
const KEY: Vector = 9;

// Where a group's lanes lie.
const W: Register = Register::R8;
const D: Register = Register::R9;
const P: Register = Register::R10;
const POOL: Register = Register::R11;
const H: Register = Register::RDI;
const WORDS: Register = Register::RBX;
const ANSWERS: Register = Register::RSI;
const LEFT: Register = Register::ECX;
const LANES: Register = Register::EDX;
const HERE: Register = Register::EBP;

/// What is compiled apart: whether there is a digest, and whether all lanes are active.
#[derive(Clone, Copy)]
pub(super) struct Variant {
    pub(super) keyed: bool,
    pub(super) whole: bool,
}

/// A register that holds a part.
#[derive(Clone, Copy)]
struct Held {
    part: Part,
    /// Memory does not have it.
    dirty: bool,
    /// The step that uses it next.
    next: u32,
}

/// When a step's sources and its result are used next.
#[derive(Clone, Copy)]
struct Next {
    sources: [u32; 4],
    guard: u32,
    d: u32,
}

pub(super) struct Emitter<'p> {
    pub(super) asm: Assembler,
    pub(super) pool: &'p mut Pool,
    variant: Variant,
    held: [Option<Held>; 16],
    /// Registers of the step at hand.
    locked: u16,
}

impl<'p> Emitter<'p> {
    pub(super) fn new(pool: &'p mut Pool, variant: Variant) -> Result<Self, Unfit> {
        Ok(Self { asm: Assembler::new()?, pool, variant, held: [None; 16], locked: 0 })
    }

    /// The function of a segment. `outlives` says of which results memory must have them after it.
    pub(super) fn function(mut self, steps: &[Step], outlives: impl Fn(Part) -> bool) -> Result<Vec<u8>, Unfit> {
        let mut patches = Vec::new();
        self.enter()?;
        let group = self.asm.at();
        let skipped = self.start_group()?;
        for (step, next) in steps.iter().zip(next_uses(steps, outlives)) {
            self.step(step, next)?;
        }
        self.end_group()?;
        if let Some(mut patch) = skipped {
            patch.target = self.asm.at();
            patches.push(patch);
        }
        self.leave(group)?;
        self.asm.finish(&patches)
    }

    fn enter(&mut self) -> Result<(), Unfit> {
        let asm = &mut self.asm;
        for saved in [Register::RBX, Register::RBP] {
            asm.put(Instruction::with1(Code::Push_r64, saved))?;
        }
        // As in `Frame`; the frame's own register last.
        let fields = [(W, 0), (D, 8), (P, 16), (WORDS, 32), (POOL, 40), (ANSWERS, 48)];
        for (register, at) in fields {
            asm.load_word(Code::Mov_r64_rm64, register, Register::RDI, at)?;
        }
        asm.load_word(Code::Mov_r32_rm32, LANES, Register::RDI, 56)?;
        asm.load_word(Code::Mov_r64_rm64, H, Register::RDI, 24)?;
        asm.put(Instruction::with2(Code::Mov_r32_imm32, LEFT, 4))
    }

    fn start_group(&mut self) -> Result<Option<Patch>, Unfit> {
        let mut skipped = None;
        if !self.variant.whole {
            let asm = &mut self.asm;
            asm.put(Instruction::with2(Code::Movzx_r32_rm8, HERE, Register::DL))?;
            asm.put(Instruction::with2(Code::Shr_rm32_imm8, LANES, 8))?;
            asm.put(Instruction::with2(Code::Test_rm32_r32, HERE, HERE))?;
            skipped = Some(asm.branch_on(Code::Je_rel32_64)?);
            asm.put(Instruction::with2(Code::Mov_r32_rm32, Register::EAX, HERE))?;
            self.keep(MASK)?;
        }
        if self.variant.keyed {
            self.load(DIGEST, Operand::Memory(H, 0))?;
            self.load(KEY, Operand::Memory(WORDS, 0))?;
        }
        Ok(skipped)
    }

    /// The lanes whose bits are set in `eax`, as all ones.
    fn keep(&mut self, d: Vector) -> Result<(), Unfit> {
        self.asm.put(Instruction::with2(Code::Shl_rm32_imm8, Register::EAX, 5))?;
        self.asm.load_indexed(d, POOL, Register::RAX)
    }

    fn end_group(&mut self) -> Result<(), Unfit> {
        for vector in 0..16 {
            if let Some(Held { part, dirty: true, next: LATER }) = self.held[vector] {
                self.write_back(vector as Vector, part)?;
            }
            self.held[vector] = None;
        }
        if self.variant.keyed {
            if !self.variant.whole {
                self.load(T0, Operand::Memory(H, 0))?;
                self.asm.blend(DIGEST, T0, Operand::Vector(DIGEST), MASK)?;
            }
            self.asm.store(H, 0, DIGEST)?;
        }
        Ok(())
    }

    fn leave(&mut self, group: u64) -> Result<(), Unfit> {
        let asm = &mut self.asm;
        for (register, by) in [(W, 32), (D, 64), (P, 1)] {
            asm.put(Instruction::with2(Code::Add_rm64_imm8, register, by))?;
        }
        if self.variant.keyed {
            for (register, by) in [(H, 32), (WORDS, 32), (ANSWERS, 1)] {
                asm.put(Instruction::with2(Code::Add_rm64_imm8, register, by))?;
            }
        }
        asm.put(Instruction::with1(Code::Dec_rm32, LEFT))?;
        asm.branch_back(Code::Jne_rel32_64, group)?;
        asm.put(Ok(Instruction::with(Code::VEX_Vzeroupper)))?;
        for saved in [Register::RBP, Register::RBX] {
            asm.put(Instruction::with1(Code::Pop_r64, saved))?;
        }
        asm.put(Ok(Instruction::with(Code::Retnq)))
    }

    /// A word of the pool, as an operand.
    pub(super) fn word(&mut self, word: Word) -> Result<Operand, Unfit> {
        Ok(Operand::Memory(POOL, self.pool.place(word)?))
    }

    pub(super) fn load(&mut self, d: Vector, s: Operand) -> Result<(), Unfit> {
        self.asm.one(Code::VEX_Vmovdqu_ymm_ymmm256, d, s)
    }

    /// Where memory has a part.
    fn home(part: Part) -> (Register, i32) {
        match part {
            Part::W(slot) => (W, i32::from(slot) * 128),
            Part::D(slot, upper) => (D, i32::from(slot) * 256 + if upper { 32 } else { 0 }),
            Part::P(slot) => (P, i32::from(slot) * 4),
        }
    }

    fn write_back(&mut self, vector: Vector, part: Part) -> Result<(), Unfit> {
        let (base, at) = Self::home(part);
        let asm = &mut self.asm;
        match part {
            Part::P(_) => {
                asm.signs(Register::EAX, vector)?;
                if self.variant.whole {
                    return asm.store_word(Code::Mov_rm8_r8, base, at, Register::AL);
                }
                asm.load_word(Code::Xor_r8_rm8, Register::AL, base, at)?;
                asm.put(Instruction::with2(Code::And_rm32_r32, Register::EAX, HERE))?;
                asm.store_word(Code::Xor_rm8_r8, base, at, Register::AL)
            }
            Part::W(_) | Part::D(..) if self.variant.whole => asm.store(base, at, vector),
            Part::W(_) => {
                asm.one(Code::VEX_Vmovdqu_ymm_ymmm256, T0, Operand::Memory(base, at))?;
                asm.blend(T0, T0, Operand::Vector(vector), MASK)?;
                asm.store(base, at, T0)
            }
            Part::D(_, upper) => {
                asm.widen(Code::VEX_Vpmovsxdq_ymm_xmmm128, T1, Operand::Vector(MASK), upper)?;
                asm.one(Code::VEX_Vmovdqu_ymm_ymmm256, T0, Operand::Memory(base, at))?;
                asm.blend(T0, T0, Operand::Vector(vector), T1)?;
                asm.store(base, at, T0)
            }
        }
    }

    /// Registers that parts may have.
    fn free_for_parts(&self) -> u16 {
        let mut all = 0b1_1111_1111;
        if !self.variant.keyed {
            all |= 1 << DIGEST | 1 << KEY;
        }
        if self.variant.whole {
            all |= 1 << MASK;
        }
        all
    }

    fn holder(&self, part: Part) -> Option<Vector> {
        self.held.iter().position(|held| held.is_some_and(|held| held.part == part)).map(|at| at as Vector)
    }

    /// A register for a part; what it held goes to memory if it is still wanted.
    fn claim(&mut self) -> Result<Vector, Unfit> {
        let free = self.free_for_parts() & !self.locked;
        let mut worst: Option<(u32, usize)> = None;
        for vector in (0..16).filter(|vector| free >> vector & 1 == 1) {
            let Some(held) = self.held[vector] else { return Ok(vector as Vector) };
            if worst.is_none_or(|(next, _)| held.next > next) {
                worst = Some((held.next, vector));
            }
        }
        let (_, vector) = worst.ok_or(Unfit)?;
        if let Some(Held { part, dirty: true, next }) = self.held[vector]
            && next != NEVER
        {
            self.write_back(vector as Vector, part)?;
        }
        self.held[vector] = None;
        Ok(vector as Vector)
    }

    /// A part in a register, for the step at hand.
    fn fetch(&mut self, part: Part) -> Result<Vector, Unfit> {
        if let Some(vector) = self.holder(part) {
            self.locked |= 1 << vector;
            return Ok(vector);
        }
        let vector = self.claim()?;
        let (base, at) = Self::home(part);
        if let Part::P(_) = part {
            self.asm.load_word(Code::Movzx_r32_rm8, Register::EAX, base, at)?;
            self.keep(vector)?;
        } else {
            self.load(vector, Operand::Memory(base, at))?;
        }
        self.held[usize::from(vector)] = Some(Held { part, dirty: false, next: LATER });
        self.locked |= 1 << vector;
        Ok(vector)
    }

    /// A part in a register or, where it is used only here, in memory.
    fn operand(&mut self, part: Part, next: u32) -> Result<Operand, Unfit> {
        let known = self.holder(part).is_some() || matches!(part, Part::P(_));
        if !known && next >= LATER {
            let (base, at) = Self::home(part);
            return Ok(Operand::Memory(base, at));
        }
        Ok(Operand::Vector(self.fetch(part)?))
    }

    fn step(&mut self, step: &Step, next: Next) -> Result<(), Unfit> {
        self.locked = 0;
        let mut operands = [None; 4];
        // What must be in a register first: memory is no place for an operand whose part is fetched later in the same step.
        for at in 0..4 {
            let Some(part) = step.sources[at] else { continue };
            let again = step.sources.iter().flatten().filter(|other| **other == part).count() > 1;
            let operand = if step.kind.takes_memory(at) && !again {
                self.operand(part, next.sources[at])?
            } else {
                Operand::Vector(self.fetch(part)?)
            };
            operands[at] = Some(operand);
        }
        let guard = match step.guard {
            Some((part, negated)) => Some((self.fetch(part)?, negated)),
            None => None,
        };
        let old = match (guard, step.d) {
            (Some(_), Some(d)) => Some(self.fetch(d)?),
            _ => None,
        };
        let Some(d) = step.d else {
            self.compute(step.kind, T0, operands, guard)?;
            self.release(step, next);
            return Ok(());
        };
        if let (Some(old), Some((guard, negated))) = (old, guard) {
            self.compute(step.kind, GUARDED, operands, None)?;
            let by = match d {
                Part::D(_, upper) => {
                    self.asm.widen(Code::VEX_Vpmovsxdq_ymm_xmmm128, T0, Operand::Vector(guard), upper)?;
                    T0
                }
                _ => guard,
            };
            let (no, yes) = if negated { (GUARDED, old) } else { (old, GUARDED) };
            self.asm.blend(old, no, Operand::Vector(yes), by)?;
            self.release(step, next);
            self.held[usize::from(old)] = Some(Held { part: d, dirty: true, next: next.d });
        } else {
            self.release(step, next);
            let into = match self.holder(d) {
                Some(vector) => vector,
                None => {
                    // Not where an operand lies that goes on.
                    self.claim()?
                }
            };
            self.compute(step.kind, into, operands, None)?;
            self.held[usize::from(into)] = Some(Held { part: d, dirty: true, next: next.d });
        }
        if next.d == NEVER
            && let Some(vector) = self.holder(d)
        {
            self.held[usize::from(vector)] = None;
        }
        Ok(())
    }

    /// Notes when the sources are used next, and lets go of those that are not.
    fn release(&mut self, step: &Step, next: Next) {
        let guard = step.guard.map(|(part, _)| (part, next.guard));
        let sources = step.sources.iter().zip(next.sources).filter_map(|(part, next)| part.map(|part| (part, next)));
        for (part, next) in sources.chain(guard) {
            let Some(vector) = self.holder(part) else { continue };
            let Some(held) = &mut self.held[usize::from(vector)] else { continue };
            held.next = next;
            if next == NEVER || next == LATER && !held.dirty {
                self.held[usize::from(vector)] = None;
                self.locked &= !(1 << vector);
            }
        }
    }

    /// One step of the digest with a word in a register.
    pub(super) fn fold(&mut self, word: Vector, guard: Option<(Vector, bool)>) -> Result<(), Unfit> {
        let into = if guard.is_some() { T1 } else { DIGEST };
        let turned = self.word(Word::TURN)?;
        self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, into, DIGEST, Operand::Vector(KEY))?;
        self.asm.two(Code::VEX_Vpshufb_ymm_ymm_ymmm256, into, into, turned)?;
        self.asm.two(Code::VEX_Vpaddd_ymm_ymm_ymmm256, into, into, Operand::Vector(word))?;
        if let Some((guard, negated)) = guard {
            let (no, yes) = if negated { (T1, DIGEST) } else { (DIGEST, T1) };
            self.asm.blend(DIGEST, no, Operand::Vector(yes), guard)?;
        }
        Ok(())
    }

    /// Keeps a predicate's lanes for the digest.
    pub(super) fn answer(&mut self, number: u32, s: Vector) -> Result<(), Unfit> {
        self.asm.signs(Register::EAX, s)?;
        if !self.variant.whole {
            self.asm.put(Instruction::with2(Code::And_rm32_r32, Register::EAX, HERE))?;
        }
        let at = i32::try_from(number).ok().and_then(|number| number.checked_mul(4)).ok_or(Unfit)?;
        self.asm.store_word(Code::Mov_rm8_r8, ANSWERS, at, Register::AL)
    }
}

/// When the values of each step are used next.
fn next_uses(steps: &[Step], outlives: impl Fn(Part) -> bool) -> Vec<Next> {
    let written: std::collections::BTreeSet<Part> = steps.iter().filter_map(|step| step.d).collect();
    let mut seen: BTreeMap<Part, u32> =
        written.into_iter().filter(|part| !outlives(*part)).map(|part| (part, NEVER)).collect();
    let mut all = vec![Next { sources: [LATER; 4], guard: LATER, d: LATER }; steps.len()];
    for (at, (step, next)) in steps.iter().zip(&mut all).enumerate().rev() {
        let look = |seen: &BTreeMap<Part, u32>, part: Part| seen.get(&part).copied().unwrap_or(LATER);
        if let Some(d) = step.d {
            next.d = look(&seen, d);
            // Before it is written anew the value is of no use, but where a guard keeps it.
            seen.insert(d, if step.guard.is_some() { at as u32 } else { NEVER });
        }
        for (part, next) in step.sources.iter().zip(&mut next.sources) {
            if let Some(part) = part {
                *next = look(&seen, *part);
            }
        }
        if let Some((part, _)) = step.guard {
            next.guard = look(&seen, part);
        }
        for part in step.sources.iter().flatten().copied().chain(step.guard.map(|(part, _)| part)) {
            seen.insert(part, at as u32);
        }
    }
    all
}
