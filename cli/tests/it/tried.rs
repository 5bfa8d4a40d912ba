//! `assay job new`: what running a draft says of its guesses.

use std::{path::Path, time::Instant};

use crate::support::assay;

/// A kernel of `i32` parameters `out`, `in` and `n` whose threads have their index in `%r1` and the addresses in `%rd1`, `%rd2`.
fn kernel(body: &str) -> String {
    format!(
        "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out, .param .u64 in, .param .u32 n)
{{
	.reg .pred %p<9>;
	.reg .b32 %r<9>;
	.reg .b64 %rd<9>;
	.shared .align 4 .b8 tile[256];
	ld.param.u64 %rd1, [out];
	ld.param.u64 %rd2, [in];
	ld.param.u32 %r8, [n];
	cvta.to.global.u64 %rd1, %rd1;
	cvta.to.global.u64 %rd2, %rd2;
	mov.u32 %r2, %ctaid.x;
	mov.u32 %r3, %ntid.x;
	mov.u32 %r4, %tid.x;
	mad.lo.s32 %r1, %r2, %r3, %r4;
{body}
	ret;
}}
"
    )
}

fn draft(folder: &Path, body: &str) -> String {
    std::fs::write(folder.join("k.ptx"), kernel(body)).unwrap();
    let ran = assay(folder, &["job", "new", "k.ptx"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    std::fs::read_to_string(folder.join("k.toml")).unwrap()
}

/// Such a draft runs, and its `writes` are what would be proposed.
fn runs(folder: &Path, text: &str) {
    assert!(text.contains("guesses with which it runs"), "{text}");
    for command in
        [&["job", "check", "k.toml", "--infer-writes"][..], &["job", "run", "k.toml"], &["job", "check", "k.toml"]]
    {
        let ran = assay(folder, command, b"");
        assert_eq!(ran.code, 0, "{command:?}: {}{}\n{text}", ran.out, ran.err);
    }
}

#[test]
fn a_buffer_grows_until_no_thread_reaches_beyond_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = draft(
        folder.path(),
        "mul.wide.u32 %rd3, %r1, 20; add.s64 %rd4, %rd1, %rd3; mul.wide.u32 %rd5, %r1, 4; add.s64 %rd6, %rd2, %rd5;
	ld.global.u32 %r5, [%rd6]; st.global.u32 [%rd4], %r5;",
    );
    assert!(text.contains("name = \"p0\"\nlen = \"8 * n2 * 4\"    # found by running\n"), "{text}");
    assert!(text.contains("name = \"p1\"\nlen = \"n2 * 4\"\n"), "{text}");
    runs(folder.path(), &text);
}

#[test]
fn an_address_before_its_buffer_leaves_the_guess_and_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let text = draft(folder.path(), "st.global.u32 [%rd1+-8], %r1; st.global.u32 [%rd1+8192], %r1;");
    assert!(text.contains("name = \"p0\"\nlen = \"n2 * 4\"\n") && !text.contains("by running"), "{text}");
    assert!(text.contains("# With these guesses it stops: an access outside its memory, CTA "), "{text}");
    assert!(text.contains("byte -8 of"), "{text}");
    assert!(!text.contains("with which it runs"), "{text}");
}

#[test]
fn values_that_are_taken_for_places_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let text = draft(
        folder.path(),
        "mul.wide.u32 %rd3, %r1, 4; add.s64 %rd4, %rd1, %rd3; add.s64 %rd6, %rd2, %rd3; ld.global.u32 %r5, [%rd6];
	shr.u32 %r6, %r5, 2; mul.wide.u32 %rd7, %r6, 0x40000000; add.s64 %rd4, %rd4, %rd7; st.global.u32 [%rd4], %r5;",
    );
    assert!(text.contains("random = { seed = 2, type = \"i32\", min = 0, max = 3 }    # found by running"), "{text}");
    assert!(text.contains("name = \"p0\"\nlen = \"n2 * 4\"\n"), "{text}");
    runs(folder.path(), &text);
}

