//! Orders, attempts and what the chain tells of them.

use crate::{Account, AttemptIndex, Balance, BlockNumber, Hash, KernelId, OrderId, ProgramId};
use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A Dutch price: `start` when the order opens, rising in equal steps to `max` over `blocks` blocks, then `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct PriceCurve {
    /// Planck at the block of the order.
    pub start: Balance,
    /// Planck at the end; at least `start`. The customer never pays more for the work.
    pub max: Balance,
    /// Blocks from `start` to `max`; 0 is a fixed price of `max`.
    pub blocks: BlockNumber,
}

/// How hard an order is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct AuditLevel {
    /// Validators whose reports must say verified before the order settles; 1 or more.
    pub auditors: u8,
    /// Units each of them draws; 1 or more.
    pub units: u16,
}

/// What a customer offers for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Terms {
    /// The price.
    pub price: PriceCurve,
    /// Blocks after the order (or its reopening) in which it may be claimed; then it expires.
    pub open_blocks: BlockNumber,
    /// Blocks from claim to commit: uploads, the run and the self-check.
    pub attempt_blocks: BlockNumber,
    /// The audits.
    pub audit: AuditLevel,
}

/// Why an attempt ended without settling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Failure {
    /// The provider declined: the inputs did not arrive. No fault.
    Declined,
    /// No commit before the deadline.
    NoShow,
    /// The provider committed a wrong result, and the chain proved it.
    ProviderFault,
    /// The window closed without the audits the order asked for: the data was not served.
    Withheld,
    /// The customer's program broke its rules, and the chain proved it.
    ProgramFault,
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum OrderStatus {
    /// Waits for a claim.
    Open,
    /// A provider works on it.
    Claimed,
    /// A result is committed and audited.
    Committed,
    /// Paid. Terminal.
    Settled,
    /// Nobody finished it in time; refunded. Terminal.
    Expired,
    /// The customer took it back; refunded. Terminal.
    Cancelled,
    /// The program broke its rules; the provider's share is paid, the rest refunded. Terminal.
    Voided,
}

impl OrderStatus {
    /// Whether nothing can happen to the order any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Settled | Self::Expired | Self::Cancelled | Self::Voided)
    }
}

/// What an auditor found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum ReportVerdict {
    /// Every drawn unit reproduced.
    Verified,
    /// A witness was not served, or does not prove what it must.
    Withheld,
}

/// One attempt as the chain tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AttemptView {
    /// Position among the order's attempts.
    pub attempt: AttemptIndex,
    /// Who claimed it.
    pub provider: Account,
    /// Planck the provider earns if it settles.
    pub price: Balance,
    /// Planck of the provider's stake locked for it.
    pub bond: Balance,
    /// Block of the claim.
    pub claimed_at: BlockNumber,
    /// Last block for the commit.
    pub commit_by: BlockNumber,
    /// Block of the commit.
    pub committed_at: Option<BlockNumber>,
    /// Last block of the audit window.
    pub window_ends: Option<BlockNumber>,
    /// The result.
    pub trace_root: Option<Hash>,
    /// The audits so far.
    pub reports: Vec<ReportView>,
    /// How it ended, if it did without settling.
    pub failure: Option<Failure>,
}

/// One auditor's report as the chain tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ReportView {
    /// The validator's operator account.
    pub auditor: Account,
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

/// One order as the chain tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OrderView {
    /// Its number.
    pub order: OrderId,
    /// Who pays.
    pub customer: Account,
    /// Address of its program.
    pub program: ProgramId,
    /// What was offered.
    pub terms: Terms,
    /// Where it stands.
    pub status: OrderStatus,
    /// Block of the order.
    pub placed_at: BlockNumber,
    /// Block since which it is open, when it is.
    pub open_since: BlockNumber,
    /// Planck still held for it.
    pub held: Balance,
    /// Every attempt, first to last.
    pub attempts: Vec<AttemptView>,
    /// What was paid to whom, when it is over.
    pub receipt: Option<Receipt>,
}

/// What became of an order's money. The parts add up: `held = provider + protocol_fee + audit_fee + refund`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Receipt {
    /// Planck that were held for the order.
    pub held: Balance,
    /// Planck the provider got.
    pub provider: Balance,
    /// Planck burned as the protocol's fee.
    pub protocol_fee: Balance,
    /// Planck the auditors got, together.
    pub audit_fee: Balance,
    /// Planck that went back to the customer.
    pub refund: Balance,
    /// Planck the customer got from the bonds of failed attempts, beside all the above.
    pub compensation: Balance,
    /// Block in which the order ended.
    pub closed_at: BlockNumber,
}

/// What an order would cost and lock, before it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Quote {
    /// Units of the program.
    pub units: u64,
    /// Planck for the auditors.
    pub audit_fee: Balance,
    /// Planck the order would hold: the highest price and the audit fee.
    pub escrow: Balance,
    /// Planck a provider would have to lock.
    pub bond: Balance,
}

/// A kernel as the chain tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct KernelView {
    /// BLAKE3 of its PTX.
    pub kernel: KernelId,
    /// Who registered it and gets the deposit back.
    pub owner: Account,
    /// Planck held for its bytes.
    pub deposit: Balance,
    /// Bytes of PTX.
    pub len: u32,
    /// Version of the engine it was checked with.
    pub engine: u32,
    /// Names of its accepted entries.
    pub entries: Vec<String>,
}

/// A provider as the chain tells it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProviderView {
    /// The operator.
    pub operator: Account,
    /// URL of its blob server.
    pub endpoint: String,
    /// Key that signs its claims and commits.
    pub worker: Account,
    /// Planck staked.
    pub stake: Balance,
    /// Planck of it locked in bonds.
    pub bonded: Balance,
    /// Block up to which it may not claim.
    pub suspended_until: Option<BlockNumber>,
    /// Attempts it claimed.
    pub attempts: u32,
    /// Attempts that settled.
    pub settled: u32,
    /// Attempts it declined.
    pub declined: u32,
    /// Attempts it let pass.
    pub no_shows: u32,
    /// Attempts with a proved fault, or withheld.
    pub faults: u32,
    /// Planck slashed from it.
    pub slashed: Balance,
}

/// The chain's constants that clients need.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize))]
pub struct Parameters {
    /// Lane-steps one unit may take.
    pub unit_fuel: u64,
    /// Bytes of one witness.
    pub witness_bytes: u32,
    /// Bytes of one kernel's PTX.
    pub kernel_bytes: u32,
    /// Planck a kernel's owner deposits per byte.
    pub deposit_per_byte: Balance,
    /// Blocks of the audit window after a commit.
    pub audit_window: BlockNumber,
    /// Blocks a provider must wait for inputs before it may decline.
    pub decline_after: BlockNumber,
    /// Planck an operator stakes at least.
    pub min_stake: Balance,
}

/// One commitment that an auditor may be drawn for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AuditTask {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptIndex,
    /// Who committed.
    pub provider: Account,
    /// URL of its blob server.
    pub endpoint: String,
    /// Address of the program.
    pub program: ProgramId,
    /// What was committed.
    pub trace_root: Hash,
    /// Block of the commit.
    pub committed_at: BlockNumber,
    /// Last block of the audit window.
    pub window_ends: BlockNumber,
    /// The audit level.
    pub audit: AuditLevel,
    /// Validators that may audit.
    pub validators: u32,
    /// Whether this auditor has reported already.
    pub reported: bool,
}
