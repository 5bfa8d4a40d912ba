//! What a tracer is told of an instruction.

use super::{Machine, memory::Region, warp::Warp};
use crate::{
    ir::{Access, Ins, NONE, Op},
    trace::{AccessKind, Event, Place, Space, Values},
};

enum Kind {
    None,
    Word,
    Double,
    Bits,
}

/// What an operation writes to `d`.
fn kind(op: Op) -> Kind {
    match op {
        Op::MovD
        | Op::AddD
        | Op::SubD
        | Op::MulD
        | Op::MadD
        | Op::AndD
        | Op::OrD
        | Op::XorD
        | Op::NotD
        | Op::ShlD
        | Op::ShrUD
        | Op::ShrSD
        | Op::SelD
        | Op::AddG
        | Op::SubG
        | Op::MulG
        | Op::FmaG
        | Op::DivG
        | Op::SqrtG
        | Op::WideUW
        | Op::WideSW
        | Op::MadWideUW
        | Op::MadWideSW
        | Op::ZextD
        | Op::SextD
        | Op::PackD
        | Op::G64FromS32
        | Op::G64FromF32
        | Op::D1(_)
        | Op::D2(_)
        | Op::D3(_)
        | Op::DW(_)
        | Op::DDWW(_)
        | Op::DDDWW(_)
        | Op::AddCarryD
        | Op::SubCarryD => Kind::Double,
        Op::EqW
        | Op::LtSW
        | Op::LeSW
        | Op::LtUW
        | Op::LeUW
        | Op::EqF
        | Op::LtF
        | Op::LeF
        | Op::EqD
        | Op::LtSD
        | Op::LeSD
        | Op::LtUD
        | Op::LeUD
        | Op::EqG
        | Op::LtG
        | Op::LeG
        | Op::PW1(_)
        | Op::PW2(_)
        | Op::PD1(_)
        | Op::PD2(_)
        | Op::MovP
        | Op::NotP
        | Op::AndP
        | Op::OrP
        | Op::XorP
        | Op::SelP
        | Op::InSpace(_) => Kind::Bits,
        Op::Nop
        | Op::CopyLocal { .. }
        | Op::Store(_)
        | Op::StoreCopy(..)
        | Op::StoreMatrix(..)
        | Op::Companion
        | Op::BlankW
        | Op::BlankD
        | Op::StartCopy(_)
        | Op::CloseGroup
        | Op::WaitCopies(_)
        | Op::Reduce(..)
        | Op::Update(..)
        | Op::WarpBarrier
        | Op::Gather
        | Op::Mma(..)
        | Op::Uniform
        | Op::Take(..)
        | Op::Give(..)
        | Op::Product(..)
        | Op::Combine(_)
        | Op::Mark
        | Op::Carry
        | Op::CarryChosen
        | Op::CarryBoth
        | Op::Forget
        | Op::Enter { .. }
        | Op::Need
        | Op::Branch
        | Op::BranchIndex
        | Op::Call
        | Op::Return
        | Op::Exit
        | Op::Trap
        | Op::Barrier(_)
        | Op::Vote(_) => Kind::None,
        _ => Kind::Word,
    }
}

impl Machine<'_> {
    fn tell(&mut self, event: Event) {
        if let Some(tracer) = &mut self.tracer {
            tracer(event);
        }
    }

    /// All threads passed a barrier.
    pub(super) fn tell_barrier(&mut self) {
        self.tell(Event::Barrier);
    }

    /// Before an instruction runs.
    pub(super) fn tell_before(&mut self, warp: &Warp, ins: &Ins, lanes: u32, line: u32) {
        let (kind, access) = match ins.op {
            Op::Load(access) | Op::LoadCopy(access, _) => (AccessKind::Load, access),
            Op::Store(access) | Op::StoreCopy(access, _) | Op::StartCopy(access) => (AccessKind::Store, access),
            Op::Reduce(_, access) | Op::Update(_, access) => (AccessKind::Reduce, access),
            Op::Barrier(_) => {
                let place = Place { line, warp: warp.number, lanes };
                return self.tell(Event::Step { place, results: [None; 4] });
            }
            Op::WarpBarrier => {
                let whole = (0..32).all(|lane| lanes >> lane & 1 == 0 || warp.members[lane] & warp.live == warp.live);
                if whole {
                    self.tell(Event::WarpBarrier { warp: warp.number });
                }
                return;
            }
            _ => return,
        };
        let bases = Self::addresses(warp, ins, access);
        let mut addresses = [None; 32];
        for (lane, (into, base)) in addresses.iter_mut().zip(bases).enumerate() {
            if lanes >> lane & 1 == 1 {
                *into = super::memory::resolve(access.place, base).map(|(region, offset)| (space(region), offset));
            }
        }
        let bytes = u32::from(access.size) * u32::from(access.count);
        let place = Place { line, warp: warp.number, lanes };
        self.tell(Event::Access { place, kind, bytes, addresses });
    }

    /// After an instruction ran.
    pub(super) fn tell_after(&mut self, warp: &Warp, ins: &Ins, lanes: u32, line: u32) {
        let bits = |slot: u16| warp.p.get(usize::from(slot)).copied().map(Values::Bits);
        let words = |slot: u16| warp.w.get(usize::from(slot)).copied().map(Values::Words);
        let doubles = |slot: u16| warp.d.get(usize::from(slot)).copied().map(Values::Doubles);
        let mut results = [None; 4];
        match ins.op {
            Op::Load(Access { size, count, .. })
            | Op::Store(Access { size, count, .. })
            | Op::LoadCopy(Access { size, count, .. }, _) => {
                let slots = [ins.d, ins.e, ins.b, ins.c];
                for (into, slot) in results.iter_mut().zip(slots).take(usize::from(count)) {
                    *into = if size == 8 { doubles(slot) } else { words(slot) };
                }
            }
            Op::Mark
            | Op::Carry
            | Op::CarryChosen
            | Op::CarryBoth
            | Op::Forget
            | Op::Enter { .. }
            | Op::Need
            | Op::Gather
            | Op::Companion
            | Op::BlankW
            | Op::BlankD
            | Op::Nop => return,
            op => {
                results[0] = match kind(op) {
                    Kind::None => None,
                    Kind::Word => words(ins.d),
                    Kind::Double => doubles(ins.d),
                    Kind::Bits => bits(ins.d),
                };
                let second =
                    matches!(op, Op::AddCarryW | Op::SubCarryW | Op::AddCarryD | Op::SubCarryD | Op::Shuffle(_));
                if second && ins.e != NONE {
                    results[1] = bits(ins.e);
                }
            }
        }
        let place = Place { line, warp: warp.number, lanes };
        self.tell(Event::Step { place, results });
    }
}

/// Where a generic address leads.
pub(crate) fn locate(address: u64) -> Option<(Space, u64)> {
    super::memory::resolve(crate::ir::Place::Generic, address).map(|(region, offset)| (space(region), offset))
}

fn space(region: Region) -> Space {
    match region {
        Region::Shared => Space::Shared,
        Region::Local => Space::Local,
        Region::Table => Space::Table,
        Region::Param => Space::Param,
        Region::Buffer(buffer) => Space::Buffer(buffer),
    }
}
