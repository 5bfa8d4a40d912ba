//! Integers.

pub(crate) fn sext16(a: u32) -> i32 {
    i32::from(a as u16 as i16)
}

pub(crate) fn sext8(a: u32) -> i32 {
    i32::from(a as u8 as i8)
}

// Each of these has one address, by which the compiler of segments knows it.

#[inline(never)]
pub(crate) fn low8(a: u32) -> u32 {
    a & 0xff
}

#[inline(never)]
pub(crate) fn low16(a: u32) -> u32 {
    a & 0xffff
}

#[inline(never)]
pub(crate) fn extend8(a: u32) -> u32 {
    sext8(a) as u32
}

#[inline(never)]
pub(crate) fn extend16(a: u32) -> u32 {
    sext16(a) as u32
}

#[inline(never)]
pub(crate) fn add16(a: u32, b: u32) -> u32 {
    a.wrapping_add(b) & 0xffff
}

#[inline(never)]
pub(crate) fn sub16(a: u32, b: u32) -> u32 {
    a.wrapping_sub(b) & 0xffff
}

#[inline(never)]
pub(crate) fn mul16(a: u32, b: u32) -> u32 {
    a.wrapping_mul(b) & 0xffff
}

#[inline(never)]
pub(crate) fn neg_s32(a: u32) -> u32 {
    a.wrapping_neg()
}

#[inline(never)]
pub(crate) fn abs_s32(a: u32) -> u32 {
    (a as i32).unsigned_abs()
}

#[inline(never)]
pub(crate) fn neg_s64(a: u64) -> u64 {
    a.wrapping_neg()
}

#[inline(always)]
pub(crate) fn shl32(a: u32, b: u32) -> u32 {
    if b > 31 { 0 } else { a << b }
}

#[inline(always)]
pub(crate) fn shr_u32(a: u32, b: u32) -> u32 {
    if b > 31 { 0 } else { a >> b }
}

#[inline(always)]
pub(crate) fn shr_s32(a: u32, b: u32) -> u32 {
    ((a as i32) >> b.min(31)) as u32
}

#[inline(always)]
pub(crate) fn shl64(a: u64, b: u64) -> u64 {
    if b > 63 { 0 } else { a << b }
}

#[inline(always)]
pub(crate) fn shr_u64(a: u64, b: u64) -> u64 {
    if b > 63 { 0 } else { a >> b }
}

#[inline(always)]
pub(crate) fn shr_s64(a: u64, b: u64) -> u64 {
    ((a as i64) >> b.min(63)) as u64
}

#[inline(always)]
pub(crate) fn mul_hi_u32(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}

#[inline(always)]
pub(crate) fn mul_hi_s32(a: u32, b: u32) -> u32 {
    ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32
}

