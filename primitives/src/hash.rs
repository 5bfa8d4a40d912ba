//! All hashing: BLAKE3, plain for blobs and kernels, `derive_key` with one versioned context per purpose for the rest.

/// A 32-byte BLAKE3 output.
pub type Hash = [u8; 32];

/// What a derived hash is for. Each purpose has its own context string, so that no hash can be taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A program's SCALE encoding.
    Program,
    /// The list of a state's buffers.
    State,
    /// A zeroed buffer's address.
    Zero,
    /// A leaf of the trace tree.
    TraceLeaf,
    /// An inner node of the trace tree.
    TraceNode,
    /// The trace tree's top with the number of its leaves.
    TraceRoot,
    /// What an auditor's VRF is evaluated on.
    AuditInput,
    /// Whether an auditor is assigned.
    AuditAssignment,
    /// Which units an auditor draws.
    AuditDraw,
    /// The key of the audit digest of one unit.
    AuditDigest,
    /// What an auditor's VRF proof signs along: its whole report.
    AuditReport,
    /// A provider's claim.
    Claim,
    /// A provider's decline.
    Decline,
    /// A provider's commit.
    Commit,
    /// A validator's fault report.
    FaultReport,
    /// An upload to a blob server.
    Upload,
}

impl Purpose {
    const fn context(self) -> &'static str {
        match self {
            Self::Program => "assay v1 program",
            Self::State => "assay v1 state",
            Self::Zero => "assay v1 zero",
            Self::TraceLeaf => "assay v1 trace leaf",
            Self::TraceNode => "assay v1 trace node",
            Self::TraceRoot => "assay v1 trace root",
            Self::AuditInput => "assay v1 audit input",
            Self::AuditAssignment => "assay v1 audit assignment",
            Self::AuditDraw => "assay v1 audit draw",
            Self::AuditDigest => "assay v1 audit digest",
            Self::AuditReport => "assay v1 audit report",
            Self::Claim => "assay v1 claim",
            Self::Decline => "assay v1 decline",
            Self::Commit => "assay v1 commit",
            Self::FaultReport => "assay v1 fault report",
            Self::Upload => "assay v1 upload",
        }
    }
}

/// BLAKE3 `derive_key` of `parts`, one after the other, under the context of `purpose`. Callers pass parts of fixed
/// length, or SCALE encodings, so that the concatenation is unambiguous.
pub fn derive(purpose: Purpose, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(purpose.context());
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// As [`derive`], as a stream without end.
pub fn stream(purpose: Purpose, parts: &[&[u8]]) -> blake3::OutputReader {
    let mut hasher = blake3::Hasher::new_derive_key(purpose.context());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize_xof()
}

/// Plain BLAKE3: blob roots and kernel ids.
pub fn plain(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}
