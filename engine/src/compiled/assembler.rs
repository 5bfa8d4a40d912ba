//! What the CPU's vector instructions are called, and where their operands are.

use super::Unfit;
use iced_x86::{Code, Encoder, Instruction, MemoryOperand, Register};

/// A vector register.
pub(super) type Vector = u8;

/// An operand in a register or in memory.
#[derive(Clone, Copy)]
pub(super) enum Operand {
    Vector(Vector),
    Memory(Register, i32),
}

/// Instructions one after another, before they have an address.
pub(super) struct Assembler {
    encoder: Encoder,
    at: u64,
}

fn ymm(vector: Vector) -> Register {
    Register::YMM0 + u32::from(vector)
}

fn xmm(vector: Vector) -> Register {
    Register::XMM0 + u32::from(vector)
}

fn memory(base: Register, displacement: i32) -> MemoryOperand {
    MemoryOperand::with_base_displ(base, i64::from(displacement))
}

impl Assembler {
    pub(super) fn new() -> Result<Self, Unfit> {
        Ok(Self { encoder: Encoder::try_new(64).map_err(|_| Unfit)?, at: 0 })
    }

    /// Bytes so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn put(&mut self, instruction: Result<Instruction, iced_x86::IcedError>) -> Result<(), Unfit> {
        let instruction = instruction.map_err(|_| Unfit)?;
        self.at += self.encoder.encode(&instruction, self.at).map_err(|_| Unfit)? as u64;
        Ok(())
    }

    /// `d = op(s)`
    pub(super) fn one(&mut self, code: Code, d: Vector, s: Operand) -> Result<(), Unfit> {
        self.put(match s {
            Operand::Vector(s) => Instruction::with2(code, ymm(d), ymm(s)),
            Operand::Memory(base, at) => Instruction::with2(code, ymm(d), memory(base, at)),
        })
    }

    /// `d = op(s)` of four of eight lanes, each of which becomes twice as wide: the upper ones where `upper`. Goes through `d`.
    pub(super) fn widen(&mut self, code: Code, d: Vector, s: Operand, upper: bool) -> Result<(), Unfit> {
        match s {
            Operand::Memory(base, at) => {
                let at = if upper { at.checked_add(16).ok_or(Unfit)? } else { at };
                self.put(Instruction::with2(code, ymm(d), memory(base, at)))
            }
            Operand::Vector(s) if upper => {
                self.put(Instruction::with3(Code::VEX_Vextracti128_xmmm128_ymm_imm8, xmm(d), ymm(s), 1))?;
                self.put(Instruction::with2(code, ymm(d), xmm(d)))
            }
            Operand::Vector(s) => self.put(Instruction::with2(code, ymm(d), xmm(s))),
        }
    }

    /// `d = op(s, by)`
    pub(super) fn one_by(&mut self, code: Code, d: Vector, s: Operand, by: u8) -> Result<(), Unfit> {
        let by = u32::from(by);
        self.put(match s {
            Operand::Vector(s) => Instruction::with3(code, ymm(d), ymm(s), by),
            Operand::Memory(base, at) => Instruction::with3(code, ymm(d), memory(base, at), by),
        })
    }

    /// `d = op(a, b)`
    pub(super) fn two(&mut self, code: Code, d: Vector, a: Vector, b: Operand) -> Result<(), Unfit> {
        self.put(match b {
            Operand::Vector(b) => Instruction::with3(code, ymm(d), ymm(a), ymm(b)),
            Operand::Memory(base, at) => Instruction::with3(code, ymm(d), ymm(a), memory(base, at)),
        })
    }

    /// `d = op(a, b, by)`
    pub(super) fn two_by(&mut self, code: Code, d: Vector, a: Vector, b: Operand, by: u8) -> Result<(), Unfit> {
        let by = u32::from(by);
        self.put(match b {
            Operand::Vector(b) => Instruction::with4(code, ymm(d), ymm(a), ymm(b), by),
            Operand::Memory(base, at) => Instruction::with4(code, ymm(d), ymm(a), memory(base, at), by),
        })
    }

    /// `d = choose ? yes : no`, by the sign of each 32 bits.
    pub(super) fn blend(&mut self, d: Vector, no: Vector, yes: Operand, choose: Vector) -> Result<(), Unfit> {
        let code = Code::VEX_Vblendvps_ymm_ymm_ymmm256_ymm;
        self.put(match yes {
            Operand::Vector(yes) => Instruction::with4(code, ymm(d), ymm(no), ymm(yes), ymm(choose)),
            Operand::Memory(base, at) => Instruction::with4(code, ymm(d), ymm(no), memory(base, at), ymm(choose)),
        })
    }

    /// The vector at an address and an index.
    pub(super) fn load_indexed(&mut self, d: Vector, base: Register, index: Register) -> Result<(), Unfit> {
        let at = MemoryOperand::with_base_index(base, index);
        self.put(Instruction::with2(Code::VEX_Vmovdqu_ymm_ymmm256, ymm(d), at))
    }

    pub(super) fn store(&mut self, base: Register, at: i32, s: Vector) -> Result<(), Unfit> {
        self.put(Instruction::with2(Code::VEX_Vmovdqu_ymmm256_ymm, memory(base, at), ymm(s)))
    }

    /// One bit for each lane's sign.
    pub(super) fn signs(&mut self, d: Register, s: Vector) -> Result<(), Unfit> {
        self.put(Instruction::with2(Code::VEX_Vmovmskps_r32_ymm, d, ymm(s)))
    }

    /// An instruction on general registers with memory.
    pub(super) fn load_word(&mut self, code: Code, d: Register, base: Register, at: i32) -> Result<(), Unfit> {
        self.put(Instruction::with2(code, d, memory(base, at)))
    }

    pub(super) fn store_word(&mut self, code: Code, base: Register, at: i32, s: Register) -> Result<(), Unfit> {
        self.put(Instruction::with2(code, memory(base, at), s))
    }

    /// A branch to a place that is known.
    pub(super) fn branch_back(&mut self, code: Code, target: u64) -> Result<(), Unfit> {
        self.put(Instruction::with_branch(code, target))
    }

    /// A branch to a place that [`Self::finish`] is told.
    pub(super) fn branch_on(&mut self, code: Code) -> Result<Patch, Unfit> {
        let target = self.at;
        self.put(Instruction::with_branch(code, target))?;
        Ok(Patch { end: self.at, target: 0 })
    }

    /// The bytes, with the targets of branches forward.
    pub(super) fn finish(mut self, patches: &[Patch]) -> Result<Vec<u8>, Unfit> {
        let mut bytes = self.encoder.take_buffer();
        for Patch { end, target } in patches {
            let by = i32::try_from(target.checked_sub(*end).ok_or(Unfit)?).map_err(|_| Unfit)?;
            let at = usize::try_from(*end).map_err(|_| Unfit)?;
            bytes.get_mut(at.checked_sub(4).ok_or(Unfit)?..at).ok_or(Unfit)?.copy_from_slice(&by.to_le_bytes());
        }
        Ok(bytes)
    }
}

/// A branch forward: where its instruction ends, and where it leads.
pub(super) struct Patch {
    end: u64,
    pub(super) target: u64,
}
