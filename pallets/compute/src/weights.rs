//! Weights of the calls.
//!
//! Until they are measured in Wasm they are formulae. The database part counts reads and writes by reading the code, at
//! the node's weights. The processor part is a fixed share per call, about twice what calls of pallet balances with as many
//! holds take, plus what grows with the input at the rates below; each rate is stated with where it comes from.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Picoseconds per unit of the engine's fuel in Wasm. Measured on the slowest units that are known, `./x bench runtime`: 24 ns
/// for packed video on a busy host (12 on a quiet one), 20 ns for owned memory, 2 to 12 ns for most.
pub const PS_PER_FUEL: u64 = 25_000;
/// Picoseconds per byte of PTX parsed and checked in Wasm: 10 MB/s.
pub const PS_PER_PTX_BYTE: u64 = 100_000;
/// Picoseconds per byte of witness decoded, proved and copied in Wasm: 40 MB/s, with BLAKE3 at about a third of it.
pub const PS_PER_WITNESS_BYTE: u64 = 25_000;
/// Picoseconds per byte hashed with BLAKE3 in Wasm without SIMD: 125 MB/s.
pub const PS_PER_HASHED_BYTE: u64 = 8_000;
/// Picoseconds per byte of program decoded, checked, encoded and hashed.
pub const PS_PER_PROGRAM_BYTE: u64 = 50_000;
/// Microseconds to verify one sr25519 signature by host function.
pub const SIGNATURE: u64 = 60;
/// Microseconds to verify one VRF proof in Wasm: two multi-scalar multiplications and three hashes to the curve, at ten
/// times their native 200 µs; and to draw up to 1024 units.
pub const VRF: u64 = 3_000;

const MICROSECOND: u64 = 1_000_000;
/// Bytes of proof per small storage item with its path in the trie.
const PROOF: u64 = 1_024;
/// Bytes of proof of the list of auditors, or of an attempt's reports.
const LIST: u64 = 20_000;
/// Bytes of proof of a kernel's entries.
const ENTRIES: u64 = 26_000;
/// Bytes of proof of a program.
const PROGRAM: u64 = 66_000;
/// Auditors that one order pays.
const PAID: u64 = crate::MAX_AUDITORS as u64;

/// Weights of the calls.
pub trait WeightInfo {
    /// [`crate::Call::register_kernel`] of `bytes` of PTX
    fn register_kernel(bytes: u32) -> Weight;
    /// [`crate::Call::retire_kernel`]
    fn retire_kernel() -> Weight;
    /// [`crate::Call::place_order`] with a program of `bytes` that names `kernels`
    fn place_order(bytes: u32, kernels: u32) -> Weight;
    /// [`crate::Call::cancel`]
    fn cancel() -> Weight;
    /// [`crate::Call::claim`]
    fn claim() -> Weight;
    /// Whether a claim is valid
    fn authorize_claim() -> Weight;
    /// [`crate::Call::decline`]
    fn decline() -> Weight;
    /// Whether a decline is valid
    fn authorize_decline() -> Weight;
    /// [`crate::Call::commit_result`]
    fn commit_result() -> Weight;
    /// Whether a commit is valid
    fn authorize_commit_result() -> Weight;
    /// [`crate::Call::report_audits`] with so many reports
    fn report_audits(reports: u32) -> Weight;
    /// Whether so many reports are valid
    fn authorize_report_audits(reports: u32) -> Weight;
    /// [`crate::Call::report_fault`]: bytes of witness, bytes of PTX, fuel
    fn report_fault(witness: u32, kernel: u32, fuel: u64) -> Weight;
    /// Whether a fault report with so many bytes of witness is valid
    fn authorize_report_fault(witness: u32) -> Weight;
    /// [`crate::Call::prove_fault`]: bytes of witness, bytes of PTX, fuel
    fn prove_fault(witness: u32, kernel: u32, fuel: u64) -> Weight;
    /// [`crate::Call::settle`]
    fn settle() -> Weight;
    /// Looking at one block's agenda
    fn agenda_block() -> Weight;
    /// Advancing one order of the agenda
    fn agenda_order() -> Weight;
}

/// `micros` of processor, the database operations, and the bytes of proof of large items.
fn weigh(db: frame_support::weights::RuntimeDbWeight, micros: u64, reads: u64, writes: u64, large: u64) -> Weight {
    let proof = reads.saturating_mul(PROOF).saturating_add(large);
    Weight::from_parts(micros.saturating_mul(MICROSECOND), proof).saturating_add(db.reads_writes(reads, writes))
}

fn per(units: u64, picoseconds: u64) -> Weight {
    Weight::from_parts(units.saturating_mul(picoseconds), 0)
}

