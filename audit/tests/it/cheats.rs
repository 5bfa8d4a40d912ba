use crate::support::{Dice, plate_trace, verdict};
use assay_audit::{Fault, Trace, Verdict, run_cta};
use assay_primitives::{BlobId, Step, Unit, Writes, slice::Outboard, witness::ByteRange};
use std::sync::Arc;

#[test]
fn each_of_a_thousand_wrong_bytes_is_convicted() {
    let trace = plate_trace();
    let units: Vec<Unit> = trace.units().collect();
    let mut dice = Dice(1);
    for _ in 0..1000 {
        let unit = units[dice.below(units.len() as u64) as usize];
        let effects = run_cta(&trace.job(), unit, &trace.states[unit.launch as usize], None).unwrap().effects;
        let effect = &effects[dice.below(effects.len() as u64) as usize];
        let place = dice.below(effect.bytes.len() as u64);
        let wrong = effect.bytes[place as usize] ^ (1 << dice.below(8));
        let mut lie = trace.clone();
        lie.states[unit.launch as usize + 1].write(effect.buffer, effect.offset + place, &[wrong]);
        let fault = Fault::WrongByte { buffer: effect.buffer, offset: effect.offset + place };
        assert_eq!(verdict(&lie, unit), Verdict::ProviderFault(fault));
    }
}

#[test]
fn a_wrong_byte_of_one_unit_does_not_convict_another() {
    let trace = plate_trace();
    let unit = Unit { launch: 1, cta: [0, 0, 0] };
    let effects = run_cta(&trace.job(), unit, &trace.states[1], None).unwrap().effects;
    let mut lie = trace.clone();
    // Only in the last state that launch 1 leaves: nobody reads it.
    lie.states.truncate(3);
    let Step::Repeat { times, .. } = &mut lie.program.steps[0] else { panic!() };
    *times = 1;
    lie.states[2].write(effects[0].buffer, effects[0].offset, &[effects[0].bytes[0] ^ 1]);
    for other in lie.units() {
        let convicted = matches!(verdict(&lie, other), Verdict::ProviderFault(_));
        assert_eq!(convicted, other == unit, "{other:?}");
    }
}

#[test]
fn a_false_start_is_convicted() {
    let unit = Unit { launch: 0, cta: [1, 1, 0] };
    let mut lie = plate_trace();
    lie.states[0].write(0, 0, &[1, 2, 3]);
    assert_eq!(verdict(&lie, unit), Verdict::ProviderFault(Fault::BadStart));

    // The plain hash of zeros is not the address of a zeroed buffer.
    let mut lie = plate_trace();
    lie.states[0].hash(1);
    assert_eq!(verdict(&lie, unit), Verdict::ProviderFault(Fault::BadStart));
}

#[test]
fn states_of_another_shape_are_convicted() {
    let unit = Unit { launch: 0, cta: [1, 1, 0] };
    let mut lie = plate_trace();
    Arc::make_mut(&mut lie.states[1].buffers[1]).push(0);
    lie.states[1].hash(1);
    assert_eq!(verdict(&lie, unit), Verdict::ProviderFault(Fault::BadState));

    let (mut witness, _) = plate_trace().witness(unit).unwrap();
    witness.after.blobs.pop();
    let state = assay_primitives::trace::state_root(&witness.after.blobs);
    let mut roots = plate_trace().roots();
    roots[1] = state;
    let root = assay_primitives::trace::trace_root(&roots).unwrap();
    witness.before.path = assay_primitives::trace::trace_path(&roots, 0).unwrap();
    witness.after.path = assay_primitives::trace::trace_path(&roots, 1).unwrap();
    assert_eq!(
        assay_audit::judge(&plate_trace().job(), &root, unit, &witness, None),
        Ok(Verdict::ProviderFault(Fault::BadState))
    );
}

#[test]
fn a_change_of_a_buffer_that_no_map_names_is_convicted() {
    let mut lie = plate_trace();
    lie.states[1].write(0, 5, &[0xff]);
    let unit = Unit { launch: 0, cta: [1, 1, 0] };
    assert_eq!(verdict(&lie, unit), Verdict::ProviderFault(Fault::UnownedChange { buffer: 0 }));
}

