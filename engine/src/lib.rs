//! Bit-exact PTX on a CPU: parse, check, lower, execute. `no_std`, no dependency on the chain.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod alu;
mod ast;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod compiled;
mod double;
mod exec;
mod ir;
mod lex;
mod lower;
mod parse;
mod soft;
#[cfg(feature = "trace")]
pub mod trace;
mod video;

use alloc::{borrow::ToOwned, string::String, vec::Vec};
pub use exec::Spare;
#[cfg(feature = "std")]
pub use exec::Tier;

/// Version of the engine's semantics. Kernels are pinned to the version they were checked with.
pub const VERSION: u32 = 1;

/// Threads of a warp that an instruction uses fuel for at least: to interpret it costs about as much for one as for these.
/// Lane-steps count the active threads alone.
pub const LEAST_LANES: u32 = 8;

/// A parsed PTX module: its entries, each accepted or rejected with the reason.
pub struct Module {
    /// In the order of the text.
    pub entries: Vec<Entry>,
}

/// The text is not PTX that this engine reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Line of the PTX, from 1.
    pub line: u32,
    /// One sentence.
    pub reason: String,
}

/// One `.entry`.
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Line of the PTX, from 1.
    pub line: u32,
    /// Its parameters.
    pub params: Vec<Param>,
    /// The code, ready to run, or why it cannot be exact.
    pub kernel: Result<Kernel, Rejection>,
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Bytes.
    pub size: u32,
    /// Bytes.
    pub align: u32,
}

/// Why an entry is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Line of the PTX, from 1.
    pub line: u32,
    /// File and line of the source, where the PTX has `.loc`.
    pub source: Option<(String, u32)>,
    /// One sentence, with the way round it where there is one.
    pub reason: String,
}

/// An accepted entry's code.
pub struct Kernel {
    /// Bytes of static shared memory.
    pub shared: u32,
    /// Bytes of local memory of one thread.
    pub local: u32,
    /// Most threads of a CTA (`.maxntid`, else 1024).
    pub max_threads: u32,
    params: Vec<Param>,
    code: ir::Code,
}

/// Shape of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// CTAs along x, y, z.
    pub grid: [u32; 3],
    /// Threads of a CTA along x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub shared: u32,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Address of byte `offset` of a buffer.
    Buffer {
        /// The buffer.
        index: u16,
        /// Bytes from its start.
        offset: u64,
    },
    /// Little-endian bytes, as many as the parameter has.
    Bytes(Vec<u8>),
    /// Bytes with addresses among them: the place of each, the buffer, and the offset from its start.
    Record(Vec<u8>, Vec<(usize, u16, u64)>),
}

/// Why a launch cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaunchError {
    /// Another number of arguments than parameters.
    ArgumentCount,
    /// Argument `0` has another length than its parameter.
    Argument(usize),
    /// Empty or too large.
    Geometry,
}

/// What global memory answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Outside the buffer, or no such buffer.
    OutOfBounds,
    /// A store to a byte that the CTA does not own.
    NotOwned,
    /// A load of a byte that another CTA owns in this launch.
    OwnedByOther,
    /// The witness does not hold the byte.
    Incomplete,
}

/// Global memory as one CTA sees it.
pub trait Memory {
    /// Fills `out` from `offset` of `buffer`.
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError>;
    /// Writes `bytes` at `offset` of `buffer`.
    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError>;
    /// Fills `width` bytes of `out` from `lane * width` on for each lane in `lanes`, from the lane's offset. All of it like so
    /// many loads; an error does not say which failed.
    fn load_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        out: &mut [u8; 512],
    ) -> Result<(), AccessError> {
        for (lane, (out, offset)) in out.chunks_exact_mut(width).zip(offsets).enumerate() {
            if lanes >> lane & 1 == 1 {
                self.load(buffer, *offset, out)?;
            }
        }
        Ok(())
    }
    /// Writes `width` bytes of `bytes` from `lane * width` on for each lane in `lanes`, in order, at the lane's offset. All of it
    /// like so many stores; an error does not say which failed.
    fn store_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        bytes: &[u8; 512],
    ) -> Result<(), AccessError> {
        for (lane, (bytes, offset)) in bytes.chunks_exact(width).zip(offsets).enumerate() {
            if lanes >> lane & 1 == 1 {
                self.store(buffer, *offset, bytes)?;
            }
        }
        Ok(())
    }
    /// Bytes of `buffer` around `offset` that nobody stores to in this launch and that may be loaded without being asked for: the offset
    /// of the first, and the bytes; not more than the buffer has. A memory that cannot tell answers `None`.
    fn view(&self, buffer: u16, offset: u64) -> Option<(u64, &[u8])> {
        let _ = (buffer, offset);
        None
    }
    /// Whether the CTA may own a byte of `buffer`. Where it owns none, reads need no race detector.
    fn writable(&self, buffer: u16) -> bool {
        let _ = buffer;
        true
    }
    /// Calls `visit(buffer, from, until)` for the stretches that the CTA may store to, sorted and disjoint; `false` where they
    /// are not known. With them the race detector keeps nothing of bytes that the CTA can only read.
    fn owned(&self, visit: &mut dyn FnMut(u16, u64, u64)) -> bool {
        let _ = visit;
        false
    }
}

