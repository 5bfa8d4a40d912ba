//! Programs: a list of launches of CUDA kernels over named buffers, and the units they are made of.

use crate::{BlobId, KernelId, ProgramId, hash, write_map::Writes};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Kernels of one program.
pub const MAX_KERNELS: u32 = 16;
/// Buffers of one program.
pub const MAX_BUFFERS: u32 = 32;
/// Steps of one program.
pub const MAX_STEPS: u32 = 64;
/// Launches inside one [`Step::Repeat`].
pub const MAX_REPEAT_LAUNCHES: u32 = 16;
/// Arguments of one launch.
pub const MAX_ARGS: u32 = 48;
/// Bytes of one by-value argument, and of all arguments of a launch together: as many as parameters take in PTX.
pub const MAX_ARG_BYTES: u32 = 4352;
/// Pointers within one by-value argument.
pub const MAX_ARG_POINTERS: u32 = 16;
/// Bytes of an entry's name.
pub const MAX_NAME: u32 = 256;
/// Launches of a program, repeats counted out: also the number of states after the first.
pub const MAX_LAUNCHES: u32 = 4096;
/// Bytes of one buffer.
pub const MAX_BUFFER_LEN: u64 = 1 << 34;
/// Bytes of a program's SCALE encoding.
pub const MAX_PROGRAM_BYTES: u32 = 64 * 1024;
/// CTAs of one launch.
pub const MAX_CTAS: u64 = 1 << 31;
/// Threads of one CTA.
pub const MAX_THREADS: u32 = 1024;
/// Bytes of shared memory of one CTA, static and dynamic.
pub const MAX_SHARED: u32 = 96 * 1024;

/// Launches of CUDA kernels over buffers, in order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Program {
    /// The kernels that the launches name by index.
    pub kernels: BoundedVec<KernelId, ConstU32<MAX_KERNELS>>,
    /// The buffers that arguments and write maps name by index.
    pub buffers: BoundedVec<Buffer, ConstU32<MAX_BUFFERS>>,
    /// What is done, in order.
    pub steps: BoundedVec<Step, ConstU32<MAX_STEPS>>,
}

/// A region of device memory that lives for the whole program.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Buffer {
    /// Bytes; more than 0 and at most [`MAX_BUFFER_LEN`].
    pub len: u64,
    /// What it holds before the first launch.
    pub init: Init,
    /// Whether the customer downloads it at the end.
    pub output: bool,
}

/// What a buffer holds in state 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Init {
    /// Zeros.
    Zero,
    /// The bytes of a blob whose length is the buffer's.
    Blob(BlobId),
}

/// One entry of a program's list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Step {
    /// One launch.
    Launch(Launch),
    /// The launches, in order, `times` times.
    Repeat {
        /// Rounds; more than 0.
        times: u32,
        /// The launches of one round.
        launches: BoundedVec<Launch, ConstU32<MAX_REPEAT_LAUNCHES>>,
    },
}

/// One launch of one entry of one kernel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Launch {
    /// Index into [`Program::kernels`].
    pub kernel: u16,
    /// Name of the entry, as in the PTX.
    pub entry: BoundedVec<u8, ConstU32<MAX_NAME>>,
    /// CTAs along x, y, z.
    pub grid: [u32; 3],
    /// Threads of a CTA along x, y, z.
    pub block: [u32; 3],
    /// Bytes of dynamic shared memory.
    pub shared: u32,
    /// The entry's arguments, in order.
    pub args: BoundedVec<Arg, ConstU32<MAX_ARGS>>,
    /// Who may write what.
    pub writes: Writes,
}

