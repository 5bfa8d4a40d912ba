//! What the parser makes of the text: declarations, statements, operands; names are not resolved yet.

use alloc::vec::Vec;

/// State spaces that variables live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Global,
    Const,
    Shared,
    Local,
    Param,
    Register,
}

/// Fundamental types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Pred,
    B8,
    B16,
    B32,
    B64,
    B128,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F16,
    F16x2,
    BF16,
    BF16x2,
    F32,
    F64,
}

impl Type {
    /// Reads a suffix without its dot.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "pred" => Self::Pred,
            "b8" => Self::B8,
            "b16" => Self::B16,
            "b32" => Self::B32,
            "b64" => Self::B64,
            "b128" => Self::B128,
            "u8" => Self::U8,
            "u16" => Self::U16,
            "u32" => Self::U32,
            "u64" => Self::U64,
            "s8" => Self::S8,
            "s16" => Self::S16,
            "s32" => Self::S32,
            "s64" => Self::S64,
            "f16" => Self::F16,
            "f16x2" => Self::F16x2,
            "bf16" => Self::BF16,
            "bf16x2" => Self::BF16x2,
            "f32" => Self::F32,
            "f64" => Self::F64,
            _ => return None,
        })
    }

    /// Bits; a predicate has one.
    pub(crate) fn bits(self) -> u32 {
        match self {
            Self::Pred => 1,
            Self::B8 | Self::U8 | Self::S8 => 8,
            Self::B16 | Self::U16 | Self::S16 | Self::F16 | Self::BF16 => 16,
            Self::B32 | Self::U32 | Self::S32 | Self::F32 | Self::F16x2 | Self::BF16x2 => 32,
            Self::B64 | Self::U64 | Self::S64 | Self::F64 => 64,
            Self::B128 => 128,
        }
    }

    pub(crate) fn signed(self) -> bool {
        matches!(self, Self::S8 | Self::S16 | Self::S32 | Self::S64)
    }

    pub(crate) fn float(self) -> bool {
        matches!(self, Self::F16 | Self::F16x2 | Self::BF16 | Self::BF16x2 | Self::F32 | Self::F64)
    }
}

/// The address of a variable inside an initialiser.
#[derive(Clone, Debug)]
pub(crate) struct Relocation<'a> {
    pub(crate) at: u64,
    pub(crate) name: &'a str,
    pub(crate) addend: i64,
    /// Bytes of the address that are stored, and how far it is shifted right first.
    pub(crate) bytes: u8,
    pub(crate) shift: u8,
}

/// A variable outside registers.
#[derive(Clone, Debug)]
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a str,
    pub(crate) space: Space,
    pub(crate) align: u32,
    /// Bytes; zero for an array without a length.
    pub(crate) size: u64,
    pub(crate) init: Vec<u8>,
    pub(crate) relocations: Vec<Relocation<'a>>,
    /// `.texref` and its kin.
    pub(crate) opaque: bool,
}

/// An operand as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand<'a> {
    Name(&'a str),
    /// `name+4`, outside brackets.
    Offset(&'a str, i64),
    Int(u64),
    F32(u32),
    F64(u64),
    /// `!p`
    Not(&'a str),
    /// `-a`
    Negative(&'a str),
    /// `p|q`
    Pair(&'a str, &'a str),
    /// `[base+offset]`; without a name the offset is the address.
    Address(Option<&'a str>, i64),
    /// `{a, b}` or `(a, b)`
    List(Vec<Operand<'a>>),
}

/// One instruction.
#[derive(Clone, Debug)]
pub(crate) struct Instruction<'a> {
    pub(crate) guard: Option<(&'a str, bool)>,
    pub(crate) opcode: &'a str,
    pub(crate) operands: Vec<Operand<'a>>,
    pub(crate) line: u32,
    /// File and line of the last `.loc`; zero where there was none.
    pub(crate) source: (u32, u32),
}

/// A statement of a body.
#[derive(Clone, Debug)]
pub(crate) enum Statement<'a> {
    Label(&'a str, u32),
    Open,
    Close,
    /// `.reg .b32 %r<5>`: name, and the count of a range.
    Register(Type, &'a str, Option<u64>),
    Variable(Variable<'a>, u32),
    /// `.branchtargets` under its label.
    Targets(&'a str, Vec<&'a str>),
    Instruction(Instruction<'a>),
}

/// A `.entry` or a `.func`.
#[derive(Clone, Debug)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) entry: bool,
    pub(crate) line: u32,
    pub(crate) returns: Vec<Variable<'a>>,
    pub(crate) params: Vec<Variable<'a>>,
    /// `None` for a declaration.
    pub(crate) body: Option<Vec<Statement<'a>>>,
    pub(crate) max_threads: Option<u32>,
    pub(crate) required: Option<[u32; 3]>,
    /// What the header asks for and this engine does not have.
    pub(crate) refused: Option<&'static str>,
}

/// A module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text<'a> {
    pub(crate) files: Vec<(u64, &'a str)>,
    pub(crate) variables: Vec<Variable<'a>>,
    pub(crate) functions: Vec<Function<'a>>,
}
