use assay_primitives::{
    BlobId,
    slice::{self, Builder, Outboard, SliceError},
    witness::ByteRange,
};
use proptest::prelude::*;

fn ranges(len: u64) -> impl Strategy<Value = Vec<ByteRange>> {
    proptest::collection::vec((0..len.max(1), 1u64..5000), 0..6).prop_map(move |mut raw| {
        raw.sort_unstable();
        let mut out: Vec<ByteRange> = Vec::new();
        for (offset, size) in raw {
            let size = size.min(len.saturating_sub(offset));
            let free = out.last().map_or(0, |last| last.offset + last.len + 1);
            if size > 0 && (offset >= free) {
                out.push(ByteRange { offset, len: size });
            }
        }
        out
    })
}

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 256) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_slice_proves_its_ranges_and_any_change_is_refused(
        (len, ranges, flip) in (0usize..100_000).prop_flat_map(|len| (Just(len), ranges(len as u64), any::<prop::sample::Index>())),
    ) {
        let bytes = data(len);
        let outboard = Outboard::new(&bytes);
        let encoding = outboard.encode(&ranges, |offset, size| {
            bytes.get(offset as usize..(offset + size) as usize).map(<[u8]>::to_vec)
        }).unwrap();
        let proved = slice::verify(&outboard.blob, &ranges, &encoding).unwrap();
        for range in &ranges {
            prop_assert_eq!(
                proved.get(range.offset, range.len).unwrap(),
                &bytes[range.offset as usize..(range.offset + range.len) as usize]
            );
        }
        if !encoding.is_empty() {
            let mut flipped = encoding.clone();
            flipped[flip.index(encoding.len())] ^= 1;
            prop_assert!(slice::verify(&outboard.blob, &ranges, &flipped).is_err());
            prop_assert!(slice::verify(&outboard.blob, &ranges, &encoding[..encoding.len() - 1]).is_err());
        }
        let mut longer = encoding;
        longer.push(0);
        prop_assert!(slice::verify(&outboard.blob, &ranges, &longer).is_err());
    }

    #[test]
    fn a_slice_is_what_bao_tree_writes_for_the_same_chunks(
        (len, ranges) in (1usize..60_000).prop_flat_map(|len| (Just(len), ranges(len as u64))),
    ) {
        use bao_tree::{BlockSize, ChunkNum, ChunkRanges, io::{outboard::PreOrderMemOutboard, sync::encode_ranges}};
        let bytes = data(len);
        let outboard = Outboard::new(&bytes);
        let ours = outboard.encode(&ranges, |offset, size| {
            Some(bytes[offset as usize..(offset + size) as usize].to_vec())
        }).unwrap();
        let theirs_tree = PreOrderMemOutboard::create(&bytes, BlockSize::ZERO);
        let mut chunks = ChunkRanges::empty();
        for range in &ranges {
            let (from, to) = (range.offset / 1024, (range.offset + range.len).div_ceil(1024));
            chunks |= ChunkRanges::from(ChunkNum(from)..ChunkNum(to));
        }
        let mut theirs = Vec::new();
        encode_ranges(&bytes[..], &theirs_tree, &chunks, &mut theirs).unwrap();
        prop_assert_eq!(*theirs_tree.root.as_bytes(), outboard.blob.root);
        prop_assert_eq!(ours, theirs);
    }
}

#[test]
fn a_zeroed_buffer_needs_no_proof_and_is_not_the_plain_blob_of_its_zeros() {
    let zero = BlobId::zero(1 << 33);
    assert!(zero.is_zero());
    let ranges = [ByteRange { offset: 5, len: 10 }];
    assert_eq!(slice::verify(&zero, &ranges, &[]).unwrap().get(5, 10), Some(&[0u8; 10][..]));
    assert_eq!(slice::verify(&zero, &ranges, &[0]), Err(SliceError::Trailing));
    assert!(!Outboard::new(&[0; 4096]).blob.is_zero());
}

#[test]
fn ranges_out_of_order_or_out_of_bounds_prove_nothing() {
    let outboard = Outboard::new(&data(5000));
    let range = |offset, len| ByteRange { offset, len };
    for ranges in [
        vec![range(0, 0)],
        vec![range(4990, 11)],
        vec![range(100, 10), range(50, 10)],
        vec![range(0, 10), range(5, 10)],
        vec![range(0, 10), range(10, 10)],
        vec![range(u64::MAX, 2)],
    ] {
        assert_eq!(slice::verify(&outboard.blob, &ranges, &[]), Err(SliceError::Ranges), "{ranges:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_blob_hashed_in_pieces_has_the_root_and_outboard_of_the_whole(
        len in prop_oneof![0usize..70_000, Just(1024), Just(16_384), Just(32_768), Just(16_385)],
        pieces in proptest::collection::vec(1usize..20_000, 1..8),
    ) {
        let bytes = data(len);
        let mut builder = Builder::default();
        let mut rest = &bytes[..];
        for piece in pieces.iter().cycle() {
            if rest.is_empty() { break; }
            let (head, tail) = rest.split_at((*piece).min(rest.len()));
            builder.update(head);
            rest = tail;
        }
        let outboard = builder.finish();
        prop_assert_eq!(outboard.blob, BlobId::of(&bytes));
        prop_assert_eq!(outboard, Outboard::new(&bytes));
    }

    #[test]
    fn arbitrary_encodings_and_wrong_lengths_prove_no_wrong_byte(
        (len, ranges) in (1usize..40_000).prop_flat_map(|len| (Just(len), ranges(len as u64))),
        claimed in 1u64..50_000, noise in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let bytes = data(len);
        let outboard = Outboard::new(&bytes);
        let encoding = outboard.encode(&ranges, |offset, size| Some(bytes[offset as usize..(offset + size) as usize].to_vec())).unwrap();
        if !ranges.is_empty() {
            prop_assert!(slice::verify(&outboard.blob, &ranges, &noise).is_err());
        }
        // A wrong length may verify for chunks that are not the last, but never for other bytes than the blob's.
        let wrong = BlobId { len: claimed, ..outboard.blob };
        if let Ok(proved) = slice::verify(&wrong, &ranges, &encoding) {
            for (start, run) in &proved.runs {
                prop_assert_eq!(Some(&run[..]), bytes.get(*start as usize..*start as usize + run.len()));
            }
            // The last chunk shows the length.
            let last = [ByteRange { offset: claimed - 1, len: 1 }];
            if claimed < len as u64 {
                let honest = outboard.encode(&last, |offset, size| Some(bytes[offset as usize..(offset + size) as usize].to_vec())).unwrap();
                prop_assert!(slice::verify(&wrong, &last, &honest).is_err());
            }
        }
    }
}

#[test]
fn an_outboard_of_another_blob_encodes_nothing() {
    let bytes = data(100_000);
    let mut outboard = Outboard::new(&bytes);
    outboard.groups[3][0] ^= 1;
    let range = [ByteRange { offset: 70_000, len: 1 }];
    assert_eq!(
        outboard.encode(&range, |offset, len| Some(bytes[offset as usize..(offset + len) as usize].to_vec())),
        None
    );
    let honest = Outboard::new(&bytes);
    assert_eq!(honest.encode(&range, |_, len| Some(vec![0; len as usize - 1])), None);
    assert_eq!(honest.encode(&range, |_, _| None), None);
}
