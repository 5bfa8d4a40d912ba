//! Valid PTX out of bytes: every name declared, every type right, every loop bounded by fuel alone.

use crate::bytes::Bytes;
use std::fmt::Write;

/// Words of each buffer.
pub(crate) const WORDS: u32 = 512;
/// Words that one thread owns of the second buffer.
pub(crate) const OWN: u32 = 4;

struct Source<'a> {
    bytes: Bytes<'a>,
    text: String,
    labels: u32,
    depth: u32,
    left: u32,
}

/// A module with entry `k(in, out, n)`: `in` and `out` have [`WORDS`] words; each thread owns [`OWN`] words of `out`.
pub fn generate(data: &[u8]) -> String {
    let mut source = Source { bytes: Bytes(data), text: String::new(), labels: 0, depth: 0, left: 60 };
    source.text += ".version 8.0\n.target sm_80\n.address_size 64\n\
        .const .align 4 .u32 table[8] = {1, 1, 2, 3, 5, 8, 13, 21};\n\
        .func (.param .b32 r) twist(.param .b32 a, .param .b32 b) {\n\
        .reg .b32 %x<4>; ld.param.b32 %x1, [a]; ld.param.b32 %x2, [b]; shf.l.wrap.b32 %x3, %x1, %x2, 7;\n\
        xor.b32 %x3, %x3, %x2; st.param.b32 [r], %x3; ret; }\n\
        .visible .entry k(.param .u64 in, .param .u64 out, .param .u32 n) {\n\
        .reg .b32 %r<8>; .reg .b32 %t<16>; .reg .b64 %d<4>; .reg .b64 %a<12>; .reg .f32 %f<4>; .reg .f64 %g<4>;\n\
        .reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %i<4>;\n\
        .shared .align 16 .b8 s[1024]; .local .align 16 .b8 l[64];\n\
        ld.param.u64 %a1, [in]; ld.param.u64 %a2, [out]; ld.param.u32 %r0, [n]; mov.u32 %t1, %tid.x; mov.u32 %t2, %ctaid.x;\n\
        mov.u32 %t3, %ntid.x; mad.lo.u32 %t4, %t2, %t3, %t1; mul.wide.u32 %a3, %t4, 16; add.s64 %a3, %a2, %a3;\n\
        mov.u32 %t5, s; mad.lo.u32 %t6, %t1, 4, %t5; mov.u32 %t7, l;\n";
    // Most programs know all their registers; some leave a few to chance.
    for register in 1..8 {
        if !source.bytes.chance(3) {
            let value = source.bytes.word();
            let _ = writeln!(source.text, "add.u32 %r{register}, %t1, {value};");
        }
    }
    for register in 0..4 {
        if !source.bytes.chance(3) {
            let (long, float) = (source.bytes.long(), source.bytes.word());
            let _ = writeln!(
                source.text,
                "mov.b64 %d{register}, {long}; mov.b32 %f{register}, 0f{float:08X}; mov.b64 %g{register}, 0d{long:016X};\
                 setp.lt.u32 %p{register}, %t1, {}; cvt.u16.u32 %h{register}, {float};",
                float % 70
            );
        }
    }
    if !source.bytes.chance(10) {
        source.text += "st.shared.u32 [%t6], %r1; st.local.v4.u32 [%t7], {%r1, %r2, %r3, %r4};\
            st.local.v4.u32 [%t7+16], {%r1, %r2, %r3, %r4}; bar.sync 0;\n";
    }
    while source.left > 0 && !source.bytes.is_empty() {
        source.statement();
    }
    source.text += "st.global.u32 [%a3], %r1; st.global.u32 [%a3+4], %r2;\n";
    if source.bytes.chance(50) {
        source.text += "mov.b32 %t8, %f1; st.global.u32 [%a3+8], %t8;\n";
    }
    source.text += "ret;\n}\n";
    source.text
}

