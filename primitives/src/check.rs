//! Whether a program can be run at all, decided from the kernels' interfaces alone: the same check in the CLI, at the
//! placing of an order and in the worker.

use crate::{
    Arg, Init, Launch, Program, Step,
    program::{
        MAX_ARG_BYTES, MAX_ARGS, MAX_BUFFER_LEN, MAX_CTAS, MAX_LAUNCHES, MAX_NAME, MAX_PROGRAM_BYTES, MAX_SHARED,
        MAX_THREADS,
    },
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a program has to know of an entry: kept on chain beside the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct EntryInfo {
    /// Its name.
    pub name: BoundedVec<u8, ConstU32<MAX_NAME>>,
    /// Bytes of each parameter, in order.
    pub params: BoundedVec<u16, ConstU32<MAX_ARGS>>,
    /// Bytes of static shared memory.
    pub shared: u32,
    /// Most threads of a CTA that the entry allows (`.maxntid`, else 1024).
    pub max_threads: u32,
}

/// What is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum ProgramError {
    /// No launch at all, or a repeat of nothing, or of zero rounds.
    NoLaunch,
    /// More launches than [`crate::program::MAX_LAUNCHES`], or a longer encoding than allowed.
    TooLarge,
    /// Buffer `0` has length zero, is too long, or its blob has another length.
    BufferLength(u16),
    /// No buffer is an output.
    NoOutput,
    /// Launch (in the order written, repeats not counted out) names a kernel that the program does not list.
    NoKernel(u32),
    /// Launch names an entry that its kernel does not have, or that was rejected.
    NoEntry(u32),
    /// Launch has another number of arguments than the entry has parameters.
    ArgumentCount(u32),
    /// Argument of launch has another length than its parameter, names no byte of a buffer, or ends behind
    /// [`crate::program::MAX_ARG_BYTES`] with those before it.
    Argument {
        /// Launch, in the order written.
        launch: u32,
        /// Position of the argument.
        argument: u8,
    },
    /// Launch has an empty grid, or more CTAs than allowed.
    Grid(u32),
    /// Launch has an empty block, or more threads than allowed.
    Block(u32),
    /// Launch asks for more shared memory than allowed.
    Shared(u32),
    /// Write map of launch is wrong.
    WriteMap {
        /// Launch, in the order written.
        launch: u32,
        /// Position of the map.
        map: u8,
        /// What is wrong.
        error: crate::write_map::MapError,
    },
}

/// Checks all that does not need the kernels' code. `entry` finds an accepted entry by position of the kernel in the
/// program and by name.
pub fn check(program: &Program, entry: impl Fn(u16, &[u8]) -> Option<EntryInfo>) -> Result<(), ProgramError> {
    if program.launches() == 0 {
        return Err(ProgramError::NoLaunch);
    }
    if program.launches() > u64::from(MAX_LAUNCHES) || program.encoded_size() > MAX_PROGRAM_BYTES as usize {
        return Err(ProgramError::TooLarge);
    }
    for (index, buffer) in (0u16..).zip(&program.buffers) {
        let fits =
            matches!(buffer.init, Init::Zero) || matches!(buffer.init, Init::Blob(blob) if blob.len == buffer.len);
        if buffer.len == 0 || buffer.len > MAX_BUFFER_LEN || !fits {
            return Err(ProgramError::BufferLength(index));
        }
    }
    if !program.buffers.iter().any(|buffer| buffer.output) {
        return Err(ProgramError::NoOutput);
    }
    let lengths: Vec<u64> = program.buffers.iter().map(|buffer| buffer.len).collect();
    let mut position = 0u32;
    for step in &program.steps {
        let launches: &[Launch] = match step {
            Step::Launch(launch) => core::slice::from_ref(launch),
            Step::Repeat { launches, .. } => launches,
        };
        if step.is_empty() {
            return Err(ProgramError::NoLaunch);
        }
        for launch in launches {
            check_launch(program, &lengths, position, launch, &entry)?;
            position = position.saturating_add(1);
        }
    }
    Ok(())
}

fn check_launch(
    program: &Program,
    lengths: &[u64],
    position: u32,
    launch: &Launch,
    entry: &impl Fn(u16, &[u8]) -> Option<EntryInfo>,
) -> Result<(), ProgramError> {
    if usize::from(launch.kernel) >= program.kernels.len() {
        return Err(ProgramError::NoKernel(position));
    }
    let Some(entry) = entry(launch.kernel, &launch.entry) else { return Err(ProgramError::NoEntry(position)) };
    // Axes y and z are 16 bits wide on every device.
    let [_, y, z] = launch.grid;
    if launch.ctas() == 0 || launch.ctas() > MAX_CTAS || y > 65_535 || z > 65_535 {
        return Err(ProgramError::Grid(position));
    }
    let [_, _, depth] = launch.block;
    let most = u64::from(entry.max_threads.min(MAX_THREADS));
    if launch.threads() == 0 || launch.threads() > most || depth > 64 {
        return Err(ProgramError::Block(position));
    }
    if launch.shared.saturating_add(entry.shared) > MAX_SHARED {
        return Err(ProgramError::Shared(position));
    }
    if launch.args.len() != entry.params.len() {
        return Err(ProgramError::ArgumentCount(position));
    }
    let mut total = 0u32;
    for (argument, (arg, size)) in (0u8..).zip(launch.args.iter().zip(&entry.params)) {
        total = total.saturating_add(u32::from(*size));
        let size = usize::from(*size);
        let fits = match arg {
            Arg::Buffer { index, offset } => {
                size == 8 && lengths.get(usize::from(*index)).is_some_and(|len| offset < len)
            }
            Arg::U8(_) => size == 1,
            Arg::U16(_) => size == 2,
            Arg::U32(_) | Arg::F32(_) => size == 4,
            Arg::U64(_) | Arg::F64(_) => size == 8,
            Arg::Bytes(bytes) => size == bytes.len(),
            Arg::Iteration => matches!(size, 4 | 8),
            Arg::Record { bytes, pointers } => {
                size == bytes.len()
                    && pointers.iter().all(|pointer| {
                        lengths.get(usize::from(pointer.index)).is_some_and(|len| pointer.offset < *len)
                            && usize::from(pointer.at).saturating_add(8) <= size
                            && pointer.at.is_multiple_of(8)
                    })
            }
        };
        if !fits || total > MAX_ARG_BYTES {
            return Err(ProgramError::Argument { launch: position, argument });
        }
    }
    launch.writes.check(launch.grid, lengths).map_err(|(map, error)| ProgramError::WriteMap {
        launch: position,
        map,
        error,
    })
}
