//! What runs: a flat list of decoded instructions over register slots.
//!
//! Slots come in three classes: `W` (32 bits a lane; 16-bit registers live here zero-extended), `D` (64 bits a lane) and
//! `P` (predicates, one bit a lane). Immediates are slots too, filled once per warp, so no operand needs decoding.

use alloc::{sync::Arc, vec::Vec};

/// Slot of a register; which class follows from the operation.
pub(crate) type Slot = u16;

/// No register.
pub(crate) const NONE: u16 = u16::MAX;

/// Loads and stores: state spaces that execution tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Generic,
    Global,
    Const,
    Shared,
    Local,
    Param,
}

/// How a narrow element fills its register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extend {
    Zero,
    /// Sign-extended to 32 bits.
    Sign32,
    /// Sign-extended to 16 bits.
    Sign16,
}

/// A load or a store of `count` elements of `size` bytes; elements of 8 bytes are in `D`, others in `W`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) place: Place,
    /// Bytes of one element: 1, 2, 4, 8.
    pub(crate) size: u8,
    /// Elements: 1, 2, 4.
    pub(crate) count: u8,
    pub(crate) extend: Extend,
    /// The address register is 64 bits wide.
    pub(crate) wide: bool,
}

/// Shared-memory reductions whose outcome does not depend on order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduce {
    Add,
    And,
    Or,
    Xor,
    MinS,
    MaxS,
    MinU,
    MaxU,
}

/// Changes of a cell that come out the same in any order if all are the same change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Update {
    /// Up by one, from the bound on to zero.
    Up,
    /// Down by one, from zero and from above the bound to the bound.
    Down,
    /// From the first operand to the second one.
    Swap,
}

/// Values that PTX reads from special registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Tid(u8),
    Ntid(u8),
    Ctaid(u8),
    Nctaid(u8),
    Lane,
    WarpSize,
    LaneMask(Ordering),
    DynamicShared,
    TotalShared,
}

/// The lanes that a lane mask names, relative to the own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ordering {
    Eq,
    Lt,
    Le,
    Gt,
    Ge,
}

/// How `shfl` finds the source lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

/// What `vote` and reducing barriers answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
    /// `bar.red.popc`.
    Count,
}

/// Element types of `mma` operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mma {
    pub(crate) m: u8,
    pub(crate) n: u8,
    pub(crate) k: u16,
    /// Bits of an element of A and B.
    pub(crate) bits: u8,
    pub(crate) signed_a: bool,
    pub(crate) signed_b: bool,
    pub(crate) saturate: bool,
    /// For single bits: xor rather than and, then popcount.
    pub(crate) xor: bool,
}

/// What a fragment of `wmma` is of: another kind may be spread over the warp in another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) part: Part,
    pub(crate) m: u8,
    pub(crate) n: u8,
    pub(crate) k: u8,
    /// Bits of an element of A and B.
    pub(crate) bits: u8,
    pub(crate) signed: bool,
    /// A and B lie in columns; always false for accumulators.
    pub(crate) columns: bool,
}

/// A matrix of `d = a * b + c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    A,
    B,
    /// C and D.
    Sum,
}

impl Kind {
    /// Rows and columns.
    pub(crate) fn extent(self) -> (usize, usize) {
        let (m, n, k) = (usize::from(self.m), usize::from(self.n), usize::from(self.k));
        match self.part {
            Part::A => (m, k),
            Part::B => (k, n),
            Part::Sum => (m, n),
        }
    }

    /// Bits of one of its elements.
    pub(crate) fn element(self) -> usize {
        if self.part == Part::Sum { 32 } else { usize::from(self.bits) }
    }

    /// Registers of a thread.
    pub(crate) fn registers(self) -> usize {
        let (rows, columns) = self.extent();
        rows * columns * self.element() / 1024
    }

    /// The other matrix of the same product.
    pub(crate) fn other(self, part: Part, columns: bool) -> Self {
        Self { part, columns, signed: self.signed && part != Part::Sum, ..self }
    }
}

/// A product of fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// That of A.
    pub(crate) kind: Kind,
    /// B lies in columns.
    pub(crate) columns: bool,
    pub(crate) saturate: bool,
    pub(crate) xor: bool,
}

