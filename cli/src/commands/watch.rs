//! `assay kernel run`: one unit, watched.

use std::collections::BTreeMap;

use assay_engine::{
    Outcome as Ended, TrapKind,
    trace::{AccessKind, Space},
};
use assay_primitives::{Unit, write_map::Owner};
use assay_worker::backend::{Buffers, Control, Prepared};
use serde_json::{Value, json};

use super::Outcome;
use crate::{
    error::CliError,
    explain,
    job::Job,
    kernel::Text,
    local::{self, LocalError},
    term::{self, Style, Term},
    unit::{self, Line, Party, Printer, Ranges, Ready, Rule, Shown, Story, Watched, lanes},
};

/// The key of the digest that is printed; audits draw their own.
const KEY: [u8; 32] = [0; 32];
/// Stretches of bytes that are shown of a buffer.
const STRETCHES: usize = 8;
/// The same in JSON.
const JSON_STRETCHES: usize = 10_000;

/// What to show.
pub struct Watching {
    /// Each instruction.
    pub trace: bool,
    /// Of this thread only.
    pub thread: Option<[u32; 3]>,
    /// Instructions at most.
    pub limit: u64,
    /// Lane-steps of the unit.
    pub fuel: u64,
}

/// A kernel's PTX and what it says of its lines.
struct Source {
    file: String,
    lines: Vec<String>,
    text: Text,
}

impl Source {
    fn instruction(&self, line: u32) -> &str {
        let index = usize::try_from(line).unwrap_or(0).checked_sub(1);
        index.and_then(|index| self.lines.get(index)).map_or("", String::as_str)
    }

    /// `heat.cu:12`, the place that the user wrote first.
    fn origin(&self, line: u32) -> Option<String> {
        let callers = self.text.callers(line);
        let outermost = callers.last().copied().or(self.text.source(line))?;
        Some(format!("{}:{}", outermost.0, outermost.1))
    }

    fn place(&self, line: u32) -> Value {
        json!({ "line": line, "instruction": self.instruction(line), "source": self.origin(line) })
    }
}

/// The lines of a kernel as they were written; behind them those that were added.
fn lines(ptx: &[u8], original: &[u8]) -> Vec<String> {
    let (ptx, original) = (String::from_utf8_lossy(ptx), String::from_utf8_lossy(original));
    let written = original.lines().count();
    original.lines().chain(ptx.lines().skip(written)).map(tidy).collect()
}

