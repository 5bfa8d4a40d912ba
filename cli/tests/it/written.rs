//! Variables of a module that kernels write, held by buffers of the job.

use tempfile::TempDir;

use crate::support::assay;

/// Compiled from written.cu.
const PTX: &str = include_str!("../data/written.ptx");

const JOB: &str = r#"
[kernels]
k = "written.ptx"

[[symbol]]
name = "partial"
buffer = "partial"

[[symbol]]
name = "total"
buffer = "sum"

[[symbol]]
name = "calls"
buffer = "calls"

[[buffer]]
name = "in"
random = { seed = 3, type = "u32", max = 9 }
len = 1024

[[buffer]]
name = "out"
len = 4
output = true

[[buffer]]
name = "partial"
len = 256
output = true

[[buffer]]
name = "sum"
u32 = [7, 100]
output = true

[[buffer]]
name = "calls"
len = 8
output = true

[[repeat]]
times = 2

[[repeat.launch]]
entry = "sums"
grid = 4
block = 64
args = ["buf:in"]
writes = [{ buffer = "partial", per-cta = 4 }]

[[repeat.launch]]
entry = "combine"
grid = 1
block = 64
args = ["buf:out", { u32 = 4 }]
writes = [
    { buffer = "out", all-by-cta0 = true },
    { buffer = "sum", all-by-cta0 = true },
    { buffer = "calls", all-by-cta0 = true },
]
"#;

fn folder(ptx: &str, job: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("written.ptx"), ptx).unwrap();
    std::fs::write(folder.path().join("job.toml"), job).unwrap();
    folder
}

fn output(folder: &TempDir, name: &str) -> Vec<u32> {
    let bytes = std::fs::read(folder.path().join(format!("out/{name}.bin"))).unwrap();
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

/// The job's random data: SplitMix64, its top bits within the bounds.
fn input() -> Vec<u32> {
    let mut state = 3u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..256).map(|_| (next() % 10) as u32).collect()
}

#[test]
fn variables_that_kernels_write_live_in_buffers_from_launch_to_launch() {
    let folder = folder(PTX, JOB);
    let ran = assay(folder.path(), &["job", "run", "--json", "job.toml"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let sums: Vec<u32> = input().chunks(64).map(|part| part.iter().sum()).collect();
    let sum: u32 = sums.iter().sum();
    let partial = output(&folder, "partial");
    assert_eq!((&partial[..4], partial[4..].iter().all(|word| *word == 0)), (&sums[..], true));
    assert_eq!(output(&folder, "sum"), [7, 100 + 2 * sum]);
    assert_eq!(output(&folder, "out"), [100 + 2 * sum]);
    assert_eq!(output(&folder, "calls"), [128, 0]);
}

#[test]
fn write_maps_of_such_buffers_are_proposed_and_kept() {
    let without: String = JOB.replace("writes = [{ buffer = \"partial\", per-cta = 4 }]\n", "");
    let folder = folder(PTX, &without);
    let ran = assay(folder.path(), &["job", "check", "job.toml", "--infer-writes"], b"");
    assert!(ran.out.contains("partial") && ran.out.contains("per-cta = 4"), "{}{}", ran.out, ran.err);
    // A block that does not own its place is stopped at the line that was written.
    let ran = assay(folder.path(), &["kernel", "run", "job.toml", "--unit", "0,1,0,0"], b"");
    let line = PTX.lines().position(|line| line.contains("st.global.u32")).unwrap() + 1;
    assert!(ran.out.contains("NotOwned") && ran.out.contains(&format!("written.ptx:{line}")), "{}{}", ran.out, ran.err);
}

#[test]
fn what_a_buffer_cannot_stand_for_is_refused_with_its_reason() {
    let fails = |ptx: &str, job: &str, reason: &str| {
        let folder = folder(ptx, job);
        let ran = assay(folder.path(), &["job", "run", "job.toml"], b"");
        let err = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ran.code != 0 && err.contains(reason), "{reason}: {err}");
    };
    fails(PTX, &JOB.replace("len = 256", "len = 252"), "has 252 bytes, 256 expected");
    fails(
        PTX,
        &JOB.replace("buffer = \"calls\"\n\n", "buffer = \"call\"\n\n"),
        "there are: in, out, partial, sum, calls",
    );
    fails(PTX, &JOB.replace("name = \"total\"", "name = \"totals\""), "totals");
    fails(PTX, &JOB.replace("buffer = \"sum\"\n\n", "buffer = \"sum\"\noffset = 4\n\n"), "unknown key `offset`");
    let initial = PTX.replace(".u64 calls;", ".u64 calls = 5;");
    fails(&initial, JOB, "the variable has initial values: give them to the buffer");
    let constant = PTX.replace(".global .align 8 .u64 calls;", ".const .align 8 .u64 calls;");
    fails(&constant, JOB, "no kernel writes it");
    let called = format!("{PTX}.func f() {{ .reg .u32 %a; ld.global.u32 %a, [total]; ret; }}\n");
    fails(&called, JOB, "the function `f` uses `total`");
}
