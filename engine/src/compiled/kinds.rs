//! The instructions of each kind of step. A result is written last: its register may be that of an operand.

use super::{
    Unfit,
    assembler::{Operand, Vector},
    emitter::{Emitter, T0, T1, T2},
    pool::Word,
    segment::Kind,
};
use iced_x86::Code;

/// An operand that [`Kind::takes_memory`] keeps in a register.
fn held(operand: Option<Operand>) -> Result<Vector, Unfit> {
    match operand {
        Some(Operand::Vector(vector)) => Ok(vector),
        _ => Err(Unfit),
    }
}

/// Nearest results of comparisons with itself: whether a float is a NaN, and whether it is none.
const UNORDERED: u8 = 3;
const ORDERED: u8 = 7;
const AT_LEAST: u8 = 0x1d;
/// 2³¹, as a float.
const TOO_LARGE: u32 = 0x4f00_0000;
/// 2¹⁶, as a float.
const HALF_WORD: u32 = 0x4780_0000;
/// Lanes 0, 2, 1, 3 of 64 bits.
const INNER: u8 = 0xd8;
/// Odd lanes.
const ODD: u8 = 0xaa;

impl Kind {
    /// Whether the source at this place may be in memory.
    pub(super) fn takes_memory(self, at: usize) -> bool {
        match self {
            Self::Copy | Self::One(_) | Self::Not | Self::Widen(..) | Self::From(..) => at == 0,
            Self::Rounded(_) | Self::RoundedD(_) => at == 0,
            Self::Two(_) | Self::Float(_) | Self::Short(_) => at == 1,
            Self::Mad => at != 0,
            Self::Wide(..) => true,
            Self::Compare(..) | Self::CompareFloat(_) => at == 1,
            Self::Fma => at != 0,
            Self::ShiftD(..) => at == 1,
            Self::Pack(_) => true,
            _ => false,
        }
    }
}

