//! What the pallet keeps.

use assay_engine::TrapKind;
use assay_primitives::{
    AttemptIndex, Balance, BlockNumber, Hash, OrderId, ProgramId,
    check::EntryInfo,
    order::{Failure, OrderStatus, Receipt, ReportVerdict, Terms},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use scale_info::TypeInfo;
use sp_core::ConstU32;

/// Bytes of one kernel's PTX.
pub const MAX_KERNEL_BYTES: u32 = 256 * 1024;
/// Accepted entries of one kernel.
pub const MAX_ENTRIES: u32 = 64;
/// Attempts at one order; when the last one fails, the order expires.
pub const MAX_ATTEMPTS: u32 = 16;
/// Declined attempts that void an order: its inputs do not arrive.
pub const MAX_DECLINES: u32 = 3;
/// Reports of one attempt.
pub const MAX_REPORTS: u32 = 64;
/// Reports of one call.
pub const MAX_BATCH: u32 = 16;
/// Auditors that an order may ask for.
pub const MAX_AUDITORS: u8 = 16;
/// Units that an order may ask each auditor to draw.
pub const MAX_DRAWS: u16 = 1024;
/// Blocks that an order may be open, an attempt may take, and a price may rise: five days of 2 s blocks.
pub const MAX_PHASE: BlockNumber = 216_000;
/// Planck that an order may offer at most: more than can ever exist.
pub const MAX_PRICE: Balance = 1_000_000_000_000_000_000_000_000_000_000;
/// Blocks of the audit window, at most.
pub const MAX_AUDIT_WINDOW: BlockNumber = 43_200;
/// Validators of one session.
pub const MAX_VALIDATORS: u32 = 256;
/// Entries of the agenda for one block.
pub const MAX_AGENDA: u32 = 512;
/// Share of an auditor's stake that a false fault report burns, in parts per million.
pub const FALSE_REPORT_PPM: u128 = 10_000;

/// Reports of one call.
pub type Batch = BoundedVec<assay_primitives::audit::Report, ConstU32<MAX_BATCH>>;

/// A key whose order in storage is the order of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Sorted(pub [u8; 8]);

impl From<OrderId> for Sorted {
    fn from(order: OrderId) -> Self {
        Self(order.to_be_bytes())
    }
}

impl From<Sorted> for OrderId {
    fn from(sorted: Sorted) -> Self {
        Self::from_be_bytes(sorted.0)
    }
}

/// A registered kernel, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Kernel<AccountId> {
    /// Who registered it and gets the deposit back.
    pub owner: AccountId,
    /// Planck on hold for its bytes.
    pub deposit: Balance,
    /// Bytes of PTX.
    pub len: u32,
    /// Version of the engine it was checked with.
    pub engine: u32,
    /// Its accepted entries.
    pub entries: BoundedVec<EntryInfo, ConstU32<MAX_ENTRIES>>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Order<AccountId> {
    /// Who pays.
    pub customer: AccountId,
    /// What is to be run.
    pub program: ProgramId,
    /// What is offered.
    pub terms: Terms,
    /// Where it stands.
    pub status: OrderStatus,
    /// Block of the order.
    pub placed_at: BlockNumber,
    /// Block since which it is open, when it is.
    pub open_since: BlockNumber,
    /// Root of state 0, from the program's declared inputs.
    pub start_root: Hash,
    /// States of its trace.
    pub states: u32,
    /// Planck for the auditors, part of what is held.
    pub audit_fee: Balance,
    /// Attempts so far.
    pub attempts: AttemptIndex,
    /// Attempts that were declined.
    pub declines: u32,
    /// Who tried and may not try again.
    pub excluded: BoundedVec<AccountId, ConstU32<MAX_ATTEMPTS>>,
    /// Planck the customer got from bonds.
    pub compensation: Balance,
    /// Last block of the present phase; after it the agenda acts. Of an ended order: of its program's retention. `None`:
    /// nothing is left to do.
    pub due: Option<BlockNumber>,
    /// What was paid to whom, when it is over.
    pub receipt: Option<Receipt>,
}

impl<AccountId> Order<AccountId> {
    /// Position of the last attempt.
    pub fn current(&self) -> Option<AttemptIndex> {
        self.attempts.checked_sub(1)
    }
}

/// A provider's commitment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Commitment {
    /// Block of the commit.
    pub at: BlockNumber,
    /// Last block of the audit window.
    pub window_ends: BlockNumber,
    /// The result.
    pub trace_root: Hash,
}

