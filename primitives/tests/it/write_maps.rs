use assay_primitives::{
    Axis, Dim, WriteMap, Writes,
    write_map::{MAX_OWNED_BYTES, MAX_OWNED_RUNS, MapError, Owner},
};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

/// A dimension before its stride is known: how far its step goes beyond what is inside it (or any stride), the extent, the
/// axis, the tile, and whether it falls.
#[derive(Clone, Debug)]
struct Draft {
    slack: u64,
    any: Option<i64>,
    extent: u64,
    tile: u64,
    falling: bool,
}

fn draft() -> impl Strategy<Value = Draft> {
    (
        prop_oneof![3 => Just(0u64), 1 => 1u64..12],
        proptest::option::weighted(0.05, -60i64..60),
        1u64..6,
        1u64..4,
        any::<bool>(),
    )
        .prop_map(|(slack, any, extent, tile, falling)| Draft { slack, any, extent, tile, falling })
}

/// Dimensions from the innermost out, with each axis used at most once.
fn dims() -> impl Strategy<Value = (u64, Vec<Dim>)> {
    let axes = Just([Some(Axis::X), Some(Axis::Y), Some(Axis::Z), None]).prop_shuffle();
    let ats = proptest::collection::vec((any::<bool>(), 0u32..3), 3);
    // Now and then x is split into digits, over what would have been the dimensions of x and of none.
    let digits = proptest::option::weighted(0.25, (1u32..5, 1u32..4, any::<bool>(), 0u32..20, 0u64..7));
    (1u64..6, proptest::collection::vec(draft(), 0..5), axes, ats, digits).prop_map(
        |(run, drafts, axes, ats, digits)| {
            let mut size = run;
            let mut dims = Vec::new();
            for (draft, axis) in drafts.into_iter().zip(axes) {
                let step = i64::try_from(size + draft.slack).unwrap();
                let stride = draft.any.unwrap_or(if draft.falling { -step } else { step });
                size += stride.unsigned_abs() * (draft.extent - 1);
                dims.push(Dim::Span { stride, extent: draft.extent, axis, tile: draft.tile });
            }
            let used = |axis: Axis, dims: &[Dim]| {
                dims.iter().any(|dim| matches!(dim, Dim::Span { axis: Some(other), .. } if *other == axis))
            };
            for (axis, (wanted, index)) in [Axis::X, Axis::Y, Axis::Z].into_iter().zip(ats) {
                if wanted && !used(axis, &dims) {
                    dims.push(Dim::At { axis, index });
                }
            }
            if let Some((first, second, swap, odd, elements)) = digits {
                let mut radix = [(1, first), (if odd == 0 { 1 } else { first }, second)];
                if swap {
                    radix.reverse();
                }
                let mut radix = radix.into_iter();
                for dim in &mut dims {
                    if let Dim::Span { stride, extent, axis: None | Some(Axis::X), tile } = *dim
                        && let Some((per, of)) = radix.next()
                    {
                        *dim = match elements {
                            0..3 => Dim::Digit { stride, extent, axis: Axis::X, tile, per, of },
                            tile => Dim::Element { stride, extent, axis: Axis::X, tile: tile - 2, per, of },
                        };
                    }
                }
            }
            dims.reverse();
            (run, dims)
        },
    )
}

/// One to three maps: alike but for the base and the run, or unlike.
fn maps() -> impl Strategy<Value = Vec<WriteMap>> {
    let map = |base, run, dims: &[Dim]| WriteMap { buffer: 0, base, dims: dims.to_vec().try_into().unwrap(), run };
    let alike = (dims(), proptest::collection::vec((0u64..200, 1u64..4), 1..4))
        .prop_map(move |((_, dims), places)| places.iter().map(|(base, run)| map(*base, *run, &dims)).collect());
    let unlike = proptest::collection::vec((dims(), 0u64..200), 1..4)
        .prop_map(move |maps| maps.iter().map(|((run, dims), base)| map(*base, *run, dims)).collect());
    prop_oneof![alike, unlike]
}

fn writes(maps: Vec<WriteMap>) -> Writes {
    Writes::Maps(maps.try_into().unwrap())
}