/// The operations. Operands are `d`, `e`, `a`, `b`, `c`; `e` is a second result or a fourth operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Nop,
    /// Call parameters move within local memory, with what is known of their initialisation.
    CopyLocal {
        from: u32,
        to: u32,
        bytes: u32,
    },
    // W ← W: the common ones, inlined in the loop.
    MovW,
    AddW,
    SubW,
    MulW,
    MadW,
    AndW,
    OrW,
    XorW,
    NotW,
    ShlW,
    ShrUW,
    ShrSW,
    MinSW,
    MaxSW,
    MinUW,
    MaxUW,
    DivUW,
    DivSW,
    RemUW,
    RemSW,
    MulHiUW,
    MulHiSW,
    FunnelLeftWrapW,
    FunnelRightWrapW,
    /// Truth table in `imm`.
    Lop3W,
    PrmtW,
    Dp4aSS,
    SelW,
    AddF,
    SubF,
    MulF,
    FmaF,
    DivF,
    SqrtF,
    MinF,
    MaxF,
    F32FromS32,
    F32FromU32,
    S32FromF32Near,
    S32FromF32Zero,
    // D ← D
    MovD,
    AddD,
    SubD,
    MulD,
    MadD,
    AndD,
    OrD,
    XorD,
    NotD,
    ShlD,
    ShrUD,
    ShrSD,
    SelD,
    AddG,
    SubG,
    MulG,
    FmaG,
    DivG,
    SqrtG,
    // between widths
    WideUW,
    WideSW,
    MadWideUW,
    MadWideSW,
    ZextD,
    SextD,
    TruncW,
    HighW,
    PackD,
    G64FromS32,
    G64FromF32,
    // Anything else, one call per lane.
    W1(fn(u32) -> u32),
    W2(fn(u32, u32) -> u32),
    W3(fn(u32, u32, u32) -> u32),
    /// `d = f(a, b, c, e)`
    W4(fn(u32, u32, u32, u32) -> u32),
    D1(fn(u64) -> u64),
    D2(fn(u64, u64) -> u64),
    D3(fn(u64, u64, u64) -> u64),
    /// W from D.
    WD(fn(u64) -> u32),
    /// D from W.
    DW(fn(u32) -> u64),
    /// D from D, W, W.
    DDWW(fn(u64, u32, u32) -> u64),
    /// D from D(a), D(b), W(c), W(e).
    DDDWW(fn(u64, u64, u32, u32) -> u64),
    // Comparisons; the result is inverted where `imm` is 1.
    EqW,
    LtSW,
    LeSW,
    LtUW,
    LeUW,
    EqF,
    LtF,
    LeF,
    EqD,
    LtSD,
    LeSD,
    LtUD,
    LeUD,
    EqG,
    LtG,
    LeG,
    PW1(fn(u32) -> bool),
    PW2(fn(u32, u32) -> bool),
    PD1(fn(u64) -> bool),
    PD2(fn(u64, u64) -> bool),
    // Predicates.
    MovP,
    NotP,
    AndP,
    OrP,
    XorP,
    /// `d = c ? a : b`
    SelP,
    // Arithmetic with the carry in `c` (a predicate) and the carry out in `e`. A difference is the sum with the complement, as in hardware:
    // its carry says that nothing was borrowed.
    AddCarryW,
    SubCarryW,
    AddCarryD,
    SubCarryD,
    // Memory: data in d, e, b, c; address in a, plus `imm`.
    Load(Access),
    Store(Access),
    /// The same for bytes that may be undefined and are only carried on; the registers in ext say which they are.
    LoadCopy(Access, u32),
    StoreCopy(Access, u32),
    /// `d = a` for such registers, which are no results.
    Companion,
    /// `d = 0`, which is no result: what stands for an old value that nobody uses.
    BlankW,
    BlankD,
    /// Starts a copy to shared memory at `a` from global memory at `b`, of which `c` bytes are read.
    StartCopy(Access),
    /// The copies that were started become a group.
    CloseGroup,
    /// Waits for all groups but the last few, or for all copies.
    WaitCopies(Option<u32>),
    /// 8×8 matrices of 16-bit elements into `d, e, b, c`; transposed or not.
    LoadMatrix(Access, bool),
    StoreMatrix(Access, bool),
    /// A matrix of the kind, spread over the warp, transposed.
    MoveMatrix,
    /// `[a + imm] = op([a + imm], b)`
    Reduce(Reduce, Access),
    /// `[a + imm] = op([a + imm], b, c)`
    Update(Update, Access),
    /// Whether the generic address in D lies in the space.
    InSpace(Place),
    Special(Special),
    // Warp-wide.
    /// d, e (P) = a from lane b, clamp c; member mask in ext.
    Shuffle(Shuffle),
    /// `a`: predicate, `b`: member mask, result in d (W or P).
    Vote(Vote),
    /// d (W) = lanes with the same a; b: member mask.
    MatchAnyW,
    MatchAnyD,
    /// d (W), e (P).
    MatchAllW,
    MatchAllD,
    /// d = reduction of a over the member mask b.
    Redux(Reduce),
    WarpBarrier,
    /// Names the member mask `b` of the shuffle that follows; gone once blocks are made.
    Gather,
    Mma(Mma, u32),
    /// All lanes must be here with one address `a`, and one stride `b`.
    Uniform,
    /// A fragment from what the lanes have loaded: in ext the results, the loaded words, the results' marks.
    Take(Kind, u32),
    /// The words of a fragment, to be stored: in ext the words, the fragment, its marks.
    Give(Kind, u32),
    /// In ext the results, A, B, C, then their marks.
    Product(Product, u32),
    /// The mark of a result from those of its operands; in ext that mark, then operands and marks. `imm` names the operation.
    Combine(u32),
    // Uninitialised registers: `d` and `a` are predicate slots that say which lanes hold a value.
    Mark,
    Carry,
    /// The same of a choice: `c` says of which lanes `a` is meant, else `b`; all lanes hold one that is absent.
    CarryChosen,
    /// `d` holds one only where `a` does.
    CarryBoth,
    Need,
    /// No lane holds one any more.
    Forget,
    /// Nothing is written of local memory from here to there: a function is called. It forgets its registers too.
    Enter {
        from: u32,
        to: u32,
    },
    /// Instructions that were compiled, by number of their segment.
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Compiled(u32),
    // Ends of blocks.
    /// To block `imm`.
    Branch,
    /// To the block that table `imm` names for `a`.
    BranchIndex,
    /// To block `imm`; the block to come back to goes to `d`.
    Call,
    /// To the block in `a`.
    Return,
    Exit,
    Trap,
    /// Barrier `a` for `b` threads (all where absent); reductions: predicate `c`, result `d`.
    Barrier(BarrierKind),
}

