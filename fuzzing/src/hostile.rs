//! PTX that is made to take long or much. Each shape grows to the size asked for.

use std::fmt::Write;

const HEAD: &str = ".version 8.0\n.target sm_80\n.address_size 64\n";

/// Repeats `part` until the text has about `size` bytes, then ends it.
fn grow(size: usize, start: &str, end: &str, mut part: impl FnMut(usize) -> String) -> String {
    let mut text = format!("{HEAD}{start}");
    let mut count = 0;
    while text.len() + end.len() < size {
        text += &part(count);
        count += 1;
    }
    text + end
}

fn body(size: usize, start: &str, part: impl FnMut(usize) -> String) -> String {
    body_to(size, start, "ret;}", part)
}

fn body_to(size: usize, start: &str, end: &str, part: impl FnMut(usize) -> String) -> String {
    let regs = ".reg .b32 %r<100>; .reg .b64 %d<9>; .reg .pred %p<9>; setp.eq.u32 %p1, 1, 2;";
    grow(size, &format!(".entry e$(.param .u64 q$) {{ {regs}\n{start}"), end, part)
}

fn word(count: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let (mut left, mut word) = (count, String::new());
    loop {
        word.push(char::from(LETTERS[left % LETTERS.len()]));
        left /= LETTERS.len();
        if left == 0 {
            return word;
        }
    }
}

/// Entries that share one function of half the text.
fn sharing(size: usize, function: impl Fn(usize) -> String) -> String {
    let function = function(size / 2);
    grow(size, &function, "", |n| format!(".entry {}{{call f$;}}", word(n)))
}

fn half(size: usize, start: &str, end: &str, part: impl FnMut(usize) -> String) -> String {
    grow(size, start, end, part)[HEAD.len()..].to_owned()
}

