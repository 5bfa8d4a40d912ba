use crate::support::plate_trace;
use assay_audit::{BuildError, Trace, Verdict, WitnessError, WitnessParts, build_witness};
use assay_primitives::{
    Dim, Step, Unit, WriteMap, Writes,
    audit::{unit_at, unit_count},
    program::Buffer,
    slice::Outboard,
    trace::trace_path,
    witness::{BufferSlice, ByteRange, MAX_WITNESS_BYTES, Side, Witness},
};
use codec::{DecodeAll, Encode};
use proptest::prelude::*;
use std::sync::Arc;

#[test]
fn a_unit_that_does_not_exist_has_no_verdict() {
    let trace = plate_trace();
    let (witness, _) = trace.witness(Unit { launch: 0, cta: [0; 3] }).unwrap();
    for unit in [
        Unit { launch: 4, cta: [0; 3] },
        Unit { launch: u32::MAX, cta: [0; 3] },
        Unit { launch: 0, cta: [3, 0, 0] },
        Unit { launch: 0, cta: [0, 0, 1] },
    ] {
        assert_eq!(trace.judge(unit, &witness, None), Err(WitnessError::NoUnit));
    }
}

#[test]
fn a_witness_of_another_unit_launch_or_trace_shows_nothing() {
    let trace = plate_trace();
    let unit = Unit { launch: 1, cta: [1, 0, 0] };
    let (witness, _) = trace.witness(unit).unwrap();
    assert_eq!(trace.judge(Unit { launch: 2, ..unit }, &witness, None), Err(WitnessError::Path));
    assert_eq!(trace.judge(Unit { cta: [1, 1, 0], ..unit }, &witness, None), Err(WitnessError::Incomplete));
    let swapped = Witness { before: witness.after.clone(), after: witness.before.clone(), ..witness.clone() };
    assert_eq!(trace.judge(unit, &swapped, None), Err(WitnessError::Path));
    let mut other = trace.clone();
    other.states[4].write(0, 0, &[1]);
    assert_eq!(other.judge(unit, &witness, None), Err(WitnessError::Path));
}

#[test]
fn a_witness_without_the_bytes_that_a_unit_needs_shows_nothing() {
    let trace = plate_trace();
    let unit = Unit { launch: 1, cta: [1, 0, 0] };
    let (witness, _) = trace.witness(unit).unwrap();
    assert!(witness.slices.len() > 1);
    for index in 0..witness.slices.len() {
        let mut slices = witness.slices.to_vec();
        slices.remove(index);
        let less = Witness { slices: slices.try_into().unwrap(), ..witness.clone() };
        assert_eq!(trace.judge(unit, &less, None), Err(WitnessError::Incomplete), "without {index}");
    }
}

