#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod programs;
mod refused;
mod steps;

use std::path::PathBuf;

use tempfile::TempDir;

use super::{Job, JobError, Options};

/// One entry with a pointer and an integer, and another with a pointer alone.
const PTX: &str = "\
.version 8.0
.target sm_80
.address_size 64

.visible .entry fill(.param .u64 fill_out, .param .u32 fill_n)
{
	.reg .pred %p<2>;
	.reg .b32 %r<6>;
	.reg .b64 %rd<5>;
	ld.param.u64 %rd1, [fill_out];
	ld.param.u32 %r1, [fill_n];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r2, %ctaid.x;
	mov.u32 %r3, %ntid.x;
	mov.u32 %r4, %tid.x;
	mad.lo.s32 %r5, %r2, %r3, %r4;
	setp.ge.u32 %p1, %r5, %r1;
	@%p1 bra $L_end;
	mul.wide.u32 %rd3, %r5, 4;
	add.s64 %rd4, %rd2, %rd3;
	st.global.u32 [%rd4], %r5;
$L_end:
	ret;
}

.visible .entry vague(.param .u64 vague_out)
{
	.reg .f32 %f<3>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [vague_out];
	cvta.to.global.u64 %rd2, %rd1;
	ld.global.f32 %f1, [%rd2];
	brkpt;
	st.global.f32 [%rd2], %f2;
	ret;
}
";

const JOB: &str = r#"[vars]
n = 1000
ctas = "ceil_div(n, 128)"

[kernels]
k = "k.ptx"

[[buffer]]
name = "out"
len = "n * 4"
output = true

[[launch]]
entry = "fill"
grid = "ctas"
block = 128
args = ["buf:out", { u32 = "n" }]
writes = [{ buffer = "out", range = "block.x * 4" }]
"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("k.ptx", PTX);
        folder
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn load(&self, text: &str) -> Result<Job, JobError> {
        Job::load(&self.write("job.toml", text), &Options::default())
    }

    /// The message, without the folder's own name.
    fn message(&self, text: &str) -> String {
        let error = self.load(text).err().expect("the job is refused");
        let folder = format!("{}/", self.0.path().display());
        error.to_string().replace(&folder, "")
    }
}

/// The good job with something replaced.
fn with(from: &str, to: &str) -> String {
    assert!(JOB.contains(from), "{from}");
    JOB.replacen(from, to, 1)
}

/// What a job with something replaced is told.
fn refusal(from: &str, to: &str) -> String {
    Folder::new().message(&with(from, to))
}