/// Runs a unit of a job.
pub fn run(job: &Job, unit: Unit, watching: &Watching, json: bool, term: &Term) -> Outcome {
    let prepared = local::prepare(job, watching.fuel).map_err(LocalError::from)?;
    let ready = Ready::new(prepared.program(), prepared.modules(), unit).ok_or_else(|| no_unit(job, unit))?;
    let threads = ready.launch.block;
    if let Some(thread) = watching.thread
        && thread.iter().zip(threads).any(|(at, size)| *at >= size)
    {
        return Err(CliError::Refused(format!("the block has {} threads: no thread {thread:?}", sizes(threads))));
    }
    let buffers =
        unit::before(&prepared, local::start(job), unit.launch, &Control::default()).map_err(LocalError::from)?;
    let kernel = job.kernels.get(usize::from(ready.launch.kernel));
    let ptx = kernel.map(|kernel| kernel.ptx.as_slice()).unwrap_or_default();
    let source = Source {
        file: kernel.map(|kernel| kernel.path.display().to_string()).unwrap_or_default(),
        lines: lines(ptx, kernel.and_then(|kernel| kernel.original.as_deref()).unwrap_or_default()),
        text: Text::read(ptx),
    };
    let shown = Shown { buffers: job.buffers.iter().map(|buffer| buffer.name.as_str()).collect() };

    let mut memory = memory(&prepared, unit, &buffers).ok_or_else(|| no_unit(job, unit))?;
    let failed = |error| CliError::Refused(format!("the unit cannot start: {error:?}"));
    let mut steps = Vec::new();
    let mut passed = 0u64;
    let ended = if watching.trace {
        let wanted = watching.thread.map(|[x, y, z]| {
            let [bx, by, _] = threads;
            x.saturating_add(bx.saturating_mul(y.saturating_add(by.saturating_mul(z))))
        });
        let mut printer = Printer::new(|line: &Line| {
            let mask = match wanted {
                Some(thread) if thread / 32 != line.place.warp => 0,
                Some(thread) => 1 << (thread % 32),
                None => u32::MAX,
            };
            if line.place.lanes & mask == 0 {
                return;
            }
            passed = passed.saturating_add(1);
            if passed > watching.limit {
                return;
            }
            if json {
                steps.push(step(line, mask, &source, &shown));
            } else {
                print_step(line, mask, &source, &shown, term);
            }
        });
        let ended = ready.trace(&mut memory, watching.fuel, Some(&KEY), &mut |event| printer.event(event));
        printer.flush();
        ended.map_err(failed)?
    } else {
        ready.run(&mut memory, watching.fuel, Some(&KEY)).map_err(failed)?
    };
    if watching.trace && !json {
        if passed > watching.limit {
            let more = term::count(passed.saturating_sub(watching.limit));
            term::note(&format!("{more} more instructions; give --limit, or --thread"));
        }
        term::line("");
    }
    let story = match &ended {
        Ended::Trap(_) => unit::tell(&prepared, unit, &buffers, watching.fuel),
        _ => None,
    };
    let told = story.as_ref().map(|story| describe(job, unit, story, &source, &shown));
    if json {
        let mut answer = answer(job, unit, &ended, &memory);
        if let (Some(fields), Some(story), Some(told)) = (answer.as_object_mut(), &story, &told) {
            fields.insert("trap".into(), trap(story, told, &source, &shown));
        }
        if let (true, Some(fields)) = (watching.trace, answer.as_object_mut()) {
            fields.insert("steps".into(), steps.into());
            fields.insert("stepsLeftOut".into(), passed.saturating_sub(watching.limit).into());
        }
        term::json(&answer);
    } else {
        print(job, unit, &ended, &memory, &ready, term);
        if let (Some(story), Some(told)) = (&story, &told) {
            print_story(story, told, &source, term);
        }
    }
    if matches!(ended, Ended::Done { .. }) { Ok(()) } else { Err(CliError::Negative) }
}

fn memory<'a>(prepared: &Prepared, unit: Unit, buffers: &'a Buffers) -> Option<Watched<'a>> {
    let launch = prepared.program().launch(unit.launch)?.launch;
    Some(Watched::new(buffers, Rule::Owned(launch.writes.ownership(launch.grid), unit.cta)))
}

fn no_unit(job: &Job, unit: Unit) -> CliError {
    CliError::Refused(match job.program.launch(unit.launch) {
        Some(placed) => format!("launch {} has {} CTAs: no CTA {:?}", unit.launch, sizes(placed.launch.grid), unit.cta),
        None => format!("the job has {} launches: no launch {}", job.program.launches(), unit.launch),
    })
}

fn sizes([x, y, z]: [u32; 3]) -> String {
    match (y, z) {
        (1, 1) => x.to_string(),
        (_, 1) => format!("{x} × {y}"),
        _ => format!("{x} × {y} × {z}"),
    }
}

fn triple([x, y, z]: [u32; 3]) -> String {
    format!("({x}, {y}, {z})")
}