/// All shapes by name.
pub fn shapes() -> Vec<(&'static str, fn(usize) -> String)> {
    vec![
        ("empty blocks", |size| body(size, "", |_| "{}".into())),
        ("deep blocks", |size| body(size, "", |_| "{".into())),
        ("scopes in use", |size| {
            let start = format!(".reg .b32 z1;{}", "{.reg .b32 z<1>;".repeat(30));
            body_to(size, &start, &format!("ret;{}", "}".repeat(31)), |_| "mov.b32 z1,z1;".into())
        }),
        ("names of digits in deep scopes", |size| {
            let start = format!(".reg .b32 z1111111111;{}", "{.reg .b32 z<2>;".repeat(30));
            let part = "mov.b32 z1111111111,z1111111111;";
            body_to(size, &start, &format!("ret;{}", "}".repeat(31)), |_| part.into())
        }),
        ("labels", |size| body(size, "", |n| format!("{}:", word(n)))),
        ("one label", |size| body(size, "", |_| "a:".into())),
        ("labels and branches", |size| body(size, "", |n| format!("L{n}: @%p1 bra L{};", n / 2))),
        ("registers", |size| body(size, "", |n| format!(".reg .b32 {};", word(n)))),
        ("registers in one list", |size| body_to(size, ".reg .b8 z$", ";ret;}", |n| format!(",{}", word(n)))),
        ("registers alive", |size| body(size, "", |n| format!(".reg .b32 {0}; mov.b32 {0}, %r1;", word(n)))),
        ("a range of registers", |size| {
            body(size, ".reg .b32 %z<4000000000>;", |n| format!("add.u32 %z{}, %z{n}, 1;", n + 1))
        }),
        ("constants", |size| body(size, "", |n| format!("mov.b32 %r1, {n};"))),
        ("returns", |size| body(size, "", |_| "ret;".into())),
        ("unknown instructions", |size| body(size, "", |_| "a;".into())),
        ("operands", |size| body_to(size, "a z", ";ret;}", |_| ",z".into())),
        ("lists", |size| body_to(size, "a z", ";ret;}", |_| ",{}".into())),
        ("lists of one", |size| body(size, "", |_| "a{a};".into())),
        ("modifiers", |size| body_to(size, "prefetch", ";ret;}", |_| ".a".into())),
        ("modifiers of mma", |size| body_to(size, "mma", ";ret;}", |_| ".a".into())),
        ("signs", |size| body_to(size, "mov.b32 %r1, ", "1;ret;}", |_| "-".into())),
        ("digits", |size| body_to(size, "mov.b32 %r1, ", ";ret;}", |_| "1".into())),
        ("a long name", |size| body_to(size, "mov.b32 %r1, ", ";ret;}", |_| "a".into())),
        ("spaces", |size| body(size, "", |_| " ".into())),
        ("comments", |size| body(size, "", |_| "/**/".into())),
        ("an open comment", |size| body(size, "", |_| "/*".into())),
        ("locations", |size| body(size, "", |_| ".loc 1 1 1 ".into())),
        ("files and rejections", |size| {
            let files = half(size / 2, "", "", |n| format!(".file {n} \"\"\n"));
            grow(size, &files, "", |n| format!(".entry {}{{.loc 99999 1 1 a;}}", word(n)))
        }),
        ("entries", |size| grow(size, "", "", |n| format!(".entry {}{{}}", word(n)))),
        ("entries that return", |size| grow(size, "", "", |n| format!(".entry {}{{ret;}}", word(n)))),
        ("declarations", |size| grow(size, "", "", |n| format!(".entry {};", word(n)))),
        ("variables", |size| grow(size, "", "", |n| format!(".const .b8 {};", word(n)))),
        ("huge variables", |size| {
            grow(size, "", ".entry e{ret;}", |n| format!(".const .b64 {}[4000000000][4000000000];", word(n)))
        }),
        ("a huge shared array", |size| body(size, ".shared .b8 s[4000000000];", |_| "ret;".into())),
        ("initial values", |size| grow(size, ".const .b64 a[]={1", "};.entry e{ret;}", |_| ",1".into())),
        ("initial addresses", |size| grow(size, ".const .b64 a[]={a", "};.entry e{ret;}", |_| ",a".into())),
        ("nested initial values", |size| grow(size, ".const .b64 a[]={", "", |_| "{".into())),
        ("parameters", |size| grow(size, ".entry e(.param .b8 z$", "){ret;}", |n| format!(",.param .b8 {}", word(n)))),
        ("a chain of calls", |size| {
            grow(size, ".func f0{ret;}", ".entry e{ret;}", |n| format!(".func f{}{{call f{n};call f{n};ret;}}", n + 1))
        }),
        ("a tower of calls from an entry", |size| {
            let mut last = 0;
            let text = grow(size, ".func f0{ret;}", "", |n| {
                last = n + 1;
                format!(".func f{}{{call f{n};call f{n};ret;}}", n + 1)
            });
            format!("{text}.entry e{{call f{last};ret;}}")
        }),
        ("many calls of many", |size| {
            let functions = half(size / 2, "", "", |n| format!(".func g{n}{{ret;}}"));
            let count = functions.matches(".func").count();
            grow(size, &format!("{functions}.entry e{{"), "ret;}", |n| format!("call g{};", n % count))
        }),
        ("entries share a long function", |size| {
            sharing(size, |size| half(size, ".func f${", "ret;}", |_| "ret;".into()))
        }),
        ("entries share a function that fails late", |size| {
            sharing(size, |size| half(size, ".func f${", "a;}", |_| "ret;".into()))
        }),
        ("entries share many parameters", |size| {
            sharing(size, |size| {
                half(size, ".func f$(.param .b8 z$", "){ret;}", |n| format!(",.param .b8 {}", word(n)))
            })
        }),
        ("entries share a long list of targets", |size| {
            sharing(size, |size| half(size, ".func f${T:.branchtargets z", ";z:ret;}", |_| ",z".into()))
        }),
        ("entries share a long opcode", |size| sharing(size, |size| half(size, ".func f${add", ";}", |_| ".a".into()))),
        ("entries share a long operand list", |size| {
            sharing(size, |size| half(size, ".func f${add.u32 z", ";}", |_| ",z".into()))
        }),
        ("entries share a function with a long name", |size| {
            sharing(size, |size| {
                let long = "n".repeat(size / 2);
                format!(".func {long};.func f${{call {long};}}")
            })
        }),
        ("entries share a long file name", |size| {
            sharing(size, |size| format!(".file 1 \"{}\"\n.func f${{.loc 1 1 1 a;}}", "n".repeat(size)))
        }),
        ("entries share a broken table", |size| {
            sharing(size, |size| format!(".const .b64 {} = z; .func f${{mov.b64 a, b;}}", "n".repeat(size)))
        }),
        ("switches of one list", |size| {
            let mut labels = String::new();
            let targets = half(size / 5, "", "", |n| {
                let _ = write!(labels, "L{n}:ret;");
                if n == 0 { "L0".into() } else { format!(",L{n}") }
            });
            body(size, &format!("mov.b32 %r1, 0; T:.branchtargets {targets}; {labels}"), |_| "brx.idx %r1,T;".into())
        }),
        ("data flow that settles slowly", |size| {
            body(size, "", |n| {
                format!(".reg .b32 %v{n}; K{n}: add.u32 %r1,%r1,%v{n};@%p1 bra K{};mov.b32 %v{n},%r1;", n.max(1) - 1)
            })
        }),
        ("many entries of slow data flow", |size| {
            grow(size, "", "", |n| {
                let mut text = format!(
                    ".entry {}{{.reg .pred %p<2>;.reg .b32 %v<999>;mov.b32 %v0,1;setp.eq.u32 %p1,1,2;",
                    word(n)
                );
                for k in 1..150 {
                    let _ = write!(text, "K{k}:add.u32 %v0,%v0,%v{k};@%p1 bra K{};mov.b32 %v{k},%v0;", k.max(2) - 1);
                }
                text + "ret;}"
            })
        }),
        ("a name of many scopes", |size| {
            let end = format!("ret;{}", "}".repeat(31));
            body_to(size, &"{".repeat(30), &end, |n| format!("{{{}:}}", word(n)))
        }),
        ("vectors of mma", |size| {
            body(size, "", |_| {
                "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r1,%r2,%r3,%r4},{%r5,%r6,%r7,%r8},{%r9,%r10},{%r1,%r2,%r3,%r4};".into()
            })
        }),
        ("strings", |size| grow(size, "", "", |n| format!(".file {n} \"a\"\n"))),
        ("zeros", |size| grow(size, "", ".entry e{ret;}", |_| "\0".into())),
        ("line ends", |size| grow(size, "", ".entry e{ret;}", |_| "\r\n".into())),
        ("sections", |size| grow(size, ".section .a {", "", |_| "{".into())),
        ("attributes", |size| grow(size, ".func .attribute(", "", |_| "(".into())),
    ]
}