#[test]
fn bytes_that_a_unit_overwrites_need_not_be_proved_before() {
    let trace = plate_trace();
    let unit = Unit { launch: 2, cta: [1, 0, 0] };
    let (witness, _) = trace.witness(unit).unwrap();
    let of = |side, buffer| {
        let slices = witness.slices.iter().filter(move |part| part.side == side && part.buffer == buffer);
        slices.map(|part| part.ranges.iter().map(|range| range.len).sum::<u64>()).sum::<u64>()
    };
    assert!(of(Side::Before, 0) > 0, "what it reads");
    assert!(of(Side::After, 1) > 0, "what it wrote");
    assert_eq!(of(Side::After, 0) + of(Side::Before, 1), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn a_tampered_witness_never_gives_another_verdict(
        byte in any::<prop::sample::Index>(), bit in 0u8..8, which in any::<prop::sample::Index>(), head in any::<bool>(),
    ) {
        let trace = plate_trace();
        let unit = unit_at(&trace.program, which.index(unit_count(&trace.program) as usize) as u64).unwrap();
        let (witness, _) = trace.witness(unit).unwrap();
        let mut bytes = witness.encode();
        // Half of the time among the paths, addresses and ranges.
        let at = byte.index(if head { 600 } else { bytes.len() });
        bytes[at] ^= 1 << bit;
        if let Ok(tampered) = Witness::decode_all(&mut bytes.as_slice()) {
            let verdict = trace.judge(unit, &tampered, None);
            prop_assert!(verdict.is_err(), "{verdict:?}");
        }
    }

    #[test]
    fn random_bytes_as_slices_show_nothing(
        which in any::<prop::sample::Index>(), noise in proptest::collection::vec(any::<u8>(), 0..3000),
        side in any::<bool>(), buffer in 0u16..4, offset in 0u64..5000, len in 0u64..5000,
    ) {
        let trace = plate_trace();
        let unit = unit_at(&trace.program, which.index(unit_count(&trace.program) as usize) as u64).unwrap();
        let (mut witness, _) = trace.witness(unit).unwrap();
        let part = BufferSlice {
            side: if side { Side::Before } else { Side::After },
            buffer,
            ranges: vec![ByteRange { offset, len }].try_into().unwrap(),
            slice: noise.try_into().unwrap(),
        };
        witness.slices = vec![part].try_into().unwrap();
        prop_assert!(trace.judge(unit, &witness, None).is_err());
    }
}

#[test]
fn slices_out_of_order_or_twice_are_refused() {
    let trace = plate_trace();
    let unit = Unit { launch: 0, cta: [0; 3] };
    let (witness, _) = trace.witness(unit).unwrap();
    assert!(witness.slices.len() > 1);
    let mut reversed = witness.slices.to_vec();
    reversed.reverse();
    let mut twice = witness.slices.to_vec();
    twice.insert(0, twice[0].clone());
    for slices in [reversed, twice] {
        let wrong = Witness { slices: slices.try_into().unwrap(), ..witness.clone() };
        assert_eq!(trace.judge(unit, &wrong, None), Err(WitnessError::Slice));
    }
}

/// Heat on a plate whose first buffer is followed by a third, zeroed one.
fn with_large_zeros(len: u64) -> Trace {
    let mut trace = plate_trace();
    trace.program.buffers.try_push(Buffer { len, init: assay_primitives::Init::Zero, output: false }).unwrap();
    for state in &mut trace.states {
        state.buffers.push(Arc::new(Vec::new()));
        state.outboards.push(Arc::new(Outboard::zero(len)));
    }
    trace
}

#[test]
fn zeros_that_cost_nothing_to_prove_count_as_bytes_of_the_witness() {
    let trace = with_large_zeros(1 << 33);
    let unit = Unit { launch: 0, cta: [0; 3] };
    let (witness, _) = trace.witness(unit).unwrap();
    let with = |len| {
        let mut slices = witness.slices.to_vec();
        let ranges = vec![ByteRange { offset: 0, len }].try_into().unwrap();
        let place = slices.iter().position(|part| part.side == Side::After).unwrap();
        slices.insert(place, BufferSlice { side: Side::Before, buffer: 2, ranges, slice: Default::default() });
        trace.judge(unit, &Witness { slices: slices.try_into().unwrap(), ..witness.clone() }, None)
    };
    assert!(matches!(with(1 << 20), Ok(Verdict::Verified { .. })));
    assert_eq!(with(u64::from(MAX_WITNESS_BYTES)), Err(WitnessError::Slice));
    assert_eq!(with(1 << 33), Err(WitnessError::Slice));
}

#[test]
fn a_unit_that_owns_more_than_a_witness_carries_has_no_witness() {
    let mut trace = plate_trace();
    let Step::Repeat { launches, .. } = &mut trace.program.steps[0] else { panic!() };
    // Not a checked program: nothing may take time or memory for it.
    launches[0].writes = Writes::Maps(
        vec![WriteMap {
            buffer: 1,
            base: 0,
            dims: vec![Dim::Span { stride: 2, extent: 1 << 40, axis: None, tile: 1 }].try_into().unwrap(),
            run: 1,
        }]
        .try_into()
        .unwrap(),
    );
    let unit = Unit { launch: 0, cta: [0; 3] };
    let roots = trace.roots();
    let parts = WitnessParts {
        before: &trace.states[0],
        after: &trace.states[1],
        before_path: trace_path(&roots, 0).unwrap(),
        after_path: trace_path(&roots, 1).unwrap(),
    };
    assert_eq!(build_witness(&trace.job(), unit, parts).map(|_| ()), Err(BuildError::NoUnit));
    let (witness, _) = plate_trace().witness(unit).unwrap();
    assert_eq!(trace.judge(unit, &witness, None), Err(WitnessError::NoUnit));
}
