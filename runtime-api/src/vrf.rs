//! The auditors' VRF, said once for those who evaluate it and those who verify it: the sr25519 VRF of sp-core over
//! [`assay_primitives::audit::vrf_input`], whose proof signs the report along.

use assay_primitives::{
    Hash,
    audit::{VRF_LABEL, VRF_OUTPUT_LABEL},
};
use codec::Decode;
use sp_core::{
    crypto::{KeyTypeId, VrfPublic},
    sr25519::{
        Public,
        vrf::{VrfInput, VrfPreOutput, VrfProof, VrfSignData, VrfSignature, VrfTranscript},
    },
};

/// Key type of a validator's audit key in keystores and session keys.
pub const AUDIT_KEY: KeyTypeId = KeyTypeId(*b"audt");

/// Label of the transcript that carries the report.
const REPORT_LABEL: &[u8] = b"assay v1 audit report";

/// What the VRF is evaluated on.
pub fn input(vrf_input: &Hash) -> VrfInput {
    VrfTranscript::new(VRF_LABEL, &[(b"input", vrf_input)])
}

/// What is signed: the input, and beside it the findings of
/// [`report_statement`](assay_primitives::audit::report_statement).
pub fn sign_data(vrf_input: &Hash, statement: &Hash) -> VrfSignData {
    VrfSignData::new(input(vrf_input)).with_extra(VrfTranscript::new(REPORT_LABEL, &[(b"report", statement)]))
}

/// The 32 bytes that decide the draw, from a pre-output; `None` when it is no point of the curve.
pub fn output(auditor: &Public, vrf_input: &Hash, pre_output: &[u8; 32]) -> Option<Hash> {
    let pre_output = VrfPreOutput::decode(&mut pre_output.as_slice()).ok()?;
    pre_output.make_bytes(VRF_OUTPUT_LABEL, &input(vrf_input), auditor).ok()
}

/// Whether `proof` shows that `auditor` evaluated the VRF to `pre_output` and signed `statement` along.
pub fn verify(auditor: &Public, vrf_input: &Hash, statement: &Hash, pre_output: &[u8; 32], proof: &[u8; 64]) -> bool {
    let Ok(pre_output) = VrfPreOutput::decode(&mut pre_output.as_slice()) else { return false };
    let Ok(proof) = VrfProof::decode(&mut proof.as_slice()) else { return false };
    auditor.vrf_verify(&sign_data(vrf_input, statement), &VrfSignature { pre_output, proof })
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use sp_core::{Pair, crypto::VrfSecret, sr25519};

    fn signed(pair: &sr25519::Pair, statement: &Hash) -> ([u8; 32], [u8; 64]) {
        let signature = pair.vrf_sign(&sign_data(&[1; 32], statement));
        let mut pre_output = [0; 32];
        pre_output.copy_from_slice(&signature.pre_output.encode());
        let mut proof = [0; 64];
        proof.copy_from_slice(&signature.proof.encode());
        (pre_output, proof)
    }

    #[test]
    fn the_signer_and_the_verifier_compute_the_same_output() {
        let pair = sr25519::Pair::from_seed(&[7; 32]);
        let (pre_output, proof) = signed(&pair, &[2; 32]);
        assert!(verify(&pair.public(), &[1; 32], &[2; 32], &pre_output, &proof));
        let drawn: Hash = pair.make_bytes(VRF_OUTPUT_LABEL, &input(&[1; 32]));
        assert_eq!(output(&pair.public(), &[1; 32], &pre_output), Some(drawn));
    }

    #[test]
    fn the_output_does_not_depend_on_the_report() {
        let pair = sr25519::Pair::from_seed(&[7; 32]);
        assert_eq!(signed(&pair, &[2; 32]).0, signed(&pair, &[3; 32]).0);
    }

    #[test]
    fn a_changed_report_key_or_input_does_not_verify() {
        let pair = sr25519::Pair::from_seed(&[7; 32]);
        let other = sr25519::Pair::from_seed(&[8; 32]);
        let (pre_output, proof) = signed(&pair, &[2; 32]);
        assert!(!verify(&pair.public(), &[1; 32], &[3; 32], &pre_output, &proof));
        assert!(!verify(&pair.public(), &[9; 32], &[2; 32], &pre_output, &proof));
        assert!(!verify(&other.public(), &[1; 32], &[2; 32], &pre_output, &proof));
        assert!(!verify(&pair.public(), &[1; 32], &[2; 32], &[0xff; 32], &proof));
    }
}
