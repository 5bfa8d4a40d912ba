//! Property tests of the pure rules.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assay_primitives::{
    Axis, BlobId, Dim, Hash, WriteMap, Writes,
    audit::{draw_units, is_assigned, unit_at, unit_count},
    economy,
    order::{AuditLevel, PriceCurve},
    program::{Buffer, Init, Launch, Program, Step},
    slice::{self, Outboard, SliceError},
    trace::{TracePath, trace_path, trace_root, verify_path},
    witness::ByteRange,
    write_map::{MapError, Owner},
};
use proptest::prelude::*;

fn axis() -> impl Strategy<Value = Axis> {
    prop_oneof![Just(Axis::X), Just(Axis::Y), Just(Axis::Z)]
}

fn dim() -> impl Strategy<Value = Dim> {
    prop_oneof![
        4 => (-40i64..40, 1u64..6, proptest::option::weighted(0.7, axis()), 1u64..4)
            .prop_map(|(stride, extent, axis, tile)| Dim::Span { stride, extent, axis, tile }),
        1 => (axis(), 0u32..3).prop_map(|(axis, index)| Dim::At { axis, index }),
    ]
}

fn map() -> impl Strategy<Value = WriteMap> {
    (0u64..80, proptest::collection::vec(dim(), 0..4), 1u64..6).prop_map(|(base, dims, run)| WriteMap {
        buffer: 0,
        base,
        dims: dims.try_into().unwrap(),
        run,
    })
}

fn writes(maps: Vec<WriteMap>) -> Writes {
    Writes::Maps(maps.try_into().unwrap())
}

/// Who owns each byte, by the definition; an error when two CTAs, or two coordinates, own the same.
fn enumerate(maps: &[WriteMap], grid: [u32; 3], len: usize) -> Result<Vec<Owner>, ()> {
    fn walk(dims: &[Dim], at: i64, cta: [u32; 3], hit: &mut impl FnMut(i64)) {
        match dims.split_first() {
            None => hit(at),
            Some((Dim::At { axis, index }, rest)) => {
                if cta[axis.index()] == *index {
                    walk(rest, at, cta, hit);
                }
            }
            Some((Dim::Span { stride, extent, axis, tile }, rest)) => {
                for c in 0..*extent as i64 {
                    let mine = axis.is_none_or(|axis| c / *tile as i64 == i64::from(cta[axis.index()]));
                    if mine {
                        walk(rest, at + c * stride, cta, hit);
                    }
                }
            }
        }
    }
    let mut owners = vec![Owner::Nobody; len];
    let mut clash = false;
    for z in 0..grid[2] {
        for y in 0..grid[1] {
            for x in 0..grid[0] {
                for map in maps {
                    walk(&map.dims, map.base as i64, [x, y, z], &mut |at| {
                        for byte in at..at + map.run as i64 {
                            match usize::try_from(byte).ok().and_then(|byte| owners.get_mut(byte)) {
                                Some(owner @ Owner::Nobody) => *owner = Owner::Cta([x, y, z]),
                                _ => clash = true,
                            }
                        }
                    });
                }
            }
        }
    }
    if clash { Err(()) } else { Ok(owners) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, max_global_rejects: 10_000_000, ..ProptestConfig::default() })]

    #[test]
    fn maps_that_pass_the_check_share_no_byte_and_owner_and_visit_agree_with_the_definition(
        maps in proptest::collection::vec(map(), 1..4),
        grid in [1u32..4, 1u32..3, 1u32..3],
    ) {
        let len = 256usize;
        let checked = writes(maps.clone());
        prop_assume!(checked.check(grid, &[len as u64]).is_ok());
        let owners = enumerate(&maps, grid, len).expect("a checked map clashes");
        let mut at = 0u64;
        while at < len as u64 {
            let (owner, until) = checked.owner(grid, 0, at);
            prop_assert!(until > at);
            for byte in at..until.min(len as u64) {
                prop_assert_eq!(owner, owners[byte as usize], "byte {} of the run {}..{}", byte, at, until);
            }
            at += 1;
        }
        for z in 0..grid[2] { for y in 0..grid[1] { for x in 0..grid[0] {
            let mut seen = vec![false; len];
            checked.for_each_owned([x, y, z], |_, offset, run| {
                for byte in offset..offset + run { seen[byte as usize] = true; }
                true
            });
            for (byte, seen) in seen.iter().enumerate() {
                prop_assert_eq!(*seen, owners[byte] == Owner::Cta([x, y, z]));
            }
        }}}
    }
}

fn span(stride: i64, extent: u64, axis: Option<Axis>, tile: u64) -> Dim {
    Dim::Span { stride, extent, axis, tile }
}

