//! Program faults in words: which rule, which thread, which line, which byte, and what to look at.

use assay_engine::{Trap, TrapKind};
use assay_primitives::{Launch, Unit};

use crate::{
    job::{Job, Place},
    kernel, sample,
};

/// The rule that was broken and what usually helps.
pub fn rule(kind: TrapKind) -> &'static str {
    match kind {
        TrapKind::FuelExhausted => "it takes more lane-steps than one unit may: give each CTA less to do",
        TrapKind::OutOfBounds => "an access outside its memory",
        TrapKind::Misaligned => "an address that is not a multiple of the access's size",
        TrapKind::NotOwned => "a store to bytes that the CTA does not own: the launch's `writes` do not cover it",
        TrapKind::OwnedByOther => {
            "a load of bytes that another CTA owns in the same launch: split the launch, write to another buffer, or run its CTAs one after the other with `serial = true`"
        }
        TrapKind::Race => {
            "a data race: two threads touch the same bytes between two barriers, and one of them writes (`__syncthreads()` belongs between, or `__syncwarp()` within a warp)"
        }
        TrapKind::Uninitialised => {
            "a read of shared, local or register state that nothing has written, or of a `wmma` fragment whose elements were not all treated alike"
        }
        TrapKind::Barrier => "a barrier or a warp-wide instruction that not all threads reach",
        TrapKind::Trap => "a trap instruction, or control that runs off the end",
        _ => "a rule of the engine",
    }
}

/// What to do, in words that fit a launch of a `repeat`, where `serial` does not stand.
pub fn advice(text: &str, place: Option<&Place>) -> String {
    match place {
        Some(place) if place.field.starts_with("repeat") => {
            text.replace("with `serial = true`", "with `serial = true`, in a `for` in place of the `repeat`")
        }
        _ => text.to_owned(),
    }
}

/// One sentence about the fault of a unit.
pub fn trap(job: &Job, unit: Unit, trap: &Trap) -> String {
    let launch = job.program.launch(unit.launch).map(|placed| placed.launch);
    let entry = launch.map(|launch| String::from_utf8_lossy(&launch.entry).into_owned()).unwrap_or_default();
    let kernel = launch.and_then(|launch| job.kernels.get(usize::from(launch.kernel)));
    let file = kernel.map(|kernel| kernel.path.display().to_string()).unwrap_or_default();
    let [x, y, z] = unit.cta;
    let [tx, ty, tz] = trap.thread;
    let rule = match (trap.kind, trap.address) {
        (TrapKind::NotOwned, None) => {
            "a store to a `__device__` variable that is in no buffer: give it one with a `[[symbol]]`"
        }
        (kind, _) => rule(kind),
    };
    let undeclared = trap.kind == TrapKind::NotOwned && launch.is_some_and(|launch| without_writes(launch, trap));
    let rule = if undeclared { "a store to a buffer that the launch's `writes` do not name" } else { rule };
    let place = sample::position(&job.program, unit.launch).and_then(|position| job.launches.get(position));
    let rule = advice(rule, place);
    let line = place.and_then(|place| place.line).map(|line| format!(" (line {line} of the job)")).unwrap_or_default();
    let mut text = format!(
        "{rule}: `{}`, launch {}{line}, CTA ({x}, {y}, {z}), thread ({tx}, {ty}, {tz}) at {file}:{}",
        kernel::shown(&entry),
        unit.launch,
        trap.line
    );
    if let Some((buffer, offset)) = trap.address {
        let buffer = job.buffers.get(usize::from(buffer));
        let name = buffer.map_or("?", |buffer| buffer.name.as_str());
        // Before its first byte it is a negative one.
        text.push_str(&format!(", byte {} of `{name}`", offset.cast_signed()));
        if let (TrapKind::OutOfBounds, Some(buffer)) = (trap.kind, buffer) {
            text.push_str(&format!(", which has {}", buffer.buffer.len));
        }
    }
    let job = job.file.display();
    match undeclared {
        true => text.push_str(&format!("; `assay job check {job} --infer-writes` proposes `writes`")),
        false => text.push_str(&format!("; `assay kernel run {job} --unit {},{x},{y},{z}` shows more", unit.launch)),
    }
    text
}

/// Whether the launch says nothing of the buffer that was stored to.
fn without_writes(launch: &Launch, trap: &Trap) -> bool {
    trap.address.is_some_and(|(buffer, _)| !launch.writes.names(buffer))
}

#[cfg(test)]
mod advice_tests {
    use super::*;

    #[test]
    fn serial_is_advised_in_a_for_where_the_launch_stands_in_a_repeat() {
        let text = "run them one after the other with `serial = true`, which needs no `writes`";
        let at = |field: &str| Place { file: "job.toml".into(), line: None, field: field.into(), vars: Vec::new() };
        assert_eq!(advice(text, Some(&at("launch[0]"))), text);
        assert_eq!(advice(text, Some(&at("for[0].launch[0]"))), text);
        let other = advice(text, Some(&at("repeat[0].launch[0]")));
        assert!(other.contains("`serial = true`, in a `for` in place of the `repeat`"), "{other}");
    }
}
