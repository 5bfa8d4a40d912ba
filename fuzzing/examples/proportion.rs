//! Time of parsing hostile text, against a sixteenth of the same text in the same run; exit code 1 where it is not in proportion.
//!
//! `cargo run --release -p assay-fuzzing --example proportion`

use assay_engine::Module;
use assay_fuzzing::hostile;
use std::{hint::black_box, process::ExitCode, time::Instant};

/// Most bytes that a kernel on chain may have.
const MOST: usize = 256 * 1024;

/// Milliseconds of the fastest of five.
fn fastest(text: &str) -> f64 {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            _ = black_box(Module::parse(text.as_bytes()));
            start.elapsed().as_secs_f64() * 1e3
        })
        .fold(f64::MAX, f64::min)
}

fn main() -> ExitCode {
    println!("{:<44} {:>10} {:>10} {:>7}", "text", "32 KiB ms", "512 KiB ms", "times");
    let mut out = false;
    for (name, shape) in hostile::shapes() {
        let (short, long) = (fastest(&shape(MOST / 8)), fastest(&shape(MOST * 2)));
        let times = long / short;
        // The square would be 256 times. Below 20 ms caches decide.
        let bad = long > 20.0 && times > 64.0;
        out |= bad;
        println!("{name:<44} {short:>10.2} {long:>10.2} {times:>7.1}{}", if bad { "  out of proportion" } else { "" });
    }
    if out { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
