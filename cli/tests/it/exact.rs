use serde_json::json;
use tempfile::TempDir;

use crate::support::assay;

const PTX: &str = "\
.version 8.0
.target sm_80
.address_size 64
.func (.param .b32 r) halved(.param .b32 a)
{
	.reg .f32 %f<3>;
	ld.param.f32 %f1, [a];
	div.full.f32 %f2, %f1, 0f40000000;
	st.param.f32 [r], %f2;
	ret;
}
.visible .entry curve(.param .u64 out)
{
	.reg .pred %p<2>;
	.reg .f32 %f<6>;
	.reg .b32 %r<2>;
	.reg .b64 %rd<4>;
	ld.param.u64 %rd1, [out];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd3, %rd1, %rd2;
	cvt.rn.f32.u32 %f1, %r1;
	setp.gt.u32 %p1, %r1, 1;
	ex2.approx.ftz.f32 %f2, %f1;
	@%p1 rcp.approx.f32 %f2, %f1;
	{
	.param .b32 p;
	st.param.f32 [p], %f2;
	.param .b32 q;
	call.uni (q), halved, (p);
	ld.param.f32 %f3, [q];
	}
	st.global.f32 [%rd3], %f3;
	ret;
}
.visible .entry odd(.param .u64 out)
{
	.reg .f32 %f<3>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [out];
	ex2.approx.f32 %f1, 0f40400000;
	brkpt;
	st.global.f32 [%rd1], %f1;
	ret;
}
";

const JOB: &str = r#"
[kernels]
k = "curve.ptx"
[[buffer]]
name = "out"
len = 16
output = true
[[launch]]
entry = "curve"
grid = 1
block = 4
args = ["buf:out"]
writes = [{ buffer = "out", range = 16 }]
"#;

/// The line of the text, from 1, that has a part.
fn line(part: &str) -> usize {
    PTX.lines().position(|line| line.contains(part)).unwrap() + 1
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("curve.ptx"), PTX).unwrap();
    std::fs::write(folder.path().join("job.toml"), JOB).unwrap();
    folder
}

#[test]
fn a_check_replaces_approximate_instructions_and_says_which() {
    let folder = folder();
    let ran = assay(folder.path(), &["kernel", "check", "--json", "curve.ptx"], b"");
    let answer = ran.json();
    let entry = &answer["entries"][0];
    assert_eq!((&entry["name"], &entry["accepted"]), (&json!("curve"), &json!(true)));
    let replaced = json!({ "div.full.f32": 1, "ex2.approx.ftz.f32": 1, "rcp.approx.f32": 1 });
    assert_eq!(entry["replaced"], replaced);
    assert_eq!(entry["instructions"]["float"], 4);
    // What is wrong otherwise is still at the line that was written.
    let other = &answer["entries"][1];
    assert_eq!((&other["accepted"], &other["line"]), (&json!(false), &json!(line("brkpt"))));

    let ran = assay(folder.path(), &["kernel", "check", "curve.ptx"], b"");
    let quoted = format!("curve.ptx:{}  │ brkpt;", line("brkpt"));
    for part in ["threads  exact", quoted.as_str(), "rcp.approx.f32", "with exact maths  blake3"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let plain = assay(folder.path(), &["kernel", "check", "--json", "--no-exact-maths", "curve.ptx"], b"").json();
    let entry = &plain["entries"][0];
    assert_eq!(
        (&entry["accepted"], &entry["line"], &entry["replaced"]),
        (&json!(false), &json!(line("div.full")), &json!({}))
    );
    assert!(entry["reason"].as_str().unwrap().contains("`assay kernel exact`"));
}

#[test]
fn a_job_runs_with_exact_instructions_and_the_written_text_is_the_same_kernel() {
    let folder = folder();
    let ran = assay(folder.path(), &["job", "run", "--json", "job.toml"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("exact maths in place of 1 div.full.f32, 1 ex2.approx.f32"), "{}", ran.err);
    let answer = ran.json();
    assert_eq!(answer["replaced"]["k"]["rcp.approx.f32"], 1);
    let bytes = std::fs::read(folder.path().join("out/out.bin")).unwrap();
    let values: Vec<f32> = bytes.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect();
    assert_eq!(values, [0.5, 1.0, 0.25, 1.0 / 3.0 / 2.0]);

    let refused = assay(folder.path(), &["job", "run", "--no-exact-maths", "job.toml"], b"");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains(&format!("curve.ptx:{}", line("div.full"))), "{}", refused.err);

    let written = assay(folder.path(), &["kernel", "exact", "curve.ptx", "-o", "curve.ptx"], b"");
    assert_eq!((written.code, written.out.as_str()), (0, ""));
    let again = assay(folder.path(), &["job", "run", "--json", "--no-exact-maths", "job.toml"], b"").json();
    assert_eq!(again["program"], answer["program"]);
    assert_eq!(again["traceRoot"], answer["traceRoot"]);
    let none =
        assay(folder.path(), &["kernel", "exact", "-"], &std::fs::read(folder.path().join("curve.ptx")).unwrap());
    assert_eq!(none.out.as_bytes(), std::fs::read(folder.path().join("curve.ptx")).unwrap());
    assert!(none.err.contains("no approximate instruction"), "{}", none.err);
}

#[test]
fn a_trace_shows_the_instructions_that_were_written() {
    let folder = folder();
    let ran = assay(folder.path(), &["kernel", "run", "job.toml", "--unit", "0,0,0,0", "--trace"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("ex2.approx.ftz.f32 %f2, %f1;") && ran.out.contains("fma.rn.f32"), "{}", ran.out);
}
