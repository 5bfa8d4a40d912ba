//! A run of instructions taken apart into steps on eight lanes at a time.

use crate::{
    alu,
    ir::{Ins, NONE, Op, Slot},
};
use iced_x86::Code;

/// Eight lanes of a slot; of a 64-bit one four, the upper ones where it says so. What a vector register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    W(Slot),
    D(Slot, bool),
    /// Each lane all ones or zero.
    P(Slot),
}

/// What a step does with its sources `a`, `b`, `c`, `e`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `a`
    Copy,
    /// One instruction of `a` and `b`.
    Two(Code),
    /// One instruction of `a` and a constant.
    By(Code, u8),
    /// `a` shifted left or right by so many bits, either filled from `b`.
    Joined {
        left: u8,
        right: u8,
    },
    /// One instruction of `a`.
    One(Code),
    Not,
    Mad,
    FunnelLeft,
    FunnelRight,
    /// Bytes of `a` and `b`.
    Permute(u32),
    Dot,
    MulHigh(Code),
    Lop3(u8),
    /// `c ? a : b`
    Choose,
    /// One instruction of floats `a` and `b`; a NaN becomes the canonical one.
    Float(Code),
    Fma,
    Root,
    Least(Code, Code),
    FloatOfUnsigned,
    /// A float, rounded by the instruction, as a signed integer.
    Signed(Code),
    MulD,
    MadD,
    /// `a` shifted by `b`, of which these are the upper lanes or not.
    ShiftD(Code, bool),
    ShiftSignedD(bool),
    ShiftSignedDBy(u8),
    ChooseD(bool),
    FmaG,
    /// Four of eight lanes, each made twice as wide.
    Widen(Code, bool),
    /// The product of such, and `c` added to it.
    Wide(Code, bool, bool),
    Pack(bool),
    /// The low or the high halves of the lanes of `a` and `b`.
    Narrow(u8),
    /// Whether `a` equals, or is greater than, `b`; the other way round where inverted.
    Compare(Code, bool),
    /// The least of `a` and `b` is `a`.
    LeastIs(bool),
    CompareFloat(u8),
    /// `a`, `b` are the lower and upper lanes of the first operand, `c`, `e` those of the second.
    CompareD(Code, bool),
    CompareUnsignedD(bool),
    CompareG(u8),
    /// Into the digest.
    FoldW,
    FoldD,
    /// A predicate, kept for the digest under this number.
    Answer(u32),
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) d: Option<Part>,
    pub(super) sources: [Option<Part>; 4],
    /// Only where this holds, or does not.
    pub(super) guard: Option<(Part, bool)>,
}

/// What is known of slots.
pub(super) struct Constants<'a> {
    pub(super) w: &'a [(Slot, u32)],
}

impl Constants<'_> {
    fn of(&self, slot: Slot) -> Option<u32> {
        let at = self.w.binary_search_by_key(&slot, |(slot, _)| *slot).ok()?;
        self.w.get(at).map(|(_, value)| *value)
    }
}

/// Comparisons of floats: what `vcmpps` calls them, and their opposites, which hold for NaNs.
const EQUAL: [u8; 2] = [0x00, 0x04];
const LESS: [u8; 2] = [0x11, 0x15];
const LESS_OR_EQUAL: [u8; 2] = [0x12, 0x16];

