//! Warp-wide exchange: shuffles, votes, matches, reductions, integer matrix products.

use super::{Fault, Machine, reduce::combine, warp::Warp};
use crate::{
    TrapKind,
    ir::{Ins, Mma, NONE, Op, Reduce, Shuffle, Vote},
};

fn active(mask: u32, lane: usize) -> bool {
    mask >> lane & 1 == 1
}

/// For each lane those whose value is its own.
fn equals<T: Copy + PartialEq, K: Copy + Ord>(
    values: &[T; 32],
    equal: &mut [u32; 32],
    key: impl Fn(T, usize) -> (K, usize),
) {
    if values.iter().all(|value| *value == values[0]) {
        equal.fill(u32::MAX);
        return;
    }
    // Equal values become neighbours.
    let mut order = [key(values[0], 0); 32];
    for (lane, (into, value)) in order.iter_mut().zip(values).enumerate() {
        *into = key(*value, lane);
    }
    order.sort_unstable_by_key(|(key, _)| *key);
    for same in order.chunk_by(|(_, a), (_, b)| values[a & 31] == values[b & 31]) {
        let lanes = same.iter().fold(0u32, |lanes, (_, lane)| lanes | 1 << lane);
        for (_, lane) in same {
            equal[lane & 31] = lanes;
        }
    }
}

/// What changes nothing.
fn neutral(operation: Reduce) -> u32 {
    match operation {
        Reduce::Add | Reduce::Or | Reduce::Xor | Reduce::MaxU => 0,
        Reduce::And | Reduce::MinU => u32::MAX,
        Reduce::MinS => i32::MAX as u32,
        Reduce::MaxS => i32::MIN as u32,
    }
}