/// A program fault: the unit broke a rule of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// The rule.
    pub kind: TrapKind,
    /// Line of the PTX, from 1.
    pub line: u32,
    /// `threadIdx` of the first thread that broke it.
    pub thread: [u32; 3],
    /// Buffer and offset, for accesses to global memory.
    pub address: Option<(u16, u64)>,
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrapKind {
    /// More fuel than the cap: a lane-step each, counted for [`LEAST_LANES`] threads where fewer of a warp are active.
    FuelExhausted,
    /// An access outside its buffer, or outside shared, local, constant or parameter memory.
    OutOfBounds,
    /// An address that is not a multiple of the access's size.
    Misaligned,
    /// A store to a byte that the CTA does not own.
    NotOwned,
    /// A load of a byte that another CTA owns in this launch.
    OwnedByOther,
    /// Two threads touch a byte between barriers and one writes; that all write the same value is no race.
    Race,
    /// A read of uninitialised shared, local or register state.
    Uninitialised,
    /// A barrier that not all threads reach.
    Barrier,
    /// A `trap` instruction, or control that runs off the end.
    Trap,
}

/// How a unit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end.
    Done {
        /// PTX instructions executed by active threads.
        lane_steps: u64,
        /// Keyed fold of the intermediate values; zero without a key.
        digest: [u8; 32],
    },
    /// It broke a rule.
    Trap(Trap),
    /// The memory is a witness and lacks a byte: nothing is decided.
    Incomplete {
        /// The buffer.
        buffer: u16,
        /// The first missing byte.
        offset: u64,
    },
}

/// How units run from now on in this thread; the results are the same. For measuring, and for comparing.
#[cfg(feature = "std")]
pub fn run_as(tier: Tier) {
    exec::run_as(tier);
}

impl Module {
    /// Parses and checks PTX text. Never panics; time and memory are linear in the input.
    pub fn parse(ptx: &[u8]) -> Result<Self, ParseError> {
        let text = parse::parse(ptx)?;
        let mut context = lower::Context::new(&text);
        let mut entries = Vec::new();
        for (index, function) in text.functions.iter().enumerate() {
            if !function.entry || function.body.is_none() {
                continue;
            }
            let params: Vec<Param> = function
                .params
                .iter()
                .map(|param| Param { size: u32::try_from(param.size).unwrap_or(u32::MAX), align: param.align })
                .collect();
            let kernel = context.lower(index).map(|code| Kernel {
                shared: code.shared,
                local: code.local,
                max_threads: function.max_threads.unwrap_or(1024).min(1024),
                params: params.clone(),
                code,
            });
            entries.push(Entry { name: function.name.to_owned(), line: function.line, params, kernel });
        }
        Ok(Self { entries })
    }

    /// The entry with that name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// What a kernel takes of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// 32-bit registers of a thread that are needed at once, constants not counted; 64-bit ones count twice.
    pub registers: u32,
    /// Predicates of a thread that are needed at once.
    pub predicates: u32,
    /// Decoded instructions.
    pub instructions: u32,
    /// Runs of instructions that are entered only at their start.
    pub blocks: u32,
}

impl Kernel {
    /// What it takes of the engine.
    pub fn statistics(&self) -> Statistics {
        let code = &self.code;
        let without = |slots: u16, constants: usize| {
            u32::from(slots).saturating_sub(u32::try_from(constants).unwrap_or(u32::MAX))
        };
        let doubles = without(code.d, code.d_constants.len());
        Statistics {
            registers: without(code.w, code.w_constants.len()).saturating_add(doubles.saturating_mul(2)),
            predicates: without(code.p, code.p_constants.len()),
            instructions: u32::try_from(code.ins.len()).unwrap_or(u32::MAX),
            blocks: u32::try_from(code.blocks.len()).unwrap_or(u32::MAX),
        }
    }

    /// Runs one CTA. `key` keys the audit digest; without one no digest is folded.
    pub fn run(
        &self,
        geometry: &Geometry,
        args: &[Argument],
        cta: [u32; 3],
        memory: &mut impl Memory,
        fuel: u64,
        key: Option<&[u8; 32]>,
    ) -> Result<Outcome, LaunchError> {
        self.run_again(&mut Spare::default(), geometry, args, cta, memory, fuel, key)
    }

    /// The same in memory that an earlier run left, of this kernel or another: what ran before changes nothing but the time it takes.
    pub fn run_again(
        &self,
        spare: &mut Spare,
        geometry: &Geometry,
        args: &[Argument],
        cta: [u32; 3],
        memory: &mut impl Memory,
        fuel: u64,
        key: Option<&[u8; 32]>,
    ) -> Result<Outcome, LaunchError> {
        exec::run(&self.code, self.max_threads, &self.params, geometry, args, cta, memory, fuel, key, spare)
    }
}
