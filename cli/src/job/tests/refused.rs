//! What is refused, and with which words.

use std::path::Path;

use super::{Folder, JOB, PTX, refusal, with};
use crate::job::{Job, Options};

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