fn map_of(base: u64, dims: &[Dim], run: u64) -> WriteMap {
    WriteMap { buffer: 0, base, dims: dims.to_vec().try_into().unwrap(), run }
}

#[test]
fn maps_that_overlap_are_refused_with_the_reason() {
    let check = |maps: Vec<WriteMap>, grid| writes(maps).check(grid, &[1024]);
    let x = Some(Axis::X);
    assert_eq!(check(vec![map_of(0, &[span(4, 100, x, 10)], 8)], [10, 1, 1]), Err((0, MapError::Overlap)));
    assert_eq!(check(vec![map_of(0, &[span(4, 100, None, 1)], 4)], [2, 1, 1]), Err((0, MapError::SharedByCtas)));
    assert_eq!(check(vec![map_of(0, &[span(40, 10, x, 1), span(4, 10, x, 1)], 4)], [10, 1, 1]), Err((0, MapError::SharedByCtas)));
    assert_eq!(check(vec![map_of(0, &[span(4, 300, x, 30)], 4)], [10, 1, 1]), Err((0, MapError::OutOfBounds)));
    assert_eq!(check(vec![map_of(8, &[span(-4, 10, x, 1)], 4)], [10, 1, 1]), Err((0, MapError::OutOfBounds)));
    assert_eq!(check(vec![map_of(0, &[span(4, 0, x, 1)], 4)], [10, 1, 1]), Err((0, MapError::Empty)));
    assert_eq!(check(vec![map_of(0, &[], 0)], [1, 1, 1]), Err((0, MapError::Empty)));
    let rows = map_of(0, &[span(64, 8, x, 1)], 32);
    assert_eq!(check(vec![rows.clone(), map_of(16, &[span(64, 8, x, 1)], 32)], [8, 1, 1]), Err((1, MapError::OverlapsOther)));
    assert_eq!(check(vec![rows, map_of(32, &[span(64, 8, x, 1)], 32)], [8, 1, 1]), Ok(()));
    assert_eq!(writes(vec![WriteMap { buffer: 1, ..map_of(0, &[], 4) }]).check([1; 3], &[8]), Err((0, MapError::NoBuffer)));
}

