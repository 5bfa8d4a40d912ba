//! Launches one after the other, in rounds and CTA by CTA.

use assay_primitives::{Arg, Step, Writes};

use super::{Folder, JOB, refusal};
use crate::job::Job;

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
    assert_eq!(job.kernels.len(), 2, "one launch runs the kernel as it is");
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

/// `out[0] += data[i]` as floats, the old value into `old[i]`.
const ADDING: &str = "\
.version 8.0
.target sm_80
.address_size 64

.visible .entry add(
	.param .u64 add_data,
	.param .u64 add_out,
	.param .u64 add_old
)
.reqntid 2, 2, 1
{
	.reg .pred %p<2>;
	.reg .b32 %r<12>;
	.reg .f32 %f<3>;
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [add_data];
	ld.param.u64 %rd2, [add_out];
	ld.param.u64 %rd3, [add_old];
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %tid.x;
	mov.u32 %r3, %tid.y;
	mov.u32 %r4, %ntid.x;
	mad.lo.u32 %r5, %r3, %r4, %r2;
	mov.u32 %r6, %ntid.y;
	mul.lo.u32 %r7, %r4, %r6;
	mad.lo.u32 %r8, %r1, %r7, %r5;
	setp.gt.u32 %p1, %r8, 9;
	@%p1 ret;
	mul.wide.u32 %rd4, %r8, 4;
	add.u64 %rd5, %rd1, %rd4;
	add.u64 %rd6, %rd3, %rd4;
	ld.global.f32 %f1, [%rd5];
	atom.global.add.f32 %f2, [%rd2], %f1;
	st.global.f32 [%rd6], %f2;
	ret;
}
";

#[test]
fn threads_of_a_serial_launch_change_the_same_bytes_one_after_the_other() {
    let folder = Folder::new();
    folder.write("k.ptx", ADDING);
    let text = concat!(
        "[kernels]\nk = \"k.ptx\"\n[[buffer]]\nname = \"data\"\nf32 = [1, 1e9, 3, -1e9, 5, 6, 7, 8, 9, 10]\n",
        "[[buffer]]\nname = \"out\"\nlen = 4\noutput = true\n[[buffer]]\nname = \"old\"\nlen = 40\noutput = true\n",
        "[[launch]]\ngrid = 3\nblock = [2, 2]\nargs = [\"buf:data\", \"buf:out\", \"buf:old\"]\nserial = \"threads\"\n",
    );
    let job = folder.load(text).unwrap_or_else(|error| panic!("{error}"));
    let run = |job: &Job| crate::local::run(job, 1_000_000, &assay_worker::backend::Control::default()).unwrap();
    assert_eq!(job.kernels.len(), 1, "nothing runs the kernel as it is");
    let done = run(&job);
    assert_eq!(done.trap, None);
    let (mut sum, mut expected) = (0f32, Vec::new());
    for value in [1f32, 1e9, 3.0, -1e9, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0] {
        expected.extend(sum.to_le_bytes());
        sum += value;
    }
    assert_eq!(done.buffers[1].as_slice(), sum.to_le_bytes());
    assert_eq!(done.buffers[2].as_slice(), expected);

    // Threads of one CTA at a time are together, and their order shows: a race.
    let job = folder.load(&text.replace("\"threads\"", "true")).unwrap_or_else(|error| panic!("{error}"));
    let trap = run(&job).trap.map(|(_, trap)| trap.kind);
    assert_eq!(trap, Some(assay_engine::TrapKind::Race));
    // One thread of each CTA is in order.
    folder.write("k.ptx", ADDING.replace(".reqntid 2, 2, 1\n", ""));
    let one = text.replace("\"threads\"", "true").replace("grid = 3\nblock = [2, 2]", "grid = 10\nblock = 1");
    let job = folder.load(&one).unwrap_or_else(|error| panic!("{error}"));
    let done = run(&job);
    assert_eq!(done.trap, None);
    assert_eq!(done.buffers[2].as_slice(), expected);

    let message = folder.message(&text.replace("serial = \"threads\"\n", ""));
    assert!(message.contains("order that is not fixed"), "{message}");
    let message = folder.message(&text.replace("\"threads\"", "\"thread\""));
    assert!(message.contains("true or \"threads\""), "{message}");
    folder.write("k.ptx", ADDING.replacen("\tmov.u32 %r1, %ctaid.x;", "\tmov.u32 %r1, %ctaid.x;\n\tbar.sync 0;", 1));
    let message = folder.message(text);
    assert!(message.contains("cannot wait for each other"), "{message}");
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
