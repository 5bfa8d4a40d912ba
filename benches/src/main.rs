//! `./x bench`: the figures of docs/figures.md.
//!
//! Every figure is a ratio against something measured in the same run, on one core.

mod trace;
mod wasm;

use std::{hint::black_box, time::Instant};

use assay_audit::{judge, run_cta};
use assay_engine::Outcome;
use assay_kernels::Job;
use assay_primitives::{Unit, audit::unit_count};
use clap::Parser;

use crate::trace::Trace;

/// The figures of the engine.
#[derive(Parser)]
struct Arguments {
    /// Which: native units, or the same units in the runtime.
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum What {
    /// Whole jobs on one core, with and without the audit digest.
    Engine,
    /// One unit of each job, judged natively and by the runtime in the node's executor.
    Runtime,
}

fn main() -> anyhow::Result<()> {
    let jobs = assay_kernels::job_files()?;
    match Arguments::parse().what {
        What::Engine => engine(&jobs),
        What::Runtime => runtime(&jobs),
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

fn engine(jobs: &[Job]) -> anyhow::Result<()> {
    println!(
        "{:<14} {:>9} {:>14} {:>16} {:>16} {:>8}",
        "job", "units", "lane-steps", "no digest /s", "digest /s", "ratio"
    );
    for job in jobs {
        let trace = Trace::of(job)?;
        let units = trace.first_units(256)?;
        let steps = |key: Option<&[u8; 32]>| -> anyhow::Result<u64> {
            let mut sum = 0u64;
            for unit in &units {
                sum = sum.saturating_add(lane_steps(&trace, *unit, key)?);
            }
            Ok(sum)
        };
        let all = steps(None)?;
        let plain = fastest(|| steps(None).map(|sum| _ = black_box(sum)))?;
        let keyed = fastest(|| steps(Some(&[7; 32])).map(|sum| _ = black_box(sum)))?;
        println!(
            "{:<14} {:>9} {:>14} {:>16.3e} {:>16.3e} {:>8.2}",
            job.name,
            unit_count(&job.program),
            all,
            all as f64 / plain,
            all as f64 / keyed,
            plain / keyed
        );
    }
    println!(
        "\nratio: speed with the audit digest over speed without; at most 256 units of the first launch of each job."
    );
    Ok(())
}

fn lane_steps(trace: &Trace, unit: Unit, key: Option<&[u8; 32]>) -> anyhow::Result<u64> {
    let before = trace.state(unit.launch)?;
    match run_cta(&trace.job(), unit, before, key).map_err(|_| anyhow::anyhow!("no unit {unit:?}"))?.outcome {
        Outcome::Done { lane_steps, .. } => Ok(lane_steps),
        other => anyhow::bail!("{unit:?}: {other:?}"),
    }
}

fn runtime(jobs: &[Job]) -> anyhow::Result<()> {
    let runtime = wasm::Runtime::new()?;
    println!(
        "{:<14} {:>12} {:>10} {:>12} {:>12} {:>14} {:>14} {:>7}",
        "job", "lane-steps", "witness B", "native ms", "runtime ms", "native /s", "runtime /s", "ratio"
    );
    for job in jobs {
        let trace = Trace::of(job)?;
        let unit = trace.middle_unit()?;
        let witness = trace.witness(unit)?;
        let key = Some([7; 32]);
        let native_verdict = judge(&trace.job(), &trace.root()?, unit, &witness, key.as_ref());
        let call = runtime.judge_call(job, &trace.root()?, unit, &witness, key)?;
        let wasm_verdict = runtime.judge(&call)?;
        let steps = wasm::agree(&native_verdict, &wasm_verdict)?;
        let native = fastest(|| {
            // The runtime parses the kernels in every proof: so does this side.
            let modules = trace::modules(job)?;
            let job = assay_audit::Job { program: &job.program, modules: &modules, fuel: trace::FUEL };
            drop(black_box(judge(&job, &trace.root()?, unit, &witness, key.as_ref())));
            Ok(())
        })?;
        let wasm = fastest(|| runtime.judge(&call).map(|verdict| _ = black_box(verdict)))?;
        println!(
            "{:<14} {:>12} {:>10} {:>12.3} {:>12.3} {:>14.3e} {:>14.3e} {:>7.3}",
            job.name,
            steps,
            codec::Encode::encoded_size(&witness),
            native * 1e3,
            wasm * 1e3,
            steps as f64 / native,
            steps as f64 / wasm,
            native / wasm
        );
    }
    println!(
        "\nBoth sides parse the PTX, verify the witness, run the unit with every check and the digest, and compare."
    );
    Ok(())
}