/// The weights for a runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> SubstrateWeight<T> {
    /// An order ends: pays provider and auditors, releases the rest, lets the kernels go. Reads the order, the escrow, the
    /// program, the agenda and each account with its holds.
    fn closing() -> Weight {
        let accounts = PAID.saturating_add(2);
        let kernels = u64::from(assay_primitives::program::MAX_KERNELS);
        let operations = accounts.saturating_mul(2).saturating_add(kernels).saturating_add(8);
        weigh(T::DbWeight::get(), accounts.saturating_mul(30), operations, operations, PROGRAM)
    }

    /// An attempt fails: deals with the bond, reopens the order or ends it.
    fn failing() -> Weight {
        weigh(T::DbWeight::get(), 120, 12, 12, 0).saturating_add(Self::closing())
    }

    fn judging(witness: u32, kernel: u32, fuel: u64) -> Weight {
        weigh(T::DbWeight::get(), 50, 6, 1, PROGRAM.saturating_add(LIST).saturating_add(u64::from(kernel)))
            .saturating_add(per(u64::from(witness), PS_PER_WITNESS_BYTE))
            .saturating_add(per(u64::from(kernel), PS_PER_PTX_BYTE))
            .saturating_add(per(fuel, PS_PER_FUEL))
            .saturating_add(Self::failing())
    }
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Reads the kernel, the account, its holds; writes the kernel and its code besides.
    fn register_kernel(bytes: u32) -> Weight {
        weigh(T::DbWeight::get(), 60, 3, 4, 0)
            .saturating_add(per(u64::from(bytes), PS_PER_PTX_BYTE.saturating_add(PS_PER_HASHED_BYTE)))
    }

    fn retire_kernel() -> Weight {
        weigh(T::DbWeight::get(), 60, 4, 4, ENTRIES)
    }

    // Reads the auditors, the counters, the account, its holds, the program, the agenda and, per kernel, it and its uses.
    fn place_order(bytes: u32, kernels: u32) -> Weight {
        let kernels = u64::from(kernels);
        let large = LIST.saturating_add(PROGRAM).saturating_add(kernels.saturating_mul(ENTRIES));
        let micros = 400u64.saturating_add(kernels.saturating_mul(50));
        weigh(
            T::DbWeight::get(),
            micros,
            kernels.saturating_mul(2).saturating_add(11),
            kernels.saturating_add(11),
            large,
        )
        .saturating_add(per(u64::from(bytes), PS_PER_PROGRAM_BYTE))
    }

    fn cancel() -> Weight {
        Self::closing()
    }

    // Reads the order, the registration, the record, the auditors, the ledger, the agenda.
    fn claim() -> Weight {
        weigh(T::DbWeight::get(), 80, 7, 7, LIST)
    }

    fn authorize_claim() -> Weight {
        weigh(T::DbWeight::get(), SIGNATURE.saturating_add(60), 6, 0, LIST)
    }

    fn decline() -> Weight {
        Self::failing()
    }

    fn authorize_decline() -> Weight {
        weigh(T::DbWeight::get(), SIGNATURE.saturating_add(40), 5, 0, 0)
    }

    fn commit_result() -> Weight {
        weigh(T::DbWeight::get(), 100, 5, 4, 0)
    }

    fn authorize_commit_result() -> Weight {
        weigh(T::DbWeight::get(), SIGNATURE.saturating_add(60), 5, 0, 0)
    }

    fn report_audits(reports: u32) -> Weight {
        let reports = u64::from(reports);
        weigh(
            T::DbWeight::get(),
            reports.saturating_mul(30).saturating_add(20),
            reports.saturating_mul(3).saturating_add(1),
            reports,
            reports.saturating_add(1).saturating_mul(LIST),
        )
    }

    fn authorize_report_audits(reports: u32) -> Weight {
        let reports = u64::from(reports);
        weigh(
            T::DbWeight::get(),
            reports.saturating_mul(VRF).saturating_add(20),
            reports.saturating_mul(4).saturating_add(2),
            0,
            reports.saturating_mul(LIST.saturating_add(PROGRAM)).saturating_add(LIST),
        )
    }

    fn report_fault(witness: u32, kernel: u32, fuel: u64) -> Weight {
        Self::judging(witness, kernel, fuel).saturating_add(weigh(T::DbWeight::get(), 60, 3, 3, 0))
    }

    fn authorize_report_fault(witness: u32) -> Weight {
        weigh(T::DbWeight::get(), SIGNATURE.saturating_add(40), 6, 0, LIST)
            .saturating_add(per(u64::from(witness), PS_PER_HASHED_BYTE))
    }

    fn prove_fault(witness: u32, kernel: u32, fuel: u64) -> Weight {
        Self::judging(witness, kernel, fuel)
    }

    fn settle() -> Weight {
        Self::failing()
    }

    fn agenda_block() -> Weight {
        weigh(T::DbWeight::get(), 10, 1, 1, u64::from(crate::MAX_AGENDA).saturating_mul(8))
    }

    fn agenda_order() -> Weight {
        Self::failing()
    }
}