/// One provider's try at an order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Attempt<AccountId> {
    /// Who tries.
    pub provider: AccountId,
    /// Planck it earns if it settles.
    pub price: Balance,
    /// Planck of its stake locked until the attempt is over.
    pub bond: Balance,
    /// Block of the claim.
    pub claimed_at: BlockNumber,
    /// Last block for the commit.
    pub commit_by: BlockNumber,
    /// The commitment, once there is one.
    pub commitment: Option<Commitment>,
    /// Who showed that a later launch breaks a rule, run from the committed state: the program is at fault unless that state
    /// is proved wrong before the window closes.
    pub trapped: Option<AccountId>,
    /// How it ended, if it did without settling.
    pub failure: Option<Failure>,
}

/// An auditor's report, verified.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Reported<AccountId> {
    /// The validator's operator account.
    pub auditor: AccountId,
    /// What it found.
    pub verdict: ReportVerdict,
    /// Units it ran.
    pub units: u16,
    /// Lane-steps of those units together.
    pub lane_steps: u64,
    /// Fold of the audit digests of those units.
    pub digest: Hash,
    /// Block of the report.
    pub at: BlockNumber,
}

/// What a provider was convicted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum ProvedFault {
    /// State 0 is not the program's declared inputs.
    BadStart,
    /// A committed state has another number of buffers than the program, or a buffer of another length.
    BadState,
    /// A byte the unit owns is not what it computes.
    WrongByte {
        /// The buffer.
        buffer: u16,
        /// The first wrong byte.
        offset: u64,
    },
    /// A buffer that no write map of the launch names changed, or a byte that nobody owns.
    UnownedChange {
        /// The buffer.
        buffer: u16,
    },
}

impl From<assay_audit::Fault> for ProvedFault {
    fn from(fault: assay_audit::Fault) -> Self {
        match fault {
            assay_audit::Fault::BadStart => Self::BadStart,
            assay_audit::Fault::BadState => Self::BadState,
            assay_audit::Fault::WrongByte { buffer, offset } => Self::WrongByte { buffer, offset },
            assay_audit::Fault::UnownedChange { buffer } => Self::UnownedChange { buffer },
        }
    }
}

/// The rule that a program broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Rule {
    /// A unit takes more lane-steps than the cap.
    FuelExhausted,
    /// An access outside its buffer, or outside shared, local, constant or parameter memory.
    OutOfBounds,
    /// An address that is not a multiple of the access's size.
    Misaligned,
    /// A store to a byte that the CTA does not own.
    NotOwned,
    /// A load of a byte that another CTA owns in the same launch.
    OwnedByOther,
    /// Two threads touch a byte between barriers and one writes.
    Race,
    /// A read of uninitialised shared, local or register state.
    Uninitialised,
    /// A barrier that not all threads reach.
    Barrier,
    /// A `trap` instruction, or control that runs off the end.
    Trap,
    /// A rule that this version of the pallet has no name for.
    Other,
}

impl From<TrapKind> for Rule {
    fn from(kind: TrapKind) -> Self {
        match kind {
            TrapKind::FuelExhausted => Self::FuelExhausted,
            TrapKind::OutOfBounds => Self::OutOfBounds,
            TrapKind::Misaligned => Self::Misaligned,
            TrapKind::NotOwned => Self::NotOwned,
            TrapKind::OwnedByOther => Self::OwnedByOther,
            TrapKind::Race => Self::Race,
            TrapKind::Uninitialised => Self::Uninitialised,
            TrapKind::Barrier => Self::Barrier,
            TrapKind::Trap => Self::Trap,
            _ => Self::Other,
        }
    }
}