const RS: [&str; 8] = ["%r0", "%r1", "%r2", "%r3", "%r4", "%r5", "%r6", "%r7"];
const DS: [&str; 4] = ["%d0", "%d1", "%d2", "%d3"];
const FS: [&str; 4] = ["%f0", "%f1", "%f2", "%f3"];
const GS: [&str; 4] = ["%g0", "%g1", "%g2", "%g3"];
const PS: [&str; 4] = ["%p0", "%p1", "%p2", "%p3"];
const HS: [&str; 4] = ["%h0", "%h1", "%h2", "%h3"];

impl Source<'_> {
    fn line(&mut self, text: &str) {
        if self.bytes.chance(15) {
            let not = if self.bytes.chance(50) { "!" } else { "" };
            let guard = self.bytes.pick(&PS);
            let _ = write!(self.text, "@{not}{guard} ");
        }
        self.text += text;
        self.text += "\n";
    }

    fn source(&mut self) -> String {
        if self.bytes.chance(20) { self.bytes.word().to_string() } else { self.bytes.pick(&RS).to_owned() }
    }

    fn statement(&mut self) {
        self.left = self.left.saturating_sub(1);
        let (d, a, b, c) = (self.bytes.pick(&RS), self.bytes.pick(&RS), self.source(), self.bytes.pick(&RS));
        match self.bytes.below(20) {
            0..=4 => {
                let op = self.bytes.pick(&[
                    "add.u32",
                    "sub.s32",
                    "mul.lo.u32",
                    "mul.hi.s32",
                    "mul.hi.u32",
                    "and.b32",
                    "or.b32",
                    "xor.b32",
                    "shl.b32",
                    "shr.u32",
                    "shr.s32",
                    "min.s32",
                    "max.u32",
                    "div.u32",
                    "rem.s32",
                    "div.s32",
                    "rem.u32",
                ]);
                self.line(&format!("{op} {d}, {a}, {b};"));
            }
            5 => {
                let op = self.bytes.pick(&["mad.lo.s32", "mad.hi.u32", "prmt.b32", "bfe.u32", "bfe.s32", "sad.u32"]);
                self.line(&format!("{op} {d}, {a}, {b}, {c};"));
            }
            6 => {
                let op = self.bytes.pick(&["clz.b32", "popc.b32", "brev.b32", "not.b32", "neg.s32", "abs.s32"]);
                self.line(&format!("{op} {d}, {a};"));
            }
            7 => {
                let (x, y, z) = (self.bytes.pick(&FS), self.bytes.pick(&FS), self.bytes.pick(&FS));
                let op = self.bytes.pick(&[
                    "add.rn.f32",
                    "sub.rn.ftz.f32",
                    "mul.rn.f32",
                    "div.rn.f32",
                    "min.f32",
                    "max.f32",
                    "mul.rz.f32",
                ]);
                self.line(&format!("{op} {x}, {y}, {z};"));
                self.line(&format!("fma.rn.f32 {y}, {x}, {z}, {y};"));
            }
            8 => {
                let (x, y, z) = (self.bytes.pick(&GS), self.bytes.pick(&GS), self.bytes.pick(&GS));
                let op = self.bytes.pick(&["add.rn.f64", "mul.rn.f64", "sub.rm.f64", "div.rn.f64", "fma.rn.f64"]);
                let last = if op.starts_with("fma") { format!(", {x}") } else { String::new() };
                self.line(&format!("{op} {x}, {y}, {z}{last};"));
            }
            9 => {
                let (x, y) = (self.bytes.pick(&DS), self.bytes.pick(&DS));
                let op = self.bytes.pick(&["add.u64", "mul.lo.u64", "xor.b64", "mul.hi.u64", "max.s64", "rem.u64"]);
                self.line(&format!("{op} {x}, {y}, {x};"));
                self.line(&format!("mad.wide.u32 {y}, {d}, {a}, {x};"));
            }
            10 => {
                let (f, g, x, h) =
                    (self.bytes.pick(&FS), self.bytes.pick(&GS), self.bytes.pick(&DS), self.bytes.pick(&HS));
                let text = match self.bytes.below(8) {
                    0 => format!("cvt.rn.f32.s32 {f}, {a};"),
                    1 => format!("cvt.rzi.s32.f32 {d}, {f};"),
                    2 => format!("cvt.f64.f32 {g}, {f};"),
                    3 => format!("cvt.rn.f32.f64 {f}, {g};"),
                    4 => format!("cvt.u32.u64 {d}, {x};"),
                    5 => format!("cvt.s64.s32 {x}, {a};"),
                    6 => format!("cvt.s32.s16 {d}, {h};"),
                    _ => format!("cvt.u16.u32 {h}, {a};"),
                };
                self.line(&text);
            }
            11 => {
                let (p, q) = (self.bytes.pick(&PS), self.bytes.pick(&PS));
                let op = self.bytes.pick(&["lt.u32", "ge.s32", "eq.b32", "ne.s32", "hi.u32"]);
                self.line(&format!("setp.{op} {p}, {a}, {b};"));
                self.line(&format!("selp.b32 {d}, {a}, {c}, {q};"));
            }
            12 => {
                // Reads of the input, mostly inside it.
                let mask = if self.bytes.chance(97) { WORDS - 1 } else { WORDS * 2 - 1 };
                self.text += &format!("and.b32 %t8, {a}, {mask}; mul.wide.u32 %a4, %t8, 4; add.s64 %a4, %a1, %a4;\n");
                let op = self.bytes.pick(&[
                    "ld.global.u32",
                    "ld.global.nc.u32",
                    "ld.u32",
                    "ld.global.s8",
                    "ld.volatile.u16",
                ]);
                self.line(&format!("{op} {d}, [%a4];"));
            }
            13 => {
                // What the thread owns.
                let outside = u32::from(self.bytes.chance(2));
                let at = 4 * self.bytes.below(OWN + outside);
                let text = match self.bytes.below(4) {
                    0 => format!("st.global.u32 [%a3+{at}], {a};"),
                    1 => format!("ld.global.u32 {d}, [%a3+{at}];"),
                    2 => format!("st.global.v2.u32 [%a3+{}], {{{a}, {c}}};", at & 8),
                    _ => format!("st.global.u8 [%a3+{}], {a};", at + 1),
                };
                self.line(&text);
            }
            14 => {
                // Shared memory: the own word, a neighbour's behind a barrier, a reduction.
                match self.bytes.below(5) {
                    0 => self.line(&format!("st.shared.u32 [%t6], {a};")),
                    1 => self.line(&format!("ld.shared.u32 {d}, [%t6];")),
                    2 => {
                        let by = 1 << self.bytes.below(5);
                        self.text += &format!(
                            "xor.b32 %t8, %t1, {by}; min.u32 %t8, %t8, 63; mad.lo.u32 %t8, %t8, 4, %t5; bar.sync 0;\n\
                             ld.shared.u32 {d}, [%t8]; bar.sync 0;\n"
                        );
                    }
                    3 => {
                        let op = self.bytes.pick(&["add.u32", "min.s32", "or.b32", "max.u32"]);
                        self.text += &format!(
                            "setp.eq.u32 %p3, %t1, 0; @%p3 st.shared.u32 [%t5+1020], {a}; bar.sync 0;\n\
                             red.shared.{op} [%t5+1020], {c}; bar.sync 0; ld.shared.u32 {d}, [%t5+1020]; bar.sync 0;\n"
                        );
                    }
                    _ => {
                        let barrier =
                            self.bytes.pick(&["bar.sync 0;", "bar.warp.sync -1;", "barrier.sync 1;", "membar.cta;"]);
                        self.text += barrier;
                    }
                }
            }
            15 => {
                let at = 4 * self.bytes.below(8);
                let text = match self.bytes.below(4) {
                    0 => format!("st.local.u32 [%t7+{at}], {a};"),
                    1 => format!("ld.local.u32 {d}, [%t7+{at}];"),
                    2 => format!("ld.local.u8 {d}, [%t7+{}];", at + 3),
                    _ => format!("and.b32 %t8, {a}, 28; add.u32 %t8, %t8, %t7; ld.local.u32 {d}, [%t8];"),
                };
                self.text += &text;
                self.text += "\n";
            }
            16 => {
                let p = self.bytes.pick(&PS);
                let text = match self.bytes.below(7) {
                    0 => format!("shfl.sync.bfly.b32 {d}|{p}, {a}, {}, 31, -1;", 1 << self.bytes.below(5)),
                    1 => format!("shfl.sync.down.b32 {d}, {a}, {}, 31, -1;", self.bytes.below(32)),
                    2 => format!("shfl.sync.idx.b32 {d}, {a}, {c}, 31, -1;"),
                    3 => format!("vote.sync.ballot.b32 {d}, {p}, -1;"),
                    4 => format!("vote.sync.any.pred {p}, {p}, -1;"),
                    5 => format!("redux.sync.add.s32 {d}, {a}, -1;"),
                    _ => format!("match.any.sync.b32 {d}, {a}, -1;"),
                };
                self.text += &text;
                self.text += "\n";
            }
            17 => {
                let text = match self.bytes.below(3) {
                    0 => format!(
                        "and.b32 %t8, {a}, 7; mul.wide.u32 %a5, %t8, 4; mov.u64 %a6, table; add.s64 %a5, %a6, %a5; ld.const.u32 {d}, [%a5];"
                    ),
                    1 => format!(
                        "{{ .param .b32 x; .param .b32 y; .param .b32 z; st.param.b32 [x], {a}; st.param.b32 [y], {c};\n\
                         call.uni (z), twist, (x, y); ld.param.b32 {d}, [z]; }}"
                    ),
                    _ => format!("add.cc.u32 {d}, {a}, {b}; addc.u32 %t9, {c}, 0; xor.b32 {d}, {d}, %t9;"),
                };
                self.text += &text;
                self.text += "\n";
            }
            18 if self.depth < 3 => self.branch(),
            _ if self.depth < 2 => self.repeat(),
            _ => self.line(&format!("mov.b32 {d}, {b};")),
        }
    }

    fn inside(&mut self) {
        self.depth += 1;
        for _ in 0..1 + self.bytes.below(4) {
            if self.left > 0 {
                self.statement();
            }
        }
        self.depth -= 1;
    }

    fn branch(&mut self) {
        let (p, n) = (self.bytes.pick(&PS), self.labels);
        self.labels += 1;
        if self.bytes.chance(25) {
            let a = self.bytes.pick(&RS);
            let _ =
                writeln!(self.text, "and.b32 %t10, {a}, 1; T{n}: .branchtargets E{n}, F{n}; brx.idx %t10, T{n}; E{n}:");
        } else {
            let _ = writeln!(self.text, "@{p} bra E{n};");
            self.inside();
            let _ = writeln!(self.text, "bra.uni F{n}; E{n}:");
        }
        self.inside();
        let _ = writeln!(self.text, "F{n}:");
    }

    fn repeat(&mut self) {
        let n = self.labels;
        self.labels += 1;
        let (counter, times) = (self.depth, 1 + self.bytes.below(5));
        let bound = if self.bytes.chance(30) {
            format!("and.b32 %t11, %t1, 3; add.u32 %t11, %t11, {times};")
        } else {
            format!("mov.u32 %t11, {times};")
        };
        let _ = writeln!(self.text, "{bound} mov.u32 %i{counter}, %t11; L{n}:");
        self.inside();
        let _ =
            writeln!(self.text, "sub.u32 %i{counter}, %i{counter}, 1; setp.ne.u32 %p3, %i{counter}, 0; @%p3 bra L{n};");
    }
}
