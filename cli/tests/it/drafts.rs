//! `assay job new`: a kernel becomes a job file that runs.

use std::path::Path;

use crate::support::assay;

const SAXPY: &str = "\
// Not the name of a parameter: __global__ void saxpy(int a)
__global__ void saxpy(int count, float factor, const float *__restrict__ x, float *y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count)
        y[i] = factor * x[i] + y[i];
}
";

const PTX: &str = "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry _Z5saxpyifPKfPf(
	.param .u32 _Z5saxpyifPKfPf_param_0,
	.param .f32 _Z5saxpyifPKfPf_param_1,
	.param .u64 _Z5saxpyifPKfPf_param_2,
	.param .u64 _Z5saxpyifPKfPf_param_3
)
{
	.reg .pred %p<2>;
	.reg .f32 %f<5>;
	.reg .b32 %r<6>;
	.reg .b64 %rd<8>;
	ld.param.u32 %r2, [_Z5saxpyifPKfPf_param_0];
	ld.param.f32 %f1, [_Z5saxpyifPKfPf_param_1];
	ld.param.u64 %rd1, [_Z5saxpyifPKfPf_param_2];
	ld.param.u64 %rd2, [_Z5saxpyifPKfPf_param_3];
	mov.u32 %r3, %ctaid.x;
	mov.u32 %r4, %ntid.x;
	mov.u32 %r5, %tid.x;
	mad.lo.s32 %r1, %r3, %r4, %r5;
	setp.ge.s32 %p1, %r1, %r2;
	@%p1 bra $L__BB0_2;
	cvta.to.global.u64 %rd3, %rd1;
	mul.wide.s32 %rd4, %r1, 4;
	add.s64 %rd5, %rd3, %rd4;
	ld.global.nc.f32 %f2, [%rd5];
	cvta.to.global.u64 %rd6, %rd2;
	add.s64 %rd7, %rd6, %rd4;
	ld.global.f32 %f3, [%rd7];
	fma.rn.f32 %f4, %f2, %f1, %f3;
	st.global.f32 [%rd7], %f4;
$L__BB0_2:
	ret;
}
";

fn draft(folder: &Path, args: &[&str]) -> String {
    let ran = assay(folder, &[&["job", "new"], args].concat(), b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out
}

#[test]
fn a_draft_has_the_types_of_the_name_and_the_names_of_the_source_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("saxpy.ptx"), PTX).unwrap();
    std::fs::write(folder.path().join("saxpy.cu"), SAXPY).unwrap();
    draft(folder.path(), &["saxpy.ptx"]);
    let file = folder.path().join("saxpy.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    for part in [
        "saxpy = \"saxpy.ptx\"\n",
        "count = 1024\nthreads = 256",
        "name = \"x\"\nlen = \"count * 4\"    # float const*\nrandom = { seed = 1, type = \"f32\" }\n\n",
        "name = \"y\"\nlen = \"count * 4\"    # float*\nrandom = { seed = 2, type = \"f32\" }\noutput = ",
        "entry = \"saxpy\"\ngrid = \"ceil_div(count, threads)\"\nblock = \"threads\"\n",
        "{ i32 = \"count\" },    # int\n    { f32 = 1.0 },    # float\n    \"buf:x\",    # float const*\n    \"buf:y\",",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    assert!(
        text.contains("guesses with which it runs") && text.contains("writes = [{ buffer = \"y\", range = "),
        "{text}"
    );
    let inferred = assay(folder.path(), &["job", "check", "saxpy.toml", "--infer-writes", "--save"], b"");
    assert_eq!(inferred.code, 0, "{}{}", inferred.out, inferred.err);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let ran = assay(folder.path(), &["job", "run", "saxpy.toml"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(std::fs::read(folder.path().join("out/y.bin")).unwrap().len(), 4096);
}

#[test]
fn a_draft_replaces_no_file_and_names_what_it_cannot_use() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("saxpy.ptx"), PTX).unwrap();
    std::fs::write(folder.path().join("saxpy.toml"), "mine").unwrap();
    let ran = assay(folder.path(), &["job", "new", "saxpy.ptx"], b"");
    assert_ne!(ran.code, 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("saxpy.toml")).unwrap(), "mine");

    let ran = assay(folder.path(), &["job", "new", "saxpy.ptx", "--entry", "daxpy"], b"");
    assert!(ran.code != 0 && ran.err.contains("has no entry daxpy"), "{}", ran.err);

    // Without the source, parameters are numbered.
    let text = draft(folder.path(), &["saxpy.ptx", "-o", "-"]);
    assert!(text.contains("name = \"p2\"") && text.contains("{ i32 = \"n0\" }"), "{text}");
}

