#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::path::{Path, PathBuf};

use assay_primitives::{Arg, BlobId, Dim, Init, Step, Writes};
use tempfile::TempDir;

use super::{
    image::{self, PixelFormat},
    *,
};

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

#[test]
fn a_job_becomes_its_program() {
    let folder = Folder::new();
    let job = folder.load(JOB).unwrap();
    assert_eq!(job.program.kernels.to_vec(), [hash::plain(PTX.as_bytes())]);
    assert_eq!(job.program.buffers[0].len, 4000);
    assert!(job.program.buffers[0].output);
    let Step::Launch(launch) = &job.program.steps[0] else { panic!("a launch") };
    assert_eq!((launch.grid, launch.block), ([8, 1, 1], [128, 1, 1]));
    assert_eq!(launch.args.to_vec(), [Arg::Buffer { index: 0, offset: 0 }, Arg::U32(1000)]);
    let Writes::Maps(maps) = &launch.writes;
    assert_eq!(maps.len(), 2, "whole ranges and the cut one");
    assert_eq!(job.buffers[0].output.as_ref().unwrap().file, Path::new("out.bin"));
    assert_eq!(job.launches[0].line, Some(13));
}

#[test]
fn variables_are_replaced_from_outside() {
    let folder = Folder::new();
    let file = folder.write("job.toml", JOB);
    let options = Options { set: vec![("n".into(), 256)], ..Options::default() };
    let job = Job::load(&file, &options).unwrap();
    assert_eq!(job.program.buffers[0].len, 1024);
    let options = Options { set: vec![("m".into(), 256)], ..Options::default() };
    let message = Job::load(&file, &options).err().unwrap().to_string();
    assert!(message.ends_with("no variable is called `m`; `[vars]` has: n, ctas"), "{message}");
}

#[test]
fn pictures_give_their_size_and_are_replaced_from_outside() {
    let folder = Folder::new();
    let picture = |name: &str, width: u32, height: u32| {
        let path = folder.0.path().join(name);
        let pixels = vec![7; (width * height * 4) as usize];
        image::write(&path, PixelFormat::Rgba8, width, height, &pixels).unwrap();
        path
    };
    picture("p.png", 5, 3);
    let other = picture("q.png", 8, 2);
    let text = with(
        "len = \"n * 4\"\noutput = true",
        "image = { file = \"p.png\", format = \"rgba8\" }\noutput = { image = \"o.png\", format = \"rgba8\", width = \"out.width\", height = \"out.height\" }",
    )
    .replace("n = 1000", "n = \"out.width * out.height\"");
    let job = folder.load(&text).unwrap();
    assert_eq!(job.program.buffers[0].len, 60);
    assert_eq!(job.buffers[0].output.as_ref().unwrap().image, Some((PixelFormat::Rgba8, 5, 3)));
    let options = Options { images: vec![("out".into(), other)], ..Options::default() };
    let job = Job::load(&folder.write("job.toml", &text), &options).unwrap();
    assert_eq!(job.program.buffers[0].len, 64);
    let options = Options { images: vec![("in".into(), "q.png".into())], ..Options::default() };
    let message = Job::load(&folder.write("job.toml", &text), &options).err().unwrap().to_string();
    assert!(message.ends_with("no buffer is called `in`; there are: out"), "{message}");
}

