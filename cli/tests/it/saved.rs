//! `assay job check --infer-writes --save`: proposals that go into the job file.

use tempfile::TempDir;

use crate::support::{Ran, assay};

/// Each thread stores its number, `by` places behind that of the thread before it.
const PTX: &str = "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry fill(.param .u64 fill_out, .param .u32 fill_n, .param .u32 fill_by)
{
	.reg .pred %p<2>;
	.reg .b32 %r<8>;
	.reg .b64 %rd<5>;
	ld.param.u64 %rd1, [fill_out];
	ld.param.u32 %r1, [fill_n];
	ld.param.u32 %r6, [fill_by];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r2, %ctaid.x;
	mov.u32 %r3, %ntid.x;
	mov.u32 %r4, %tid.x;
	mad.lo.s32 %r5, %r2, %r3, %r4;
	setp.ge.u32 %p1, %r5, %r1;
	@%p1 bra $L_end;
	mul.lo.u32 %r7, %r5, %r6;
	mul.wide.u32 %rd3, %r7, 4;
	add.s64 %rd4, %rd2, %rd3;
	st.global.u32 [%rd4], %r5;
$L_end:
	ret;
}
";

const JOB: &str = r#"# A job that says why.
[vars]
n = 1000

[kernels]
k = "k.ptx"

[[buffer]]
name = "out"   # the result
len = "n * 4"
output = true

[[for]]
var = "k"
until = 2

[[for.launch]]
grid = "ceil_div(n, 128)"
block = 128   # four warps
args = ["buf:out", { u32 = "n" }, { u32 = 1 }]   # all of it

# The last one again.
[[launch]]
writes = [{ buffer = "out", run = 4 }]   # not so
grid = 8
block = 128
args = ["buf:out", { u32 = "n" }, { u32 = 1 }]
"#;

struct Folder(TempDir);

impl Folder {
    fn new(text: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.0.path().join("k.ptx"), PTX).unwrap();
        std::fs::write(folder.0.path().join("job.toml"), text).unwrap();
        folder
    }

    fn save(&self, more: &[&str]) -> Ran {
        let args = [&["job", "check", "job.toml", "--infer-writes", "--save"], more].concat();
        assay(self.0.path(), &args, b"")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.0.path().join("job.toml")).unwrap()
    }
}

#[test]
fn the_proposal_is_put_into_the_file_and_all_else_stays() {
    let folder = Folder::new(JOB);
    let ran = folder.save(&[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("`writes` of 2 launches saved"), "{}", ran.err);
    let writes = "writes = [{ buffer = \"out\", range = \"block.x * 4\" }]";
    let expected = JOB
        .replace("# all of it\n", &format!("# all of it\n{writes}\n"))
        .replace("writes = [{ buffer = \"out\", run = 4 }]", writes);
    assert_eq!(folder.text(), expected);
    let ran = assay(folder.0.path(), &["job", "run", "job.toml"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn a_last_round_of_one_cta_says_what_the_others_say() {
    let text = JOB
        .replace("n = 1000", "n = 1024")
        .replace("until = 2", "until = 5")
        .replace("grid = \"ceil_div(n, 128)\"\nblock = 128 ", "grid = \"16 >> k\"\nblock = \"64 << k\" ");
    let folder = Folder::new(&text);
    let ran = folder.save(&[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let writes = "writes = [{ buffer = \"out\", range = \"block.x * 4\" }]";
    assert!(folder.text().contains(&format!("# all of it\n{writes}\n")), "{}", folder.text());
}

#[test]
fn what_says_the_same_in_other_words_keeps_them() {
    let own = "writes = [{ buffer = \"out\", range = \"512 + n - 1000\", len = \"n * 4\" }]";
    let folder = Folder::new(&JOB.replace("writes = [{ buffer = \"out\", run = 4 }]", own));
    let ran = folder.save(&["--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.json()["saved"], serde_json::json!({ "written": 1, "kept": 1 }));
    assert!(folder.text().contains(own) && folder.text().contains("\"block.x * 4\""));
    let text = folder.text();
    assert_eq!(folder.save(&["--json"]).json()["saved"], serde_json::json!({ "written": 0, "kept": 2 }));
    assert_eq!(folder.text(), text);
}

#[test]
fn nothing_is_saved_where_a_launch_has_no_map() {
    // All threads store to the first place.
    let text = JOB.replace(
        "grid = 8\nblock = 128\nargs = [\"buf:out\", { u32 = \"n\" }, { u32 = 1 }]",
        "grid = 8\nblock = 128\nargs = [\"buf:out\", { u32 = \"n\" }, { u32 = 0 }]",
    );
    let folder = Folder::new(&text);
    let ran = folder.save(&[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("nothing is saved: job.toml:23: launch[0]: no map is known"), "{}", ran.err);
    let ran = folder.save(&["--json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.json()["error"]["reason"].as_str().unwrap().contains("no map is known"), "{}", ran.out);
    assert_eq!(folder.text(), text);
}

#[test]
fn nothing_is_saved_that_is_not_verified() {
    let folder = Folder::new(JOB);
    let ran = folder.save(&["--time", "0"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("the proposal is not verified: give --time"), "{}", ran.err);
    assert_eq!(folder.text(), JOB);
}

#[test]
fn nothing_is_saved_for_other_sizes_than_those_of_the_file() {
    let folder = Folder::new(JOB);
    let ran = folder.save(&["--set", "n=500"]);
    assert!(ran.code != 0 && ran.err.contains("the sizes are not those of the file"), "{}", ran.err);
    assert_eq!(folder.text(), JOB);
    let alone = assay(folder.0.path(), &["job", "check", "job.toml", "--save"], b"");
    assert!(alone.code == 2 && alone.err.contains("--infer-writes"), "{}", alone.err);
}

#[test]
fn launches_whose_ctas_take_turns_are_left_alone() {
    let serial = JOB
        .replace("grid = 8\n", "grid = 8\nserial = true\n")
        .replace("writes = [{ buffer = \"out\", run = 4 }]   # not so\n", "");
    let folder = Folder::new(&serial);
    let ran = folder.save(&["--json"]);
    assert_eq!(ran.json()["saved"], serde_json::json!({ "written": 1, "kept": 0 }), "{}{}", ran.out, ran.err);
    assert_eq!(folder.text().matches("writes = ").count(), 1);
}
