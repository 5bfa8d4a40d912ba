use crate::{hostile, meter};
use assay_engine::Module;
use std::time::Instant;

/// Most bytes that a kernel on chain may have.
const MOST: usize = 256 * 1024;
/// The largest block that the runtime's allocator gives, with a margin.
const BLOCK: usize = 24 << 20;

#[test]
fn parsing_takes_memory_in_proportion_to_the_text() {
    for (name, shape) in hostile::shapes() {
        for size in [MOST / 16, MOST] {
            let text = shape(size);
            let (module, peak, largest) = meter::measure(|| Module::parse(text.as_bytes()));
            assert!(peak < 140 * text.len() + (2 << 20), "{name}: {peak} bytes for {}", text.len());
            assert!(largest < BLOCK, "{name}: a block of {largest} bytes");
            drop(module);
        }
    }
}

#[test]
fn parsing_takes_time_in_proportion_to_the_text() {
    let time = |text: &str| {
        let start = Instant::now();
        let module = Module::parse(text.as_bytes());
        let taken = start.elapsed().as_secs_f64();
        drop(module);
        taken
    };
    for (name, shape) in hostile::shapes() {
        let (small, large) = (shape(MOST / 8), shape(MOST * 2));
        // Sixteen times the text; the square would be 256 times the work. Other programs may run on this machine.
        let linear = (0..4).any(|_| {
            let (short, long) = (time(&small), time(&large));
            long < 0.004 || long < 90.0 * short && long < 1.0
        });
        assert!(linear, "{name}: {} s for {} bytes", time(&large), large.len());
    }
}
