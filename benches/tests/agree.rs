//! The engine in the node's executor gives what it gives natively: outcome, lane-steps, digest.
#![allow(clippy::unwrap_used, clippy::panic)]

use assay_audit::Trace;
use assay_bench::{
    hard, trace,
    wasm::{Runtime, same},
};
use assay_engine::Tier;
use assay_fuzzing::{Forms, Generated, forms, generated, mutate::Dice};
use assay_primitives::Unit;
use assay_runtime_api::Judged;

/// Judges a unit on both sides, and compares.
fn judged(runtime: &Runtime, name: &str, trace: &Trace, kernels: &[&[u8]], unit: Unit) -> Judged {
    let key = Some([unit.launch as u8 ^ unit.cta[0] as u8; 32]);
    let (witness, _) = trace.witness(unit).unwrap();
    let native = trace.judge(unit, &witness, key.as_ref());
    for tier in [Tier::Baseline, Tier::Interpreted, Tier::Compiled] {
        assay_engine::run_as(tier);
        assert_eq!(native, trace.judge(unit, &witness, key.as_ref()), "{name} {unit:?}: {tier:?}");
    }
    assay_engine::run_as(Tier::Best);
    let wasm = runtime.judge(&Runtime::judge_call(trace, kernels, unit, &witness, key).unwrap()).unwrap();
    assert!(same(&native, &wasm), "{name} {unit:?}: natively {native:?}, in the runtime {wasm:?}");
    wasm
}

/// The first, the middle and the last of the units of every launch, at most so many in all.
fn sample(trace: &Trace, most: usize) -> Vec<Unit> {
    let mut sample = Vec::new();
    for launch in 0..trace.program.launches() as u32 {
        let units = trace::units(trace, launch);
        sample.extend([0, units.len() / 2, units.len() - 1].map(|at| units[at]));
    }
    sample.dedup();
    let step = sample.len().div_ceil(most).max(1);
    sample.into_iter().step_by(step).collect()
}

/// Calls `work` with every index below `count`, on two threads.
fn each(count: usize, work: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for half in 0..2 {
            let work = &work;
            scope.spawn(move || (half..count).step_by(2).for_each(work));
        }
    });
}

#[test]
fn units_of_every_job_are_the_same_in_the_runtime() {
    let (runtime, jobs) = (Runtime::new().unwrap(), assay_kernels::all().unwrap());
    assert!(jobs.len() > 100);
    each(jobs.len(), |index| {
        let job = &jobs[index];
        let trace = trace::of(job).unwrap();
        for unit in sample(&trace, 6) {
            let judged = judged(&runtime, job.name, &trace, &job.kernels, unit);
            assert!(matches!(judged, Judged::Verified { .. }), "{} {unit:?}: {judged:?}", job.name);
        }
    });
}

#[test]
fn units_that_are_slow_for_their_fuel_are_the_same_in_the_runtime() {
    let runtime = Runtime::new().unwrap();
    each(hard::COUNT, |index| {
        let job = hard::job(index, 50).unwrap();
        let trace = trace::of(&job).unwrap();
        judged(&runtime, job.name, &trace, &job.kernels, trace::middle_unit(&trace).unwrap());
    });
}

#[test]
fn generated_programs_are_the_same_in_the_runtime_and_so_are_their_faults() {
    let runtime = Runtime::new().unwrap();
    let faults = std::sync::atomic::AtomicUsize::new(0);
    const PROGRAMS: usize = 300;
    each(PROGRAMS, |index| {
        let mut dice = Dice(1000 + index as u64);
        let count = 100 + dice.below(900);
        let Generated { text, trace, .. } = generated(&dice.bytes(count), trace::FUEL);
        for unit in trace.units() {
            if let Judged::ProgramFault { .. } = judged(&runtime, &text, &trace, &[text.as_bytes()], unit) {
                faults.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    });
    let faults = faults.into_inner();
    assert!(faults > PROGRAMS / 10 && faults < PROGRAMS * 19 / 10, "{faults} of {} units break a rule", 2 * PROGRAMS);
}

#[test]
fn every_instruction_form_is_the_same_in_the_runtime() {
    let (runtime, classes) = (Runtime::new().unwrap(), forms(60));
    each(classes.len(), |index| {
        let Forms { name, text, trace, .. } = &classes[index];
        for unit in trace.units() {
            let judged = judged(&runtime, name, trace, &[text.as_bytes()], unit);
            assert!(matches!(judged, Judged::Verified { .. }), "{name} {unit:?}: {judged:?}");
        }
    });
}
