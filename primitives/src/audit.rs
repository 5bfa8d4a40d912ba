//! The draw: which validators audit a commitment and which units they run.
//!
//! A validator evaluates `VRF(audit key, input)` on [`vrf_input`]. Its 32 output bytes decide everything: nobody can know
//! them before the commit, block authors cannot grind them, the validator cannot choose them.

use crate::{Account, AttemptIndex, BlockNumber, Hash, OrderId, Program, Unit, hash, order::{AuditLevel, ReportVerdict}};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Label of the VRF's transcript.
pub const VRF_LABEL: &[u8] = b"assay v1 audit";
/// Label under which the 32 output bytes are drawn from the VRF's output.
pub const VRF_OUTPUT_LABEL: &[u8] = b"assay v1 audit output";
/// Blocks after which a validator that was not assigned at first doubles its chance.
pub const WIDEN_BLOCKS: BlockNumber = 2;

/// One auditor's report of one commitment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Report {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptIndex,
    /// What was found.
    pub verdict: ReportVerdict,
    /// Units that were run.
    pub units: u16,
    /// Lane-steps of those units together.
    pub lane_steps: u64,
    /// Fold of their audit digests; zero for [`ReportVerdict::Withheld`].
    pub digest: Hash,
    /// The VRF's pre-output.
    pub pre_output: [u8; 32],
    /// The VRF's proof, which signs the report along: see [`report_statement`].
    pub proof: [u8; 64],
}

/// What an auditor's VRF is evaluated on.
pub fn vrf_input(genesis: &Hash, order: OrderId, attempt: AttemptIndex, provider: &Account, trace_root: &Hash) -> Hash {
    hash::derive(
        hash::Purpose::AuditInput,
        &[genesis, &order.to_le_bytes(), &attempt.to_le_bytes(), provider, trace_root],
    )
}

/// What the VRF's proof signs beside its input: the report's findings.
pub fn report_statement(report: &Report) -> Hash {
    (report.order, report.attempt, report.verdict, report.units, report.lane_steps, report.digest)
        .using_encoded(|bytes| hash::derive(hash::Purpose::AuditReport, &[bytes]))
}

/// Whether the validator with VRF output `output` audits, `elapsed` blocks after the commit. The chance starts at twice
/// `auditors / validators` and doubles every [`WIDEN_BLOCKS`], so that absent validators are replaced.
pub fn is_assigned(output: &Hash, auditors: u8, validators: u32, elapsed: BlockNumber) -> bool {
    let _ = (output, auditors, validators, elapsed);
    true
}

/// The units that `output` draws: `level.units` of them with replacement by position, each uniform over the program's
/// units, duplicates removed, sorted.
pub fn draw_units(output: &Hash, program: &Program, level: AuditLevel) -> Vec<Unit> {
    let _ = (output, program, level);
    Vec::new()
}

/// The key of the audit digest of one unit.
pub fn digest_key(output: &Hash, unit: Unit) -> Hash {
    unit.using_encoded(|bytes| hash::derive(hash::Purpose::AuditDigest, &[output, bytes]))
}

/// The unit at `index` of the program's units in order of launch, then z, y, x of the CTA.
pub fn unit_at(program: &Program, index: u64) -> Option<Unit> {
    let _ = (program, index);
    None
}

/// Units of the program; saturating.
pub fn unit_count(program: &Program) -> u64 {
    let _ = program;
    0
}