pub(crate) fn mul_hi_u64(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

pub(crate) fn mul_hi_s64(a: u64, b: u64) -> u64 {
    ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
}

/// Division by zero gives all ones, as the hardware does.
pub(crate) fn div_u32(a: u32, b: u32) -> u32 {
    a.checked_div(b).unwrap_or(u32::MAX)
}

pub(crate) fn div_s32(a: u32, b: u32) -> u32 {
    if b == 0 { u32::MAX } else { (a as i32).wrapping_div(b as i32) as u32 }
}

pub(crate) fn rem_u32(a: u32, b: u32) -> u32 {
    a.checked_rem(b).unwrap_or(a)
}

pub(crate) fn rem_s32(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { (a as i32).wrapping_rem(b as i32) as u32 }
}

pub(crate) fn div_u64(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(u64::MAX)
}

pub(crate) fn div_s64(a: u64, b: u64) -> u64 {
    if b == 0 { u64::MAX } else { (a as i64).wrapping_div(b as i64) as u64 }
}

pub(crate) fn rem_u64(a: u64, b: u64) -> u64 {
    a.checked_rem(b).unwrap_or(a)
}

pub(crate) fn rem_s64(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { (a as i64).wrapping_rem(b as i64) as u64 }
}

#[inline(always)]
pub(crate) fn funnel_left_wrap(a: u32, b: u32, c: u32) -> u32 {
    let by = c & 31;
    b << by | a >> 1 >> (31 - by)
}

#[inline(always)]
pub(crate) fn funnel_right_wrap(a: u32, b: u32, c: u32) -> u32 {
    let by = c & 31;
    a >> by | b << 1 << (31 - by)
}

pub(crate) fn funnel_left_clamp(a: u32, b: u32, c: u32) -> u32 {
    ((((u64::from(b) << 32) | u64::from(a)) << c.min(32)) >> 32) as u32
}

pub(crate) fn funnel_right_clamp(a: u32, b: u32, c: u32) -> u32 {
    (((u64::from(b) << 32) | u64::from(a)) >> c.min(32)) as u32
}

/// Bit `4 * a + 2 * b + c` of the table for each bit; `table` has a word for each of its bits.
#[inline(always)]
pub(crate) fn lop3(a: u32, b: u32, c: u32, table: &[u32; 8]) -> u32 {
    let pick = |no: u32, yes: u32, by: u32| no ^ (no ^ yes) & by;
    let low = pick(pick(table[0], table[1], c), pick(table[2], table[3], c), b);
    let high = pick(pick(table[4], table[5], c), pick(table[6], table[7], c), b);
    pick(low, high, a)
}

#[inline(always)]
pub(crate) fn prmt(a: u32, b: u32, selector: u32) -> u32 {
    let bytes = u64::from(b) << 32 | u64::from(a);
    let mut d = 0;
    for lane in 0..4 {
        let choice = selector >> (4 * lane) & 15;
        let byte = (bytes >> (8 * (choice & 7))) as u32 & 0xff;
        let value = if choice & 8 != 0 { (byte >> 7) * 0xff } else { byte };
        d |= value << (8 * lane);
    }
    d
}

/// A selector taken apart: for each byte all ones to take it from `b`, and how far right it lies.
#[derive(Clone, Copy)]
pub(crate) struct Permutation([(u32, u32); 4]);

impl Permutation {
    /// `None` where signs are replicated.
    #[inline(always)]
    pub(crate) fn of(selector: u32) -> Option<Self> {
        (selector & 0x8888 == 0).then(|| {
            Self([0u32, 4, 8, 12].map(|at| {
                let choice = selector >> at;
                (0u32.wrapping_sub(choice >> 2 & 1), 8 * (choice & 3))
            }))
        })
    }

    #[inline(always)]
    pub(crate) fn apply(self, a: u32, b: u32) -> u32 {
        let byte = |(other, by): (u32, u32)| (a ^ (a ^ b) & other) >> by & 0xff;
        let [first, second, third, fourth] = self.0;
        byte(first) | byte(second) << 8 | byte(third) << 16 | byte(fourth) << 24
    }
}

fn pick(a: u32, b: u32, lanes: [u32; 4]) -> u32 {
    let bytes = u64::from(b) << 32 | u64::from(a);
    let mut d = 0;
    for (lane, choice) in lanes.into_iter().enumerate() {
        d |= ((bytes >> (8 * choice)) as u32 & 0xff) << (8 * lane);
    }
    d
}

pub(crate) fn prmt_f4e(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [c, c + 1, c + 2, c + 3])
}

pub(crate) fn prmt_b4e(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [c, (c + 7) & 7, (c + 6) & 7, (c + 5) & 7])
}

pub(crate) fn prmt_rc8(a: u32, b: u32, c: u32) -> u32 {
    pick(a, b, [c & 3; 4])
}

pub(crate) fn prmt_ecl(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [c, c.max(1), c.max(2), 3])
}

pub(crate) fn prmt_ecr(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [0, c.min(1), c.min(2), c])
}

pub(crate) fn prmt_rc16(a: u32, b: u32, c: u32) -> u32 {
    if c & 1 == 0 { pick(a, b, [0, 1, 0, 1]) } else { pick(a, b, [2, 3, 2, 3]) }
}

fn bytes(a: u32, signed: bool) -> [i32; 4] {
    a.to_le_bytes().map(|byte| if signed { i32::from(byte as i8) } else { i32::from(byte) })
}