#[test]
fn kernels_without_mangled_names_are_drafted_from_what_they_load_and_store() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("k.ptx"), PTX.replace("_Z5saxpyifPKfPf", "saxpy")).unwrap();
    let text = draft(folder.path(), &["k.ptx", "-o", "-"]);
    let pointers = ["name = \"p2\"\nlen = \"n0 * 4\"\nrandom", "name = \"p3\"\nlen = \"n0 * 4\"\nrandom"];
    for part in pointers.into_iter().chain(["output = { file = \"p3.bin\", show = \"f32\" }", "{ f32 = 1.0 }"]) {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    assert_eq!(text.matches("output").count(), 1, "{text}");
}

#[test]
fn variables_that_kernels_may_write_are_drafted_with_buffers() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("written.ptx"), include_str!("../data/written.ptx")).unwrap();
    let text = draft(folder.path(), &["written.ptx", "-o", "-"]);
    for (name, bytes) in [("partial", 256), ("total", 8), ("calls", 8)] {
        let symbol = format!("name = \"{name}\"\nbuffer = \"{name}\"\n");
        let buffer = format!("[[buffer]]\nname = \"{name}\"\nlen = {bytes}\noutput = true\n");
        assert!(text.contains(&symbol) && text.contains(&buffer), "{text}");
    }
    // Those of other entries are left out.
    let one = draft(folder.path(), &["written.ptx", "--entry", "sums", "-o", "-"]);
    assert!(one.contains("buffer = \"partial\"") && !one.contains("calls"), "{one}");
}

const HISTOGRAM: &str = "\
.visible .entry _Z9histogramPKjPji(.param .u64 data, .param .u64 bins, .param .u32 count)
{
	.reg .pred %p<2>;
	.reg .b32 %r<9>;
	.reg .b64 %rd<9>;
	ld.param.u64 %rd1, [data];
	ld.param.u64 %rd2, [bins];
	ld.param.u32 %r1, [count];
	mov.u32 %r2, %tid.y;
	mov.u32 %r3, %ntid.x;
	mov.u32 %r4, %tid.x;
	mad.lo.s32 %r5, %r2, %r3, %r4;
	mov.u32 %r6, %ctaid.x;
	mad.lo.s32 %r7, %r6, 256, %r5;
	setp.ge.s32 %p1, %r7, %r1;
	@%p1 bra $L__BB0_2;
	cvta.to.global.u64 %rd3, %rd1;
	cvta.to.global.u64 %rd4, %rd2;
	mul.wide.s32 %rd5, %r7, 4;
	add.s64 %rd6, %rd3, %rd5;
	ld.global.u32 %r8, [%rd6];
	mul.wide.u32 %rd7, %r8, 4;
	add.s64 %rd8, %rd4, %rd7;
	red.global.add.u32 [%rd8], 1;
$L__BB0_2:
	ret;
}
";

#[test]
fn a_histogram_is_drafted_with_empty_bins_and_ctas_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("_Z257{}Pf", "n".repeat(257));
    let histogram = format!(
        "\
.version 8.0
.target sm_80
.address_size 64
.visible .entry _Z5emptyv() {{ ret; }}
.visible .entry {long}(.param .u64 p) {{ ret; }}
{}",
        HISTOGRAM
    );
    std::fs::write(folder.path().join("histogram.ptx"), histogram).unwrap();
    let text = draft(folder.path(), &["histogram.ptx", "-o", "-"]);
    for part in [
        "name = \"p0\"\nlen = \"n2 * n2 * 4\"    # unsigned int const*\nrandom = ",
        "name = \"p1\"\nlen = \"n2 * n2 * 4\"    # unsigned int*\noutput = ",
        "grid = \"ceil_div(n2, 16)\"\nblock = [16, 16]\nserial = true",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    assert!(!text.contains("empty") && !text.contains(&long), "{text}");
    std::fs::write(folder.path().join("histogram.toml"), text).unwrap();
    let ran = assay(folder.path(), &["job", "run", "histogram.toml"], b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let bins = std::fs::read(folder.path().join("out/p1.bin")).unwrap();
    let total: u32 = bins.chunks(4).map(|bin| u32::from_le_bytes(bin.try_into().unwrap())).sum();
    assert_eq!(total, 64);
}