fn tidy(line: &str) -> String {
    let code = line.split("//").next().unwrap_or_default();
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn step(line: &Line, mask: u32, source: &Source, shown: &Shown<'_>) -> Value {
    let text = source.instruction(line.place.line);
    let of = |lane: usize| shown.effects(line, text, 1 << lane);
    json!({
        "line": line.place.line,
        "source": source.origin(line.place.line),
        "instruction": text,
        "warp": line.place.warp,
        "lanes": lanes(line.place.lanes & mask).collect::<Vec<_>>(),
        "effects": lanes(line.place.lanes & mask).map(of).collect::<Vec<_>>(),
    })
}

fn print_step(line: &Line, mask: u32, source: &Source, shown: &Shown<'_>, term: &Term) {
    let text = source.instruction(line.place.line);
    let origin = source.origin(line.place.line).unwrap_or_default();
    let active = line.place.lanes & mask;
    let who = match active.count_ones() {
        1 => format!("lane {}", active.trailing_zeros()),
        count => format!("{count} lanes"),
    };
    let head = format!("{:>5} {origin:<14} warp {} {who:<8} {text:<44}", line.place.line, line.place.warp);
    let effects = shown.effects(line, text, mask);
    let room = term.width.saturating_sub(head.chars().count().saturating_add(1)).max(24);
    let cut = effects.chars().count() > room;
    let mut effects: String = effects.chars().take(if cut { room.saturating_sub(2) } else { room }).collect();
    if cut {
        effects.push_str(" …");
    }
    term::line(format!("{} {effects}", term.paint(Style::Dim, head)).trim_end());
}

fn stretches(ranges: &Ranges) -> String {
    let mut shown: Vec<String> =
        ranges.iter().take(STRETCHES).map(|(from, until)| format!("{from}..{until}")).collect();
    if ranges.len() > STRETCHES {
        shown.push(format!("… {} in all", term::plural(ranges.len() as u64, "stretch")));
    }
    shown.join(" ")
}

fn sum(ranges: &Ranges) -> u64 {
    ranges.iter().map(|(from, until)| until.saturating_sub(*from)).fold(0, u64::saturating_add)
}

fn print(job: &Job, unit: Unit, ended: &Ended, memory: &Watched<'_>, ready: &Ready<'_>, term: &Term) {
    let entry = crate::kernel::shown(&String::from_utf8_lossy(&ready.launch.entry));
    term.title(&format!(
        "`{entry}`, launch {}, CTA {} of {}, {} threads",
        unit.launch,
        triple(unit.cta),
        sizes(ready.launch.grid),
        sizes(ready.launch.block)
    ));
    match ended {
        Ended::Done { lane_steps, digest } => term.facts(&[
            ("outcome", term.paint(Style::Green, "done")),
            ("lane-steps", term::count(*lane_steps)),
            ("digest", format!("{} under a key of zeros", hex::encode(digest))),
        ]),
        Ended::Trap(trap) => term.facts(&[("outcome", term.paint(Style::Red, format!("{:?}", trap.kind)))]),
        Ended::Incomplete { .. } => term.facts(&[("outcome", "a buffer lacks bytes".into())]),
    }
    let (read, written) = (memory.read(), memory.written());
    let name = |buffer: &u16| job.buffers.get(usize::from(*buffer)).map_or("?", |buffer| buffer.name.as_str());
    for (verb, ranges) in [("reads", &read), ("writes", &written)] {
        for (buffer, ranges) in ranges {
            let bytes = term::count(sum(ranges));
            term::line(&format!(
                "  {}  `{}`  {bytes} bytes: {}",
                term.paint(Style::Dim, format!("{verb:<10}")),
                name(buffer),
                stretches(ranges)
            ));
        }
    }
    if written.is_empty() {
        term::line(&format!("  {}  nothing", term.paint(Style::Dim, format!("{:<10}", "writes"))));
    }
}

fn answer(job: &Job, unit: Unit, ended: &Ended, memory: &Watched<'_>) -> Value {
    let by_name = |ranges: BTreeMap<u16, Ranges>| -> Value {
        let one = |(buffer, ranges): (u16, Ranges)| {
            let name = job.buffers.get(usize::from(buffer)).map_or("?", |buffer| buffer.name.as_str());
            let shown: Vec<[u64; 2]> =
                ranges.iter().take(JSON_STRETCHES).map(|(from, until)| [*from, *until]).collect();
            json!({ "buffer": name, "bytes": sum(&ranges), "stretches": ranges.len(), "ranges": shown })
        };
        ranges.into_iter().map(one).collect()
    };
    let outcome = match ended {
        Ended::Done { .. } => "Done".to_owned(),
        Ended::Trap(trap) => format!("{:?}", trap.kind),
        Ended::Incomplete { .. } => "Incomplete".to_owned(),
    };
    let (lane_steps, digest) = match ended {
        Ended::Done { lane_steps, digest } => (Some(*lane_steps), Some(hex::encode(digest))),
        _ => (None, None),
    };
    json!({
        "launch": unit.launch,
        "cta": unit.cta,
        "outcome": outcome,
        "laneSteps": lane_steps,
        "digest": digest,
        "reads": by_name(memory.read()),
        "writes": by_name(memory.written()),
    })
}

fn verb(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Load => "loads",
        AccessKind::Store => "stores",
        AccessKind::Reduce => "changes by an atomic",
    }
}