impl Emitter<'_> {
    /// The instructions of a step.
    pub(super) fn compute(
        &mut self,
        kind: Kind,
        d: Vector,
        operands: [Option<Operand>; 4],
        guard: Option<(Vector, bool)>,
    ) -> Result<(), Unfit> {
        let [a, b, c, e] = operands;
        let any = |operand: Option<Operand>| operand.ok_or(Unfit);
        let reg = Operand::Vector;
        match kind {
            Kind::Copy => self.load(d, any(a)?),
            Kind::One(code) => self.asm.one(code, d, any(a)?),
            Kind::With(code, word) => {
                let word = self.word(Word::all(word))?;
                self.asm.two(code, d, held(a)?, word)
            }
            Kind::From(code, word) => {
                let word = self.word(Word::pairs(word))?;
                self.load(T0, word)?;
                self.asm.two(code, d, T0, any(a)?)
            }
            Kind::FloatWith(code, word) => {
                let word = self.word(Word::all(word))?;
                self.asm.two(code, T0, held(a)?, word)?;
                self.canonical(d)
            }
            Kind::QuietWith(code, word) => {
                let (word, quiet) = (self.word(Word::pairs(word))?, self.word(Word::pairs(1 << 51))?);
                self.asm.two(code, T0, held(a)?, word)?;
                self.asm.two_by(Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8, T1, T0, reg(T0), UNORDERED)?;
                self.asm.two(Code::VEX_Vpand_ymm_ymm_ymmm256, T1, T1, quiet)?;
                self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, d, T0, reg(T1))
            }
            Kind::Rounded(how) => {
                self.asm.one_by(Code::VEX_Vroundps_ymm_ymmm256_imm8, T0, any(a)?, how)?;
                self.canonical(d)
            }
            Kind::RoundedD(how) => self.asm.one_by(Code::VEX_Vroundpd_ymm_ymmm256_imm8, d, any(a)?, how),
            Kind::Extended(by) => {
                self.asm.one_by(Code::VEX_Vpslld_ymm_ymm_imm8, T0, reg(held(a)?), by)?;
                self.asm.one_by(Code::VEX_Vpsrad_ymm_ymm_imm8, d, reg(T0), by)
            }
            Kind::Short(code) => {
                let low = self.word(Word::all(0xffff))?;
                self.asm.two(code, T0, held(a)?, any(b)?)?;
                self.asm.two(Code::VEX_Vpand_ymm_ymm_ymmm256, d, T0, low)
            }
            Kind::Shortened => {
                self.asm.shorten(T0, held(a)?)?;
                self.asm.shorten(T1, held(b)?)?;
                self.asm.join(T0, T0, T1)?;
                self.canonical(d)
            }
            Kind::Two(code) => self.asm.two(code, d, held(a)?, any(b)?),
            Kind::By(code, by) => self.asm.one_by(code, d, reg(held(a)?), by),
            Kind::Joined { left, right } => {
                self.asm.one_by(Code::VEX_Vpslld_ymm_ymm_imm8, T0, reg(held(a)?), left)?;
                self.asm.one_by(Code::VEX_Vpsrld_ymm_ymm_imm8, T1, reg(held(b)?), right)?;
                self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, d, T0, reg(T1))
            }
            Kind::Not => {
                let ones = self.word(Word::ONES)?;
                self.load(T0, ones)?;
                self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, d, T0, any(a)?)
            }
            Kind::Mad => {
                self.asm.two(Code::VEX_Vpmulld_ymm_ymm_ymmm256, T0, held(a)?, any(b)?)?;
                self.asm.two(Code::VEX_Vpaddd_ymm_ymm_ymmm256, d, T0, any(c)?)
            }
            Kind::FunnelLeft => self.funnel(d, [held(b)?, held(a)?, held(c)?], true),
            Kind::FunnelRight => self.funnel(d, [held(a)?, held(b)?, held(c)?], false),
            Kind::Permute(selector) => self.permute(d, held(a)?, held(b)?, selector),
            Kind::Dot => self.dot(d, held(a)?, held(b)?, held(c)?),
            Kind::MulHigh(code) => {
                let (a, b) = (held(a)?, held(b)?);
                self.asm.one_by(Code::VEX_Vpsrlq_ymm_ymm_imm8, T0, reg(a), 32)?;
                self.asm.one_by(Code::VEX_Vpsrlq_ymm_ymm_imm8, T1, reg(b), 32)?;
                self.asm.two(code, T1, T0, reg(T1))?;
                self.asm.two(code, T0, a, reg(b))?;
                self.asm.one_by(Code::VEX_Vpsrlq_ymm_ymm_imm8, T0, reg(T0), 32)?;
                self.asm.two_by(Code::VEX_Vpblendd_ymm_ymm_ymmm256_imm8, d, T0, reg(T1), ODD)
            }
            Kind::Lop3(table) => self.lop3(d, held(a)?, held(b)?, held(c)?, table),
            Kind::Choose => {
                let (yes, no, choose) = (held(a)?, held(b)?, held(c)?);
                self.asm.blend(d, no, reg(yes), choose)
            }
            Kind::Float(code) => {
                self.asm.two(code, T0, held(a)?, any(b)?)?;
                self.canonical(d)
            }
            Kind::Fma => {
                self.load(T0, reg(held(a)?))?;
                let by = match any(b)? {
                    Operand::Vector(vector) => vector,
                    memory => {
                        self.load(T1, memory)?;
                        T1
                    }
                };
                self.asm.two(Code::VEX_Vfmadd213ps_ymm_ymm_ymmm256, T0, by, any(c)?)?;
                self.canonical(d)
            }
            Kind::Root => {
                self.asm.one(Code::VEX_Vsqrtps_ymm_ymmm256, T0, reg(held(a)?))?;
                self.canonical(d)
            }
            Kind::Least(code, join) => {
                let (a, b) = (held(a)?, held(b)?);
                let compare = Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8;
                // The one the instruction gives for equal operands is the second: both ways round, joined, tell zeros apart.
                self.asm.two(code, T0, a, reg(b))?;
                self.asm.two(code, T1, b, reg(a))?;
                self.asm.two(join, T0, T0, reg(T1))?;
                self.asm.two_by(compare, T1, a, reg(a), UNORDERED)?;
                self.asm.blend(T0, T0, reg(b), T1)?;
                self.asm.two_by(compare, T1, b, reg(b), UNORDERED)?;
                self.asm.blend(T0, T0, reg(a), T1)?;
                self.canonical(d)
            }
            Kind::FloatOfUnsigned => {
                let a = held(a)?;
                let half = self.word(Word::all(HALF_WORD))?;
                let low = self.word(Word::all(0xffff))?;
                self.asm.one_by(Code::VEX_Vpsrld_ymm_ymm_imm8, T0, reg(a), 16)?;
                self.asm.one(Code::VEX_Vcvtdq2ps_ymm_ymmm256, T0, reg(T0))?;
                self.asm.two(Code::VEX_Vmulps_ymm_ymm_ymmm256, T0, T0, half)?;
                self.asm.two(Code::VEX_Vpand_ymm_ymm_ymmm256, T1, a, low)?;
                self.asm.one(Code::VEX_Vcvtdq2ps_ymm_ymmm256, T1, reg(T1))?;
                // Both are exact; their sum is rounded once.
                self.asm.two(Code::VEX_Vaddps_ymm_ymm_ymmm256, d, T0, reg(T1))
            }
            Kind::Signed(code) => {
                let a = held(a)?;
                let compare = Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8;
                let large = self.word(Word::all(TOO_LARGE))?;
                // Out of range gives the least integer: right for what is too small.
                self.asm.two_by(compare, T0, a, large, AT_LEAST)?;
                self.asm.one(code, T1, reg(a))?;
                self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, T0, T0, reg(T1))?;
                self.asm.two_by(compare, T1, a, reg(a), ORDERED)?;
                self.asm.two(Code::VEX_Vpand_ymm_ymm_ymmm256, d, T0, reg(T1))
            }
            Kind::MulD => {
                self.product(held(a)?, held(b)?)?;
                self.asm.two(Code::VEX_Vpaddq_ymm_ymm_ymmm256, d, T0, reg(T1))
            }
            Kind::MadD => {
                let c = held(c)?;
                self.product(held(a)?, held(b)?)?;
                self.asm.two(Code::VEX_Vpaddq_ymm_ymm_ymmm256, T0, T0, reg(T1))?;
                self.asm.two(Code::VEX_Vpaddq_ymm_ymm_ymmm256, d, T0, reg(c))
            }
            Kind::ShiftD(code, upper) => {
                self.asm.widen(Code::VEX_Vpmovzxdq_ymm_xmmm128, T0, any(b)?, upper)?;
                self.asm.two(code, d, held(a)?, reg(T0))
            }
            Kind::ShiftSignedD(upper) => {
                let most = self.word(Word::pairs(63))?;
                let signs = self.word(Word::SIGNS)?;
                self.asm.widen(Code::VEX_Vpmovzxdq_ymm_xmmm128, T0, reg(held(b)?), upper)?;
                self.asm.two(Code::VEX_Vpminud_ymm_ymm_ymmm256, T0, T0, most)?;
                self.load(T1, signs)?;
                self.asm.two(Code::VEX_Vpsrlvq_ymm_ymm_ymmm256, T1, T1, reg(T0))?;
                self.asm.two(Code::VEX_Vpsrlvq_ymm_ymm_ymmm256, T0, held(a)?, reg(T0))?;
                self.sign_extended(d)
            }
            Kind::ShiftSignedDBy(by) => {
                let signs = self.word(Word::SIGNS)?;
                self.load(T1, signs)?;
                self.asm.one_by(Code::VEX_Vpsrlq_ymm_ymm_imm8, T1, reg(T1), by)?;
                self.asm.one_by(Code::VEX_Vpsrlq_ymm_ymm_imm8, T0, reg(held(a)?), by)?;
                self.sign_extended(d)
            }
            Kind::ChooseD(upper) => {
                let (yes, no) = (held(a)?, held(b)?);
                self.asm.widen(Code::VEX_Vpmovsxdq_ymm_xmmm128, T0, reg(held(c)?), upper)?;
                self.asm.blend(d, no, reg(yes), T0)
            }
            Kind::FmaG => {
                let (a, b, c) = (held(a)?, held(b)?, held(c)?);
                let compare = Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8;
                let quiet = self.word(Word::pairs(1 << 51))?;
                self.load(T0, reg(a))?;
                self.asm.two(Code::VEX_Vfmadd213pd_ymm_ymm_ymmm256, T0, b, reg(c))?;
                // The first operand that is a NaN goes through, made quiet.
                for operand in [c, b, a] {
                    self.asm.two_by(compare, T1, operand, reg(operand), UNORDERED)?;
                    self.load(T2, quiet)?;
                    self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, T2, T2, reg(operand))?;
                    self.asm.blend(T0, T0, reg(T2), T1)?;
                }
                self.load(d, reg(T0))
            }
            Kind::Widen(code, upper) => {
                self.asm.widen(code, T0, any(a)?, upper)?;
                self.load(d, reg(T0))
            }
            Kind::Wide(code, upper, add) => {
                let zeros = Code::VEX_Vpmovzxdq_ymm_xmmm128;
                self.asm.widen(zeros, T0, any(a)?, upper)?;
                self.asm.widen(zeros, T1, any(b)?, upper)?;
                if !add {
                    return self.asm.two(code, d, T0, reg(T1));
                }
                self.asm.two(code, T0, T0, reg(T1))?;
                self.asm.two(Code::VEX_Vpaddq_ymm_ymm_ymmm256, d, T0, any(c)?)
            }
            Kind::Pack(upper) => {
                let zeros = Code::VEX_Vpmovzxdq_ymm_xmmm128;
                self.asm.widen(zeros, T0, any(a)?, upper)?;
                self.asm.widen(zeros, T1, any(b)?, upper)?;
                self.asm.one_by(Code::VEX_Vpsllq_ymm_ymm_imm8, T1, reg(T1), 32)?;
                self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, d, T0, reg(T1))
            }
            Kind::Narrow(which) => {
                self.asm.two_by(Code::VEX_Vshufps_ymm_ymm_ymmm256_imm8, T0, held(a)?, reg(held(b)?), which)?;
                self.asm.one_by(Code::VEX_Vpermq_ymm_ymmm256_imm8, d, reg(T0), INNER)
            }
            Kind::Compare(code, inverted) => {
                self.asm.two(code, T0, held(a)?, any(b)?)?;
                self.inverted(d, inverted)
            }
            Kind::LeastIs(inverted) => {
                let a = held(a)?;
                self.asm.two(Code::VEX_Vpminud_ymm_ymm_ymmm256, T0, a, reg(held(b)?))?;
                self.asm.two(Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256, T0, T0, reg(a))?;
                self.inverted(d, inverted)
            }
            Kind::CompareFloat(how) => {
                self.asm.two_by(Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8, d, held(a)?, any(b)?, how)
            }
            Kind::CompareD(code, inverted) => {
                self.asm.two(code, T0, held(a)?, reg(held(c)?))?;
                self.asm.two(code, T1, held(b)?, reg(held(e)?))?;
                self.joined()?;
                self.inverted(d, inverted)
            }
            Kind::CompareUnsignedD(inverted) => {
                let signs = self.word(Word::SIGNS)?;
                let (xor, greater) = (Code::VEX_Vpxor_ymm_ymm_ymmm256, Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256);
                for (into, a, b) in [(T0, held(a)?, held(c)?), (T1, held(b)?, held(e)?)] {
                    self.asm.two(xor, into, a, signs)?;
                    self.asm.two(xor, T2, b, signs)?;
                    self.asm.two(greater, into, into, reg(T2))?;
                }
                self.joined()?;
                self.inverted(d, inverted)
            }
            Kind::CompareG(how) => {
                let compare = Code::VEX_Vcmppd_ymm_ymm_ymmm256_imm8;
                self.asm.two_by(compare, T0, held(a)?, reg(held(c)?), how)?;
                self.asm.two_by(compare, T1, held(b)?, reg(held(e)?), how)?;
                self.joined()?;
                self.load(d, reg(T0))
            }
            Kind::FoldW => self.fold(held(a)?, guard),
            Kind::FoldD => {
                let (low, high) = (held(a)?, held(b)?);
                let shuffle = Code::VEX_Vshufps_ymm_ymm_ymmm256_imm8;
                self.asm.two_by(shuffle, T1, low, reg(high), 0xdd)?;
                self.asm.one_by(Code::VEX_Vpslld_ymm_ymm_imm8, T2, reg(T1), 13)?;
                self.asm.one_by(Code::VEX_Vpsrld_ymm_ymm_imm8, T1, reg(T1), 19)?;
                self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, T1, T1, reg(T2))?;
                self.asm.two_by(shuffle, T0, low, reg(high), 0x88)?;
                self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, T0, T0, reg(T1))?;
                self.asm.one_by(Code::VEX_Vpermq_ymm_ymmm256_imm8, T0, reg(T0), INNER)?;
                self.fold(T0, guard)
            }
            Kind::Answer(number) => self.answer(number, held(a)?),
        }
    }

    /// `T0`, where it is no NaN, else the canonical one.
    fn canonical(&mut self, d: Vector) -> Result<(), Unfit> {
        let nan = self.word(Word::NAN)?;
        self.asm.two_by(Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8, T1, T0, Operand::Vector(T0), UNORDERED)?;
        self.asm.blend(d, T0, nan, T1)
    }

    /// `T0`, or its opposite.
    fn inverted(&mut self, d: Vector, inverted: bool) -> Result<(), Unfit> {
        if !inverted {
            return self.load(d, Operand::Vector(T0));
        }
        let ones = self.word(Word::ONES)?;
        self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, d, T0, ones)
    }

    /// What `T0` and `T1` say of four lanes each, as eight lanes in `T0`.
    fn joined(&mut self) -> Result<(), Unfit> {
        self.asm.two_by(Code::VEX_Vshufps_ymm_ymm_ymmm256_imm8, T0, T0, Operand::Vector(T1), 0x88)?;
        self.asm.one_by(Code::VEX_Vpermq_ymm_ymmm256_imm8, T0, Operand::Vector(T0), INNER)
    }

    /// `T0` of 64-bit lanes, which were shifted, with the sign where `T1` has it.
    fn sign_extended(&mut self, d: Vector) -> Result<(), Unfit> {
        self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, T0, T0, Operand::Vector(T1))?;
        self.asm.two(Code::VEX_Vpsubq_ymm_ymm_ymmm256, d, T0, Operand::Vector(T1))
    }

    /// The low 64 bits of products, as `T0 + T1`.
    fn product(&mut self, a: Vector, b: Vector) -> Result<(), Unfit> {
        let (multiply, right) = (Code::VEX_Vpmuludq_ymm_ymm_ymmm256, Code::VEX_Vpsrlq_ymm_ymm_imm8);
        let reg = Operand::Vector;
        self.asm.one_by(right, T0, reg(a), 32)?;
        self.asm.two(multiply, T0, T0, reg(b))?;
        self.asm.one_by(right, T1, reg(b), 32)?;
        self.asm.two(multiply, T1, T1, reg(a))?;
        self.asm.two(Code::VEX_Vpaddq_ymm_ymm_ymmm256, T0, T0, reg(T1))?;
        self.asm.one_by(Code::VEX_Vpsllq_ymm_ymm_imm8, T0, reg(T0), 32)?;
        self.asm.two(multiply, T1, a, reg(b))
    }

    /// `main` shifted by the low five bits of `by`, filled from the other.
    fn funnel(&mut self, d: Vector, [main, fill, by]: [Vector; 3], left: bool) -> Result<(), Unfit> {
        let reg = Operand::Vector;
        let (there, back) = if left {
            (Code::VEX_Vpsllvd_ymm_ymm_ymmm256, Code::VEX_Vpsrlvd_ymm_ymm_ymmm256)
        } else {
            (Code::VEX_Vpsrlvd_ymm_ymm_ymmm256, Code::VEX_Vpsllvd_ymm_ymm_ymmm256)
        };
        let (most, width) = (self.word(Word::all(31))?, self.word(Word::all(32))?);
        self.asm.two(Code::VEX_Vpand_ymm_ymm_ymmm256, T0, by, most)?;
        self.load(T1, width)?;
        self.asm.two(Code::VEX_Vpsubd_ymm_ymm_ymmm256, T1, T1, reg(T0))?;
        self.asm.two(there, T0, main, reg(T0))?;
        self.asm.two(back, T1, fill, reg(T1))?;
        self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, d, T0, reg(T1))
    }

    fn permute(&mut self, d: Vector, a: Vector, b: Vector, selector: u32) -> Result<(), Unfit> {
        let choices = [0, 4, 8, 12].map(|at| (selector >> at & 7) as u8);
        let of_a = choices.map(|choice| if choice < 4 { choice } else { 128 });
        let of_b = choices.map(|choice| if choice < 4 { 128 } else { choice - 4 });
        let shuffle = Code::VEX_Vpshufb_ymm_ymm_ymmm256;
        let (first, second) = (self.word(Word::bytes(of_a))?, self.word(Word::bytes(of_b))?);
        if of_b == [128; 4] {
            return self.asm.two(shuffle, d, a, first);
        }
        if of_a == [128; 4] {
            return self.asm.two(shuffle, d, b, second);
        }
        self.asm.two(shuffle, T0, a, first)?;
        self.asm.two(shuffle, T1, b, second)?;
        self.asm.two(Code::VEX_Vpor_ymm_ymm_ymmm256, d, T0, Operand::Vector(T1))
    }

    /// Sums of products of signed bytes: the even ones, then the odd ones, as 16-bit numbers.
    fn dot(&mut self, d: Vector, a: Vector, b: Vector, c: Vector) -> Result<(), Unfit> {
        let reg = Operand::Vector;
        let (left, right) = (Code::VEX_Vpsllw_ymm_ymm_imm8, Code::VEX_Vpsraw_ymm_ymm_imm8);
        let (multiply, add) = (Code::VEX_Vpmaddwd_ymm_ymm_ymmm256, Code::VEX_Vpaddd_ymm_ymm_ymmm256);
        self.asm.one_by(left, T0, reg(a), 8)?;
        self.asm.one_by(right, T0, reg(T0), 8)?;
        self.asm.one_by(left, T1, reg(b), 8)?;
        self.asm.one_by(right, T1, reg(T1), 8)?;
        self.asm.two(multiply, T0, T0, reg(T1))?;
        self.asm.two(add, T0, T0, reg(c))?;
        self.asm.one_by(right, T1, reg(a), 8)?;
        self.asm.one_by(right, T2, reg(b), 8)?;
        self.asm.two(multiply, T1, T1, reg(T2))?;
        self.asm.two(add, d, T0, reg(T1))
    }

    /// Bit `4 * a + 2 * b + c` of the table: that of `a = 0`, and where `a` is set what differs.
    fn lop3(&mut self, d: Vector, a: Vector, b: Vector, c: Vector, table: u8) -> Result<(), Unfit> {
        let (clear, set) = (table & 15, table >> 4);
        self.of_two(T0, b, c, clear)?;
        if clear != set {
            if clear ^ set == 15 {
                self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, T0, T0, Operand::Vector(a))?;
            } else {
                self.of_two(T1, b, c, clear ^ set)?;
                self.asm.two(Code::VEX_Vpand_ymm_ymm_ymmm256, T1, T1, Operand::Vector(a))?;
                self.asm.two(Code::VEX_Vpxor_ymm_ymm_ymmm256, T0, T0, Operand::Vector(T1))?;
            }
        }
        self.load(d, Operand::Vector(T0))
    }

    /// Bit `2 * b + c` of a table of four.
    fn of_two(&mut self, d: Vector, b: Vector, c: Vector, table: u8) -> Result<(), Unfit> {
        let reg = Operand::Vector;
        let (and, or) = (Code::VEX_Vpand_ymm_ymm_ymmm256, Code::VEX_Vpor_ymm_ymm_ymmm256);
        let (xor, and_not) = (Code::VEX_Vpxor_ymm_ymm_ymmm256, Code::VEX_Vpandn_ymm_ymm_ymmm256);
        // What holds for neither is the opposite of what holds for either.
        let opposite = table & 1 == 1;
        match if opposite { !table & 15 } else { table } {
            0b0000 => self.asm.two(xor, d, d, reg(d))?,
            0b0010 => self.asm.two(and_not, d, b, reg(c))?,
            0b0100 => self.asm.two(and_not, d, c, reg(b))?,
            0b0110 => self.asm.two(xor, d, b, reg(c))?,
            0b1000 => self.asm.two(and, d, b, reg(c))?,
            0b1010 => self.load(d, reg(c))?,
            0b1100 => self.load(d, reg(b))?,
            _ => self.asm.two(or, d, b, reg(c))?,
        }
        if opposite {
            let ones = self.word(Word::ONES)?;
            self.asm.two(xor, d, d, ones)?;
        }
        Ok(())
    }
}