/// One argument of a launch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Arg {
    /// Address of a byte of a buffer.
    Buffer {
        /// Index into [`Program::buffers`].
        index: u16,
        /// Bytes from the buffer's start.
        offset: u64,
    },
    /// An 8-bit integer.
    U8(u8),
    /// A 16-bit integer.
    U16(u16),
    /// A 32-bit integer.
    U32(u32),
    /// A 64-bit integer.
    U64(u64),
    /// The bits of an f32.
    F32(u32),
    /// The bits of an f64.
    F64(u64),
    /// A structure by value: its bytes, of the parameter's length.
    Bytes(BoundedVec<u8, ConstU32<MAX_ARG_BYTES>>),
    /// The round of the enclosing repeat, from 0, zero-extended to the parameter's length; 0 outside a repeat.
    Iteration,
    /// A structure by value that holds addresses of buffers.
    Record {
        /// Its bytes, of the parameter's length; where a pointer stands they do not matter.
        bytes: BoundedVec<u8, ConstU32<MAX_ARG_BYTES>>,
        /// Its pointers.
        pointers: BoundedVec<Pointer, ConstU32<MAX_ARG_POINTERS>>,
    },
}

/// An address of a byte of a buffer within a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Pointer {
    /// Bytes from the structure's start.
    pub at: u16,
    /// Index into [`Program::buffers`].
    pub index: u16,
    /// Bytes from the buffer's start.
    pub offset: u64,
}

impl Pointer {
    /// Puts the address into the bytes of the structure; `None` where it does not fit.
    pub fn put(&self, bytes: &mut [u8], address: u64) -> Option<()> {
        let at = usize::from(self.at);
        bytes.get_mut(at..at.checked_add(8)?)?.copy_from_slice(&address.to_le_bytes());
        Some(())
    }
}

/// An axis of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Axis {
    /// `blockIdx.x`
    X,
    /// `blockIdx.y`
    Y,
    /// `blockIdx.z`
    Z,
}

impl Axis {
    /// 0, 1 or 2.
    pub const fn index(self) -> usize {
        match self {
            Self::X => 0,
            Self::Y => 1,
            Self::Z => 2,
        }
    }
}

/// What is sampled, re-executed and convicted: one CTA of one launch.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Unit {
    /// Position of the launch in the program, repeats counted out, from 0.
    pub launch: u32,
    /// `blockIdx`.
    pub cta: [u32; 3],
}

/// A launch in its place: what [`Program::launch`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    /// The launch.
    pub launch: &'a Launch,
    /// The round of the enclosing repeat, 0 outside one.
    pub iteration: u32,
}

impl Program {
    /// The program's address.
    pub fn id(&self) -> ProgramId {
        self.using_encoded(|bytes| hash::derive(hash::Purpose::Program, &[bytes]))
    }

    /// Number of launches, repeats counted out; saturating.
    pub fn launches(&self) -> u64 {
        self.steps.iter().fold(0u64, |sum, step| sum.saturating_add(step.len()))
    }

    /// The launch at `index`, repeats counted out.
    pub fn launch(&self, index: u32) -> Option<Placed<'_>> {
        let mut left = u64::from(index);
        for step in &self.steps {
            let len = step.len();
            if left >= len {
                left = left.saturating_sub(len);
                continue;
            }
            return match step {
                Step::Launch(launch) => Some(Placed { launch, iteration: 0 }),
                Step::Repeat { launches, .. } => {
                    let per_round = launches.len() as u64;
                    let position = left.checked_rem(per_round)?;
                    let round = left.checked_div(per_round)?;
                    Some(Placed {
                        launch: launches.get(usize::try_from(position).ok()?)?,
                        iteration: u32::try_from(round).ok()?,
                    })
                }
            };
        }
        None
    }
}

impl Step {
    /// Launches of this step, repeats counted out; saturating.
    pub fn len(&self) -> u64 {
        match self {
            Self::Launch(_) => 1,
            Self::Repeat { times, launches } => u64::from(*times).saturating_mul(launches.len() as u64),
        }
    }

    /// Whether the step launches nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Launch {
    /// CTAs of the grid; saturating.
    pub fn ctas(&self) -> u64 {
        self.grid.iter().fold(1u64, |product, n| product.saturating_mul(u64::from(*n)))
    }

    /// Threads of one CTA; saturating.
    pub fn threads(&self) -> u64 {
        self.block.iter().fold(1u64, |product, n| product.saturating_mul(u64::from(*n)))
    }
}