impl Machine<'_> {
    pub(super) fn shuffle(&mut self, warp: &mut Warp, ins: &Ins, mode: Shuffle, mask: u32) -> Result<(), Fault> {
        let members = &warp.members;
        let values = &warp.w[usize::from(ins.a)];
        let by = &warp.w[usize::from(ins.b)];
        let clamp = &warp.w[usize::from(ins.c)];
        let mut result = [0u32; 32];
        let mut valid = 0u32;
        for lane in 0..32 {
            if !active(mask, lane) {
                continue;
            }
            let own = lane as u32;
            let (offset, bound, segment) = (by[lane] & 31, clamp[lane] & 31, clamp[lane] >> 8 & 31);
            let most = own & segment | bound & !segment;
            let least = own & segment;
            let (source, inside) = match mode {
                Shuffle::Up => (own.wrapping_sub(offset), own as i32 - offset as i32 >= most as i32),
                Shuffle::Down => (own + offset, own + offset <= most),
                Shuffle::Butterfly => (own ^ offset, own ^ offset <= most),
                Shuffle::Index => {
                    let source = least | offset & !segment;
                    (source, source <= most)
                }
            };
            let inside = if mode == Shuffle::Butterfly { (own ^ offset) <= most } else { inside };
            let source = if inside { source & 31 } else { own };
            if inside {
                valid |= 1 << lane;
            }
            // A lane outside the exchange has no value to give.
            if !active(mask & members[lane], source as usize) {
                return Err(Fault::trap(TrapKind::Uninitialised, lane));
            }
            result[lane] = values[source as usize];
        }
        self.put_w(warp, ins.d, &result, mask);
        if ins.e != NONE {
            self.put_p(warp, ins.e, valid, mask);
        }
        Ok(())
    }

    pub(super) fn vote(&mut self, warp: &mut Warp, ins: &Ins, vote: Vote, mask: u32) {
        let members = &warp.members;
        let votes = warp.p[usize::from(ins.a)];
        let mut words = [0u32; 32];
        let mut holds = 0u32;
        for lane in 0..32 {
            let group = members[lane] & mask;
            let ayes = votes & group;
            words[lane] = ayes;
            let holds_here = match vote {
                Vote::All => ayes == group,
                Vote::Any => ayes != 0,
                Vote::Uniform => ayes == group || ayes == 0,
                Vote::Ballot | Vote::Count => false,
            };
            holds |= u32::from(holds_here) << lane;
        }
        if vote == Vote::Ballot {
            self.put_w(warp, ins.d, &words, mask);
        } else {
            self.put_p(warp, ins.d, holds, mask);
        }
    }

    pub(super) fn matching(&mut self, warp: &mut Warp, ins: &Ins, mask: u32) {
        let members = &warp.members;
        let (wide, all) = match ins.op {
            Op::MatchAnyW => (false, false),
            Op::MatchAnyD => (true, false),
            Op::MatchAllW => (false, true),
            _ => (true, true),
        };
        let mut equal = [0u32; 32];
        if wide {
            equals(&warp.d[usize::from(ins.a)], &mut equal, |value, lane| {
                (u128::from(value) << 5 | lane as u128, lane)
            });
        } else {
            equals(&warp.w[usize::from(ins.a)], &mut equal, |value, lane| (u64::from(value) << 5 | lane as u64, lane));
        }
        let mut words = [0u32; 32];
        let mut agree = 0u32;
        for lane in 0..32 {
            let group = members[lane] & mask;
            let same = equal[lane] & group;
            let whole = same == group;
            words[lane] = if !all || whole { same } else { 0 };
            agree |= u32::from(all && whole) << lane;
        }
        self.put_w(warp, ins.d, &words, mask);
        if ins.e != NONE {
            self.put_p(warp, ins.e, agree, mask);
        }
    }

    pub(super) fn redux(&mut self, warp: &mut Warp, ins: &Ins, operation: Reduce, mask: u32) {
        let members = &warp.members;
        let values = &warp.w[usize::from(ins.a)];
        // For each four lanes the totals of their subsets.
        let none = neutral(operation);
        let mut totals = [[none; 16]; 8];
        for (totals, four) in totals.iter_mut().zip(values.as_chunks::<4>().0) {
            for (lane, value) in four.iter().enumerate() {
                let (before, after) = totals.split_at_mut(1 << lane);
                for (total, without) in after.iter_mut().zip(before) {
                    *total = combine(operation, *without, *value);
                }
            }
        }
        let mut words = [none; 32];
        for lane in 0..32 {
            let group = members[lane] & mask;
            if lane > 0 && group == members[lane - 1] & mask {
                words[lane] = words[lane - 1];
                continue;
            }
            for (at, totals) in totals.iter().enumerate() {
                words[lane] = combine(operation, words[lane], totals[(group >> (4 * at)) as usize & 15]);
            }
        }
        self.put_w(warp, ins.d, &words, mask);
    }

    /// `D = A * B + C` over integers, by the fragment layouts of the PTX manual.
    pub(super) fn mma(&mut self, warp: &mut Warp, shape: Mma, start: u32) {
        match shape.k {
            16 => self.mma_of::<16>(warp, shape, start),
            32 => self.mma_of::<32>(warp, shape, start),
            64 => self.mma_of::<64>(warp, shape, start),
            128 => self.mma_of::<128>(warp, shape, start),
            _ => self.mma_of::<256>(warp, shape, start),
        }
    }

    fn mma_of<const K: usize>(&mut self, warp: &mut Warp, shape: Mma, start: u32) {
        let bits = usize::from(shape.bits);
        let per_word = 32 / bits;
        let (results, _) = crate::lower::mma_registers(shape);
        let a_words = usize::from(shape.m) * K * bits / 1024;
        let b_words = usize::from(shape.n) * K * bits / 1024;
        let ext = &self.code.ext[start as usize..];
        // Rows of A, columns of B.
        let (mut a, mut b) = ([[0i16; K]; 16], [[0i16; K]; 8]);
        let element = |word: u32, at: usize, signed: bool| -> i16 {
            let raw = word >> (at * bits) & ((1u64 << bits) - 1) as u32;
            (if signed { ((raw << (32 - bits)) as i32) >> (32 - bits) } else { raw as i32 }) as i16
        };
        // Rows alternate with register number, columns advance by the words of half a row.
        let row_words = 4 * per_word;
        for register in 0..a_words {
            let words = &warp.w[usize::from(ext[results + register])];
            let (below, column) =
                if shape.m == 16 { (8 * (register % 2), register / 2 * row_words) } else { (0, register * row_words) };
            for (lane, word) in words.iter().enumerate() {
                let from = column + lane % 4 * per_word;
                for (at, into) in a[lane / 4 + below][from..from + per_word].iter_mut().enumerate() {
                    *into = element(*word, at, shape.signed_a);
                }
            }
        }
        for register in 0..b_words {
            let words = &warp.w[usize::from(ext[results + a_words + register])];
            for (lane, word) in words.iter().enumerate() {
                let from = register * row_words + lane % 4 * per_word;
                for (at, into) in b[lane / 4][from..from + per_word].iter_mut().enumerate() {
                    *into = element(*word, at, shape.signed_b);
                }
            }
        }
        let mut outputs = [[0u32; 32]; 4];
        for (register, output) in outputs.iter_mut().enumerate().take(results) {
            let addend = warp.w[usize::from(ext[results + a_words + b_words + register])];
            for lane in 0..32 {
                let row = &a[lane / 4 + if register >= 2 { 8 } else { 0 }];
                let column = &b[lane % 4 * 2 + register % 2];
                let terms = row.iter().zip(column);
                // At most 64 products of two bytes.
                let sum: i32 = if shape.bits == 1 && shape.xor {
                    terms.map(|(x, y)| i32::from(x ^ y)).sum()
                } else {
                    terms.map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
                };
                let sum = i64::from(addend[lane] as i32) + i64::from(sum);
                output[lane] = if shape.saturate {
                    sum.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32 as u32
                } else {
                    sum as u32
                };
            }
        }
        for (register, output) in outputs.iter().enumerate().take(results) {
            self.put_w(warp, ext_slot(self.code, start, register), output, u32::MAX);
        }
    }
}

fn ext_slot(code: &crate::ir::Code, start: u32, register: usize) -> u16 {
    code.ext[start as usize + register]
}
