#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use assay_audit::{Job as AuditJob, run_cta};
use assay_engine::{
    Outcome, TrapKind,
    trace::{AccessKind, Space},
};
use assay_primitives::write_map::Owner;

use super::*;
use crate::{
    job::{Job, Options},
    local,
};

/// A body between the address of the thread's own float of `out` in %rd3 and the end.
fn kernel(shared: &str, body: &str) -> String {
    format!(
        "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out)
{{
	.reg .pred %p<4>;
	.reg .b32 %r<12>;
	.reg .b64 %rd<8>;
{shared}
	ld.param.u64 %rd1, [out];
	mov.u32 %r1, %tid.x;
	mov.u32 %r2, %ctaid.x;
	mad.lo.s32 %r3, %r2, 64, %r1;
	mul.wide.u32 %rd2, %r3, 4;
	add.s64 %rd3, %rd1, %rd2;
	shl.b32 %r4, %r1, 2;
{body}
	ret;
}}
"
    )
}

const JOB: &str = r#"
[kernels]
k = "k.ptx"
[[buffer]]
name = "out"
len = 1024
output = true
[[launch]]
grid = 4
block = 64
args = ["buf:out"]
writes = [{ buffer = "out", range = 256 }]
"#;

fn with_job(ptx: &str, test: impl FnOnce(&Prepared, &Buffers)) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("k.ptx"), ptx).unwrap();
    let file = folder.path().join("job.toml");
    std::fs::write(&file, JOB).unwrap();
    let job = Job::load(&file, &Options::default()).unwrap();
    let prepared = local::prepare(&job, 100_000).unwrap();
    test(&prepared, &local::start(&job));
}

fn story(ptx: &str, cta: u32) -> Story {
    let mut found = None;
    with_job(ptx, |prepared, buffers| {
        found = tell(prepared, Unit { launch: 0, cta: [cta, 0, 0] }, buffers, 100_000);
    });
    found.expect("the unit breaks a rule")
}

const TILE: &str = "	.shared .align 4 .b8 tile[256];";

#[test]
fn a_race_in_shared_memory_names_both_threads_and_lines() {
    let body = "\
	st.shared.u32 [%r4], %r1;
	bar.sync 0;
	ld.shared.u32 %r5, [%r4];
	xor.b32 %r6, %r4, 128;
	st.shared.u32 [%r6], %r5;
	st.global.u32 [%rd3], %r5;";
    let story = story(&kernel(TILE, body), 1);
    assert_eq!(story.trap.kind, TrapKind::Race);
    assert_eq!((story.trap.line, story.trap.thread), (19, [32, 0, 0]));
    assert_eq!(story.access, Some((AccessKind::Load, Space::Shared, 128, 4)));
    assert_eq!(story.other, Some(Party { thread: [0, 0, 0], line: 21, kind: AccessKind::Store }));
}

#[test]
fn a_race_inside_one_instruction_names_the_other_lane() {
    let body = "	and.b32 %r5, %r4, 8;\n	st.shared.u32 [%r5], %r1;";
    let story = story(&kernel(TILE, body), 0);
    assert_eq!(story.trap.kind, TrapKind::Race);
    let other = story.other.unwrap();
    assert_eq!((other.line, other.kind), (story.trap.line, AccessKind::Store));
    assert_ne!(other.thread, story.trap.thread);
}

#[test]
fn the_same_accesses_with_a_barrier_between_are_no_race() {
    let body = "\
	st.shared.u32 [%r4], %r1;
	bar.sync 0;
	ld.shared.u32 %r5, [%r4];
	bar.sync 0;
	xor.b32 %r6, %r4, 128;
	st.shared.u32 [%r6], %r5;
	st.global.u32 [%rd3], %r5;";
    with_job(&kernel(TILE, body), |prepared, buffers| {
        let unit = Unit { launch: 0, cta: [1, 0, 0] };
        assert_eq!(tell(prepared, unit, buffers, 100_000), None);
        let ready = Ready::new(prepared.program(), prepared.modules(), unit).unwrap();
        let mut memory = Watched::new(buffers, Rule::Free);
        assert!(matches!(ready.run(&mut memory, 100_000, None), Ok(Outcome::Done { .. })));
        assert_eq!(memory.written(), [(0, vec![(256, 512)])].into());
        assert!(memory.read().is_empty());
    });
}

#[test]
fn a_store_to_foreign_bytes_names_their_owner() {
    let story = story(&kernel("", "	st.global.u32 [%rd3+4], %r1;"), 1);
    assert_eq!(story.trap.kind, TrapKind::NotOwned);
    assert_eq!(story.trap.thread, [63, 0, 0]);
    assert_eq!(story.access, Some((AccessKind::Store, Space::Buffer(0), 512, 4)));
    assert_eq!(story.owner, Some(Owner::Cta([2, 0, 0])));
    assert_eq!(story.own, [(256, 512)]);
}

