//! What the scalar and packed video instructions compute, by the pseudo-code of the PTX manual.

/// Operations on two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Video {
    Add,
    Sub,
    Difference,
    Min,
    Max,
    Average,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    ShiftLeft,
    ShiftRight,
}

impl Video {
    const ALL: [Self; 14] = [
        Self::Add,
        Self::Sub,
        Self::Difference,
        Self::Min,
        Self::Max,
        Self::Average,
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::ShiftLeft,
        Self::ShiftRight,
    ];

    fn of(form: u32) -> Self {
        Self::ALL.get((form & 15) as usize).copied().unwrap_or(Self::Add)
    }

    fn apply(self, x: i64, y: i64) -> i64 {
        match self {
            Self::Add => x + y,
            Self::Sub => x - y,
            Self::Difference => (x - y).abs(),
            Self::Min => x.min(y),
            Self::Max => x.max(y),
            Self::Average => {
                let sum = x + y;
                sum + i64::from(sum >= 0) >> 1
            }
            Self::Eq => i64::from(x == y),
            Self::Ne => i64::from(x != y),
            Self::Lt => i64::from(x < y),
            Self::Le => i64::from(x <= y),
            Self::Gt => i64::from(x > y),
            Self::Ge => i64::from(x >= y),
            // At most 32 places of 32 bits.
            Self::ShiftLeft => x << (y & 63),
            Self::ShiftRight => x >> (y & 63),
        }
    }

    /// The least and the largest result for operands within limits.
    pub(crate) fn range(self, a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
        match self {
            Self::Add => (a.0 + b.0, a.1 + b.1),
            Self::Sub => (a.0 - b.1, a.1 - b.0),
            Self::Difference => (0, (a.1 - b.0).max(b.1 - a.0)),
            Self::Min => (a.0.min(b.0), a.1.min(b.1)),
            Self::Max => (a.0.max(b.0), a.1.max(b.1)),
            Self::Average => (self.apply(a.0, b.0), self.apply(a.1, b.1)),
            Self::ShiftLeft => (a.0 << 32, a.1 << 32),
            Self::ShiftRight => (a.0.min(0), a.1),
            _ => (0, 1),
        }
    }
}

/// The part of a word that an operand means: all, one of two halves or one of four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Part {
    #[default]
    Word,
    Half(u32),
    Byte(u32),
}

impl Part {
    /// Reads `b0` to `b3`, `h0` and `h1`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "b0" => Self::Byte(0),
            "b1" => Self::Byte(1),
            "b2" => Self::Byte(2),
            "b3" => Self::Byte(3),
            "h0" => Self::Half(0),
            "h1" => Self::Half(1),
            _ => return None,
        })
    }

    fn code(self) -> u32 {
        match self {
            Self::Word => 0,
            Self::Half(at) => 1 + at,
            Self::Byte(at) => 3 + at,
        }
    }

    /// First bit and number of bits.
    fn place(code: u32) -> (u32, u32) {
        match code & 7 {
            0 => (0, 32),
            code @ (1 | 2) => (16 * (code - 1), 16),
            code => (8 * (code - 3 & 3), 8),
        }
    }

    /// The numbers that it can hold.
    pub(crate) fn limits(self, signed: bool) -> (i64, i64) {
        limits(Self::place(self.code()).1, signed)
    }
}

fn limits(bits: u32, signed: bool) -> (i64, i64) {
    if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

fn extract(word: u32, code: u32, signed: bool) -> i64 {
    let (at, bits) = Part::place(code);
    let raw = word >> at << (32 - bits);
    if signed { i64::from(raw as i32 >> (32 - bits)) } else { i64::from(raw >> (32 - bits)) }
}

/// What a scalar video instruction does with its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    Nothing,
    Add,
    Min,
    Max,
    Merge,
}

/// A scalar video instruction.
pub(crate) struct Scalar {
    pub(crate) operation: Video,
    pub(crate) result: Part,
    pub(crate) a: Part,
    pub(crate) b: Part,
    /// The result, `a`, `b` are signed.
    pub(crate) signed: [bool; 3],
    pub(crate) saturate: bool,
    pub(crate) second: Second,
    /// Shifts take the low five bits of the count, rather than at most 32.
    pub(crate) wrap: bool,
}

impl Scalar {
    /// In one word.
    pub(crate) fn form(&self) -> u32 {
        let [result, a, b] = self.signed.map(u32::from);
        self.operation as u32
            | self.result.code() << 4
            | self.a.code() << 7
            | self.b.code() << 10
            | result << 13
            | a << 14
            | b << 15
            | u32::from(self.saturate) << 16
            | (self.second as u32) << 17
            | u32::from(self.wrap) << 20
    }
}