impl Op {
    /// Whether it does nothing but compute its results.
    pub(crate) fn is_pure(&self) -> bool {
        use Op::*;
        matches!(
            self,
            MovW | AddW
                | SubW
                | MulW
                | MadW
                | AndW
                | OrW
                | XorW
                | NotW
                | ShlW
                | ShrUW
                | ShrSW
                | SelW
                | MovD
                | AddD
                | SubD
                | MulD
                | MadD
                | AndD
                | OrD
                | XorD
                | SelD
                | WideUW
                | WideSW
                | ZextD
                | SextD
                | TruncW
                | HighW
                | PackD
                | MovP
                | NotP
                | AndP
                | OrP
                | XorP
                | SelP
                | EqW
                | LtSW
                | LeSW
                | LtUW
                | LeUW
                | EqD
                | LtSD
                | LeSD
                | LtUD
                | LeUD
        )
    }
}

/// Forms of `barrier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BarrierKind {
    Sync,
    Arrive,
    Reduce(Vote),
}

/// One decoded instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ins {
    pub(crate) op: Op,
    /// Predicate slot, or [`NONE`].
    pub(crate) guard: Slot,
    pub(crate) d: Slot,
    pub(crate) e: Slot,
    pub(crate) a: Slot,
    pub(crate) b: Slot,
    pub(crate) c: Slot,
    /// The guard is inverted.
    pub(crate) negated: bool,
    pub(crate) imm: i32,
}

/// A run of instructions entered only at its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Lane-steps per active thread.
    pub(crate) cost: u32,
    /// What must be together before the block runs.
    pub(crate) gather: Gather,
    /// Nothing but the way to the end of the thread.
    pub(crate) leaves: bool,
}

/// Whose arrival a block waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gather {
    Nobody,
    /// The lanes in the member mask in this W slot.
    Members(Slot),
    /// All lanes of the warp that have not exited.
    Warp,
}

/// A kernel's code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) ins: Vec<Ins>,
    pub(crate) lines: Vec<u32>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) entry: u32,
    /// Targets of `brx.idx`.
    pub(crate) tables: Vec<Vec<u32>>,
    /// Operands of `mma`.
    pub(crate) ext: Vec<Slot>,
    /// Slots per class, constants included, which come last.
    pub(crate) w: u16,
    pub(crate) d: u16,
    pub(crate) p: u16,
    pub(crate) w_constants: Vec<(Slot, u32)>,
    pub(crate) d_constants: Vec<(Slot, u64)>,
    pub(crate) p_constants: Vec<(Slot, bool)>,
    /// Initialised module variables, read-only.
    pub(crate) table: Arc<[u8]>,
    /// Offset of each parameter in the parameter block.
    pub(crate) params: Vec<u32>,
    pub(crate) param_bytes: u32,
    /// Bytes of static shared memory, local memory of a thread.
    pub(crate) shared: u32,
    pub(crate) local: u32,
    /// The kernel declares dynamic shared memory; its alignment.
    pub(crate) dynamic_align: u32,
    /// Smallest access to shared, global memory: the unit of the race detector. Power of two.
    pub(crate) shared_grain: u32,
    pub(crate) global_grain: u32,
    pub(crate) required: Option<[u32; 3]>,
    /// Barriers of warps may have fewer members than all.
    pub(crate) parts_warps: bool,
    /// For how many threads barriers of the block are, where that is given; zero where it is known only later.
    pub(crate) barrier_threads: Vec<u32>,
    /// By instruction: the one before which its result is read for the last time.
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    pub(crate) until: Vec<u32>,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    pub(crate) tiers: crate::compiled::Tiers,
}

/// Generic addresses carry their space above this bit.
pub(crate) const TAG_SHIFT: u32 = 44;
/// Where a buffer starts inside its window, so that pointers below it keep their tag.
pub(crate) const MIDDLE: u64 = 1 << 43;
pub(crate) const TAG_SHARED: u64 = 1;
pub(crate) const TAG_LOCAL: u64 = 2;
pub(crate) const TAG_TABLE: u64 = 3;
pub(crate) const TAG_PARAM: u64 = 4;
/// Buffer `i` has tag `TAG_BUFFER + i`.
pub(crate) const TAG_BUFFER: u64 = 16;

/// Start of a space's window in generic addresses.
pub(crate) const fn window(tag: u64) -> u64 {
    tag << TAG_SHIFT
}
