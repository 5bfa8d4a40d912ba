//! `./x bench`: the figures of docs/figures.md.
//!
//! Every figure is a ratio against something measured in the same run, on one core.

use std::{hint::black_box, time::Instant};

use assay_audit::{Trace, judge, run_cta};
use assay_bench::{hard, trace, wasm};
use assay_engine::Outcome;
use assay_kernels::Job;
use assay_primitives::Unit;
use clap::Parser;

/// The figures of the runtime. Those of the engine alone: `suite_speed` of assay-kernels.
#[derive(Parser)]
struct Arguments {
    /// Which.
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// One unit of each job, judged natively and by the runtime in the node's executor.
    Runtime,
    /// Units that are slow for the fuel they use, in the runtime, against the weight that is charged.
    Hard,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Runtime => runtime(&assay_kernels::job_files()?),
        What::Hard => hard(),
    }
}

/// Seconds of the fastest of three runs.
fn fastest(mut run: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        run()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn runtime(jobs: &[Job]) -> anyhow::Result<()> {
    let runtime = wasm::Runtime::new()?;
    println!(
        "{:<14} {:>12} {:>10} {:>10} {:>12} {:>11} {:>12} {:>12} {:>12} {:>9}",
        "job",
        "lane-steps",
        "witness B",
        "native ms",
        "baseline ms",
        "runtime ms",
        "native /s",
        "baseline /s",
        "runtime /s",
        "ratio"
    );
    for job in jobs {
        let trace = trace::of(job)?;
        let unit = trace::middle_unit(&trace)?;
        let (witness, _) = trace.witness(unit)?;
        let key = Some([7; 32]);
        let native_verdict = judge(&trace.job(), &trace.root()?, unit, &witness, key.as_ref());
        let call = wasm::Runtime::judge_call(&trace, &job.kernels, unit, &witness, key)?;
        let wasm_verdict = runtime.judge(&call)?;
        let steps = wasm::agree(&native_verdict, &wasm_verdict)?;
        let native = || {
            fastest(|| {
                // The runtime parses the kernels in every proof: so does this side.
                let modules = trace::modules(job)?;
                let job = assay_audit::Job { program: &job.program, modules: &modules, fuel: trace::FUEL };
                drop(black_box(judge(&job, &trace.root()?, unit, &witness, key.as_ref())));
                Ok(())
            })
        };
        assay_engine::run_as(assay_engine::Tier::Baseline);
        let baseline = native();
        assay_engine::run_as(assay_engine::Tier::Best);
        let (baseline, native) = (baseline?, native()?);
        let wasm = fastest(|| runtime.judge(&call).map(|verdict| _ = black_box(verdict)))?;
        println!(
            "{:<14} {:>12} {:>10} {:>10.3} {:>12.3} {:>11.3} {:>12.3e} {:>12.3e} {:>12.3e} {:>9.3}",
            job.name,
            steps,
            codec::Encode::encoded_size(&witness),
            native * 1e3,
            baseline * 1e3,
            wasm * 1e3,
            steps as f64 / native,
            steps as f64 / baseline,
            steps as f64 / wasm,
            baseline / wasm
        );
    }
    println!(
        "\nAll sides parse the PTX, verify the witness, run the unit with every check and the digest, and compare. The baseline is the \
         native engine without the CPU's vector extensions; ratio: runtime over baseline."
    );
    Ok(())
}

/// Least fuel with which a unit ends.
fn least_fuel(trace: &Trace, unit: Unit) -> anyhow::Result<u64> {
    let (mut low, mut high) = (0, trace::FUEL);
    while low < high {
        let fuel = low.midpoint(high);
        let job = assay_audit::Job { fuel, ..trace.job() };
        let run = run_cta(&job, unit, trace.state(0)?, None).map_err(|_| anyhow::anyhow!("no unit {unit:?}"))?;
        match run.outcome {
            Outcome::Done { .. } => high = fuel,
            _ => low = fuel.saturating_add(1),
        }
    }
    Ok(high)
}

fn hard() -> anyhow::Result<()> {
    /// Fuel that a unit is to use.
    const WANTED: u64 = 4_000_000;
    let runtime = wasm::Runtime::new()?;
    println!(
        "{:<24} {:>10} {:>10} {:>10} {:>10} {:>10} {:>12} {:>10}",
        "unit", "lane-steps", "fuel", "native ms", "runtime ms", "ns / fuel", "s at the cap", "of charge"
    );
    let mut worst = 0f64;
    for index in 0..hard::COUNT {
        let few = hard::job(index, 64)?;
        let trace = trace::of(&few)?;
        let turns = WANTED.saturating_mul(64) / least_fuel(&trace, trace::middle_unit(&trace)?)?.max(1);
        let job = hard::job(index, usize::try_from(turns)?)?;
        let trace = trace::of(&job)?;
        let unit = trace::middle_unit(&trace)?;
        let fuel = least_fuel(&trace, unit)?;
        let (witness, _) = trace.witness(unit)?;
        let key = Some([7; 32]);
        let native_verdict = judge(&trace.job(), &trace.root()?, unit, &witness, key.as_ref());
        let call = wasm::Runtime::judge_call(&trace, &job.kernels, unit, &witness, key)?;
        let steps = wasm::agree(&native_verdict, &runtime.judge(&call)?)?;
        let native = fastest(|| {
            drop(black_box(judge(&trace.job(), &trace.root()?, unit, &witness, key.as_ref())));
            Ok(())
        })?;
        let wasm = fastest(|| runtime.judge(&call).map(|verdict| _ = black_box(verdict)))?;
        let each = wasm / fuel as f64;
        let charge = each * 1e12 / pallet_assay_compute::weights::PS_PER_FUEL as f64;
        worst = worst.max(charge);
        println!(
            "{:<24} {:>10} {:>10} {:>10.2} {:>10.2} {:>10.2} {:>12.3} {:>10.2}",
            job.name,
            steps,
            fuel,
            native * 1e3,
            wasm * 1e3,
            each * 1e9,
            each * trace::FUEL as f64,
            charge
        );
    }
    println!("\nof charge: time in the runtime over the weight charged for the fuel; the worst is {worst:.2}.");
    Ok(())
}
