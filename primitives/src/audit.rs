//! The draw: which validators audit a commitment and which units they run.
//!
//! A validator evaluates `VRF(audit key, input)` on [`vrf_input`]. Its 32 output bytes decide everything: nobody can know
//! them before the commit, block authors cannot grind them, the validator cannot choose them.

use crate::{
    Account, AttemptIndex, BlockNumber, Hash, Launch, OrderId, Program, Step, Unit, hash,
    order::{AuditLevel, ReportVerdict},
};
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
    if validators == 0 {
        return false;
    }
    let seed = hash::derive(hash::Purpose::AuditAssignment, &[output]);
    let [a, b, c, d, ..] = seed;
    let drawn = u64::from(u32::from_le_bytes([a, b, c, d]));
    let doublings = elapsed.checked_div(WIDEN_BLOCKS).unwrap_or(0).min(32);
    // auditors / validators * 2^(1 + doublings), as a threshold for 32 drawn bits.
    let numerator = u128::from(auditors).checked_shl(doublings.saturating_add(33)).unwrap_or(u128::MAX);
    let threshold = numerator.checked_div(u128::from(validators)).unwrap_or(u128::MAX);
    u128::from(drawn) < threshold
}

/// The units that `output` draws: `level.units` of them with replacement by position, each uniform over the program's
/// units, duplicates removed, sorted.
pub fn draw_units(output: &Hash, program: &Program, level: AuditLevel) -> Vec<Unit> {
    let units = unit_count(program);
    if units == 0 {
        return Vec::new();
    }
    // The largest multiple of `units` below 2^64: draws beyond it would favour the first units.
    let limit = u64::MAX.checked_rem(units).map_or(0, |rest| u64::MAX.saturating_sub(rest));
    let mut drawn = Vec::with_capacity(usize::from(level.units));
    let mut stream = hash::stream(hash::Purpose::AuditDraw, &[output]);
    // Each draw is rejected with a chance below one half.
    let mut tries = u32::from(level.units).saturating_mul(64);
    while drawn.len() < usize::from(level.units) && tries > 0 {
        tries = tries.saturating_sub(1);
        let mut bytes = [0; 8];
        stream.fill(&mut bytes);
        let value = u64::from_le_bytes(bytes);
        if value < limit {
            drawn.extend(value.checked_rem(units));
        }
    }
    drawn.sort_unstable();
    drawn.dedup();
    drawn.into_iter().filter_map(|index| unit_at(program, index)).collect()
}

/// The key of the audit digest of one unit.
pub fn digest_key(output: &Hash, unit: Unit) -> Hash {
    unit.using_encoded(|bytes| hash::derive(hash::Purpose::AuditDigest, &[output, bytes]))
}

/// The unit at `index` of the program's units in order of launch, then z, y, x of the CTA.
pub fn unit_at(program: &Program, index: u64) -> Option<Unit> {
    let mut left = index;
    let mut first = 0u32;
    for step in &program.steps {
        let (times, launches): (u32, &[Launch]) = match step {
            Step::Launch(launch) => (1, core::slice::from_ref(launch)),
            Step::Repeat { times, launches } => (*times, launches),
        };
        let per_round = launches.iter().fold(0u64, |sum, launch| sum.saturating_add(launch.ctas()));
        let all = per_round.saturating_mul(u64::from(times));
        let per_round_launches = u32::try_from(launches.len()).ok()?;
        if left >= all {
            left = left.saturating_sub(all);
            first = first.saturating_add(per_round_launches.saturating_mul(times));
            continue;
        }
        let round = u32::try_from(left.checked_div(per_round)?).ok()?;
        left = left.checked_rem(per_round)?;
        for (position, launch) in (0u32..).zip(launches) {
            let ctas = launch.ctas();
            if left >= ctas {
                left = left.saturating_sub(ctas);
                continue;
            }
            let [x, y, _] = launch.grid.map(u64::from);
            let plane = x.checked_mul(y)?;
            let in_plane = left.checked_rem(plane)?;
            let cta = [in_plane.checked_rem(x)?, in_plane.checked_div(x)?, left.checked_div(plane)?];
            let [x, y, z] = cta.map(|c| u32::try_from(c).ok());
            let launch = first.saturating_add(round.saturating_mul(per_round_launches)).saturating_add(position);
            return Some(Unit { launch, cta: [x?, y?, z?] });
        }
    }
    None
}

/// Units of the program; saturating.
pub fn unit_count(program: &Program) -> u64 {
    program.steps.iter().fold(0u64, |sum, step| {
        let (times, launches): (u32, &[Launch]) = match step {
            Step::Launch(launch) => (1, core::slice::from_ref(launch)),
            Step::Repeat { times, launches } => (*times, launches),
        };
        let round = launches.iter().fold(0u64, |sum, launch| sum.saturating_add(launch.ctas()));
        sum.saturating_add(round.saturating_mul(u64::from(times)))
    })
}
