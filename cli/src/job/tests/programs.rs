//! What job files become.

use std::path::Path;

use assay_primitives::{Arg, BlobId, Dim, Init, Step, Writes, hash};

use super::{Folder, JOB, PTX, with};
use crate::job::{
    Job, Options,
    image::{self, PixelFormat},
};

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
