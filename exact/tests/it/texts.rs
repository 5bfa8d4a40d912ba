//! Texts as they come: comments, labels, odd layouts, cut ones, and bytes that are no text.

use assay_engine::Module;
use assay_exact::{Error, rewrite};

use crate::support::random;

const HEAD: &str = ".version 8.0\n.target sm_80\n.address_size 64\n";

fn body(lines: &str) -> String {
    format!(
        "{HEAD}.visible .entry k(.param .u64 a)\n{{\n.reg .f32 %f<9>; .reg .b64 %a; .reg .pred %p<3>;\n\
         ld.param.u64 %a, [a]; ld.global.f32 %f1, [%a]; setp.gt.f32 %p1, %f1, 0f00000000;\n{lines}\n\
         st.global.f32 [%a], %f2;\nret;\n}}\n"
    )
}

fn exact(text: &str) -> Option<String> {
    rewrite(text.as_bytes()).unwrap().map(|exact| String::from_utf8(exact.ptx).unwrap())
}

/// Lines up to which a rewritten text has the written ones.
fn same_lines(text: &str, exact: &str) {
    for (number, (written, made)) in text.lines().zip(exact.lines()).enumerate() {
        let changed = ["approx", "full", "address_size"].iter().any(|part| written.contains(part));
        let operand = written.ends_with(',') || written.trim().starts_with("%f");
        if !changed && !operand {
            assert_eq!(written, made, "line {}", number + 1);
        }
    }
}

#[test]
fn what_only_looks_like_an_instruction_stays() {
    let text = body(
        "// ex2.approx.f32 %f2, %f1;\n/* ex2.approx.f32 %f2, %f1;\n */ mov.f32 %f2, %f1;\n.pragma \"ex2.approx.f32 %f2, %f1;\";",
    );
    assert_eq!(exact(&text), None);
    assert_eq!(exact(&body("ex2.rn.f32 %f2, %f1;")), None);
    assert_eq!(exact(&body("ex2.approx.f32 %f2, {%f1};")), None);
    assert_eq!(exact(&body("ex2.approx.f32 %f2;")), None);
    assert_eq!(exact(&body("ex2.approx.f32 %f2, %f1")), None);
    assert_eq!(exact(""), None);
}

#[test]
fn lines_keep_their_numbers_wherever_the_instruction_stands() {
    for lines in [
        "ex2.approx.f32 %f2, %f1;",
        "@%p1 bra L; L: ex2.approx.f32 %f2, %f1; mov.f32 %f3, %f2;",
        "{ .reg .f32 t; ex2.approx.f32 t, %f1; @!%p1 ex2.approx.f32\n\tt,\n\t%f1; mov.f32 %f2, t; }",
        "L: @%p1 sin.approx.f32 %f2, %f1; @!%p1 cos.approx.f32 %f2, %f1; lg2.approx.f32 %f2, %f2;",
        "rcp.approx.f32 %f2, /* why\n not */ %f1; // rcp.approx.f32 %f2, %f1;\n div.full.f32 %f2, %f2, 2.0;",
        "rsqrt.approx.ftz.f32 %f2,%f1;tanh.approx.f32 %f2,0f3F800000;",
    ] {
        let text = body(lines);
        let made = exact(&text).unwrap();
        same_lines(&text, &made);
        let module = Module::parse(made.as_bytes()).unwrap();
        assert!(module.entries[0].kernel.is_ok(), "{lines}: {:?}\n{made}", module.entries[0].kernel.as_ref().err());
        // What is wrong further down is named at its line.
        let wrong = text.replace("st.global.f32", "brkpt; st.global.f32");
        let line = wrong.lines().position(|line| line.contains("brkpt")).unwrap() as u32 + 1;
        let module = Module::parse(exact(&wrong).unwrap().as_bytes()).unwrap();
        assert_eq!(module.entries[0].kernel.as_ref().err().unwrap().line, line);
        // Nothing is left to do.
        assert_eq!(exact(&made), None);
    }
}

#[test]
fn the_type_may_stand_before_ftz() {
    for name in ["ex2", "lg2", "rsqrt", "rcp", "sqrt", "sin"] {
        let usual = body(&format!("{name}.approx.ftz.f32 %f2, %f1;"));
        let other = body(&format!("{name}.approx.f32.ftz %f2, %f1;"));
        assert_eq!(exact(&other), exact(&usual), "{name}");
        assert!(exact(&other).is_some());
    }
}

