//! Slices from anybody.

use crate::bytes::Bytes;
use assay_primitives::{
    BlobId,
    slice::{CHUNK, Outboard, verify},
    witness::ByteRange,
};

fn range(bytes: &mut Bytes<'_>, len: u64) -> ByteRange {
    let offset = u64::from(bytes.word()) % (len + 2);
    ByteRange { offset, len: u64::from(bytes.word()) % (len + 2 - offset.min(len)) }
}

/// A blob, ranges, an encoding with edits: what verifies is the blob's bytes.
pub fn slices(data: &[u8]) {
    let mut bytes = Bytes(data);
    let len = u64::from(bytes.word() % 70_000);
    let salt = bytes.long();
    let blob: Vec<u8> = (0..len).map(|at| ((at ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect();
    let outboard = Outboard::new(&blob);
    assert_eq!(outboard.blob, BlobId::of(&blob));
    let mut ranges: Vec<ByteRange> = (0..bytes.below(6)).map(|_| range(&mut bytes, len)).collect();
    if bytes.chance(80) {
        // Made canonical.
        ranges.retain(|range| range.len > 0 && range.offset + range.len <= len);
        ranges.sort_unstable();
        let mut free = 0;
        ranges.retain(|range| {
            let fits = free == 0 || range.offset > free;
            if fits {
                free = range.offset + range.len;
            }
            fits
        });
    }
    let read = |offset: u64, len: u64| blob.get(offset as usize..(offset + len) as usize).map(<[u8]>::to_vec);
    let Some(mut encoding) = outboard.encode(&ranges, read) else {
        assert!(verify(&outboard.blob, &ranges, &[]).is_err());
        return;
    };
    let proved = verify(&outboard.blob, &ranges, &encoding).unwrap();
    for range in &ranges {
        let part = &blob[range.offset as usize..(range.offset + range.len) as usize];
        assert_eq!(proved.get(range.offset, range.len), Some(part));
    }
    let mut edited = false;
    while !bytes.is_empty() {
        let (at, byte) = (bytes.word() as usize, bytes.byte());
        edited = true;
        match byte {
            0 => encoding.truncate(at % (encoding.len() + 1)),
            1 => encoding.insert(at % (encoding.len() + 1), 0),
            _ if encoding.is_empty() => {}
            byte => {
                let at = at % encoding.len();
                encoding[at] ^= byte;
            }
        }
    }
    // Another length, another root, other ranges.
    let mut claim = outboard.blob;
    if edited && encoding.len() % 3 == 0 {
        claim.len ^= 1 << (encoding.len() / 3 % 20);
    }
    if let Ok(found) = verify(&claim, &ranges, &encoding) {
        for (start, run) in &found.runs {
            assert!(start.is_multiple_of(CHUNK));
            assert_eq!(&blob[*start as usize..*start as usize + run.len()], &run[..]);
        }
    }
    // A zeroed blob proves what it is asked for and no more.
    let zero = BlobId::zero(len);
    if let Ok(found) = verify(&zero, &ranges, &[]) {
        let (asked, given): (u64, usize) =
            (ranges.iter().map(|range| range.len).sum(), found.runs.iter().map(|run| run.1.len()).sum());
        assert_eq!(asked, given as u64);
    }
}