/// Who owns each byte, by the definition; an error when two CTAs, or two coordinates, own the same.
fn enumerate(maps: &[WriteMap], grid: [u32; 3], len: usize) -> Result<Vec<Owner>, ()> {
    // With the element that the digits so far make.
    fn walk(dims: &[Dim], at: i64, element: u64, cta: [u32; 3], hit: &mut impl FnMut(i64, u64)) {
        match dims.split_first() {
            Some((Dim::Element { stride, extent, per, of, .. }, rest)) => {
                for c in 0..u64::from(*of).min(*extent) {
                    walk(rest, at + c as i64 * stride, element + c * u64::from(*per), cta, hit);
                }
            }
            None => hit(at, element),
            Some((Dim::At { axis, index }, rest)) => {
                if cta[axis.index()] == *index {
                    walk(rest, at, element, cta, hit);
                }
            }
            Some((Dim::Digit { stride, extent, axis, tile, per, of }, rest)) => {
                for c in 0..*extent as i64 {
                    if c / *tile as i64 == i64::from(cta[axis.index()] / per % of) {
                        walk(rest, at + c * stride, element, cta, hit);
                    }
                }
            }
            Some((Dim::Span { stride, extent, axis, tile }, rest)) => {
                for c in 0..*extent as i64 {
                    let mine = axis.is_none_or(|axis| c / *tile as i64 == i64::from(cta[axis.index()]));
                    if mine {
                        walk(rest, at + c * stride, element, cta, hit);
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
                    let tile = map.dims.iter().find_map(|dim| match dim {
                        Dim::Element { axis, tile, .. } => Some((axis.index(), *tile)),
                        _ => None,
                    });
                    let cta = [x, y, z];
                    walk(&map.dims, map.base as i64, 0, cta, &mut |at, element| {
                        if tile.is_some_and(|(axis, tile)| element / tile != u64::from(cta[axis])) {
                            return;
                        }
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

const LEN: usize = 400;

fn agrees(maps: &[WriteMap], grid: [u32; 3]) -> Result<(), TestCaseError> {
    let checked = writes(maps.to_vec());
    let owners = enumerate(maps, grid, LEN);
    prop_assert!(owners.is_ok(), "a checked map clashes");
    let owners = owners.unwrap();
    for at in 0..LEN as u64 {
        let (owner, until) = checked.owner(grid, 0, at);
        prop_assert!(until > at);
        for byte in at..until.min(LEN as u64) {
            prop_assert_eq!(owner, owners[byte as usize], "byte {} of the run {}..{}", byte, at, until);
        }
    }
    let (from, until) = (LEN as u64 / 5, LEN as u64 / 2);
    let mut owned = vec![false; LEN];
    checked.ownership(grid).owned_between(0, from, until, |start, end| {
        assert!(from <= start && start < end && end <= until);
        owned[start as usize..end as usize].fill(true);
    });
    for byte in from as usize..until as usize {
        prop_assert_eq!(owned[byte], owners[byte] != Owner::Nobody);
    }
    for z in 0..grid[2] {
        for y in 0..grid[1] {
            for x in 0..grid[0] {
                let mut seen = vec![false; LEN];
                checked.for_each_owned([x, y, z], |_, offset, run| {
                    for byte in offset..offset + run {
                        assert!(!std::mem::replace(&mut seen[byte as usize], true), "byte {byte} is visited twice");
                    }
                    true
                });
                for (byte, seen) in seen.iter().enumerate() {
                    prop_assert_eq!(*seen, owners[byte] == Owner::Cta([x, y, z]));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn maps_that_pass_the_check_share_no_byte_and_owner_and_visit_agree_with_the_definition() {
    let accepted = std::cell::Cell::new([0u32; 4]);
    let with_digits = std::cell::Cell::new([0u32; 2]);
    let mut runner = seeded(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(15_000) });
    runner
        .run(&(maps(), [1u32..4, 1u32..3, 1u32..3]), |(maps, grid)| {
            if writes(maps.clone()).check(grid, &[LEN as u64]).is_ok() {
                let mut counts = accepted.get();
                counts[maps.len()] += 1;
                accepted.set(counts);
                let [mut digits, mut elements] = with_digits.get();
                let any = |of: fn(&Dim) -> bool| u32::from(maps.iter().any(|map| map.dims.iter().any(of)));
                digits += any(|dim| matches!(dim, Dim::Digit { .. }));
                elements += any(|dim| matches!(dim, Dim::Element { .. }));
                with_digits.set([digits, elements]);
                agrees(&maps, grid)?;
            }
            Ok(())
        })
        .unwrap();
    let [_, one, two, three] = accepted.get();
    let [digits, elements] = with_digits.get();
    assert!(digits > 100 && elements > 100, "too few maps with digits: {digits}, {elements}");
    assert!(one > 1000 && two > 300 && three > 50, "too few cases were checked: {:?}", accepted.get());
}

/// The same cases in every run: these tests count what they saw.
fn seeded(config: ProptestConfig) -> TestRunner {
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn most_single_maps_without_overlap_pass_the_check() {
    let counts = std::cell::Cell::new((0u32, 0u32));
    let mut runner = seeded(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) });
    runner
        .run(&(maps(), [1u32..4, 1u32..3, 1u32..3]), |(maps, grid)| {
            let reaches_nothing = matches!(writes(maps.clone()).check(grid, &[LEN as u64]), Err((_, MapError::Empty)));
            if enumerate(&maps, grid, LEN).is_ok() && !reaches_nothing {
                let (all, passed) = counts.get();
                let pass = writes(maps).check(grid, &[LEN as u64]).is_ok();
                counts.set((all + 1, passed + u32::from(pass)));
            }
            Ok(())
        })
        .unwrap();
    let (all, passed) = counts.get();
    // Some digits that do not make up the places of their axis happen not to collide.
    assert!(passed * 6 > all * 5, "{passed} of {all}");
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
    assert_eq!(
        check(vec![map_of(0, &[span(40, 10, x, 1), span(4, 10, x, 1)], 4)], [10, 1, 1]),
        Err((0, MapError::SharedByCtas))
    );
    assert_eq!(check(vec![map_of(0, &[span(4, 300, x, 30)], 4)], [10, 1, 1]), Err((0, MapError::OutOfBounds)));
    assert_eq!(check(vec![map_of(8, &[span(-4, 10, x, 1)], 4)], [10, 1, 1]), Err((0, MapError::OutOfBounds)));
    assert_eq!(check(vec![map_of(0, &[span(4, 0, x, 1)], 4)], [10, 1, 1]), Err((0, MapError::Empty)));
    assert_eq!(check(vec![map_of(0, &[], 0)], [1, 1, 1]), Err((0, MapError::Empty)));
    let rows = map_of(0, &[span(64, 8, x, 1)], 32);
    assert_eq!(
        check(vec![rows.clone(), map_of(16, &[span(64, 8, x, 1)], 32)], [8, 1, 1]),
        Err((1, MapError::OverlapsOther))
    );
    assert_eq!(check(vec![rows, map_of(32, &[span(64, 8, x, 1)], 32)], [8, 1, 1]), Ok(()));
    assert_eq!(
        writes(vec![WriteMap { buffer: 1, ..map_of(0, &[], 4) }]).check([1; 3], &[8]),
        Err((0, MapError::NoBuffer))
    );
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

#[test]
fn fields_of_padded_records_in_padded_rows_and_halves_of_rows_are_apart() {
    let x = Some(Axis::X);
    let y = Some(Axis::Y);
    // Rows of 100 bytes that hold 8 records of 12: three fields of 4.
    let field = |base| map_of(base, &[span(100, 6, y, 2), span(12, 8, x, 4)], 4);
    assert_eq!(writes(vec![field(0), field(4), field(8)]).check([2, 3, 1], &[600]), Ok(()));
    assert_eq!(writes(vec![field(0), field(4), field(3)]).check([2, 3, 1], &[600]), Err((2, MapError::OverlapsOther)));
    // Left and right half of rows of 400 bytes.
    let half = |base, columns| map_of(base, &[span(400, 10, y, 5), span(4, columns, x, 25)], 4);
    assert_eq!(writes(vec![half(0, 50), half(200, 50)]).check([2, 2, 1], &[4000]), Ok(()));
    assert_eq!(writes(vec![half(0, 51), half(200, 50)]).check([3, 2, 1], &[4000]), Err((1, MapError::OverlapsOther)));
    // Two arrays behind each other, and the rest of a grid-stride loop.
    let array = |base| map_of(base, &[span(4, 64, x, 32)], 4);
    assert_eq!(writes(vec![array(0), array(256)]).check([2, 1, 1], &[512]), Ok(()));
    let rounds = map_of(0, &[span(256, 3, None, 1), span(4, 64, x, 32)], 4);
    let rest = map_of(768, &[span(4, 40, x, 32)], 4);
    assert_eq!(writes(vec![rounds, rest]).check([2, 1, 1], &[928]), Ok(()));
}

#[test]
fn one_cta_may_not_own_more_than_a_witness_carries() {
    let len = 1u64 << 33;
    let check = |map: WriteMap| writes(vec![map]).check([1, 1, 1], &[len]);
    assert_eq!(check(map_of(0, &[], MAX_OWNED_BYTES)), Ok(()));
    assert_eq!(check(map_of(0, &[], MAX_OWNED_BYTES + 1)), Err((0, MapError::TooMuch)));
    assert_eq!(check(map_of(0, &[span(2, 1 << 30, None, 1)], 1)), Err((0, MapError::TooMuch)));
    assert_eq!(check(map_of(0, &[span(5, MAX_OWNED_RUNS, None, 1)], 4)), Ok(()));
    assert_eq!(check(map_of(0, &[span(5, MAX_OWNED_RUNS + 1, None, 1)], 4)), Err((0, MapError::TooMuch)));
    // Rows that touch are one run.
    assert_eq!(check(map_of(0, &[span(2048, 1024, None, 1), span(4, 512, None, 1)], 4)), Ok(()));
    assert_eq!(
        writes(vec![map_of(0, &[span(2, 1 << 30, Some(Axis::X), 256)], 1)]).check([1 << 22, 1, 1], &[len]),
        Ok(())
    );
}

proptest! {
    #[test]
    fn maps_of_any_numbers_are_answered_without_panic(
        base in any::<u64>(), run in any::<u64>(), grid in any::<[u32; 3]>(), cta in any::<[u32; 3]>(), at in any::<u64>(),
        spans in proptest::collection::vec((any::<i64>(), any::<u64>(), proptest::option::of(0usize..3), any::<u64>()), 0..6),
    ) {
        let axes = [Axis::X, Axis::Y, Axis::Z];
        let dims: Vec<Dim> = spans.iter().map(|(stride, extent, axis, tile)| span(*stride, *extent, axis.map(|axis| axes[axis]), *tile)).collect();
        let maps = writes(vec![map_of(base, &dims, run), map_of(base / 2, &dims, run % 100)]);
        let _ = maps.check(grid, &[u64::MAX]);
        prop_assert!(maps.owner(grid, 0, at).1 > at || at == u64::MAX);
        let mut left = 100;
        maps.for_each_owned(cta, |_, _, _| { left -= 1; left > 0 });
    }
}

/// Batches and tiles of rows in one axis of the grid, as convolutions count them: x = batch + 3 * (column + 2 * row).
#[test]
fn digits_of_an_axis_place_tiles_that_are_cut_at_their_edges() {
    let digit = |stride, extent, tile, per, of| Dim::Digit { stride, extent, axis: Axis::X, tile, per, of };
    let map = |dims: Vec<Dim>| WriteMap { buffer: 0, base: 4, dims: dims.try_into().unwrap(), run: 2 };
    let good = [digit(100, 3, 1, 1, 3), digit(14, 7, 4, 6, 2), digit(2, 6, 4, 3, 2)];
    let grid = [12, 1, 1];
    let checked = writes(vec![map(good.to_vec())]);
    assert_eq!(checked.check(grid, &[LEN as u64]), Ok(()));
    agrees(&[map(good.to_vec())], grid).unwrap();
    // Row 5, column 4 of batch 2: the second tile along both.
    assert_eq!(checked.owner(grid, 0, 4 + 200 + 5 * 14 + 8).0, Owner::Cta([2 + 3 + 6, 0, 0]));
    // A grid that ends early leaves what later CTAs would own to nobody.
    agrees(&[map(good.to_vec())], [10, 1, 1]).unwrap();

    let shared = Err((0, MapError::SharedByCtas));
    let check = |dims: Vec<Dim>, grid| writes(vec![map(dims)]).check(grid, &[LEN as u64]);
    assert_eq!(check(good.to_vec(), [13, 1, 1]), shared, "more places than the digits have");
    assert_eq!(check(good[..2].to_vec(), grid), shared, "a digit is missing");
    assert_eq!(check(vec![good[0], good[1], digit(2, 6, 4, 2, 3)], grid), shared, "digits do not follow each other");
    assert_eq!(check(vec![good[0], good[1], digit(2, 6, 4, 3, 1)], grid), shared, "a digit of one value");
    let also = Dim::Span { stride: 2, extent: 6, axis: Some(Axis::X), tile: 4 };
    assert_eq!(check(vec![good[0], good[1], also], grid), shared, "a digit and the whole place");
    assert_eq!(check(vec![good[0], digit(0, 7, 4, 6, 2), good[2]], grid), Err((0, MapError::Overlap)));
}

/// A transposition of 6 × 10 elements by 8 threads a CTA: element e = 10 * row + column goes to 6 * column + row.
#[test]
fn elements_of_a_flat_index_lie_where_their_digits_say() {
    let digit = |stride, per, of| Dim::Element { stride, extent: of, axis: Axis::X, tile: 8, per, of: of as u32 };
    let map = |dims: Vec<Dim>| WriteMap { buffer: 0, base: 4, dims: dims.try_into().unwrap(), run: 4 };
    let good = vec![digit(24, 1, 10), digit(4, 10, 6)];
    let checked = writes(vec![map(good.clone())]);
    let grid = [8, 1, 1];
    assert_eq!(checked.check(grid, &[LEN as u64]), Ok(()));
    agrees(&[map(good.clone())], grid).unwrap();
    for element in 0..60u64 {
        let at = 4 + (element % 10) * 24 + element / 10 * 4;
        assert_eq!(checked.owner(grid, 0, at).0, Owner::Cta([(element / 8) as u32, 0, 0]), "element {element}");
    }
    // A grid that ends early, and elements that do not count.
    agrees(&[map(good.clone())], [5, 1, 1]).unwrap();
    let odd = Dim::Element { stride: 4, extent: 3, axis: Axis::X, tile: 8, per: 10, of: 6 };
    agrees(&[map(vec![good[0], odd])], grid).unwrap();

    let shared = Err((0, MapError::SharedByCtas));
    let check = |dims: Vec<Dim>| writes(vec![map(dims)]).check(grid, &[LEN as u64]);
    assert_eq!(check(vec![digit(24, 1, 10), digit(4, 9, 6)]), shared, "digits do not follow each other");
    assert_eq!(check(vec![digit(24, 2, 10), digit(4, 20, 6)]), shared, "the first digit is missing");
    let wide = Dim::Element { stride: 4, extent: 6, axis: Axis::X, tile: 9, per: 10, of: 6 };
    assert_eq!(check(vec![digit(24, 1, 10), wide]), shared, "CTAs of two sizes");
    let other = Dim::Element { stride: 4, extent: 6, axis: Axis::Y, tile: 8, per: 10, of: 6 };
    assert_eq!(check(vec![digit(24, 1, 10), other]), shared, "elements of two axes");
    assert_eq!(check(vec![digit(20, 1, 10), digit(4, 10, 6)]), Err((0, MapError::Overlap)));
    let huge = Dim::Element { stride: 4, extent: 6, axis: Axis::X, tile: MAX_OWNED_RUNS + 1, per: 1, of: 6 };
    assert_eq!(check(vec![huge]), Err((0, MapError::TooMuch)));
}