/// The first launch's map cut to its first rows.
fn cut(trace: &mut Trace, rows: u64) {
    let Step::Repeat { launches, .. } = &mut trace.program.steps[0] else { panic!() };
    let Writes::Maps(maps) = &mut launches[0].writes;
    let assay_primitives::Dim::Span { extent, .. } = &mut maps[0].dims[0] else { panic!() };
    *extent = rows;
}

#[test]
fn a_byte_that_nobody_owns_may_not_change_beside_owned_ones() {
    let unit = Unit { launch: 0, cta: [0, 0, 0] };
    // The first 16 of 24 rows of 160 bytes end in the middle of chunk 2.
    let mut lie = plate_trace();
    cut(&mut lie, 16);
    lie.states[1].buffers[1] = {
        let mut bytes = lie.states[1].buffers[1].to_vec();
        bytes[16 * 160..].fill(0);
        Arc::new(bytes)
    };
    lie.states[1].hash(1);
    assert!(matches!(verdict(&lie, unit), Verdict::Verified { .. }), "{:?}", verdict(&lie, unit));
    lie.states[1].write(1, 16 * 160, &[0xee]);
    assert_eq!(verdict(&lie, unit), Verdict::ProviderFault(Fault::UnownedChange { buffer: 1 }));
}

#[test]
fn a_byte_that_nobody_owns_far_away_is_convicted_by_a_witness_that_shows_it() {
    let unit = Unit { launch: 0, cta: [0, 0, 0] };
    let mut lie = plate_trace();
    cut(&mut lie, 16);
    let mut bytes = lie.states[1].buffers[1].to_vec();
    bytes[16 * 160..].fill(0);
    bytes[3700] = 1;
    lie.states[1].buffers[1] = Arc::new(bytes);
    lie.states[1].hash(1);
    let (mut witness, _) = lie.witness(unit).unwrap();
    assert!(matches!(lie.judge(unit, &witness, None), Ok(Verdict::Verified { .. })));
    // Chunk 3 of both states is added.
    let mut slices = witness.slices.to_vec();
    for part in slices.iter_mut().filter(|part| part.buffer == 1) {
        let state = &lie.states[if part.side == assay_primitives::witness::Side::Before { 0 } else { 1 }];
        let mut ranges = part.ranges.to_vec();
        let last = ranges.last_mut().unwrap();
        assert!(last.offset + last.len <= 3 * 1024, "{ranges:?}");
        if last.offset + last.len == 3 * 1024 {
            last.len += 3840 - 3 * 1024;
        } else {
            ranges.push(ByteRange { offset: 3 * 1024, len: 3840 - 3 * 1024 });
        }
        let bytes = &state.buffers[1];
        let read = |offset: u64, len: u64| bytes.get(offset as usize..(offset + len) as usize).map(<[u8]>::to_vec);
        part.slice = state.outboards[1].encode(&ranges, read).unwrap().try_into().unwrap();
        part.ranges = ranges.try_into().unwrap();
    }
    witness.slices = slices.try_into().unwrap();
    assert_eq!(lie.judge(unit, &witness, None), Ok(Verdict::ProviderFault(Fault::UnownedChange { buffer: 1 })));
}

#[test]
fn an_address_of_zeros_in_a_later_state_means_zeros() {
    // State 1 claims that its plate is all zeros, by address.
    let mut lie = plate_trace();
    let len = lie.states[1].buffers[1].len();
    lie.states[1].buffers[1] = Arc::new(vec![0; len]);
    lie.states[1].outboards[1] = Arc::new(Outboard::zero(len as u64));
    assert_eq!(lie.states[1].outboards[1].blob, BlobId::zero(len as u64));
    let unit = Unit { launch: 0, cta: [0, 0, 0] };
    assert!(matches!(verdict(&lie, unit), Verdict::ProviderFault(Fault::WrongByte { buffer: 1, .. })));
}