#[test]
fn a_load_of_foreign_bytes_names_their_owner() {
    let story = story(&kernel("", "	ld.global.u32 %r5, [%rd3+-4];\n	st.global.u32 [%rd3], %r5;"), 3);
    assert_eq!(story.trap.kind, TrapKind::OwnedByOther);
    assert_eq!(story.access, Some((AccessKind::Load, Space::Buffer(0), 764, 4)));
    assert_eq!(story.owner, Some(Owner::Cta([2, 0, 0])));
}

#[test]
fn uninitialised_memory_and_registers_are_told_apart() {
    let memory = story(&kernel(TILE, "	ld.shared.u32 %r5, [%r4];\n	st.global.u32 [%rd3], %r5;"), 0);
    assert_eq!(memory.trap.kind, TrapKind::Uninitialised);
    assert_eq!(memory.access, Some((AccessKind::Load, Space::Shared, 0, 4)));
    let body = "	setp.gt.u32 %p1, %r1, 7;\n	@%p1 mov.u32 %r5, 1;\n	st.global.u32 [%rd3], %r5;";
    let register = story(&kernel("", body), 0);
    assert_eq!(register.trap.kind, TrapKind::Uninitialised);
    assert_eq!((register.access, register.trap.thread), (None, [0, 0, 0]));
}

#[test]
fn an_access_behind_a_buffer_tells_where() {
    let story = story(&kernel("", "	ld.global.u32 %r5, [%rd3+260];\n	st.global.u32 [%rd3], %r5;"), 3);
    assert_eq!(story.trap.kind, TrapKind::OutOfBounds);
    assert_eq!(story.access, Some((AccessKind::Load, Space::Buffer(0), 1028, 4)));
}

#[test]
fn there_is_no_unit_outside_the_grid_or_the_program() {
    with_job(&kernel("", ""), |prepared, _| {
        for unit in [Unit { launch: 0, cta: [4, 0, 0] }, Unit { launch: 1, cta: [0; 3] }] {
            assert!(Ready::new(prepared.program(), prepared.modules(), unit).is_none());
        }
    });
}

#[test]
fn threads_are_counted_x_first() {
    assert_eq!(thread_at([4, 3, 2], 0), [0, 0, 0]);
    assert_eq!(thread_at([4, 3, 2], 5), [1, 1, 0]);
    assert_eq!(thread_at([4, 3, 2], 23), [3, 2, 1]);
    assert_eq!(thread_at([0, 0, 0], 7), [0, 0, 0]);
    assert_eq!(lanes(0x8000_0005).collect::<Vec<_>>(), [0, 2, 31]);
}

/// The first unit of every launch of every kernel of the suite, seen by the auditor, by the watched memory, and step by step.
#[test]
fn a_watched_unit_ends_as_an_audited_one() {
    let key = [7; 32];
    let mut units = 0;
    for job in assay_kernels::all().unwrap() {
        let ptx = job.kernels.iter().map(|ptx| ptx.to_vec()).collect();
        let prepared = Prepared::new(job.program.clone(), ptx, 20_000_000).unwrap();
        let buffers = Buffers(job.buffers.iter().cloned().map(std::sync::Arc::new).collect());
        let audited = AuditJob { program: &job.program, modules: prepared.modules(), fuel: 200_000 };
        for launch in 0..(job.program.launches() as u32).min(3) {
            let unit = Unit { launch, cta: [0; 3] };
            let expected = run_cta(&audited, unit, &buffers, Some(&key)).unwrap();
            let ready = Ready::new(&job.program, prepared.modules(), unit).unwrap();
            let owned = || Rule::Owned(ready.launch.writes.ownership(ready.launch.grid), unit.cta);
            let mut memory = Watched::new(&buffers, owned());
            let outcome = ready.run(&mut memory, 200_000, Some(&key)).unwrap();
            assert_eq!(outcome, expected.outcome, "{} {unit:?}", job.name);
            if matches!(outcome, Outcome::Done { .. }) {
                let written: u64 = memory.written().values().flatten().map(|(from, until)| until - from).sum();
                assert_eq!(written, expected.effects.iter().map(|effect| effect.bytes.len() as u64).sum::<u64>());
            }
            let mut steps = 0u64;
            let mut memory = Watched::new(&buffers, owned());
            let outcome = ready.trace(&mut memory, 200_000, Some(&key), &mut |_| steps += 1).unwrap();
            assert_eq!(outcome, expected.outcome, "{} {unit:?}, traced", job.name);
            assert!(steps > 0);
            units += 1;
        }
    }
    assert!(units > 100, "{units}");
}