#[test]
fn ctas_have_as_many_threads_as_their_shared_memory_takes() {
    let folder = tempfile::tempdir().unwrap();
    let text = draft(
        folder.path(),
        "mul.wide.u32 %rd3, %r1, 4; add.s64 %rd4, %rd1, %rd3; mul.lo.s32 %r5, %r4, 4; mov.u32 %r6, tile;
	add.s32 %r6, %r6, %r5; st.shared.u32 [%r6], %r1; ld.shared.u32 %r7, [%r6]; st.global.u32 [%rd4], %r7;",
    );
    assert!(text.contains("grid = \"ceil_div(n2, 64)\"\nblock = 64    # found by running\n"), "{text}");
    runs(folder.path(), &text);
}

#[test]
fn ctas_that_store_to_the_same_bytes_run_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let text = draft(folder.path(), "st.global.u32 [%rd1+4], %r8;");
    assert!(text.contains("serial = true    # CTAs change the same bytes, as running showed\n"), "{text}");
    assert!(!text.contains("writes = "), "{text}");
    runs(folder.path(), &text);
}

#[test]
fn atomics_whose_order_shows_are_drafted_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let text = draft(folder.path(), "cvt.rn.f32.u32 %r5, %r1; red.global.add.f32 [%rd1], %r5;");
    assert!(text.contains("serial = \"threads\"    # the order of its atomics shows\n"), "{text}");
    runs(folder.path(), &text);
    // Threads that wait for each other cannot take turns: one of each CTA adds.
    let folder = tempfile::tempdir().unwrap();
    let one = "bar.sync 0; setp.ne.u32 %p1, %r4, 0; @%p1 ret; atom.global.inc.u32 %r5, [%rd1], 1000; st.global.u32 [%rd1+4], %r5;";
    let text = draft(folder.path(), one);
    assert!(text.contains("serial = true    # the order of its atomics shows\n"), "{text}");
    runs(folder.path(), &text);
}

#[test]
fn a_kernel_that_never_ends_is_drafted_in_bounded_time() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let text = draft(folder.path(), "again:\n	st.global.u32 [%rd1], %r8;\n	bra again;");
    assert!(text.contains("# With these guesses it stops: it takes more lane-steps than one unit may"), "{text}");
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn a_structure_of_four_kilobytes_is_launched_with_all_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let body = "ld.param.u32 %r5, [s+4092]; add.u32 %r5, %r5, %r1; mul.wide.u32 %rd3, %r1, 4;
	add.s64 %rd4, %rd1, %rd3; st.global.u32 [%rd4], %r5;";
    let ptx = kernel(body).replace(".param .u32 n", ".param .u32 n, .param .align 4 .b8 s[4096]");
    std::fs::write(folder.path().join("k.ptx"), ptx).unwrap();
    let ran = assay(folder.path(), &["job", "new", "k.ptx"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let file = folder.path().join("k.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    runs(folder.path(), &text);
    let last = format!("{}2a000000", "00".repeat(4092));
    std::fs::write(&file, text.replace(&"00".repeat(4096), &last)).unwrap();
    let ran = assay(folder.path(), &["job", "run", "k.toml"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(std::fs::read(folder.path().join("out/p0.bin")).unwrap()[..8], [42, 0, 0, 0, 43, 0, 0, 0]);
}

#[test]
fn entries_that_a_program_has_no_room_for_are_left_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let one = kernel("mul.wide.u32 %rd3, %r1, 4; add.s64 %rd4, %rd1, %rd3; st.global.u32 [%rd4], %r8;");
    let (head, entry) = one.split_once(".visible").unwrap();
    let entries: String =
        (0..20).map(|at| format!(".visible{}\n", entry.replace(" k(", &format!(" k{at}(")))).collect();
    std::fs::write(folder.path().join("k.ptx"), format!("{head}{entries}")).unwrap();
    let ran = assay(folder.path(), &["job", "new", "k.ptx"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = std::fs::read_to_string(folder.path().join("k.toml")).unwrap();
    assert!(
        text.contains("# Left out, as a program has at most 32 buffers and 64 steps: k16, k17, k18, k19."),
        "{text}"
    );
    assert_eq!(text.matches("[[buffer]]").count(), 32, "{text}");
    runs(folder.path(), &text);
}
