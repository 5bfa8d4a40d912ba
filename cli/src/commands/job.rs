//! `assay job check` and `assay job run`: offline.

use std::{path::Path, time::Duration};

use assay_primitives::{order::AuditLevel, witness::MAX_WITNESS_BYTES};
use assay_worker::backend::Control;
use serde_json::json;

use super::{Outcome, load};
use crate::{
    args::JobArgs,
    error::CliError,
    explain,
    job::Job,
    kernel,
    local::{self, Written},
    sample::{self, SampleReport, Sampling},
    term::{self, Style, Term},
};

pub fn check(args: &JobArgs, units: u32, time: u64, fuel: u64, json: bool, term: &Term) -> Outcome {
    let job = load(args)?;
    let sampling = Sampling { units, time: Duration::from_secs(time), fuel };
    let report = sample::sample(&job, sampling)?;
    if json {
        let mut value = serde_json::to_value(&report).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("program".into(), json!(format!("0x{}", hex::encode(job.program.id()))));
            fields.insert("replaced".into(), json!(job.replaced()));
        }
        term::json(&value);
    } else {
        print(&job, &report, fuel, term);
    }
    if report.verifiable { Ok(()) } else { Err(CliError::Negative) }
}

fn print(job: &Job, report: &SampleReport, fuel: u64, term: &Term) {
    term.title(&job.file.display().to_string());
    let rows: Vec<Vec<String>> = report
        .launches
        .iter()
        .map(|launch| {
            vec![
                launch.launch.to_string(),
                kernel::shown(&launch.entry),
                term::count(launch.ctas),
                term::count(launch.times.into()),
                launch.sampled.to_string(),
                term::count(launch.fuel_mean),
                term::count(launch.fuel_max),
                format!("{:.1}%", percent(launch.fuel_max, fuel)),
                term::bytes(launch.witness_max),
                format!("{:.1}%", percent(launch.witness_max, MAX_WITNESS_BYTES.into())),
            ]
        })
        .collect();
    let header =
        ["launch", "entry", "CTAs", "times", "tried", "lane-steps mean", "max", "of cap", "witness max", "of cap"];
    term.table(&header, &rows);
    let counted = if report.complete { "counted" } else { "estimated" };
    term::line("");
    term.facts(&[
        ("program", hex::encode(job.program.id())),
        (
            "work",
            format!(
                "{}, {} lane-steps ({counted})",
                term::plural(report.units, "unit"),
                term::count(report.lane_steps)
            ),
        ),
        ("data", format!("{} in, {} out", term::bytes(report.input_bytes), term::bytes(report.output_bytes))),
    ]);
    let unseen: Vec<String> = report
        .launches
        .iter()
        .filter(|launch| !launch.real_inputs)
        .map(|launch| format!("{} (`{}`)", launch.launch, kernel::shown(&launch.entry)))
        .collect();
    if !unseen.is_empty() {
        term::line(&term.paint(
            Style::Yellow,
            format!("  launch {} was tried with earlier data, because the time was up: give --time", unseen.join(", ")),
        ));
    }
    if report.verifiable {
        term::line(&term.paint(Style::Green, "  verifiable"));
    } else {
        term::line(&term.paint(Style::Red, "  not verifiable"));
        for reason in &report.reasons {
            term::line(&format!("  - {reason}"));
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// Detection of a tenth of faked units, in per cent, for people.
pub fn detection(level: AuditLevel) -> f64 {
    assay_primitives::economy::detection_ppm(level) as f64 / 10_000.0
}

pub fn run(args: &JobArgs, out: &Path, fuel: u64, json: bool, term: &Term) -> Outcome {
    let job = load(args)?;
    let control = Control::default();
    let run = with_bar(&control, local::units(&job), term, || local::run(&job, fuel, &control))?;
    if let Some((unit, trap)) = &run.trap {
        return Err(CliError::Refused(format!("the program breaks a rule: {}", explain::trap(&job, *unit, trap))));
    }
    let mut written = Vec::new();
    for (buffer, bytes) in job.buffers.iter().zip(&run.buffers) {
        if let Some(output) = &buffer.output {
            written.push(local::write_output(out, &buffer.name, output, bytes)?);
        }
    }
    let seconds = run.took.as_secs_f64();
    let speed = if seconds > 0.0 { run.lane_steps as f64 / seconds } else { 0.0 };
    if json {
        term::json(&json!({
            "program": format!("0x{}", hex::encode(job.program.id())),
            "traceRoot": run.trace_root.map(|root| format!("0x{}", hex::encode(root))),
            "units": run.units,
            "laneSteps": run.lane_steps,
            "seconds": seconds,
            "outputs": written,
            "replaced": job.replaced(),
        }));
        return Ok(());
    }
    print_outputs(&written, term);
    let work = format!(
        "{}, {} lane-steps in {seconds:.2} s ({} million a second)",
        term::plural(run.units, "unit"),
        term::count(run.lane_steps),
        term::count((speed / 1e6) as u64),
    );
    let root = run.trace_root.map(hex::encode).unwrap_or_default();
    term.facts(&[("work", work), ("trace root", root)]);
    Ok(())
}

/// Prints outputs that were written.
pub fn print_outputs(written: &[Written], term: &Term) {
    for output in written {
        term::line(&format!(
            "  {}  {}  {}",
            term.paint(Style::Bold, output.file.display().to_string()),
            term::bytes(output.len),
            term.paint(Style::Dim, format!("blake3 {}", output.blake3.get(..16).unwrap_or_default()))
        ));
        if let Some(values) = &output.values {
            term::line(&format!("    {} = {}", output.buffer, values.join(" ")));
        }
    }
}

/// Does some work while a bar shows how many units are done.
fn with_bar<T>(control: &Control, units: u64, term: &Term, work: impl FnOnce() -> T) -> T {
    if !term.live {
        return work();
    }
    let bar = indicatif::ProgressBar::new(units);
    if let Ok(style) = indicatif::ProgressStyle::with_template("  {bar:40} {human_pos}/{human_len} units  {elapsed}") {
        bar.set_style(style);
    }
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let watched = control.clone();
    let shown = bar.clone();
    let watcher = std::thread::spawn(move || {
        while wait.recv_timeout(Duration::from_millis(100)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            shown.set_position(watched.units());
        }
    });
    let result = work();
    drop(done);
    let _ = watcher.join();
    bar.finish_and_clear();
    result
}