/// Calls `emit` with the steps of an instruction, those for the digest left out; `false`, before any, where it is not compiled.
pub(super) fn steps(ins: &Ins, constants: &Constants<'_>, mut emit: impl FnMut(Step)) -> bool {
    let guard = (ins.guard != NONE).then_some((Part::P(ins.guard), ins.negated));
    let (a, b, c) = (ins.a, ins.b, ins.c);
    let inverted = ins.imm == 1;
    let mut word = |kind: Kind, sources: [Option<Part>; 4]| {
        emit(Step { kind, d: Some(Part::W(ins.d)), sources, guard });
        true
    };
    let w = |slot: Slot| Some(Part::W(slot));
    let p = |slot: Slot| Some(Part::P(slot));
    let two = [w(a), w(b), None, None];
    let three = [w(a), w(b), w(c), None];
    match ins.op {
        Op::MovW => return word(Kind::Copy, [w(a), None, None, None]),
        Op::AddW => return word(Kind::Two(Code::VEX_Vpaddd_ymm_ymm_ymmm256), two),
        Op::SubW => return word(Kind::Two(Code::VEX_Vpsubd_ymm_ymm_ymmm256), two),
        Op::MulW => return word(Kind::Two(Code::VEX_Vpmulld_ymm_ymm_ymmm256), two),
        Op::AndW => return word(Kind::Two(Code::VEX_Vpand_ymm_ymm_ymmm256), two),
        Op::OrW => return word(Kind::Two(Code::VEX_Vpor_ymm_ymm_ymmm256), two),
        Op::XorW => return word(Kind::Two(Code::VEX_Vpxor_ymm_ymm_ymmm256), two),
        Op::MinSW => return word(Kind::Two(Code::VEX_Vpminsd_ymm_ymm_ymmm256), two),
        Op::MaxSW => return word(Kind::Two(Code::VEX_Vpmaxsd_ymm_ymm_ymmm256), two),
        Op::MinUW => return word(Kind::Two(Code::VEX_Vpminud_ymm_ymm_ymmm256), two),
        Op::MaxUW => return word(Kind::Two(Code::VEX_Vpmaxud_ymm_ymm_ymmm256), two),
        Op::MadW => return word(Kind::Mad, three),
        Op::NotW => return word(Kind::Not, [w(a), None, None, None]),
        Op::ShlW | Op::ShrUW | Op::ShrSW => {
            let (by, fixed, most) = match ins.op {
                Op::ShlW => (Code::VEX_Vpsllvd_ymm_ymm_ymmm256, Code::VEX_Vpslld_ymm_ymm_imm8, 32),
                Op::ShrUW => (Code::VEX_Vpsrlvd_ymm_ymm_ymmm256, Code::VEX_Vpsrld_ymm_ymm_imm8, 32),
                _ => (Code::VEX_Vpsravd_ymm_ymm_ymmm256, Code::VEX_Vpsrad_ymm_ymm_imm8, 31),
            };
            return match constants.of(b) {
                Some(count) => word(Kind::By(fixed, count.min(most) as u8), [w(a), None, None, None]),
                None => word(Kind::Two(by), two),
            };
        }
        Op::FunnelLeftWrapW => {
            return match constants.of(c).map(|by| by & 31) {
                Some(0) => word(Kind::Copy, [w(b), None, None, None]),
                Some(by) => {
                    let by = by as u8;
                    word(Kind::Joined { left: by, right: 32 - by }, [w(b), w(a), None, None])
                }
                None => word(Kind::FunnelLeft, three),
            };
        }
        Op::FunnelRightWrapW => {
            return match constants.of(c).map(|by| by & 31) {
                Some(0) => word(Kind::Copy, [w(a), None, None, None]),
                Some(by) => {
                    let by = by as u8;
                    word(Kind::Joined { left: 32 - by, right: by }, [w(b), w(a), None, None])
                }
                None => word(Kind::FunnelRight, three),
            };
        }
        Op::Lop3W => return word(Kind::Lop3(ins.imm as u8), three),
        Op::PrmtW => {
            return match constants.of(c).filter(|selector| alu::Permutation::of(*selector).is_some()) {
                Some(selector) => word(Kind::Permute(selector), two),
                None => false,
            };
        }
        Op::Dp4aSS => return word(Kind::Dot, three),
        Op::MulHiUW => return word(Kind::MulHigh(Code::VEX_Vpmuludq_ymm_ymm_ymmm256), two),
        Op::MulHiSW => return word(Kind::MulHigh(Code::VEX_Vpmuldq_ymm_ymm_ymmm256), two),
        Op::SelW => return word(Kind::Choose, [w(a), w(b), p(c), None]),
        Op::AddF => return word(Kind::Float(Code::VEX_Vaddps_ymm_ymm_ymmm256), two),
        Op::SubF => return word(Kind::Float(Code::VEX_Vsubps_ymm_ymm_ymmm256), two),
        Op::MulF => return word(Kind::Float(Code::VEX_Vmulps_ymm_ymm_ymmm256), two),
        Op::DivF => return word(Kind::Float(Code::VEX_Vdivps_ymm_ymm_ymmm256), two),
        Op::FmaF => return word(Kind::Fma, three),
        Op::SqrtF => return word(Kind::Root, [w(a), None, None, None]),
        Op::MinF => {
            let kind = Kind::Least(Code::VEX_Vminps_ymm_ymm_ymmm256, Code::VEX_Vorps_ymm_ymm_ymmm256);
            return word(kind, two);
        }
        Op::MaxF => {
            let kind = Kind::Least(Code::VEX_Vmaxps_ymm_ymm_ymmm256, Code::VEX_Vandps_ymm_ymm_ymmm256);
            return word(kind, two);
        }
        Op::F32FromS32 => return word(Kind::One(Code::VEX_Vcvtdq2ps_ymm_ymmm256), [w(a), None, None, None]),
        Op::F32FromU32 => return word(Kind::FloatOfUnsigned, [w(a), None, None, None]),
        Op::S32FromF32Near => return word(Kind::Signed(Code::VEX_Vcvtps2dq_ymm_ymmm256), [w(a), None, None, None]),
        Op::S32FromF32Zero => return word(Kind::Signed(Code::VEX_Vcvttps2dq_ymm_ymmm256), [w(a), None, None, None]),
        Op::TruncW => return word(Kind::Narrow(0x88), [Some(Part::D(a, false)), Some(Part::D(a, true)), None, None]),
        Op::HighW => return word(Kind::Narrow(0xdd), [Some(Part::D(a, false)), Some(Part::D(a, true)), None, None]),
        _ => {}
    }
    // Four lanes at a time.
    let mut halves = |kind: &dyn Fn(bool) -> Kind, sources: &dyn Fn(bool) -> [Option<Part>; 4]| {
        for upper in [false, true] {
            emit(Step { kind: kind(upper), d: Some(Part::D(ins.d, upper)), sources: sources(upper), guard });
        }
        true
    };
    let d = |slot: Slot, upper: bool| Some(Part::D(slot, upper));
    let one = |upper: bool| [d(a, upper), None, None, None];
    let both = |upper: bool| [d(a, upper), d(b, upper), None, None];
    let all = |upper: bool| [d(a, upper), d(b, upper), d(c, upper), None];
    let narrow = |_: bool| [w(a), None, None, None];
    let simple = match ins.op {
        Op::AddD => Some(Code::VEX_Vpaddq_ymm_ymm_ymmm256),
        Op::SubD => Some(Code::VEX_Vpsubq_ymm_ymm_ymmm256),
        Op::AndD => Some(Code::VEX_Vpand_ymm_ymm_ymmm256),
        Op::OrD => Some(Code::VEX_Vpor_ymm_ymm_ymmm256),
        Op::XorD => Some(Code::VEX_Vpxor_ymm_ymm_ymmm256),
        // A NaN of the first operand goes through, then one of the second: so do these instructions.
        Op::AddG => Some(Code::VEX_Vaddpd_ymm_ymm_ymmm256),
        Op::SubG => Some(Code::VEX_Vsubpd_ymm_ymm_ymmm256),
        Op::MulG => Some(Code::VEX_Vmulpd_ymm_ymm_ymmm256),
        Op::DivG => Some(Code::VEX_Vdivpd_ymm_ymm_ymmm256),
        _ => None,
    };
    if let Some(code) = simple {
        return halves(&|_| Kind::Two(code), &both);
    }
    match ins.op {
        Op::MovD => return halves(&|_| Kind::Copy, &one),
        Op::NotD => return halves(&|_| Kind::Not, &one),
        Op::MulD => return halves(&|_| Kind::MulD, &both),
        Op::MadD => return halves(&|_| Kind::MadD, &all),
        Op::ShlD | Op::ShrUD => {
            let (by, fixed) = if matches!(ins.op, Op::ShlD) {
                (Code::VEX_Vpsllvq_ymm_ymm_ymmm256, Code::VEX_Vpsllq_ymm_ymm_imm8)
            } else {
                (Code::VEX_Vpsrlvq_ymm_ymm_ymmm256, Code::VEX_Vpsrlq_ymm_ymm_imm8)
            };
            return match constants.of(b) {
                Some(count) => halves(&|_| Kind::By(fixed, count.min(64) as u8), &one),
                None => halves(&|upper| Kind::ShiftD(by, upper), &|upper| [d(a, upper), w(b), None, None]),
            };
        }
        Op::ShrSD => {
            return match constants.of(b) {
                Some(count) => halves(&|_| Kind::ShiftSignedDBy(count.min(63) as u8), &one),
                None => halves(&Kind::ShiftSignedD, &|upper| [d(a, upper), w(b), None, None]),
            };
        }
        Op::SelD => return halves(&Kind::ChooseD, &|upper| [d(a, upper), d(b, upper), p(c), None]),
        Op::FmaG => return halves(&|_| Kind::FmaG, &all),
        Op::SqrtG => return halves(&|_| Kind::One(Code::VEX_Vsqrtpd_ymm_ymmm256), &one),
        Op::WideUW | Op::WideSW => {
            let code = if matches!(ins.op, Op::WideUW) {
                Code::VEX_Vpmuludq_ymm_ymm_ymmm256
            } else {
                Code::VEX_Vpmuldq_ymm_ymm_ymmm256
            };
            return halves(&|upper| Kind::Wide(code, upper, false), &|_| two);
        }
        Op::MadWideUW | Op::MadWideSW => {
            let code = if matches!(ins.op, Op::MadWideUW) {
                Code::VEX_Vpmuludq_ymm_ymm_ymmm256
            } else {
                Code::VEX_Vpmuldq_ymm_ymm_ymmm256
            };
            return halves(&|upper| Kind::Wide(code, upper, true), &|upper| [w(a), w(b), d(c, upper), None]);
        }
        Op::ZextD => return halves(&|upper| Kind::Widen(Code::VEX_Vpmovzxdq_ymm_xmmm128, upper), &narrow),
        Op::SextD => return halves(&|upper| Kind::Widen(Code::VEX_Vpmovsxdq_ymm_xmmm128, upper), &narrow),
        Op::G64FromS32 => return halves(&|upper| Kind::Widen(Code::VEX_Vcvtdq2pd_ymm_xmmm128, upper), &narrow),
        Op::PackD => return halves(&Kind::Pack, &|_| two),
        _ => {}
    }
    // Predicates; where one is written under a guard that no lane meets, the digest does not change: the loop's business.
    if guard.is_some() {
        return false;
    }
    let mut holds = |kind: Kind, sources: [Option<Part>; 4]| {
        emit(Step { kind, d: Some(Part::P(ins.d)), sources, guard: None });
        true
    };
    let quads = [d(a, false), d(a, true), d(b, false), d(b, true)];
    let swapped = [w(b), w(a), None, None];
    let at = usize::from(inverted);
    match ins.op {
        Op::EqW => holds(Kind::Compare(Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256, inverted), two),
        Op::LtSW => holds(Kind::Compare(Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256, inverted), swapped),
        Op::LeSW => holds(Kind::Compare(Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256, !inverted), two),
        Op::LtUW => holds(Kind::LeastIs(!inverted), swapped),
        Op::LeUW => holds(Kind::LeastIs(inverted), two),
        Op::EqF => holds(Kind::CompareFloat(EQUAL[at]), two),
        Op::LtF => holds(Kind::CompareFloat(LESS[at]), two),
        Op::LeF => holds(Kind::CompareFloat(LESS_OR_EQUAL[at]), two),
        Op::EqD => holds(Kind::CompareD(Code::VEX_Vpcmpeqq_ymm_ymm_ymmm256, inverted), quads),
        Op::LtSD => {
            let quads = [d(b, false), d(b, true), d(a, false), d(a, true)];
            holds(Kind::CompareD(Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256, inverted), quads)
        }
        Op::LeSD => holds(Kind::CompareD(Code::VEX_Vpcmpgtq_ymm_ymm_ymmm256, !inverted), quads),
        Op::LtUD => {
            let quads = [d(b, false), d(b, true), d(a, false), d(a, true)];
            holds(Kind::CompareUnsignedD(inverted), quads)
        }
        Op::LeUD => holds(Kind::CompareUnsignedD(!inverted), quads),
        Op::EqG => holds(Kind::CompareG(EQUAL[at]), quads),
        Op::LtG => holds(Kind::CompareG(LESS[at]), quads),
        Op::LeG => holds(Kind::CompareG(LESS_OR_EQUAL[at]), quads),
        Op::MovP => holds(Kind::Copy, [p(a), None, None, None]),
        Op::NotP => holds(Kind::Not, [p(a), None, None, None]),
        Op::AndP => holds(Kind::Two(Code::VEX_Vpand_ymm_ymm_ymmm256), [p(a), p(b), None, None]),
        Op::OrP => holds(Kind::Two(Code::VEX_Vpor_ymm_ymm_ymmm256), [p(a), p(b), None, None]),
        Op::XorP => holds(Kind::Two(Code::VEX_Vpxor_ymm_ymm_ymmm256), [p(a), p(b), None, None]),
        Op::SelP => holds(Kind::Choose, [p(a), p(b), p(c), None]),
        _ => false,
    }
}