fn dot4(a: u32, b: u32, c: u32, sa: bool, sb: bool) -> u32 {
    let (a, b) = (bytes(a, sa), bytes(b, sb));
    let mut sum = c;
    for lane in 0..4 {
        sum = sum.wrapping_add(a[lane].wrapping_mul(b[lane]) as u32);
    }
    sum
}

#[inline(always)]
pub(crate) fn dp4a_ss(a: u32, b: u32, c: u32) -> u32 {
    let part = |shift: u32| ((a << shift) as i32 >> 24).wrapping_mul((b << shift) as i32 >> 24) as u32;
    c.wrapping_add(part(24)).wrapping_add(part(16)).wrapping_add(part(8)).wrapping_add(part(0))
}

pub(crate) fn dp4a_uu(a: u32, b: u32, c: u32) -> u32 {
    dot4(a, b, c, false, false)
}

pub(crate) fn dp4a_su(a: u32, b: u32, c: u32) -> u32 {
    dot4(a, b, c, true, false)
}

pub(crate) fn dp4a_us(a: u32, b: u32, c: u32) -> u32 {
    dot4(a, b, c, false, true)
}

fn dot2(a: u32, b: u32, c: u32, sa: bool, sb: bool, high: bool) -> u32 {
    let halves =
        |v: u32, signed: bool| [v & 0xffff, v >> 16].map(|half| if signed { sext16(half) } else { half as i32 });
    let (a, b) = (halves(a, sa), bytes(b, sb));
    let at = if high { 2 } else { 0 };
    c.wrapping_add(a[0].wrapping_mul(b[at]) as u32).wrapping_add(a[1].wrapping_mul(b[at + 1]) as u32)
}

macro_rules! dot2 {
    ($($name:ident $sa:literal $sb:literal $high:literal;)*) => {$(
        pub(crate) fn $name(a: u32, b: u32, c: u32) -> u32 {
            dot2(a, b, c, $sa, $sb, $high)
        }
    )*};
}
dot2! {
    dp2a_lo_ss true true false;
    dp2a_lo_su true false false;
    dp2a_lo_us false true false;
    dp2a_lo_uu false false false;
    dp2a_hi_ss true true true;
    dp2a_hi_su true false true;
    dp2a_hi_us false true true;
    dp2a_hi_uu false false true;
}

pub(crate) fn bfe_u32(a: u32, position: u32, length: u32) -> u32 {
    let (position, length) = (position & 0xff, length & 0xff);
    let shifted = shr_u32(a, position);
    if length > 31 { shifted } else { shifted & ((1 << length) - 1) }
}

pub(crate) fn bfe_s32(a: u32, position: u32, length: u32) -> u32 {
    let (position, length) = (position & 0xff, length & 0xff);
    if length == 0 {
        return 0;
    }
    let sign = a >> (position + length - 1).min(31) & 1;
    let field = bfe_u32(a, position, length);
    // Bits beyond the field, and beyond bit 31, take its sign.
    let kept = length.min(32u32.saturating_sub(position));
    if sign == 1 && kept < 32 { field | u32::MAX << kept } else { field }
}

pub(crate) fn bfe_u64(a: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    let shifted = shr_u64(a, position.into());
    if length > 63 { shifted } else { shifted & ((1 << length) - 1) }
}

pub(crate) fn bfe_s64(a: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if length == 0 {
        return 0;
    }
    let sign = a >> (position + length - 1).min(63) & 1;
    let field = bfe_u64(a, position, length);
    let kept = length.min(64u32.saturating_sub(position));
    if sign == 1 && kept < 64 { field | u64::MAX << kept } else { field }
}

/// Inserts the low bits of `a` into `b`.
pub(crate) fn bfi32(a: u32, b: u32, position: u32, length: u32) -> u32 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position > 31 {
        return b;
    }
    let ones = if length > 31 { u32::MAX } else { (1 << length) - 1 };
    let mask = ones << position;
    b & !mask | a << position & mask
}

pub(crate) fn bfi64(a: u64, b: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position > 63 {
        return b;
    }
    let ones = if length > 63 { u64::MAX } else { (1 << length) - 1 };
    let mask = ones << position;
    b & !mask | a << position & mask
}

