use crate::support::{Dice, honest, plate_trace};
use assay_audit::{Trace, Verdict, judge, run_cta};
use assay_engine::Outcome;
use assay_kernels::{blur, heat as plate, matmul_f32, matmul_int8, montecarlo, sha256, suite};
use assay_primitives::{Unit, witness::MAX_WITNESS_BYTES};
use codec::{DecodeAll, Encode};

/// The unit from its own witness: same outcome, fuel and digest as the run that recorded it.
fn reproduces(name: &str, trace: &Trace, unit: Unit) {
    let key = [7; 32];
    let (witness, recorded) = trace.witness(unit).unwrap();
    let run = run_cta(&trace.job(), unit, &trace.states[unit.launch as usize], Some(&key)).unwrap();
    let Outcome::Done { lane_steps, digest } = run.outcome else { panic!("{} {unit:?}: {:?}", name, run.outcome) };
    assert!(matches!(recorded, Outcome::Done { lane_steps: steps, .. } if steps == lane_steps));
    let bytes = witness.encode();
    assert!(bytes.len() <= MAX_WITNESS_BYTES as usize);
    assert_eq!(assay_primitives::witness::Witness::decode_all(&mut bytes.as_slice()).unwrap(), witness);
    assert_eq!(
        judge(&trace.job(), &trace.root().unwrap(), unit, &witness, Some(&key)).unwrap(),
        Verdict::Verified { lane_steps, digest },
        "{} {unit:?}",
        name
    );
    assert_ne!(digest, [0; 32]);
}

#[test]
fn every_unit_of_an_honest_trace_is_verified_with_the_fuel_and_digest_of_the_run() {
    let trace = plate_trace();
    trace.units().for_each(|unit| reproduces("plate", &trace, unit));
}

#[test]
fn units_of_each_job_are_verified_from_their_witnesses() {
    let jobs = [
        blur::job(&blur::photo().unwrap()).unwrap(),
        plate::job(100, 50, 3).unwrap(),
        matmul_f32::job(40, 50, 30).unwrap(),
        matmul_int8::job(64, 60, 64).unwrap(),
        montecarlo::job(8, 2).unwrap(),
        sha256::job(300).unwrap(),
    ];
    for job in jobs {
        let trace = honest(&job);
        let units: Vec<Unit> = trace.units().collect();
        let mut dice = Dice(1);
        for unit in [units[0], units[units.len() - 1]] {
            reproduces(job.name, &trace, unit);
        }
        for _ in 0..6 {
            reproduces(job.name, &trace, units[dice.below(units.len() as u64) as usize]);
        }
    }
}

#[test]
fn units_of_the_suite_are_verified_from_their_witnesses() {
    let mut dice = Dice(2);
    for job in suite::jobs().unwrap() {
        let trace = honest(&job);
        let units: Vec<Unit> = trace.units().collect();
        for _ in 0..2 {
            reproduces(job.name, &trace, units[dice.below(units.len() as u64) as usize]);
        }
    }
}
