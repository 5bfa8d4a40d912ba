use crate::support::text;
use assay_engine::Module;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn error(source: &str) -> (u32, String) {
    match Module::parse(source.as_bytes()) {
        Ok(_) => panic!("parsed: {source}"),
        Err(error) => (error.line, error.reason),
    }
}

#[test]
fn what_is_no_ptx_is_an_error_with_its_line() {
    assert_eq!(error("").0, 1);
    assert_eq!(error("hello").0, 1);
    assert_eq!(error(".version 8.0\n.target sm_80\n.entry k() {\n  add.u32 %r1 %r2;\n}").0, 4);
    assert_eq!(error(".version 8.0\n/* never closed").0, 2);
    assert_eq!(error(".version 8.0\n.file 1 \"open\n").0, 2);
    assert!(error(".version 8.0 .address_size 32").1.contains("64 bits"));
    assert_eq!(error(".version 8.0\n.entry k() {\n ret;\n").0, 4);
    assert!(error(&format!(".version 8.0 .entry k() {{ {} ret;", "{".repeat(100))).1.contains("deeply"));
}

#[test]
fn every_prefix_of_a_module_is_read_or_refused() {
    let source = text(
        "setp.lt.and.u32 %p1|%p2, %r1, 4, !%p3; ld.global.v2.u32 {%r2, %r3}, [%rd6+8]; fma.rn.f32 %f1, %f2, 0f3F800000, %f3; L: bra L;",
    );
    for length in 0..source.len() {
        let _ = Module::parse(&source.as_bytes()[..length]);
    }
}

/// The inputs grow a hundredfold; quadratic behaviour would take ten thousand times as long.
#[test]
fn time_grows_with_the_input_and_not_faster() {
    type Maker = fn(usize) -> String;
    let makers: [(&str, Maker); 9] = [
        ("one long label", |n| text(&format!("{}: bra {};", "L".repeat(n), "L".repeat(n)))),
        ("one long comment", |n| format!("// {}\n{}", "x".repeat(n), text(""))),
        ("many labels", |n| text(&(0..n / 16).map(|i| format!("L{i}: bra L{};\n", i / 2)).collect::<String>())),
        ("many registers", |n| {
            text(&(0..n / 40).map(|i| format!("add.u32 %r2, %r1, {i}; mov.b32 %r3, %r2;\n")).collect::<String>())
        }),
        ("live everywhere", |n| {
            let count = n / 60;
            let mut body = format!(".reg .b32 %q<{count}>;");
            for i in 0..count {
                body += &format!("mov.u32 %q{i}, {i}; setp.eq.u32 %p1, %r1, {i}; @%p1 bra M{i}; M{i}:\n");
            }
            for i in 0..count {
                body += &format!("add.u32 %r2, %q{i}, 1;\n");
            }
            text(&body)
        }),
        ("a long table", |n| {
            text("").replace(".visible", &format!(".global .b8 t[{n}] = {{{}1}};\n.visible", "1,".repeat(n - 1)))
        }),
        ("many scopes", |n| text(&"{ .reg .b32 %x; mov.u32 %x, 1; }\n".repeat(n / 32))),
        ("many entries", |n| {
            let mut source = ".version 8.0 .target sm_80 .address_size 64\n".to_owned();
            for i in 0..n / 32 {
                source += &format!(".entry k{i}() {{ ret; }}\n");
            }
            source
        }),
        ("entries that share functions", |n| {
            let mut source = ".version 8.0 .target sm_80 .address_size 64\n.func f() { ".to_owned();
            source += &"bar.warp.sync -1; ".repeat(n / 100);
            source += " ret; }\n";
            for i in 0..n / 100 {
                source += &format!(".entry k{i}() {{ call f; ret; }}\n");
            }
            source
        }),
    ];
    let time = |source: &str| {
        (0..3)
            .map(|_| {
                let began = Instant::now();
                let _ = Module::parse(source.as_bytes());
                began.elapsed()
            })
            .min()
            .unwrap_or_default()
    };
    for (name, make) in makers {
        let small = time(&make(20_000)).max(Duration::from_millis(2));
        let large = time(&make(2_000_000));
        assert!(large < small * 1500, "{name}: {small:?} then {large:?}");
        assert!(large < Duration::from_secs(30), "{name}: {large:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Module::parse(&bytes);
        let mut framed = b".version 8.0\n.target sm_80\n.address_size 64\n.entry k() {\n".to_vec();
        framed.extend(&bytes);
        let _ = Module::parse(&framed);
    }

    #[test]
    fn token_soup_never_panics(words in proptest::collection::vec(proptest::sample::select(vec![
        "add.u32", "ld.global.u32", "st.shared.v4.f32", "mov.b64", "cvt.rn.f16.s8", "setp.lt.or.f32", "bra", "L:", "L", "call", "ret", "@%p1", "@!%p1",
        "%r1", "%rd1", "%f1", "%p1", "%h1", "%tid.x", "{", "}", "(", ")", "[", "]", ",", ";", "!", "|", "+", "-", "1", "0x7f", "0f3F800000", "1.5e3",
        ".reg .b32 %z<5>;", ".shared .align 4 .b8 s[16];", ".param .b32 q;", "brx.idx", "T: .branchtargets L;", "shfl.sync.up.b32", "bar.sync", "mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32",
        "-1", "_", "=", "s", "p0", "bfi.b64", "mad.wide.s16", "atom.shared.add.u32", "lop3.b32", ".loc 1 2 3", ".pragma \"x\";", "trap;", "exit;",
    ]), 0..60)) {
        let body = words.join(" ");
        let _ = Module::parse(text(&body).as_bytes());
        let _ = Module::parse(text(&format!("{body};")).as_bytes());
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0usize..4000, byte in any::<u8>()) {
        let mut source = text("setp.lt.and.u32 %p1|%p2, %r1, 4, !%p3; ld.global.v2.u32 {%r2, %r3}, [%rd6+8]; cvt.rni.s32.f32 %r4, %f1;
            { .param .b32 a; st.param.b32 [a+0], %r1; } shfl.sync.bfly.b32 %r5|%p4, %r2, 1, 31, -1; mov.b64 {%r6, %r7}, %rd3; L: bra.uni L;").into_bytes();
        let at = at % source.len();
        source[at] = byte;
        let _ = Module::parse(&source);
    }
}