#[test]
fn lines_of_the_source_hide_no_instruction() {
    for line in [
        ".loc 1 7 3",
        ".loc\t1 7 3, function_name $L__info_string0, inlined_at 1 9 3 // ex2.approx.f32 %f2, %f1;",
        ".loc 1 7 3\n.loc 1 8 5",
        ".file 1 \"k.cu\"",
        "@%p1 bra L;\n.loc 1 7 3\nL:\n.loc 1 8 3",
        ".loc 1 7 3 /* the\n first */",
    ] {
        let text = body(&format!("{line}\nex2.approx.f32 %f2, %f1;\n.loc 1 9 3\n@%p1 lg2.approx.f32 %f2, %f2;"));
        assert_eq!(rewrite(text.as_bytes()).unwrap().unwrap().replaced.len(), 2, "{line}");
    }
    assert_eq!(exact(&body(".loc 1 7 3 /*\nex2.approx.f32 %f2, %f1;\n*/")), None);
}

#[test]
fn the_beginning_may_be_written_in_other_ways() {
    let text = body("ex2.approx.f32 %f2, %f1;");
    for head in [
        ".version 8.0 .target sm_80",
        "// made\n.version 8.0\n.target sm_80, debug\n.address_size 64 // bits",
        "\n\n.version 8.0\n\n.target sm_80\n.address_size 64\n.file 1 \"k.cu\"\n.global .b32 x[2] = {1, 2};",
    ] {
        let made = exact(&text.replace(HEAD.trim_end(), head)).unwrap();
        let module = Module::parse(made.as_bytes()).unwrap();
        assert!(module.entries[0].kernel.is_ok(), "{made}");
    }
    assert_eq!(rewrite(text.replace(HEAD, "").as_bytes()), Err(Error::NoHeader));
}

#[test]
fn drivers_read_up_to_a_zero_byte() {
    let text = body("ex2.approx.f32 %f2, %f1;");
    let made = exact(&format!("{text}\0\0")).unwrap();
    assert!(!made.contains('\0') && made.starts_with(&text[..40]));
    assert_eq!(rewrite(text.replace("ret;", "ret;\0").as_bytes()), Err(Error::Zero(10)));
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(rewrite(b"a\n/* b"), Err(Error::Endless(2)));
    assert_eq!(rewrite(b"a\n\n\"b\n\""), Err(Error::Endless(3)));
    assert_eq!(rewrite(body("ex2.approx.f32 %f2, %assay_exact_t;").as_bytes()), Err(Error::Taken));
}

#[test]
fn a_large_text_is_rewritten() {
    let text = body(&"ex2.approx.f32 %f2, %f1;\n".repeat(40_000));
    let exact = rewrite(text.as_bytes()).unwrap().unwrap();
    assert_eq!(exact.replaced["ex2.approx.f32"], 40_000);
    // Much that could be begun again and again.
    for part in ["ex2.approx.f32 ", "ex2.approx.f32 {", "@%p ex2.approx.f32 a,", "/*", "\"\"", "@!", ".version "] {
        let _ = rewrite(part.repeat(1_000_000 / part.len()).as_bytes());
    }
}

#[test]
fn any_bytes_are_read_and_what_was_ptx_stays_ptx() {
    let pieces: Vec<String> = [
        "ex2.approx.f32",
        "%f2, %f1;",
        "@%p1 ",
        "@!%p1 ",
        "rcp.approx.ftz.f64 ",
        "{",
        "}",
        ";",
        ":",
        ",",
        "/*",
        "*/",
        "//",
        "\n",
        "\"",
        "\0",
        "L1",
        ".reg .f32 t;",
        "tanh.approx.f32 %f2, %f1;",
        ".func",
        ".entry",
        "ret;",
        "\u{e9}",
        "assay_exact_",
    ]
    .map(String::from)
    .to_vec();
    let mut state = 11;
    let mut rewritten = 0;
    for round in 0..4000 {
        let mut text =
            body("L: @%p1 ex2.approx.f32 %f2, %f1; rsqrt.approx.f32 %f2, %f2;\nmov.f32 %f2, %f2;").into_bytes();
        for _ in 0..random(&mut state) % 4 {
            let at = random(&mut state) as usize % (text.len() + 1);
            let until = (at + random(&mut state) as usize % 8).min(text.len());
            let piece = &pieces[random(&mut state) as usize % pieces.len()];
            text.splice(at..until, piece.bytes());
        }
        if round % 16 == 0 {
            text = (0..random(&mut state) % 300).map(|_| random(&mut state) as u8).collect();
        }
        if let Ok(Some(exact)) = rewrite(&text) {
            rewritten += 1;
            let (before, after) = (Module::parse(&text), Module::parse(&exact.ptx));
            assert!(before.is_err() || after.is_ok(), "{}", String::from_utf8_lossy(&exact.ptx));
        }
    }
    assert!(rewritten > 1000, "{rewritten}");
}