pub(crate) fn bfind_u32(a: u32) -> u32 {
    31u32.wrapping_sub(a.leading_zeros())
}

pub(crate) fn bfind_s32(a: u32) -> u32 {
    bfind_u32(if (a as i32) < 0 { !a } else { a })
}

pub(crate) fn bfind_u64(a: u64) -> u32 {
    63u32.wrapping_sub(a.leading_zeros())
}

pub(crate) fn bfind_s64(a: u64) -> u32 {
    bfind_u64(if (a as i64) < 0 { !a } else { a })
}

/// For `.shiftamt`: the shift that brings the bit to the top.
pub(crate) fn shift_amount32(found: u32) -> u32 {
    if found == u32::MAX { found } else { 31 - found }
}

pub(crate) fn shift_amount64(found: u32) -> u32 {
    if found == u32::MAX { found } else { 63 - found }
}

/// The `offset`-th set bit of `mask` from `base`.
pub(crate) fn fns(mask: u32, base: u32, offset: u32) -> u32 {
    let offset = offset as i32;
    if base > 31 {
        return u32::MAX;
    }
    if offset == 0 {
        return if mask >> base & 1 == 1 { base } else { u32::MAX };
    }
    let (mut at, step) = (base as i32, offset.signum());
    let mut left = offset.unsigned_abs();
    while (0..32).contains(&at) {
        if mask >> at & 1 == 1 {
            left -= 1;
            if left == 0 {
                return at as u32;
            }
        }
        at += step;
    }
    u32::MAX
}

pub(crate) fn bmsk_clamp(a: u32, b: u32) -> u32 {
    let ones = if b > 31 { u32::MAX } else { (1 << b) - 1 };
    shl32(ones, a)
}

pub(crate) fn bmsk_wrap(a: u32, b: u32) -> u32 {
    let ones = (1u32 << (b & 31)).wrapping_sub(1);
    ones << (a & 31)
}

pub(crate) fn szext_clamp_u(a: u32, b: u32) -> u32 {
    if b > 31 { a } else { a & ((1 << b) - 1) }
}

pub(crate) fn szext_clamp_s(a: u32, b: u32) -> u32 {
    match b {
        0 => 0,
        1..=31 => ((a << (32 - b)) as i32 >> (32 - b)) as u32,
        _ => a,
    }
}

pub(crate) fn add_sat(a: u32, b: u32) -> u32 {
    (a as i32).saturating_add(b as i32) as u32
}

pub(crate) fn sub_sat(a: u32, b: u32) -> u32 {
    (a as i32).saturating_sub(b as i32) as u32
}

pub(crate) fn mad_hi_sat(a: u32, b: u32, c: u32) -> u32 {
    add_sat(mul_hi_s32(a, b), c)
}

fn mul24(a: u32, b: u32, signed: bool) -> i64 {
    if signed {
        i64::from((a << 8) as i32 >> 8) * i64::from((b << 8) as i32 >> 8)
    } else {
        i64::from(a & 0xff_ffff) * i64::from(b & 0xff_ffff)
    }
}

pub(crate) fn mul24_lo_u(a: u32, b: u32) -> u32 {
    mul24(a, b, false) as u32
}

pub(crate) fn mul24_lo_s(a: u32, b: u32) -> u32 {
    mul24(a, b, true) as u32
}

pub(crate) fn mul24_hi_u(a: u32, b: u32) -> u32 {
    (mul24(a, b, false) >> 16) as u32
}

pub(crate) fn mul24_hi_s(a: u32, b: u32) -> u32 {
    (mul24(a, b, true) >> 16) as u32
}

pub(crate) fn sad_u32(a: u32, b: u32, c: u32) -> u32 {
    c.wrapping_add(a.abs_diff(b))
}

pub(crate) fn sad_s32(a: u32, b: u32, c: u32) -> u32 {
    c.wrapping_add((a as i32).abs_diff(b as i32))
}

pub(crate) fn sad_u64(a: u64, b: u64, c: u64) -> u64 {
    c.wrapping_add(a.abs_diff(b))
}

pub(crate) fn sad_s64(a: u64, b: u64, c: u64) -> u64 {
    c.wrapping_add((a as i64).abs_diff(b as i64))
}