/// What happened, in sentences.
fn describe(job: &Job, unit: Unit, story: &Story, source: &Source, shown: &Shown<'_>) -> Vec<String> {
    let trap = &story.trap;
    let mut told = vec![explain::rule(trap.kind).to_owned()];
    if let Some((kind, space, offset, bytes)) = story.access {
        told.push(format!(
            "thread {} {} {bytes} bytes at {}{}",
            triple(trap.thread),
            verb(kind),
            shown.address(space, offset),
            length(job, space)
        ));
    } else {
        told.push(format!("thread {}", triple(trap.thread)));
    }
    if let (TrapKind::Uninitialised, Some((_, Space::Shared, ..))) = (trap.kind, story.access) {
        told.push(
            "a missing __syncthreads() shows like this, too, where the thread that should write runs later".into(),
        );
    }
    if let Some(Party { thread, line, kind }) = story.other {
        let origin = source.origin(line).map(|origin| format!(", {origin}")).unwrap_or_default();
        told.push(format!(
            "thread {} {} it at {}:{line}{origin} (`{}`), and no barrier stands between",
            triple(thread),
            verb(kind),
            source.file,
            source.instruction(line)
        ));
    }
    match story.owner {
        Some(Owner::Cta(owner)) => {
            told.push(format!("by the launch's `writes` the byte belongs to CTA {}", triple(owner)));
        }
        Some(Owner::Nobody) => told.push("by the launch's `writes` the byte belongs to nobody".to_owned()),
        None => {}
    }
    if story.owner.is_some() {
        let own = if story.own.is_empty() { "nothing".into() } else { stretches(&story.own) };
        let name = match story.access {
            Some((_, space, ..)) => shown.address(space, 0),
            None => String::new(),
        };
        let name = name.split('+').next().unwrap_or_default();
        told.push(format!("CTA {} owns of `{name}`: {own}", triple(unit.cta)));
    }
    told
}

fn length(job: &Job, space: Space) -> String {
    match space {
        Space::Buffer(buffer) => job
            .buffers
            .get(usize::from(buffer))
            .map(|buffer| format!("; `{}` has {} bytes", buffer.name, term::count(buffer.buffer.len)))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

fn trap(story: &Story, told: &[String], source: &Source, shown: &Shown<'_>) -> Value {
    let mut value = json!({
        "kind": format!("{:?}", story.trap.kind),
        "thread": story.trap.thread,
        "at": source.place(story.trap.line),
        "told": told,
    });
    if let Some(fields) = value.as_object_mut() {
        if let Some((_, space, offset, bytes)) = story.access {
            fields.insert("address".into(), shown.address(space, offset).into());
            fields.insert("bytes".into(), bytes.into());
        }
        if let Some(other) = story.other {
            fields.insert("other".into(), json!({ "thread": other.thread, "at": source.place(other.line) }));
        }
        if let Some(owner) = story.owner {
            let owner = match owner {
                Owner::Cta(cta) => json!(cta),
                Owner::Nobody => Value::Null,
            };
            fields.insert("owner".into(), owner);
        }
    }
    value
}

fn print_story(story: &Story, told: &[String], source: &Source, term: &Term) {
    term::line("");
    let line = story.trap.line;
    let place = format!("{}:{line}", source.file);
    let bar = term.paint(Style::Dim, format!("│ {}", source.instruction(line)));
    term::line(&format!("  {}  {bar}", term.paint(Style::Bold, place)));
    let mut spots: Vec<(&str, u32)> = source.text.source(line).into_iter().collect();
    spots.extend(source.text.callers(line));
    for (file, line) in spots {
        term::line(&format!("  {file}:{line}"));
    }
    for (position, sentence) in told.iter().enumerate() {
        for (row, part) in term::wrapped(sentence, term.width.saturating_sub(6)).into_iter().enumerate() {
            let part = if position == 0 { term.paint(Style::Red, part) } else { part };
            term::line(&format!("  {}{part}", if row == 0 { "- " } else { "  " }));
        }
    }
}
