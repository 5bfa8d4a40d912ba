//! Lane-steps per second of whole jobs on one core, run as the worker runs them, and a fingerprint of all they gave:
//! `cargo run --release -p assay-kernels --example suite_speed [-- [--times N] [--tier NAME] [--whole] [NAME …]]`: jobs whose names
//! hold one of these, or, with `--whole`, are one of these; on the best tier, or the one named.
//!
//! The fingerprint covers fuel, digest and effects of every unit: two engines that agree print the same column.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects)]

use assay_audit::{Job as AuditJob, Runner, State};
use assay_engine::{Module, Outcome, Tier};
use assay_kernels::Job;
use assay_primitives::{
    Unit,
    audit::{unit_at, unit_count},
};
use std::time::Instant;

struct Buffers(Vec<Vec<u8>>);

impl State for Buffers {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.0.get(usize::from(buffer)).map(Vec::as_slice)
    }
}

struct Figures {
    lane_steps: u64,
    /// Of the units alone.
    seconds: f64,
    fingerprint: blake3::Hash,
}

fn run(job: &Job, modules: &[Module], key: Option<&[u8; 32]>) -> Figures {
    let audited = AuditJob { program: &job.program, modules, fuel: 20_000_000 };
    let mut state = Buffers(job.buffers.clone());
    let mut hasher = blake3::Hasher::new();
    let (mut lane_steps, mut seconds) = (0, 0f64);
    let units: Vec<Unit> = (0..unit_count(&job.program)).map_while(|index| unit_at(&job.program, index)).collect();
    for launch in units.chunk_by(|a, b| a.launch == b.launch) {
        let began = Instant::now();
        let mut runner = Runner::new(audited);
        let runs: Vec<_> = launch.iter().map(|unit| runner.run(*unit, &state, key).expect("a unit")).collect();
        seconds += began.elapsed().as_secs_f64();
        for run in runs {
            let Outcome::Done { lane_steps: steps, digest } = run.outcome else {
                panic!("{}: {:?}", job.name, run.outcome)
            };
            lane_steps += steps;
            hasher.update(&steps.to_le_bytes());
            hasher.update(&digest);
            for effect in run.effects {
                hasher.update(&effect.buffer.to_le_bytes());
                hasher.update(&effect.offset.to_le_bytes());
                hasher.update(&effect.bytes);
                let at = usize::try_from(effect.offset).expect("an offset");
                state.0[usize::from(effect.buffer)][at..at + effect.bytes.len()].copy_from_slice(&effect.bytes);
            }
        }
    }
    Figures { lane_steps, seconds, fingerprint: hasher.finalize() }
}

/// The fastest of `times` runs, of more where they are short.
fn fastest(job: &Job, modules: &[Module], key: Option<&[u8; 32]>, times: usize) -> Figures {
    let mut best = run(job, modules, key);
    let (mut left, mut budget) = (times.saturating_sub(1), 0.03 * times as f64 - best.seconds);
    while left > 0 || budget > 0.0 {
        let next = run(job, modules, key);
        budget -= next.seconds.max(0.000_05);
        left = left.saturating_sub(1);
        if next.seconds < best.seconds {
            best = next;
        }
    }
    best
}

fn main() {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let mut times = 3;
    if let Some(at) = names.iter().position(|word| word == "--times") {
        times = names[at + 1].parse().expect("a number");
        names.drain(at..at + 2);
    }
    if let Some(at) = names.iter().position(|word| word == "--tier") {
        assay_engine::run_as(match names[at + 1].as_str() {
            "best" => Tier::Best,
            "baseline" => Tier::Baseline,
            "interpreted" => Tier::Interpreted,
            "compiled" => Tier::Compiled,
            other => panic!("no tier is called {other}"),
        });
        names.drain(at..at + 2);
    }
    let whole = names.iter().position(|word| word == "--whole").map(|at| names.remove(at)).is_some();
    let is_named = |job: &str| names.iter().any(|name| if whole { job == name } else { job.contains(name.as_str()) });
    println!(
        "{:24} {:>12} {:>10} {:>12} {:>12}  fingerprint with digest",
        "job", "lane-steps", "ms", "M/s", "digest M/s"
    );
    let (mut steps, mut seconds, mut keyed_seconds) = (0, 0f64, 0f64);
    for job in assay_kernels::all().expect("the jobs") {
        if !names.is_empty() && !is_named(job.name) {
            continue;
        }
        let modules: Vec<Module> = job.kernels.iter().map(|ptx| Module::parse(ptx).expect("PTX")).collect();
        let plain = fastest(&job, &modules, None, times);
        let keyed = fastest(&job, &modules, Some(&[7; 32]), times);
        println!(
            "{:24} {:>12} {:>10.4} {:>12.0} {:>12.0}  {}",
            job.name,
            plain.lane_steps,
            plain.seconds * 1e3,
            plain.lane_steps as f64 / plain.seconds / 1e6,
            keyed.lane_steps as f64 / keyed.seconds / 1e6,
            &keyed.fingerprint.to_hex()[..16]
        );
        steps += plain.lane_steps;
        seconds += plain.seconds;
        keyed_seconds += keyed.seconds;
    }
    let (steps, ms) = (steps as f64, seconds * 1e3);
    let (plain, keyed) = (steps / seconds / 1e6, steps / keyed_seconds / 1e6);
    println!("{:24} {steps:>12} {ms:>10.2} {plain:>12.0} {keyed:>12.0}", "all");
}
