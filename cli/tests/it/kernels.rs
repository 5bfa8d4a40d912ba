use serde_json::json;
use tempfile::TempDir;

use crate::support::assay;

const GOOD: &str = "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry _Z4fillPj(.param .u64 out)
{
	.reg .b32 %r<5>;
	.reg .b64 %rd<4>;
	.loc 1 3 5
	ld.param.u64 %rd1, [out];
	mov.u32 %r1, %tid.x;
	mov.u32 %r2, %ctaid.x;
	mad.lo.s32 %r3, %r2, 64, %r1;
	mul.wide.u32 %rd2, %r3, 4;
	add.s64 %rd3, %rd1, %rd2;
	st.global.u32 [%rd3], %r3;
	ret;
}
	.file 1 \"fill.cu\"
";

const BAD: &str = "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry vague(.param .u64 out)
{
	.reg .f32 %f<3>;
	.reg .b64 %rd<2>;
	.loc 1 7 5
	ld.param.u64 %rd1, [out];
	ld.global.f32 %f1, [%rd1];
	ex2.approx.f32 %f2, %f1;
	st.global.f32 [%rd1], %f2;
	ret;
}
	.file 1 \"vague.cu\"
";

const JOB: &str = r#"
[kernels]
k = "good.ptx"
[[buffer]]
name = "out"
len = 1000
output = true
[[launch]]
grid = 3
block = 64
args = ["buf:out"]
writes = [{ buffer = "out", range = 128 }]
"#;

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("good.ptx", GOOD), ("bad.ptx", BAD), ("cut.ptx", &GOOD[..200]), ("job.toml", JOB)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn accepted_entries_give_exit_code_0_and_rejected_ones_1() {
    let folder = folder();
    let good = assay(folder.path(), &["kernel", "check", "good.ptx"], b"");
    assert_eq!((good.code, good.err.as_str()), (0, ""));
    assert!(good.out.contains("1 of 1 entry accepted") && good.out.contains("fill   accepted"), "{}", good.out);
    let bad = assay(folder.path(), &["kernel", "check", "--no-exact-maths", "bad.ptx"], b"");
    assert_eq!(bad.code, 1);
    for part in ["vague  rejected", "`ex2.approx.f32` is approximate", "bad.ptx:11  │ ex2.approx.f32", "vague.cu:7"] {
        assert!(bad.out.contains(part), "{part}: {}", bad.out);
    }
}

#[test]
fn what_is_no_terminal_gets_no_colours_and_its_width() {
    let folder = folder();
    for files in [["good.ptx"].as_slice(), &["bad.ptx"], &["good.ptx", "bad.ptx", "cut.ptx"]] {
        let ran = assay(folder.path(), &[["kernel", "check"].as_slice(), files].concat(), b"");
        assert!(!ran.out.contains('\x1b'), "{}", ran.out);
        for line in ran.out.lines().filter(|line| !line.contains("blake3")) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn json_has_an_object_for_each_entry() {
    let folder = folder();
    let ran = assay(folder.path(), &["kernel", "check", "--json", "--no-exact-maths", "good.ptx", "bad.ptx"], b"");
    assert_eq!(ran.code, 1);
    let answer = ran.json();
    let entries = answer["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["name"], "_Z4fillPj");
    assert_eq!(
        (&entries[0]["accepted"], &entries[0]["reason"], &entries[0]["line"]),
        (&json!(true), &json!(null), &json!(null))
    );
    let counted = json!({ "integer": 3, "float": 0, "memory": 2, "control": 1, "warp": 0, "moves": 2 });
    assert_eq!(entries[0]["instructions"], counted);
    assert_eq!((&entries[1]["accepted"], &entries[1]["line"]), (&json!(false), &json!(11)));
    assert_eq!(entries[1]["source"], "vague.cu:7");
    assert!(entries[1]["reason"].as_str().unwrap().contains("approximate"));
    assert!(answer.get("error").is_none());
}

#[test]
fn standard_input_is_checked_like_a_file() {
    let folder = folder();
    let ran = assay(folder.path(), &["kernel", "check", "--json", "-"], GOOD.as_bytes());
    assert_eq!((ran.code, &ran.json()["entries"][0]["name"]), (0, &json!("_Z4fillPj")));
    let ran = assay(folder.path(), &["kernel", "check", "-"], b"\0\xff");
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: -:1: "), "{}", ran.err);
}

#[test]
fn files_that_cannot_be_read_do_not_hide_the_others() {
    let folder = folder();
    let ran = assay(folder.path(), &["kernel", "check", "none.ptx", "cut.ptx", "good.ptx"], b"");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("error: none.ptx: No such file") && ran.err.contains("error: cut.ptx:"), "{}", ran.err);
    assert!(ran.out.contains("1 of 1 entry in 1 file accepted; 2 files cannot be read"), "{}", ran.out);
    let ran = assay(folder.path(), &["kernel", "check", "--json", "none.ptx", "cut.ptx", "good.ptx"], b"");
    let answer = ran.json();
    assert_eq!(answer["entries"].as_array().unwrap().len(), 1);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2);
    assert_eq!(answer["error"]["file"], "none.ptx");
    assert_eq!(assay(folder.path(), &["kernel", "check"], b"").code, 2);
}

#[test]
fn a_unit_that_stores_outside_its_map_is_told_whose_bytes_they_are() {
    let folder = folder();
    let ran = assay(folder.path(), &["kernel", "run", "job.toml", "--unit", "0,1", "--json"], b"");
    assert_eq!(ran.code, 1);
    let answer = ran.json();
    assert_eq!((&answer["outcome"], &answer["trap"]["address"]), (&json!("NotOwned"), &json!("out+256")));
    assert_eq!(answer["trap"]["owner"], json!([2, 0, 0]));
    assert_eq!(answer["trap"]["at"]["line"], 15);
    assert_eq!(answer["trap"]["at"]["source"], "fill.cu:3");
    let ran = assay(folder.path(), &["kernel", "run", "job.toml", "--unit", "0,7"], b"");
    assert_eq!((ran.code, ran.err.trim()), (1, "error: launch 0 has 3 CTAs: no CTA [7, 0, 0]"));
    assert_eq!(assay(folder.path(), &["kernel", "run", "job.toml", "--unit", "x"], b"").code, 2);
}

#[test]
fn inferred_writes_make_the_job_run() {
    let folder = folder();
    let ran = assay(folder.path(), &["job", "check", "job.toml", "--infer-writes", "--json"], b"");
    let launch = &ran.json()["launches"][0];
    assert_eq!((ran.code, &launch["complete"], &launch["verified"]), (0, &json!(true), &json!(3)));
    let entry = launch["writes"][0].as_str().unwrap();
    assert_eq!(entry, r#"{ buffer = "out", range = "block.x * 4" }"#);
    let fixed = JOB.replace("{ buffer = \"out\", range = 128 }", entry);
    std::fs::write(folder.path().join("job.toml"), fixed).unwrap();
    let ran = assay(folder.path(), &["kernel", "run", "job.toml", "--unit", "0,2", "--trace", "--thread", "5"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in ["mad.lo.s32 %r3, %r2, 64, %r1;                133", "[out+532]", "`out`  256 bytes: 512..768", "done"]
    {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}