/// A scalar video instruction of the form that [`Scalar::form`] made.
pub(crate) fn scalar(a: u32, b: u32, c: u32, form: u32) -> u32 {
    let set = |bit: u32| form >> bit & 1 == 1;
    let operation = Video::of(form);
    let (x, mut y) = (extract(a, form >> 7, set(14)), extract(b, form >> 10, set(15)));
    if matches!(operation, Video::ShiftLeft | Video::ShiftRight) {
        y = if set(20) { y & 31 } else { y.min(32) };
    }
    let (at, bits) = Part::place(form >> 4);
    let mut value = operation.apply(x, y);
    if set(16) {
        let (low, high) = limits(bits, set(13));
        value = value.clamp(low, high);
    }
    let with = if set(13) { i64::from(c as i32) } else { i64::from(c) };
    let mask = (u32::MAX >> (32 - bits)) << at;
    match form >> 17 & 7 {
        1 => value.wrapping_add(with) as u32,
        2 => value.min(with) as u32,
        3 => value.max(with) as u32,
        4 => (value as u32) << at & mask | c & !mask,
        _ => value as u32,
    }
}

/// A multiplication and addition with a scale.
pub(crate) struct Scaled {
    pub(crate) a: Part,
    pub(crate) b: Part,
    /// `a` and `b` are signed.
    pub(crate) signed: [bool; 2],
    pub(crate) saturate: bool,
    /// The product, the addend are negated.
    pub(crate) negated: [bool; 2],
    pub(crate) plus_one: bool,
    /// 0, 7 or 15.
    pub(crate) shift: u32,
}

impl Scaled {
    /// In one word.
    pub(crate) fn form(&self) -> u32 {
        self.a.code()
            | self.b.code() << 3
            | u32::from(self.signed[0]) << 6
            | u32::from(self.signed[1]) << 7
            | u32::from(self.saturate) << 8
            | u32::from(self.negated[0]) << 9
            | u32::from(self.negated[1]) << 10
            | u32::from(self.plus_one) << 11
            | self.shift << 12
    }
}

/// `vmad` of the form that [`Scaled::form`] made.
pub(crate) fn scaled(a: u32, b: u32, c: u32, form: u32) -> u32 {
    let set = |bit: u32| form >> bit & 1 == 1;
    let signed = form >> 6 & 3 != 0 || form >> 9 & 3 != 0;
    let product = i128::from(extract(a, form, set(6))) * i128::from(extract(b, form >> 3, set(7)));
    let addend = if signed { i128::from(c as i32) } else { i128::from(c) };
    let product = if set(9) { -product } else { product };
    let addend = if set(10) { -addend } else { addend };
    let value = product + addend + i128::from(set(11)) >> (form >> 12 & 15);
    if !set(8) {
        return value as u32;
    }
    let (low, high) = limits(32, signed);
    value.clamp(i128::from(low), i128::from(high)) as u32
}

/// A packed video instruction.
pub(crate) struct Packed {
    pub(crate) operation: Video,
    /// 2 or 4.
    pub(crate) elements: u32,
    /// The result, `a`, `b` are signed.
    pub(crate) signed: [bool; 3],
    pub(crate) saturate: bool,
    pub(crate) accumulate: bool,
    /// The elements that are computed.
    pub(crate) mask: u32,
}

impl Packed {
    /// In one word.
    pub(crate) fn form(&self) -> u32 {
        let [result, a, b] = self.signed.map(u32::from);
        self.operation as u32
            | self.elements << 4
            | result << 7
            | a << 8
            | b << 9
            | u32::from(self.saturate) << 10
            | u32::from(self.accumulate) << 11
            | self.mask << 12
    }
}

/// A packed video instruction of the form that [`Packed::form`] made.
pub(crate) fn packed(a: u32, b: u32, c: u32, form: u32) -> u32 {
    let set = |bit: u32| form >> bit & 1 == 1;
    let (operation, four) = (Video::of(form), form >> 4 & 7 == 4);
    let (bits, count) = if four { (8, 4) } else { (16, 2) };
    let (low, high) = limits(bits, set(7));
    let (mut result, mut sum) = (0u32, c);
    for at in 0..count {
        let code = if four { 3 + at } else { 1 + at };
        let mask = (u32::MAX >> (32 - bits)) << (at * bits);
        if !set(12 + at) {
            result |= c & mask;
            continue;
        }
        let value = operation.apply(extract(a, code, set(8)), extract(b, code, set(9)));
        let value = if set(10) { value.clamp(low, high) } else { value };
        result |= (value as u32) << (at * bits) & mask;
        sum = sum.wrapping_add(value as u32);
    }
    if set(11) { sum } else { result }
}
