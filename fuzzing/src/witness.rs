//! Witnesses from anybody.

use crate::{bytes::Bytes, plate::plate};
use assay_audit::Verdict;
use assay_primitives::{Unit, witness::Witness};
use codec::{Decode, Encode};

fn unit(byte: u8) -> Unit {
    Unit { launch: u32::from(byte & 1), cta: [u32::from(byte >> 1 & 1), 0, 0] }
}

/// The encoding of an honest witness, for a corpus.
pub fn honest_witness(of: u8) -> Vec<u8> {
    plate().witness(unit(of)).unwrap().0.encode()
}

/// The first byte chooses a unit of an honest job; with its top bit the rest is the witness's encoding, else a list of
/// edits (place, place, place, byte) of the honest one's. However it comes out, it convicts nobody, and it verifies only
/// what the unit computes.
pub fn witness(data: &[u8]) {
    let mut bytes = Bytes(data);
    let choice = bytes.byte();
    let trace = plate();
    let unit = unit(choice);
    let key = [9; 32];
    let (honest, _) = trace.witness(unit).unwrap();
    let decoded = if choice & 0x80 != 0 {
        Witness::decode(&mut bytes.rest())
    } else {
        let mut encoding = honest.encode();
        while !bytes.is_empty() {
            let at = (usize::from(bytes.byte()) | usize::from(bytes.byte()) << 8 | usize::from(bytes.byte()) << 16)
                % encoding.len();
            let byte = bytes.byte();
            match byte {
                0 => drop(encoding.remove(at)),
                1 => encoding.insert(at, 0),
                byte => encoding[at] ^= byte,
            }
            if encoding.is_empty() {
                break;
            }
        }
        Witness::decode(&mut &encoding[..])
    };
    let Ok(found) = decoded else { return };
    assert_eq!(Witness::decode(&mut &found.encode()[..]).as_ref(), Ok(&found), "the encoding is not canonical");
    let truth = trace.judge(unit, &honest, Some(&key));
    assert!(matches!(truth, Ok(Verdict::Verified { .. })), "{truth:?}");
    match trace.judge(unit, &found, Some(&key)) {
        Err(_) => {}
        verdict => assert_eq!(verdict, truth, "an edited witness shows something else"),
    }
}
