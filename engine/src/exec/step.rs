//! The interpreter's loop: one match per decoded instruction, all lanes of a warp at once.

use super::{
    Fault, Machine, Pause, Stop,
    control::{barrier, blend, in_space, machine_line},
    host::Host,
    lanes::{Rows, Value, keep, test},
    warp::{Fragment, Warp},
};
use crate::{
    TrapKind, alu,
    ir::{BarrierKind, Gather, Ins, NONE, Op},
    soft,
};

/// Where control goes after a block.
enum Next {
    Fall,
    Jump(u32),
    /// Some lanes to one block, the rest falls through.
    Part(u32, u32),
    /// All lanes are placed in fragments already, or gone.
    Placed,
}

#[inline(always)]
#[allow(clippy::too_many_lines, clippy::cognitive_complexity)]
pub(super) fn interpret<H: Host>(machine: &mut Machine<'_>, warp: &mut Warp) -> Result<Pause, Stop> {
    let code = machine.code;
    // Of lanes that parted a moment ago those that are further on; most meet again at once.
    let mut aside: Option<Fragment> = None;
    'fragment: loop {
        warp.fragments.extend(aside.take());
        let Some(current) = machine.resume(warp)? else { return Ok(Pause::Exited) };
        let (mut block, mut mask) = (current.block, current.mask);
        // The nearest block where others are, and where others than those aside are.
        let mut far = warp.fragments.iter().map(|fragment| fragment.block).min().unwrap_or(u32::MAX);
        let mut horizon = far;
        loop {
            let this = code.blocks[block as usize];
            let located = |fault: Fault| Stop { fault, line: machine_line(code, this.start) };
            match this.gather {
                Gather::Nobody => {}
                Gather::Members(slot) => {
                    if !Machine::gathered(warp, slot, mask).map_err(located)? {
                        warp.fragments.extend(aside.take());
                        far = horizon;
                        machine.let_leave(warp).map_err(located)?;
                        if !Machine::gathered(warp, slot, mask).map_err(located)? {
                            warp.fragments.push(Fragment { block, mask, blocked: true });
                            continue 'fragment;
                        }
                    }
                }
                Gather::Warp => {
                    warp.fragments.extend(aside.take());
                    far = horizon;
                    if !machine.whole_warp(warp, mask).map_err(located)? {
                        warp.fragments.push(Fragment { block, mask, blocked: true });
                        continue 'fragment;
                    }
                }
            }
            machine.charge(this.cost, mask).map_err(located)?;
            if horizon != u32::MAX && !this.leaves && machine.warp_awaited(warp).is_some() {
                warp.strayed |= mask;
            }
            let mut next = Next::Fall;
            let body: &[Ins] = &code.ins[this.start as usize..this.end as usize];
            for (at, ins) in (this.start as usize..).zip(body) {
                let mut active = mask;
                if ins.guard != NONE {
                    let guard = warp.p[usize::from(ins.guard)];
                    active &= if ins.negated { !guard } else { guard };
                    if active == 0 {
                        continue;
                    }
                }
                let (a, b, c) = (usize::from(ins.a), usize::from(ins.b), usize::from(ins.c));

                macro_rules! row {
                    ($into:ident, ($($name:ident = $class:ident[$slot:expr]),*) $lane:ident => $value:expr) => {{
                        let rows = Rows::of(&mut warp.w, &mut warp.d, &mut warp.h);
                        $(let $name = rows.$class[$slot].as_array_of_cells();)*
                        let into = rows.$into[usize::from(ins.d)].as_array_of_cells();
                        rows.put(into, machine.folded(), active, |$lane| {
                            $(let $name = $name[$lane].get();)*
                            $value
                        });
                    }};
                }
                macro_rules! word {
                    ($($of:tt)*) => { row!(w, $($of)*) };
                }
                macro_rules! double {
                    ($($of:tt)*) => { row!(d, $($of)*) };
                }
                macro_rules! w1 {
                    ($f:expr) => {{
                        let f = $f;
                        word!((x = w[a]) lane => f(x))
                    }};
                }
                macro_rules! w2 {
                    ($f:expr) => {{
                        let f = $f;
                        word!((x = w[a], y = w[b]) lane => f(x, y))
                    }};
                }
                macro_rules! w3 {
                    ($f:expr) => {{
                        let f = $f;
                        word!((x = w[a], y = w[b], z = w[c]) lane => f(x, y, z))
                    }};
                }
                macro_rules! f2 {
                    ($f:expr) => {{
                        let f = $f;
                        w2!(|x: u32, y: u32| alu::canon(f(f32::from_bits(x), f32::from_bits(y))))
                    }};
                }
                macro_rules! d1 {
                    ($f:expr) => {{
                        let f = $f;
                        double!((x = d[a]) lane => f(x))
                    }};
                }
                macro_rules! d2 {
                    ($f:expr) => {{
                        let f = $f;
                        double!((x = d[a], y = d[b]) lane => f(x, y))
                    }};
                }
                macro_rules! d3 {
                    ($f:expr) => {{
                        let f = $f;
                        double!((x = d[a], y = d[b], z = d[c]) lane => f(x, y, z))
                    }};
                }
                macro_rules! g2 {
                    ($f:expr) => {{
                        let f = $f;
                        d2!(|x: u64, y: u64| alu::canon64(f(f64::from_bits(x), f64::from_bits(y)), [x, y]))
                    }};
                }
                macro_rules! p {
                    ($array:ident, $f:expr) => {{
                        let f = $f;
                        let (x, y) = (&warp.$array[a], &warp.$array[b]);
                        let holds = test(active, |lane| f(x[lane], y[lane]));
                        let holds = holds ^ 0u32.wrapping_sub(ins.imm as u32);
                        machine.put_p(warp, ins.d, holds, active);
                    }};
                }
                macro_rules! stop {
                    ($fault:expr) => {
                        return Err(Stop { fault: $fault, line: code.lines[at] })
                    };
                }

                #[cfg(feature = "trace")]
                if H::WATCHED {
                    machine.tell_before(warp, ins, active, code.lines[at]);
                }
                match ins.op {
                    Op::Nop | Op::Gather => {}
                    Op::MovW => w1!(|x: u32| x),
                    Op::AddW => w2!(u32::wrapping_add),
                    Op::SubW => w2!(u32::wrapping_sub),
                    Op::MulW => w2!(u32::wrapping_mul),
                    Op::MadW => w3!(|x: u32, y: u32, z: u32| x.wrapping_mul(y).wrapping_add(z)),
                    Op::AndW => w2!(|x: u32, y: u32| x & y),
                    Op::OrW => w2!(|x: u32, y: u32| x | y),
                    Op::XorW => w2!(|x: u32, y: u32| x ^ y),
                    Op::NotW => w1!(|x: u32| !x),
                    Op::ShlW => w2!(alu::shl32),
                    Op::ShrUW => w2!(alu::shr_u32),
                    Op::ShrSW => w2!(alu::shr_s32),
                    Op::MinSW => w2!(|x: u32, y: u32| (x as i32).min(y as i32) as u32),
                    Op::MaxSW => w2!(|x: u32, y: u32| (x as i32).max(y as i32) as u32),
                    Op::MinUW => w2!(|x: u32, y: u32| x.min(y)),
                    Op::MaxUW => w2!(|x: u32, y: u32| x.max(y)),
                    Op::DivUW => w2!(alu::div_u32),
                    Op::DivSW => w2!(alu::div_s32),
                    Op::RemUW => w2!(alu::rem_u32),
                    Op::RemSW => w2!(alu::rem_s32),
                    Op::MulHiUW => w2!(alu::mul_hi_u32),
                    Op::MulHiSW => w2!(alu::mul_hi_s32),
                    Op::FunnelLeftWrapW => w3!(alu::funnel_left_wrap),
                    Op::FunnelRightWrapW => w3!(alu::funnel_right_wrap),
                    Op::Lop3W => {
                        let mut table = [0u32; 8];
                        for (bit, word) in table.iter_mut().enumerate() {
                            *word = 0u32.wrapping_sub(ins.imm as u32 >> bit & 1);
                        }
                        w3!(|x: u32, y: u32, z: u32| alu::lop3(x, y, z, &table));
                    }
                    Op::PrmtW => {
                        let selectors = &warp.w[c];
                        let one = selectors.iter().fold(0, |apart, other| apart | (other ^ selectors[0])) == 0;
                        match alu::Permutation::of(selectors[0]).filter(|_| one) {
                            Some(permutation) => w2!(|x: u32, y: u32| permutation.apply(x, y)),
                            None => w3!(alu::prmt),
                        }
                    }
                    Op::Dp4aSS => w3!(alu::dp4a_ss),
                    Op::SelW => {
                        let choose = keep(warp.p[c]);
                        word!((x = w[a], y = w[b]) lane => u32::choose(choose[lane], x, y));
                    }
                    Op::AddF => f2!(|x: f32, y: f32| x + y),
                    Op::SubF => f2!(|x: f32, y: f32| x - y),
                    Op::MulF => f2!(|x: f32, y: f32| x * y),
                    Op::FmaF => w3!(|x: u32, y: u32, z: u32| alu::canon(H::fma(
                        f32::from_bits(x),
                        f32::from_bits(y),
                        f32::from_bits(z)
                    ))),
                    Op::DivF => f2!(|x: f32, y: f32| x / y),
                    Op::SqrtF => w1!(H::sqrt),
                    Op::MinF => w2!(alu::min_f32),
                    Op::MaxF => w2!(alu::max_f32),
                    Op::F32FromS32 => w1!(|x: u32| (x as i32 as f32).to_bits()),
                    Op::F32FromU32 => w1!(|x: u32| (x as f32).to_bits()),
                    Op::S32FromF32Near => w1!(|x: u32| soft::rint_f32(f32::from_bits(x)) as i32 as u32),
                    Op::S32FromF32Zero => w1!(|x: u32| f32::from_bits(x) as i32 as u32),
                    Op::MovD => d1!(|x: u64| x),
                    Op::AddD => d2!(u64::wrapping_add),
                    Op::SubD => d2!(u64::wrapping_sub),
                    Op::MulD => d2!(u64::wrapping_mul),
                    Op::MadD => d3!(|x: u64, y: u64, z: u64| x.wrapping_mul(y).wrapping_add(z)),
                    Op::AndD => d2!(|x: u64, y: u64| x & y),
                    Op::OrD => d2!(|x: u64, y: u64| x | y),
                    Op::XorD => d2!(|x: u64, y: u64| x ^ y),
                    Op::NotD => d1!(|x: u64| !x),
                    Op::ShlD => double!((x = d[a], y = w[b]) lane => alu::shl64(x, y.into())),
                    Op::ShrUD => double!((x = d[a], y = w[b]) lane => alu::shr_u64(x, y.into())),
                    Op::ShrSD => double!((x = d[a], y = w[b]) lane => alu::shr_s64(x, y.into())),
                    Op::SelD => {
                        let choose = keep(warp.p[c]);
                        double!((x = d[a], y = d[b]) lane => u64::choose(choose[lane], x, y));
                    }
                    Op::AddG => g2!(|x: f64, y: f64| x + y),
                    Op::SubG => g2!(|x: f64, y: f64| x - y),
                    Op::MulG => g2!(|x: f64, y: f64| x * y),
                    Op::FmaG => d3!(H::fma64),
                    Op::DivG => g2!(|x: f64, y: f64| x / y),
                    Op::SqrtG => d1!(H::sqrt64),
                    Op::WideUW => double!((x = w[a], y = w[b]) lane => u64::from(x) * u64::from(y)),
                    Op::WideSW => double!((x = w[a], y = w[b]) lane => wide_s(x, y)),
                    Op::MadWideUW => double!((x = w[a], y = w[b], z = d[c]) lane => {
                        (u64::from(x) * u64::from(y)).wrapping_add(z)
                    }),
                    Op::MadWideSW => {
                        double!((x = w[a], y = w[b], z = d[c]) lane => wide_s(x, y).wrapping_add(z));
                    }
                    Op::ZextD => double!((x = w[a]) lane => u64::from(x)),
                    Op::SextD => double!((x = w[a]) lane => i64::from(x as i32) as u64),
                    Op::TruncW => word!((x = d[a]) lane => x as u32),
                    Op::HighW => word!((x = d[a]) lane => (x >> 32) as u32),
                    Op::PackD => {
                        double!((x = w[a], y = w[b]) lane => u64::from(x) | u64::from(y) << 32);
                    }
                    Op::G64FromS32 => double!((x = w[a]) lane => f64::from(x as i32).to_bits()),
                    Op::G64FromF32 => double!((x = w[a]) lane => alu::f64_from_f32(x)),
                    Op::W1(f) => w1!(f),
                    Op::W2(f) => w2!(f),
                    Op::W3(f) => w3!(f),
                    Op::W4(f) => {
                        let e = usize::from(ins.e);
                        word!((x = w[a], y = w[b], z = w[c], v = w[e]) lane => f(x, y, z, v));
                    }
                    Op::D1(f) => d1!(f),
                    Op::D2(f) => d2!(f),
                    Op::D3(f) => d3!(f),
                    Op::WD(f) => word!((x = d[a]) lane => f(x)),
                    Op::DW(f) => double!((x = w[a]) lane => f(x)),
                    Op::DDWW(f) => double!((x = d[a], y = w[b], z = w[c]) lane => f(x, y, z)),
                    Op::DDDWW(f) => {
                        let e = usize::from(ins.e);
                        double!((x = d[a], y = d[b], z = w[c], v = w[e]) lane => f(x, y, z, v));
                    }
                    Op::EqW => p!(w, |x: u32, y: u32| x == y),
                    Op::LtSW => p!(w, |x: u32, y: u32| (x as i32) < y as i32),
                    Op::LeSW => p!(w, |x: u32, y: u32| x as i32 <= y as i32),
                    Op::LtUW => p!(w, |x: u32, y: u32| x < y),
                    Op::LeUW => p!(w, |x: u32, y: u32| x <= y),
                    Op::EqF => p!(w, |x: u32, y: u32| f32::from_bits(x) == f32::from_bits(y)),
                    Op::LtF => p!(w, |x: u32, y: u32| f32::from_bits(x) < f32::from_bits(y)),
                    Op::LeF => p!(w, |x: u32, y: u32| f32::from_bits(x) <= f32::from_bits(y)),
                    Op::EqD => p!(d, |x: u64, y: u64| x == y),
                    Op::LtSD => p!(d, |x: u64, y: u64| (x as i64) < y as i64),
                    Op::LeSD => p!(d, |x: u64, y: u64| x as i64 <= y as i64),
                    Op::LtUD => p!(d, |x: u64, y: u64| x < y),
                    Op::LeUD => p!(d, |x: u64, y: u64| x <= y),
                    Op::EqG => p!(d, |x: u64, y: u64| f64::from_bits(x) == f64::from_bits(y)),
                    Op::LtG => p!(d, |x: u64, y: u64| f64::from_bits(x) < f64::from_bits(y)),
                    Op::LeG => p!(d, |x: u64, y: u64| f64::from_bits(x) <= f64::from_bits(y)),
                    Op::PW1(f) => {
                        let x = &warp.w[a];
                        let holds = test(active, |lane| f(x[lane]));
                        machine.put_p(warp, ins.d, holds, active);
                    }
                    Op::PW2(f) => p!(w, f),
                    Op::PD1(f) => {
                        let x = &warp.d[a];
                        let holds = test(active, |lane| f(x[lane]));
                        machine.put_p(warp, ins.d, holds, active);
                    }
                    Op::PD2(f) => p!(d, f),
                    Op::MovP => machine.put_p(warp, ins.d, warp.p[a], active),
                    Op::NotP => machine.put_p(warp, ins.d, !warp.p[a], active),
                    Op::AndP => machine.put_p(warp, ins.d, warp.p[a] & warp.p[b], active),
                    Op::OrP => machine.put_p(warp, ins.d, warp.p[a] | warp.p[b], active),
                    Op::XorP => machine.put_p(warp, ins.d, warp.p[a] ^ warp.p[b], active),
                    Op::SelP => {
                        let choose = warp.p[c];
                        machine.put_p(warp, ins.d, warp.p[a] & choose | warp.p[b] & !choose, active);
                    }
                    Op::AddCarryW | Op::SubCarryW => {
                        let (x, y, carry) = (&warp.w[a], &warp.w[b], warp.p[c]);
                        let subtract = matches!(ins.op, Op::SubCarryW);
                        let (mut values, mut out) = ([0u32; 32], 0u32);
                        for lane in 0..32 {
                            let y = if subtract { !y[lane] } else { y[lane] };
                            let sum = u64::from(x[lane]) + u64::from(y) + u64::from(carry >> lane & 1);
                            values[lane] = sum as u32;
                            out |= ((sum >> 32) as u32 & 1) << lane;
                        }
                        machine.put_w(warp, ins.d, &values, active);
                        if ins.e != NONE {
                            machine.put_p(warp, ins.e, out, active);
                        }
                    }
                    Op::AddCarryD | Op::SubCarryD => {
                        let (x, y, carry) = (&warp.d[a], &warp.d[b], warp.p[c]);
                        let subtract = matches!(ins.op, Op::SubCarryD);
                        let (mut values, mut out) = ([0u64; 32], 0u32);
                        for lane in 0..32 {
                            let y = if subtract { !y[lane] } else { y[lane] };
                            let sum = u128::from(x[lane]) + u128::from(y) + u128::from(carry >> lane & 1);
                            values[lane] = sum as u64;
                            out |= ((sum >> 64) as u32 & 1) << lane;
                        }
                        machine.put_d(warp, ins.d, &values, active);
                        if ins.e != NONE {
                            machine.put_p(warp, ins.e, out, active);
                        }
                    }
                    Op::Load(access) => {
                        if let Err(fault) = H::load(machine, warp, ins, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::Store(access) => {
                        if let Err(fault) = H::store(machine, warp, ins, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::LoadCopy(access, start) => {
                        let loaded = H::load(machine, warp, ins, access, active);
                        if let Err(fault) = machine.load_copy(warp, ins, (access, start), active, loaded) {
                            stop!(fault);
                        }
                    }
                    Op::StoreCopy(access, start) => {
                        let stored = if machine.is_defined(warp, access, start, active) {
                            H::store(machine, warp, ins, access, active)
                        } else {
                            machine.store_undefined(warp, ins, (access, start), active)
                        };
                        if let Err(fault) = stored {
                            stop!(fault);
                        }
                    }
                    Op::BlankW => warp.w[usize::from(ins.d)] = blend(&warp.w[usize::from(ins.d)], 0, active),
                    Op::BlankD => {
                        for (lane, into) in warp.d[usize::from(ins.d)].iter_mut().enumerate() {
                            *into &= u64::from(active >> lane & 1).wrapping_sub(1);
                        }
                    }
                    Op::Companion => Machine::accompany(warp, ins, active),
                    Op::StartCopy(access) => {
                        if let Err(fault) = machine.start_copies(warp, ins, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::CloseGroup => Machine::close_group(warp, active),
                    Op::WaitCopies(but) => {
                        if let Err(fault) = machine.wait_copies(warp, but, active) {
                            stop!(fault);
                        }
                    }
                    Op::Reduce(operation, access) => {
                        if let Err(fault) = machine.reduce(warp, ins, operation, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::Update(update, access) => {
                        if let Err(fault) = machine.update(warp, ins, update, access, active) {
                            stop!(fault);
                        }
                    }
                    Op::CopyLocal { from, to, bytes } => Machine::copy_local(warp, from, to, bytes, active),
                    Op::InSpace(place) => {
                        let x = &warp.d[a];
                        let holds = test(active, |lane| in_space(place, x[lane]));
                        machine.put_p(warp, ins.d, holds, active);
                    }
                    Op::Special(special) => {
                        let values = machine.special(warp, special);
                        machine.put_w(warp, ins.d, &values, active);
                    }
                    Op::Shuffle(mode) => {
                        if let Err(fault) = machine.shuffle(warp, ins, mode, active) {
                            stop!(fault);
                        }
                    }
                    Op::Vote(vote) => machine.vote(warp, ins, vote, active),
                    Op::MatchAnyW | Op::MatchAnyD | Op::MatchAllW | Op::MatchAllD => {
                        machine.matching(warp, ins, active);
                    }
                    Op::Redux(operation) => machine.redux(warp, ins, operation, active),
                    Op::WarpBarrier => {
                        // One of all live lanes orders all of the warp's accesses.
                        if (0..32).all(|lane| active >> lane & 1 == 0 || warp.members[lane] & warp.live == warp.live) {
                            if let Err(fault) = machine.tick() {
                                stop!(fault);
                            }
                            machine.synced[warp.number as usize & 31] = machine.time;
                        } else if let Err(fault) = machine.join_lanes(warp, active) {
                            stop!(fault);
                        }
                    }
                    Op::LoadMatrix(access, transposed) => {
                        if let Err(fault) = machine.load_matrix(warp, ins, access, transposed, active) {
                            stop!(fault);
                        }
                    }
                    Op::StoreMatrix(access, transposed) => {
                        if let Err(fault) = machine.store_matrix(warp, ins, access, transposed, active) {
                            stop!(fault);
                        }
                    }
                    Op::MoveMatrix => {
                        if active != u32::MAX {
                            stop!(Fault::trap(TrapKind::Barrier, active.trailing_zeros() as usize & 31));
                        }
                        machine.move_matrix(warp, ins);
                    }
                    Op::Mma(shape, start) => {
                        if active != u32::MAX {
                            stop!(Fault::trap(TrapKind::Barrier, active.trailing_zeros() as usize & 31));
                        }
                        machine.mma(warp, shape, start);
                    }
                    Op::Uniform | Op::Take(..) | Op::Give(..) | Op::Product(..) => {
                        if let Err(fault) = machine.fragments(warp, ins, active) {
                            stop!(fault);
                        }
                    }
                    Op::Combine(start) => machine.combine(warp, ins, start, active),
                    #[cfg(all(feature = "std", target_arch = "x86_64"))]
                    Op::Compiled(segment) => machine.call(warp, segment, active),
                    Op::Mark => warp.p[usize::from(ins.d)] |= active,
                    Op::Carry => {
                        let held = warp.p[a];
                        let into = &mut warp.p[usize::from(ins.d)];
                        *into = *into & !active | held & active;
                    }
                    Op::CarryBoth => warp.p[usize::from(ins.d)] &= warp.p[a] | !active,
                    Op::CarryChosen => {
                        let of = |slot: usize| warp.p.get(slot).copied().unwrap_or(u32::MAX);
                        let held = of(a) & warp.p[c] | of(b) & !warp.p[c];
                        let into = &mut warp.p[usize::from(ins.d)];
                        *into = *into & !active | held & active;
                    }
                    Op::Forget => warp.p[usize::from(ins.d)] &= !active,
                    Op::Enter { from, to } => {
                        for written in warp.local_written.iter_mut().take(to as usize / 4).skip(from as usize / 4) {
                            *written = written.map(|lanes| lanes & !active);
                        }
                    }
                    Op::Need => {
                        let missing = active & !warp.p[a];
                        if missing != 0 {
                            stop!(Fault::trap(TrapKind::Uninitialised, missing.trailing_zeros() as usize));
                        }
                    }
                    Op::Branch => {
                        next = if active == mask {
                            Next::Jump(ins.imm as u32)
                        } else {
                            Next::Part(ins.imm as u32, active)
                        };
                    }
                    Op::Call => {
                        warp.w[usize::from(ins.d)] = blend(&warp.w[usize::from(ins.d)], block + 1, active);
                        next = Next::Jump(ins.imm as u32);
                    }
                    Op::Return | Op::BranchIndex => {
                        let values = warp.w[a];
                        let table = match ins.op {
                            Op::BranchIndex => Some(&code.tables[ins.imm as usize]),
                            _ => None,
                        };
                        let mut left = active;
                        while left != 0 {
                            let lane = left.trailing_zeros() as usize;
                            let value = values[lane];
                            let mut group = 0u32;
                            for (other, found) in values.iter().enumerate() {
                                group |= u32::from(*found == value) << other;
                            }
                            group &= left;
                            left &= !group;
                            let target = match table {
                                Some(table) => match table.get(value as usize) {
                                    Some(target) => *target,
                                    None => stop!(Fault::trap(TrapKind::OutOfBounds, lane)),
                                },
                                None => value,
                            };
                            warp.fragments.push(Fragment { block: target, mask: group, blocked: false });
                        }
                        if active != mask {
                            warp.fragments.push(Fragment { block: block + 1, mask: mask & !active, blocked: false });
                        }
                        next = Next::Placed;
                    }
                    Op::Exit => {
                        if let Some(awaited) = machine.warp_awaited(warp)
                            && warp.strayed & active != 0
                        {
                            let lane = (warp.strayed & active).trailing_zeros() as usize;
                            return Err(Stop {
                                fault: Fault::trap(TrapKind::Barrier, lane),
                                line: machine.line_of(awaited),
                            });
                        }
                        warp.live &= !active;
                        machine.wake(warp);
                        if active != mask {
                            warp.fragments.push(Fragment { block: block + 1, mask: mask & !active, blocked: false });
                        }
                        next = Next::Placed;
                    }
                    Op::Trap => stop!(Fault::trap(TrapKind::Trap, active.trailing_zeros() as usize & 31)),
                    Op::Barrier(kind) => {
                        let waiting = match barrier(warp, ins, kind, active, code.lines[at]) {
                            Some(waiting) => waiting,
                            None => stop!(Fault::trap(TrapKind::Barrier, active.trailing_zeros() as usize & 31)),
                        };
                        if kind == BarrierKind::Arrive {
                            if let Err(fault) =
                                machine.arrive(warp.number, active.trailing_zeros() as usize & 31, &waiting)
                            {
                                stop!(fault);
                            }
                        } else {
                            warp.waiting = Some(waiting);
                            warp.strayed = 0;
                            warp.fragments.push(Fragment { block: block + 1, mask, blocked: false });
                            return Ok(Pause::Barrier);
                        }
                    }
                }
                #[cfg(feature = "trace")]
                if H::WATCHED {
                    machine.tell_after(warp, ins, active, code.lines[at]);
                }
            }
            let target = match next {
                Next::Fall => block + 1,
                Next::Jump(target) => target,
                Next::Part(target, taken) => {
                    warp.fragments.extend(aside.take());
                    far = horizon;
                    let there = Fragment { block: target, mask: taken, blocked: false };
                    let rest = Fragment { block: block + 1, mask: mask & !taken, blocked: false };
                    let (near, further) = if target > rest.block { (rest, there) } else { (there, rest) };
                    if far <= near.block || near.block == further.block {
                        warp.fragments.extend([near, further]);
                        continue 'fragment;
                    }
                    aside = Some(further);
                    horizon = far.min(further.block);
                    (block, mask) = (near.block, near.mask);
                    continue;
                }
                Next::Placed => continue 'fragment,
            };
            if target >= horizon {
                match aside {
                    Some(other) if target == other.block && far > target => {
                        aside = None;
                        horizon = far;
                        (block, mask) = (target, mask | other.mask);
                        continue;
                    }
                    Some(other) if target > other.block && far > other.block => {
                        aside = Some(Fragment { block: target, mask, blocked: false });
                        horizon = far.min(target);
                        (block, mask) = (other.block, other.mask);
                        continue;
                    }
                    _ => {}
                }
                warp.fragments.push(Fragment { block: target, mask, blocked: false });
                continue 'fragment;
            }
            block = target;
        }
    }
}

#[inline(always)]
fn wide_s(x: u32, y: u32) -> u64 {
    (i64::from(x as i32) * i64::from(y as i32)) as u64
}