#[test]
fn an_image_tiled_by_ctas_with_a_tail_is_owned_pixel_by_pixel() {
    // 100 × 50 pixels of 4 bytes, tiles of 16 × 16.
    let tile = map_of(0, &[span(400, 50, Some(Axis::Y), 16), span(4, 100, Some(Axis::X), 16)], 4);
    let maps = writes(vec![tile]);
    let grid = [7, 4, 1];
    assert_eq!(maps.check(grid, &[20_000]), Ok(()));
    assert_eq!(maps.owner(grid, 0, 49 * 400 + 99 * 4).0, Owner::Cta([6, 3, 0]));
    assert_eq!(maps.owner(grid, 0, 16 * 400).0, Owner::Cta([0, 1, 0]));
}

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

    #[test]
    fn a_trace_path_proves_its_state_at_its_place_and_nothing_else(
        states in proptest::collection::vec(any::<Hash>(), 1..70), index in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let count = states.len() as u32;
        let root = trace_root(&states).unwrap();
        let index = index.index(states.len()) as u32;
        let path = trace_path(&states, index).unwrap();
        let state = states[index as usize];
        prop_assert!(verify_path(&root, count, index, &state, &path));
        let other = other.index(states.len()) as u32;
        prop_assert_eq!(verify_path(&root, count, other, &state, &path), other == index);
        prop_assert!(!verify_path(&root, count + 1, index, &state, &path), "a count lie");
        let mut short = path.0.to_vec();
        if short.pop().is_some() {
            prop_assert!(!verify_path(&root, count, index, &state, &TracePath(short.try_into().unwrap())), "a short path");
        }
        let mut wrong = state;
        wrong[0] ^= 1;
        prop_assert!(!verify_path(&root, count, index, &wrong, &path));
    }

    #[test]
    fn an_inner_node_of_a_trace_is_no_leaf(states in proptest::collection::vec(any::<Hash>(), 4..5)) {
        // The path of leaf 0 without its first sibling, and the node above as if it were a state.
        let root = trace_root(&states).unwrap();
        let path = trace_path(&states, 0).unwrap();
        let upper = TracePath(path.0[1..].to_vec().try_into().unwrap());
        prop_assert!(!verify_path(&root, 2, 0, &states[0], &upper));
    }

    #[test]
    fn every_split_of_money_adds_up(held in any::<u128>(), price in any::<u128>(), fee in any::<u128>(), bond in any::<u128>()) {
        for split in [economy::settle(held, price, fee), economy::void(held, price, fee)] {
            let parts = [split.provider, split.protocol_fee, split.audit_fee, split.refund];
            prop_assert_eq!(parts.iter().fold(0u128, |sum, part| sum.checked_add(*part).unwrap()), held);
        }
        let slash = economy::slash(bond);
        prop_assert_eq!(slash.customer + slash.finder + slash.burned, bond);
    }

    #[test]
    fn the_price_rises_from_start_to_max_and_never_leaves_them(
        start in 0u128..1 << 100, rise in 0u128..1 << 100, blocks in 0u32..1000, at in 0u32..2000,
    ) {
        let curve = PriceCurve { start, max: start + rise, blocks };
        let price = economy::price_at(&curve, at);
        prop_assert!(price >= start && price <= curve.max);
        prop_assert!(economy::price_at(&curve, at + 1) >= price);
        prop_assert_eq!(economy::price_at(&curve, blocks), curve.max);
    }

    #[test]
    fn faking_a_tenth_of_the_units_loses_money(price in 1u128..1 << 80, auditors in 1u8..8, units in 1u16..200) {
        let level = AuditLevel { auditors, units };
        let bond = economy::bond(price, level);
        let p = economy::detection_ppm(level);
        // Caught: the part of the bond that no friend gets back. Not caught: the price, at no cost.
        let burned = bond - economy::slash(bond).finder - economy::slash(bond).customer;
        let loss = burned.saturating_mul(p);
        let gain = price.saturating_mul(1_000_000 - p);
        prop_assert!(loss + loss / 1000 + 10_000_000 >= gain, "loss {} gain {}", loss, gain);
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

fn program(grids: &[[u32; 3]], times: u32) -> Program {
    let launch = |grid: &[u32; 3]| Launch {
        kernel: 0,
        entry: b"k".to_vec().try_into().unwrap(),
        grid: *grid,
        block: [1; 3],
        shared: 0,
        args: Default::default(),
        writes: Writes::Maps(Default::default()),
    };
    let launches: Vec<Launch> = grids.iter().map(launch).collect();
    Program {
        kernels: vec![[0; 32]].try_into().unwrap(),
        buffers: vec![Buffer { len: 4, init: Init::Zero, output: true }].try_into().unwrap(),
        steps: vec![
            Step::Launch(launches[0].clone()),
            Step::Repeat { times, launches: launches.try_into().unwrap() },
        ]
        .try_into()
        .unwrap(),
    }
}

#[test]
fn units_are_numbered_without_gap_or_alias() {
    let program = program(&[[3, 2, 2], [1, 5, 1]], 3);
    let count = unit_count(&program);
    assert_eq!(count, 12 + 3 * 17);
    let units: std::collections::BTreeSet<_> = (0..count).map(|index| unit_at(&program, index).unwrap()).collect();
    assert_eq!(units.len() as u64, count);
    assert_eq!(units.last().unwrap().launch, 6);
    for unit in &units {
        let launch = program.launch(unit.launch).unwrap().launch;
        assert!(unit.cta.iter().zip(launch.grid).all(|(place, size)| *place < size));
    }
    assert_eq!(unit_at(&program, count), None);
}

#[test]
fn measured_detection_matches_the_formula() {
    let program = program(&[[100, 1, 1]], 9);
    // A tenth of the units is wrong; 7 draws find one with probability 1 - 0.9^7 = 52.2 %.
    let wrong = |unit: &assay_primitives::Unit| unit.cta[0] < 10;
    let level = AuditLevel { auditors: 1, units: 7 };
    let trials = 20_000u32;
    let found = (0..trials)
        .filter(|trial| {
            let mut output = [0; 32];
            output[..4].copy_from_slice(&trial.to_le_bytes());
            draw_units(&output, &program, level).iter().any(wrong)
        })
        .count() as f64;
    let expected = 1.0 - 0.9f64.powi(7);
    assert!((found / f64::from(trials) - expected).abs() < 0.015, "{}", found / f64::from(trials));
    assert_eq!(economy::detection_ppm(level), 521_703);
}

#[test]
fn assignment_is_as_likely_as_asked_and_widens_until_everyone_is_drawn() {
    let drawn = |elapsed| {
        (0..10_000u32)
            .filter(|i| {
                let mut output = [0; 32];
                output[..4].copy_from_slice(&i.to_le_bytes());
                is_assigned(&output, 2, 16, elapsed)
            })
            .count()
    };
    let at_first = drawn(0);
    assert!((2300..2700).contains(&at_first), "{at_first} of 10000, expected a quarter");
    assert!(drawn(2) > at_first);
    assert_eq!(drawn(40), 10_000);
    assert!(is_assigned(&[0; 32], 1, 1, 0), "a lone validator always audits");
    assert!(!is_assigned(&[0; 32], 1, 0, 0));
}