#[test]
fn data_comes_from_files_lists_digits_and_a_generator() {
    let folder = Folder::new();
    folder.write("x.bin", [1u8; 16]);
    let buffers = r#"
[[buffer]]
name = "a"
file = "x.bin"

[[buffer]]
name = "b"
f32 = [1, 0.5, "0x7fc00000"]

[[buffer]]
name = "c"
hex = "00ff 12"

[[buffer]]
name = "d"
len = "a.len"
random = { seed = 1, type = "u32" }

[[launch]]"#;
    let job = folder.load(&with("\n[[launch]]", buffers)).unwrap();
    let data: Vec<Option<&[u8]>> = job.buffers.iter().map(|buffer| buffer.data.as_deref()).collect();
    assert_eq!(data[0], None);
    assert_eq!(data[1], Some(&[1u8; 16][..]));
    let floats: Vec<u8> =
        [1.0f32.to_bits(), 0.5f32.to_bits(), 0x7fc0_0000].iter().flat_map(|bits| bits.to_le_bytes()).collect();
    assert_eq!(data[2], Some(floats.as_slice()));
    assert_eq!(data[3], Some(&[0, 0xff, 0x12][..]));
    assert_eq!(data[4].unwrap().len(), 16);
    assert_eq!(job.program.buffers[1].init, Init::Blob(BlobId { root: hash::plain(&[1; 16]), len: 16 }));
    assert_eq!(job.input_bytes(), 16 + 12 + 3 + 16);
}

#[test]
fn another_file_takes_a_buffers_place() {
    let folder = Folder::new();
    let file = folder.write(
        "job.toml",
        with("output = true", "output = true\nu32 = [1]")
            .replace("len = \"n * 4\"\n", "")
            .replace("n = 1000", "n = \"out.len / 4\""),
    );
    let other = folder.write("other.bin", [9u8; 12]);
    let options = Options { files: vec![("out".into(), other)], ..Options::default() };
    let job = Job::load(&file, &options).unwrap();
    assert_eq!(job.buffers[0].data.as_deref(), Some(&[9u8; 12][..]));
}

#[test]
fn steps_run_in_the_order_of_the_file() {
    let launch = |header: &str| {
        format!(
            "[[{header}]]\nentry = \"fill\"\ngrid = 8\nblock = 128\nargs = [\"buf:out\", \"iteration\"]\nwrites = [{{ buffer = \"out\", range = 512 }}]\n"
        )
    };
    let head = JOB.split("[[launch]]").next().unwrap();
    let text = format!(
        "{head}[[repeat]]\ntimes = 3\n{}{}\n{}\n[[repeat]]\ntimes = \"n / 500\"\n{}",
        launch("repeat.launch"),
        launch("repeat.launch"),
        launch("launch"),
        launch("repeat.launch")
    );
    let job = Folder::new().load(&text).unwrap();
    let lengths: Vec<u64> = job.program.steps.iter().map(Step::len).collect();
    assert_eq!(lengths, [6, 1, 2]);
    assert_eq!(job.launches.len(), 4);
}

