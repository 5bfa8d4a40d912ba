use crate::support::{plate_trace, verdict};
use assay_audit::{Trace, Verdict, run_cta};
use assay_engine::{Outcome, TrapKind};
use assay_primitives::{Arg, Dim, Step, Unit, WriteMap, Writes};

fn launch(trace: &mut Trace) -> &mut assay_primitives::Launch {
    let Step::Repeat { launches, .. } = &mut trace.program.steps[0] else { panic!() };
    &mut launches[0]
}

fn map(trace: &mut Trace) -> &mut WriteMap {
    let Writes::Maps(maps) = &mut launch(trace).writes;
    &mut maps[0]
}

/// The rule that the unit breaks: by the run over whole buffers, and by the judge, from the recorded witness.
fn broken(trace: &Trace, unit: Unit) -> TrapKind {
    let run = run_cta(&trace.job(), unit, &trace.states[unit.launch as usize], None).unwrap();
    let Outcome::Trap(trap) = run.outcome else { panic!("{:?}", run.outcome) };
    assert!(run.effects.is_empty());
    assert_eq!(verdict(trace, unit), Verdict::ProgramFault(trap.clone()));
    trap.kind
}

#[test]
fn a_store_outside_the_own_bytes_is_the_programs_fault() {
    let mut trace = plate_trace();
    let Dim::Span { extent, .. } = &mut map(&mut trace).dims[0] else { panic!() };
    *extent -= 1;
    assert_eq!(broken(&trace, Unit { launch: 0, cta: [0, 1, 0] }), TrapKind::NotOwned);
    assert!(matches!(verdict(&trace, Unit { launch: 0, cta: [0, 0, 0] }), Verdict::Verified { .. }));
}

#[test]
fn a_load_of_what_another_cta_owns_is_the_programs_fault() {
    // In place: the stencil reads its neighbours' tiles.
    let mut trace = plate_trace();
    launch(&mut trace).args[1] = Arg::Buffer { index: 0, offset: 0 };
    map(&mut trace).buffer = 0;
    trace.states[1] = trace.states[0].clone();
    assert_eq!(broken(&trace, Unit { launch: 0, cta: [0, 0, 0] }), TrapKind::OwnedByOther);
}

#[test]
fn an_access_outside_its_buffer_is_the_programs_fault() {
    let mut trace = plate_trace();
    launch(&mut trace).args[0] = Arg::Buffer { index: 0, offset: 3000 };
    assert_eq!(broken(&trace, Unit { launch: 0, cta: [0, 1, 0] }), TrapKind::OutOfBounds);
    let mut trace = plate_trace();
    launch(&mut trace).args[1] = Arg::Buffer { index: 1, offset: 3000 };
    let unit = Unit { launch: 0, cta: [2, 1, 0] };
    assert_eq!(broken(&trace, unit), TrapKind::OutOfBounds);
}

#[test]
fn a_unit_that_takes_more_than_its_fuel_is_the_programs_fault() {
    let trace = plate_trace();
    let unit = Unit { launch: 0, cta: [0, 0, 0] };
    let Verdict::Verified { lane_steps, .. } = verdict(&trace, unit) else { panic!() };
    let (witness, _) = trace.witness(unit).unwrap();
    let with = |fuel| {
        let job = assay_audit::Job { fuel, ..trace.job() };
        assay_audit::judge(&job, &trace.root().unwrap(), unit, &witness, None).unwrap()
    };
    let least = (lane_steps..).find(|fuel| matches!(with(*fuel), Verdict::Verified { .. })).unwrap();
    let Verdict::ProgramFault(trap) = with(least - 1) else { panic!() };
    assert_eq!(trap.kind, TrapKind::FuelExhausted);
}