#[test]
fn structures_are_laid_out_as_in_c() {
    let text = PTX
        .replace(".param .u32 fill_n", ".param .align 8 .b8 fill_s[24]")
        .replace("ld.param.u32 %r1, [fill_n]", "ld.param.u32 %r1, [fill_s]");
    let folder = Folder::new();
    folder.write("k.ptx", text);
    let job = folder
        .load(&with("{ u32 = \"n\" }", "{ struct = [{ u8 = 1 }, { u16 = 2 }, { f64 = 1.0 }, { i8 = -1 }] }"))
        .unwrap();
    let Step::Launch(launch) = &job.program.steps[0] else { panic!("a launch") };
    let Arg::Bytes(bytes) = &launch.args[1] else { panic!("bytes") };
    let mut expected = vec![1, 0, 2, 0, 0, 0, 0, 0];
    expected.extend(1.0f64.to_le_bytes());
    expected.extend([0xff, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(bytes.to_vec(), expected);
}

#[test]
fn structures_may_hold_pointers_arrays_and_structures() {
    let text = PTX
        .replace(".param .u32 fill_n", ".param .align 8 .b8 fill_s[48]")
        .replace("ld.param.u32 %r1, [fill_n]", "ld.param.u32 %r1, [fill_s]");
    let folder = Folder::new();
    folder.write("k.ptx", text);
    let fields = r#"{ struct = [{ u8 = true }, "buf:out+n/10", { f32 = [1, 2] }, { u16 = 3 }, { struct = [{ u8 = 4 }, "buf:out"] }] }"#;
    let job = folder.load(&with("{ u32 = \"n\" }", fields)).unwrap();
    let Arg::Record { bytes, pointers } = &job.program.launch(0).unwrap().launch.args[1] else { panic!("a record") };
    let mut expected = vec![0; 48];
    (expected[0], expected[18], expected[19], expected[23], expected[24], expected[32]) = (1, 0x80, 0x3f, 0x40, 3, 4);
    assert_eq!(bytes.to_vec(), expected);
    let pointers: Vec<(u16, u16, u64)> = pointers.iter().map(|p| (p.at, p.index, p.offset)).collect();
    assert_eq!(pointers, [(8, 0, 100), (40, 0, 0)]);
    assert!(folder.message(&with("{ u32 = \"n\" }", &fields.replace("n/10", "4000"))).contains("is not in 0..=3999"));
}

#[test]
fn the_full_form_of_a_write_map_is_taken_as_it_is() {
    let text = with(
        "{ buffer = \"out\", range = \"block.x * 4\" }",
        "{ buffer = \"out\", base = 8, run = 4, dims = [{ stride = 4, extent = 900, axis = \"x\", tile = 128 }] }",
    );
    let job = Folder::new().load(&text).unwrap();
    let Step::Launch(launch) = &job.program.steps[0] else { panic!("a launch") };
    let Writes::Maps(maps) = &launch.writes;
    assert_eq!((maps[0].base, maps[0].run), (8, 4));
    assert_eq!(
        maps[0].dims.to_vec(),
        [Dim::Span { stride: 4, extent: 900, axis: Some(assay_primitives::Axis::X), tile: 128 }]
    );
}

#[test]
fn elements_of_a_flat_index_have_a_short_form_and_a_full_one() {
    let folder = Folder::new();
    let maps = |writes: &str| {
        let job = folder.load(&with("{ buffer = \"out\", range = \"block.x * 4\" }", writes)).unwrap();
        let Some(Step::Launch(launch)) = job.program.steps.first() else { panic!("a launch") };
        let Writes::Maps(maps) = &launch.writes;
        maps[0].dims.to_vec()
    };
    let digit = |stride, per, of: u32| Dim::Element {
        stride,
        extent: of.into(),
        axis: assay_primitives::Axis::X,
        tile: 128,
        per,
        of,
    };
    // 25 columns of 40 rows, written as rows of 25.
    assert_eq!(
        maps("{ buffer = \"out\", flat = \"block.x\", shape = [40, 25], strides = [25, 1], element = 4 }"),
        [digit(100, 1, 40), digit(4, 40, 25)]
    );
    assert_eq!(
        maps(concat!(
            "{ buffer = \"out\", run = 4, dims = [{ stride = 100, axis = \"x\", elements = 128, of = 40 }, ",
            "{ stride = 4, axis = \"x\", elements = \"block.x\", per = 40, of = 25 }] }"
        )),
        [digit(100, 1, 40), digit(4, 40, 25)]
    );
    let message =
        folder.message(&with("range = \"block.x * 4\"", "flat = 128, shape = [40, 25], strides = [25], element = 4"));
    assert!(message.contains("`shape` and `strides` want as many numbers each"), "{message}");
}

/// The bitonic step of the documentation: of the pair of elements that differ in bit j, the CTA of the lower owns both.
#[test]
fn the_bitonic_step_of_the_documentation_gives_each_pair_to_one_cta() {
    let writes = concat!(
        "{ buffer = \"out\", run = 4, dims = [",
        "{ stride = \"8 * j\", axis = \"x\", elements = \"block.x\", per = \"2 * j\", of = \"n / (2 * j)\" }, ",
        "{ stride = \"4 * j\", extent = 2 }, ",
        "{ stride = 4, axis = \"x\", elements = \"block.x\", of = \"j\" }, ",
        "{ stride = 0, extent = 1, axis = \"x\", elements = \"block.x\", per = \"j\", of = 2 }] }"
    );
    let folder = Folder::new();
    for j in [16u64, 128, 256] {
        let text = with("{ buffer = \"out\", range = \"block.x * 4\" }", writes);
        let text = text.replace("n = 1000", &format!("n = 1024\nj = {j}"));
        let job = folder.load(&text).unwrap_or_else(|error| panic!("{error}"));
        let Some(Step::Launch(launch)) = job.program.steps.first() else { panic!("a launch") };
        for element in 0..1024u64 {
            let (owner, _) = launch.writes.owner(launch.grid, 0, element * 4);
            let lower = u32::try_from((element & !j) / 128).unwrap();
            assert_eq!(owner, assay_primitives::write_map::Owner::Cta([lower, 0, 0]), "element {element}, j {j}");
        }
    }
}

/// Adds the number of its CTA, and of CTAs, to two words that all CTAs share.
const SHARING: &str = "\
.version 8.0
.target sm_80
.address_size 64

.visible .entry _Z5shareIiEvPj(
	.param .u64 share_out
)
.maxntid 32, 1, 1
{
	.reg .b32 %r<8>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [share_out];
	cvta.to.global.u64 %rd2, %rd1;
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ctaid.y;
	mov.u32 %r3, %nctaid.x;
	mad.lo.u32 %r4, %r2, %r3, %r1;
	red.global.add.u32 [%rd2], %r4;
	mov.u32 %r5, %ctaid.z;
	mov.u32 %r6, %nctaid.z;
	mad.lo.u32 %r7, %r5, 100, %r6;
	red.global.add.u32 [%rd2+4], %r7;
	ret;
}

.visible .entry plain()
{
	ret;
}
";

#[test]
fn ctas_of_a_serial_launch_share_bytes_one_after_the_other() {
    let folder = Folder::new();
    folder.write("k.ptx", SHARING);
    let text = concat!(
        "[kernels]\nk = \"k.ptx\"\n[[buffer]]\nname = \"out\"\nlen = 8\noutput = true\n",
        "[[launch]]\nentry = \"plain\"\ngrid = 2\nblock = 1\n",
        "[[launch]]\nentry = \"share<int>\"\ngrid = [5, 3, 2]\nblock = 2\nargs = [\"buf:out\"]\nserial = true\n",
        "[[for]]\nvar = \"i\"\nuntil = 2\n[[for.launch]]\nentry = \"share\"\ngrid = \"i + 1\"\nblock = 1\n",
        "args = [\"buf:out\"]\nserial = true\n"
    );
    let job = folder.load(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(job.program.launches(), 1 + 30 + 1 + 2);
    let run = crate::local::run(&job, 1_000_000, &assay_worker::backend::Control::default()).unwrap();
    assert_eq!(run.trap, None);
    // Two threads each: y * 5 + x over two planes, then 0, then 0 and 1.
    let first = 2 * 2 * (0..15).sum::<u32>() + 1;
    // gridDim.z of each CTA, and 100 for those of the second plane.
    let second: u32 = 2 * (15 * 2 + 15 * 102) + 1 + 2;
    assert_eq!(run.buffers[0].as_slice(), [first.to_le_bytes(), second.to_le_bytes()].concat());

    let message = folder.message(&text.replace("grid = [5, 3, 2]", "grid = [4097]"));
    assert!(message.contains("at most 4096 CTAs"), "{message}");
    let message = folder.message(
        &text
            .replace("[[for]]\nvar = \"i\"\nuntil = 2\n[[for.", "[[repeat]]\ntimes = 2\n[[repeat.")
            .replace("i + 1", "2"),
    );
    assert!(message.contains("use a `for`"), "{message}");
    let function = ".func f()\n{\n\t.reg .b32 %r<2>;\n\tmov.u32 %r1, %ctaid.x;\n\tret;\n}\n.visible";
    folder.write("k.ptx", SHARING.replacen(".visible", function, 1));
    let message = folder.message(text);
    assert!(message.contains("not inlined"), "{message}");
}

#[test]
fn what_is_no_toml_names_the_line() {
    assert!(refusal("[kernels]", "[kernels").starts_with("job.toml:5: "), "{}", refusal("[kernels]", "[kernels"));
}

#[test]
fn an_unknown_key_is_named_with_those_that_are_known() {
    assert_eq!(
        refusal("block = 128", "blocks = 128"),
        "job.toml:16: launch[0]: unknown key `blocks`; known here: kernel, entry, grid, block, shared, args, serial, writes"
    );
    assert_eq!(
        refusal("[vars]", "version = 1\n[vars]"),
        "job.toml:1: unknown key `version`; known here: vars, kernels, symbol, buffer, launch, repeat, for"
    );
}

#[test]
fn a_missing_key_is_named_where_it_should_stand() {
    assert_eq!(refusal("block = 128\n", ""), "job.toml:13: launch[0]: `block` is missing");
    assert_eq!(refusal("len = \"n * 4\"\n", ""), "job.toml:8: buffer[0]: `len` is missing");
}

#[test]
fn truncated_ptx_is_refused_with_its_line() {
    let folder = Folder::new();
    folder.write("k.ptx", &PTX[..PTX.find("st.global.u32").unwrap() + 5]);
    let message = folder.message(JOB);
    assert!(message.starts_with("job.toml:6: kernels.k: k.ptx:21: "), "{message}");
}

#[test]
fn a_missing_kernel_file_is_named() {
    assert_eq!(
        refusal("k.ptx", "none.ptx"),
        "job.toml:6: kernels.k: cannot read none.ptx: No such file or directory (os error 2)"
    );
    assert_eq!(refusal("k.ptx", "k.txt"), "job.toml:6: kernels.k: `k.txt` is not one of the files .ptx and .cu");
}

#[test]
fn a_rejected_entry_is_refused_with_the_reason_and_the_line_of_the_ptx() {
    let text = with("entry = \"fill\"", "entry = \"vague\"");
    let message = Folder::new().message(&text);
    assert!(message.starts_with("job.toml:14: launch[0].entry: entry `vague` is not accepted: "), "{message}");
    assert!(message.ends_with("(k.ptx:33)"), "{message}");
}

#[test]
fn an_unknown_entry_is_named_with_those_there_are() {
    assert_eq!(
        refusal("entry = \"fill\"", "entry = \"fil\""),
        "job.toml:14: launch[0].entry: no entry is called `fil`; there are: fill, vague"
    );
    assert_eq!(refusal("entry = \"fill\"\n", ""), "job.toml:13: launch[0]: `entry` must be one of fill, vague");
}

#[test]
fn a_huge_grid_is_refused() {
    for grid in ["[65535, 65535]", "[1, 65536]", "[1, 1, 65536]"] {
        assert_eq!(
            refusal("grid = \"ctas\"", &format!("grid = {grid}")),
            "job.toml:15: launch[0].grid: each axis of the grid is at least 1, y and z at most 65535, all together at most 2147483648 CTAs"
        );
    }
    assert_eq!(
        refusal("grid = \"ctas\"", "grid = 4_000_000_000"),
        "job.toml:15: launch[0].grid: 4000000000 is not in 1..=2147483648"
    );
}

#[test]
fn zero_sizes_are_refused_where_they_stand() {
    assert_eq!(refusal("grid = \"ctas\"", "grid = 0"), "job.toml:15: launch[0].grid: 0 is not in 1..=2147483648");
    assert_eq!(refusal("block = 128", "block = [128, 0]"), "job.toml:16: launch[0].block[1]: 0 is not in 1..=1024");
    assert_eq!(refusal("len = \"n * 4\"", "len = 0"), "job.toml:10: buffer[0].len: 0 is not in 1..=17179869184");
    assert_eq!(
        refusal("range = \"block.x * 4\"", "range = 0"),
        "job.toml:18: launch[0].writes[0].range: 0 is not in 1..=18446744073709551615"
    );
}

#[test]
fn a_block_of_too_many_threads_is_refused() {
    assert_eq!(
        refusal("block = 128", "block = [64, 32]"),
        "job.toml:16: launch[0].block: each axis of the block is at least 1, z at most 64, all together at most 1024 threads (or what the entry's .maxntid says)"
    );
}

#[test]
fn too_much_shared_memory_is_refused() {
    assert_eq!(
        refusal("block = 128", "block = 128\nshared = 100_000"),
        "job.toml:13: launch[0]: static and dynamic shared memory together exceed 98304 bytes"
    );
}

#[test]
fn overlapping_write_maps_are_refused() {
    assert_eq!(
        refusal(
            "range = \"block.x * 4\" }",
            "range = 500, len = 4000 }, { buffer = \"out\", base = 8, all-by-cta0 = true }"
        ),
        "job.toml:18: launch[0].writes[1]: the write map may overlap an earlier one of the same buffer"
    );
}

#[test]
fn write_maps_outside_their_buffer_are_refused() {
    assert_eq!(
        refusal("range = \"block.x * 4\"", "range = \"block.x * 4\", len = 4001"),
        "job.toml:18: launch[0].writes[0]: the write map reaches outside its buffer"
    );
    assert_eq!(
        refusal("range = \"block.x * 4\"", "per-cta = 600"),
        "job.toml:18: launch[0].writes[0]: the write map reaches outside its buffer"
    );
}

#[test]
fn ctas_that_would_share_bytes_are_refused() {
    assert_eq!(
        refusal("range = \"block.x * 4\"", "run = 4000"),
        "job.toml:18: launch[0].writes[0]: two CTAs would own the same bytes: every axis of the grid that is longer than 1 must appear exactly once"
    );
}

#[test]
fn a_write_map_without_a_form_or_with_two_is_refused() {
    assert_eq!(
        refusal("range = \"block.x * 4\"", "base = 0"),
        "job.toml:18: launch[0].writes[0]: `range` or `tile` or `grid-stride` or `flat` or `per-cta` or `all-by-cta0` or `run` is missing"
    );
    assert_eq!(
        refusal("range = \"block.x * 4\"", "range = 512, per-cta = 4"),
        "job.toml:18: launch[0].writes[0]: a write map has either `range` or `per-cta`"
    );
}

#[test]
fn data_of_another_length_is_refused() {
    let folder = Folder::new();
    folder.write("x.bin", [1u8; 16]);
    assert_eq!(
        folder.message(&with("len = \"n * 4\"", "len = 20\nfile = \"x.bin\"")),
        "job.toml:10: buffer[0].len: the data of `out` has 16 bytes, 20 expected"
    );
    assert_eq!(
        folder.message(&with(
            "output = true",
            "output = { image = \"o.png\", format = \"rgba8\", width = 10, height = 10 }"
        )),
        "job.toml:11: buffer[0].output.image: `out` has 4000 bytes, 400 expected"
    );
}

#[test]
fn arguments_must_fit_their_parameters() {
    assert_eq!(
        refusal("{ u32 = \"n\" }", "{ u64 = \"n\" }"),
        "job.toml:17: launch[0].args[1]: u64 has 8 bytes, parameter 1 of `fill` has 4"
    );
    assert_eq!(
        refusal(", { u32 = \"n\" }", ""),
        "job.toml:17: launch[0].args: 1 arguments, but `fill` has 2 parameters"
    );
    assert_eq!(
        refusal("{ u32 = \"n\" }", "\"n\""),
        "job.toml:17: launch[0].args[1]: expected \"buf:NAME\", \"iteration\", or a table such as { u32 = \"n\" }, found text"
    );
    assert_eq!(
        refusal("{ u32 = \"n\" }", "{ u32 = \"n << 24\" }"),
        "job.toml:17: launch[0].args[1].u32: 16777216000 is not in 0..=4294967295"
    );
    assert_eq!(
        refusal("buf:out", "buf:in"),
        "job.toml:17: launch[0].args[0]: no buffer is called `in`; there are: out"
    );
    assert_eq!(refusal("buf:out", "buf:out+n*4"), "job.toml:17: launch[0].args[0]: 4000 is not in 0..=3999");
}

#[test]
fn expressions_that_have_no_value_name_their_line() {
    assert_eq!(
        refusal("len = \"n * 4\"", "len = \"m * 4\""),
        "job.toml:10: buffer[0].len: in \"m * 4\": nothing is called `m`"
    );
    assert_eq!(refusal("n = 1000", "n = \"ctas + 1\""), "job.toml:3: vars.ctas: `n` is defined by itself");
    assert_eq!(
        refusal("\"ceil_div(n, 128)\"", "\"ceil_div(n, 0)\""),
        "job.toml:3: vars.ctas: in \"ceil_div(n, 0)\": division by zero"
    );
}

#[test]
fn a_job_without_output_or_launch_is_refused() {
    assert_eq!(
        refusal("output = true", "output = false"),
        "job.toml: no buffer has `output`: there would be nothing to download"
    );
    let head = JOB.split("[[launch]]").next().unwrap();
    assert_eq!(Folder::new().message(head), "job.toml: nothing to do: no launch, or a repeat of nothing");
}

#[test]
fn too_many_rounds_are_refused() {
    let text = JOB.replace("[[launch]]", "[[repeat]]\ntimes = 5000\n[[repeat.launch]]");
    assert_eq!(
        Folder::new().message(&text),
        "job.toml: the program is too large: at most 4096 launches with repeats counted out, and 65536 bytes encoded"
    );
}

#[test]
fn two_buffers_of_one_name_are_refused() {
    let twice = "[[buffer]]\nname = \"out\"\nlen = 4\n\n[[launch]]";
    assert_eq!(refusal("[[launch]]", twice), "job.toml:14: buffer[1].name: a second buffer called `out`");
}

#[test]
fn outputs_stay_in_their_folder() {
    for path in ["../x.bin", "/etc/x.bin", ""] {
        assert_eq!(
            refusal("output = true", &format!("output = \"{path}\"")),
            format!("job.toml:11: buffer[0].output: `{path}` is not one of the paths inside the folder of the outputs")
        );
    }
}

#[test]
fn a_picture_that_is_none_is_refused() {
    let folder = Folder::new();
    folder.write("p.png", "no picture");
    let message = folder.message(&with("len = \"n * 4\"", "image = { file = \"p.png\", format = \"rgba8\" }"));
    assert!(message.starts_with("job.toml:10: buffer[0].image: p.png: "), "{message}");
    let message = folder.message(&with("len = \"n * 4\"", "image = { file = \"p.png\", format = \"bgr\" }"));
    assert_eq!(message, "job.toml:10: buffer[0].image.format: `bgr` is not one of rgba8, rgb8, gray8");
}

#[test]
fn a_job_file_that_is_not_there_is_named() {
    let error = Job::load(Path::new("no/such/job.toml"), &Options::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "no/such/job.toml: cannot read no/such/job.toml: No such file or directory (os error 2)"
    );
}

#[test]
fn symbols_give_constants_their_values() {
    let with = PTX.replace(
        ".address_size 64\n",
        ".address_size 64\n.const .align 4 .b8 coefs[12];\n.global .align 8 .u64 seed = 7;\n",
    );
    let symbols = "\n[[symbol]]\nname = \"coefs\"\noffset = 4\nf32 = [1.0, 2.0]\n\n[[symbol]]\nname = \"seed\"\nkernel = [\"k\"]\nu64 = [\"n\"]\n";
    let folder = Folder::new();
    folder.write("k.ptx", &with);
    let job = folder.load(&format!("{JOB}{symbols}")).unwrap();
    let ptx = String::from_utf8(job.kernels[0].ptx.clone()).unwrap();
    assert!(ptx.contains(".const .align 4 .b8 coefs[12] = {0,0,0,0,0,0,128,63,0,0,0,64};"), "{ptx}");
    assert!(ptx.contains(".global .align 8 .b8 seed[8] = {232,3,0,0,0,0,0,0};"), "{ptx}");
    assert_eq!(job.kernels[0].id, assay_primitives::hash::plain(&job.kernels[0].ptx));

    for (from, to, message) in [
        ("\"coefs\"", "\"coef\"", "no `__constant__` or `__device__` variable is called `coef`"),
        ("offset = 4", "offset = 8", "the value of `coefs` has 8 bytes, 4 expected"),
        ("[\"k\"]", "[\"j\"]", "is called `seed`"),
        ("u64 = [\"n\"]", "u32 = [1]", "give all of its bytes"),
        ("u64 = [\"n\"]", "", "is missing"),
    ] {
        let error = folder.load(&format!("{JOB}{}", symbols.replace(from, to))).err().unwrap().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// Entries in the order in which they run, with their grids and the buffer of the first argument.
fn order(job: &Job) -> Vec<(u32, u16)> {
    let launches =
        (0..u32::try_from(job.program.launches()).unwrap()).map(|number| job.program.launch(number).unwrap());
    let first = |launch: &assay_primitives::Launch| match launch.args[0] {
        Arg::Buffer { index, .. } => index,
        _ => u16::MAX,
    };
    launches.map(|placed| (placed.launch.grid[0], first(placed.launch))).collect()
}

const TWO: &str = r#"
[[buffer]]
name = "other"
len = "n * 4"
"#;

#[test]
fn a_for_is_written_out_with_its_variable() {
    let text = JOB.replace("[[launch]]", &format!("{TWO}[[for]]\nvar = \"k\"\nfrom = 3\nuntil = 0\nstep = -1\n\n[[for.for]]\nvar = \"j\"\nuntil = \"k\"\n\n[[for.for.launch]]"));
    let text = text
        .replace("grid = \"ctas\"", "grid = \"k\"")
        .replace("buf:out\", { u32 = \"n\" }", "buf:out|other\", { u32 = \"(1 << j) * k\" }")
        .replace("buffer = \"out\"", "buffer = \"out|other\"");
    let job = Folder::new().load(&text).unwrap();
    assert_eq!(order(&job), [(3, 0), (3, 1), (3, 0), (2, 0), (2, 1), (1, 0)]);
    assert_eq!(job.program.launch(2).unwrap().launch.args[1], Arg::U32(12));
    let Writes::Maps(maps) = &job.program.launch(1).unwrap().launch.writes;
    assert!(maps.iter().all(|map| map.buffer == 1));
    assert_eq!(job.launches.len(), 6);
    assert!(job.launches[4].field.ends_with("(k = 2, j = 1)"), "{}", job.launches[4].field);

    let many = text.replace("from = 3", "from = 25").replace("grid = \"k\"", "grid = 2");
    assert_eq!(Folder::new().load(&many).unwrap().program.launches(), 325);
    let endless = text.replace("until = \"k\"", "until = 100000000").replace("(1 << j) * k", "j");
    assert!(Folder::new().message(&endless).contains("the program is too large"));
    let empty = text.replace("until = \"k\"", "until = 0").replace("from = 3", "from = 1000000000000");
    assert!(Folder::new().message(&empty).contains("the program is too large"));
    assert!(
        Folder::new().message(&text.replace("var = \"j\"", "var = \"k\"")).contains("a second variable called `k`")
    );
}

#[test]
fn buffers_take_turns_in_a_repeat() {
    let text = |times: u32| {
        JOB.replace("[[launch]]", &format!("{TWO}[[repeat]]\ntimes = {times}\n\n[[repeat.launch]]"))
            .replace("buf:out\"", "buf:out|other\"")
            .replace("buffer = \"out\"", "buffer = \"out | other\"")
    };
    for times in 1..6u32 {
        let job = Folder::new().load(&text(times)).unwrap();
        let expected: Vec<(u32, u16)> = (0..times).map(|round| (8, (round % 2) as u16)).collect();
        assert_eq!(order(&job), expected);
    }
    assert!(Folder::new().message(&text(3).replace("{ u32 = \"n\" }", "\"iteration\"")).contains("use `for`"));
    assert!(refusal("buf:out\"", "buf:out|other\"").contains("takes turns from round to round"));
}
