//! A table of instruction forms, each over operands with all their special values: what every host, the runtime and a GPU
//! must agree on.

use crate::mutate::Dice;
use assay_audit::Trace;
use assay_engine::Module;
use assay_primitives::{
    Arg, Axis, BlobId, Dim, Launch, Program, Step, WriteMap, Writes, hash,
    program::{Buffer, Init},
};
use std::fmt::Write as _;

/// Operand triples that each form is tried on.
const TRIPLES: u32 = 2048;
/// Threads of a CTA.
const THREADS: u32 = 256;

/// Result and operands, by letter, then forms; `{a,b}` stands for either. `p` is a predicate, `h r d` are 16, 32 and 64 bits,
/// `x` is a 32-bit operand that is no zero and no -1, `y` one of 64 bits, `i` a number below 32.
const TABLE: &[(&str, &str, &str)] = &[
    ("floats", "f=ff", "{add,sub,mul}.{rn,rz,rm,rp}{,.ftz}{,.sat}.f32 div.{rn,rz,rm,rp}{,.ftz}.f32"),
    ("floats", "f=fff", "fma.{rn,rz,rm,rp}{,.ftz}{,.sat}.f32"),
    ("floats", "f=f", "{rcp,sqrt}.{rn,rz,rm,rp}{,.ftz}.f32 {abs,neg}{,.ftz}.f32"),
    ("floats", "f=ff", "{min,max}{,.ftz}{,.NaN}.f32 copysign.f32"),
    ("floats", "p=ff", "setp.{eq,ne,lt,le,gt,ge,equ,neu,ltu,leu,gtu,geu,num,nan}{,.ftz}.f32"),
    ("floats", "r=ff", "set.{lt,geu}{,.ftz}.{u32,s32}.f32"),
    ("floats", "p=f", "testp.{finite,infinite,number,notanumber,normal,subnormal}.f32"),
    ("doubles", "g=gg", "{add,sub,mul,div}.{rn,rz,rm,rp}.f64 {min,max}.f64 copysign.f64"),
    ("doubles", "g=ggg", "fma.{rn,rz,rm,rp}.f64"),
    ("doubles", "g=g", "{rcp,sqrt}.{rn,rz,rm,rp}.f64 {abs,neg}.f64"),
    ("doubles", "p=gg", "setp.{eq,ne,lt,le,gt,ge,equ,neu,ltu,leu,gtu,geu,num,nan}.f64"),
    ("doubles", "p=g", "testp.{finite,infinite,number,notanumber,normal,subnormal}.f64"),
    ("conversions", "g=f", "cvt{,.ftz}.f64.f32"),
    ("conversions", "f=g", "cvt.{rn,rz,rm,rp}{,.ftz}{,.sat}.f32.f64"),
    ("conversions", "f=f", "cvt.{rni,rzi,rmi,rpi}{,.ftz}{,.sat}.f32.f32"),
    ("conversions", "g=g", "cvt.{rni,rzi,rmi,rpi}.f64.f64"),
    ("conversions", "r=f", "cvt.{rni,rzi,rmi,rpi}{,.ftz}.{s32,u32}.f32"),
    ("conversions", "d=f", "cvt.{rni,rzi,rmi,rpi}{,.ftz}.{s64,u64}.f32"),
    ("conversions", "r=g", "cvt.{rni,rzi,rmi,rpi}.{s32,u32}.f64"),
    ("conversions", "d=g", "cvt.{rni,rzi,rmi,rpi}.{s64,u64}.f64"),
    ("conversions", "h=f", "cvt.{rni,rzi,rmi,rpi}.{s16,u16}.f32"),
    ("conversions", "f=r", "cvt.{rn,rz,rm,rp}.f32.{s32,u32}"),
    ("conversions", "f=d", "cvt.{rn,rz,rm,rp}.f32.{s64,u64}"),
    ("conversions", "g=r", "cvt.rn.f64.{s32,u32}"),
    ("conversions", "g=d", "cvt.{rn,rz,rm,rp}.f64.{s64,u64}"),
    ("conversions", "f=h", "cvt.rn.f32.{s16,u16} cvt{,.ftz}.f32.f16 cvt.f32.bf16"),
    ("conversions", "h=f", "cvt.{rn,rz}.f16.f32 cvt.{rn,rz}.bf16.f32"),
    ("conversions", "h=g", "cvt.rn.f16.f64"),
    ("conversions", "r=ff", "cvt.{rn,rz}{,.relu}.{f16x2,bf16x2}.f32"),
    ("conversions", "h=r", "cvt{,.sat}.{s16,u16}.s32 cvt.sat.{s16,u16}.u32 cvt.rn.f16.{s32,u32}"),
    ("conversions", "r=d", "cvt{,.sat}.{s32,u32}.s64 cvt.sat.{s32,u32}.u64"),
    ("conversions", "d=r", "cvt.{s64.s32,u64.u32}"),
    ("halves", "h=hh", "{add,sub,mul}.rn{,.ftz}{,.sat}.f16 {min,max}{,.ftz}{,.NaN}.f16 {min,max}{,.NaN}.bf16"),
    ("halves", "h=hhh", "fma.rn{,.ftz}{,.sat,.relu}.f16 fma.rn{,.relu}.bf16"),
    ("halves", "h=h", "{abs,neg}{,.ftz}.f16 {abs,neg}.bf16"),
    ("halves", "r=rr", "{add,sub,mul}.rn{,.ftz}{,.sat}.f16x2 {min,max}{,.ftz}{,.NaN}.f16x2 {min,max}{,.NaN}.bf16x2"),
    ("halves", "r=rrr", "fma.rn{,.ftz}{,.sat,.relu}.f16x2 fma.rn{,.relu}.bf16x2"),
    ("halves", "p=hh", "setp.{eq,ne,lt,le,gt,ge,equ,neu,ltu,leu,gtu,geu,num,nan}{,.ftz}.f16"),
    ("integers", "r=rr", "{add,sub,min,max}.{s32,u32} {add,sub}.sat.s32 mul.{lo,hi}.{s32,u32} mul24.{lo,hi}.{s32,u32}"),
    ("integers", "r=rr", "{and,or,xor,shl}.b32 shr.{b32,s32,u32}"),
    ("integers", "r=rx", "{div,rem}.{s32,u32}"),
    ("integers", "r=rrr", "mad.{lo,hi}.{s32,u32} mad.hi.sat.s32 mad24.{lo,hi}.{s32,u32} sad.{s32,u32}"),
    (
        "integers",
        "r=rrr",
        "dp4a.{s32,u32}.{s32,u32} dp2a.{lo,hi}.{s32,u32}.{s32,u32} bfe.{s32,u32} shf.{l,r}.{wrap,clamp}.b32",
    ),
    ("integers", "r=rrr", "prmt.b32{,.f4e,.b4e,.rc8,.ecl,.ecr,.rc16}"),
    ("integers", "r=r", "{abs,neg}.s32 not.b32 cnot.b32 popc.b32 clz.b32 brev.b32 bfind{,.shiftamt}.{s32,u32}"),
    ("integers", "d=rr", "mul.wide.{s32,u32}"),
    ("integers", "d=rrd", "mad.wide.{s32,u32}"),
    ("integers", "p=rr", "setp.{eq,ne,lt,le,gt,ge}.s32 setp.{lo,ls,hi,hs}.u32"),
    ("long integers", "d=dd", "{add,sub,min,max}.{s64,u64} mul.{lo,hi}.{s64,u64} {and,or,xor}.b64"),
    ("long integers", "d=dr", "shl.b64 shr.{b64,s64,u64}"),
    ("long integers", "d=dy", "{div,rem}.{s64,u64}"),
    ("long integers", "d=ddd", "mad.{lo,hi}.{s64,u64} sad.{s64,u64}"),
    ("long integers", "d=drr", "bfe.{s64,u64}"),
    ("long integers", "d=d", "{abs,neg}.s64 not.b64 cnot.b64 brev.b64"),
    ("long integers", "r=d", "popc.b64 clz.b64 bfind{,.shiftamt}.{s64,u64}"),
    ("long integers", "p=dd", "setp.{eq,ne,lt,le,gt,ge}.s64 setp.{lo,ls,hi,hs}.u64"),
    ("short integers", "h=hh", "{add,sub,min,max}.{s16,u16} mul.{lo,hi}.{s16,u16} {and,or,xor}.b16"),
    ("short integers", "h=hhh", "mad.{lo,hi}.{s16,u16} sad.{s16,u16}"),
    ("short integers", "h=h", "{abs,neg}.s16 not.b16 cnot.b16"),
    ("short integers", "r=hh", "mul.wide.{s16,u16}"),
    ("video", "r=rr", "{vadd,vsub,vabsdiff,vmin,vmax}.{s32,u32}.{s32,u32}.{s32,u32}{,.sat}"),
    ("video", "r=rrr", "{vadd,vsub,vabsdiff,vmin,vmax}.{s32,u32}.{s32,u32}.{s32,u32}.sat.{add,min,max}"),
    ("packed video", "r=rrr", "{vadd,vsub,vabsdiff,vmin,vmax,vavrg}{2,4}.{s32,u32}.{s32,u32}.{s32,u32}{,.sat}"),
    ("packed video", "r=rrr", "{vmin,vmax,vabsdiff}{2,4}.u32.u32.u32.add"),
    ("packing", "r=rrr", "cvt.pack.sat.{s8,u8}.s32.b32"),
    ("packing", "r=rr", "cvt.pack.sat.{s16,u16}.s32"),
];

/// The alternatives of a pattern.
fn expand(pattern: &str) -> Vec<String> {
    let Some((head, rest)) = pattern.split_once('{') else { return vec![pattern.into()] };
    let Some((choices, tail)) = rest.split_once('}') else { return vec![pattern.into()] };
    choices.split(',').flat_map(|choice| expand(&format!("{head}{choice}{tail}"))).collect()
}

/// Register type and bytes of a letter.
fn kind(letter: char) -> (&'static str, u32) {
    match letter {
        'f' => ("f32", 4),
        'g' => ("f64", 8),
        'h' => ("b16", 2),
        'd' | 'y' => ("b64", 8),
        'p' => ("pred", 4),
        _ => ("b32", 4),
    }
}

/// One entry, `k`: for each form the results of all operand triples.
fn entry(forms: &[(&str, String)]) -> String {
    let mut text = String::from(
        ".version 8.0\n.target sm_80\n.address_size 64\n\
         .visible .entry k(.param .u64 in, .param .u64 out) {\n\
         .reg .b32 %t<6>; .reg .b64 %a<6>; .reg .pred %q;\n\
         ld.param.u64 %a1, [in]; ld.param.u64 %a2, [out]; mov.u32 %t1, %tid.x; mov.u32 %t2, %ctaid.x; mov.u32 %t3, %ntid.x;\n\
         mad.lo.u32 %t4, %t2, %t3, %t1; mul.wide.u32 %a3, %t4, 8; add.s64 %a1, %a1, %a3; add.s64 %a2, %a2, %a3;\n",
    );
    for (number, (shape, opcode)) in forms.iter().enumerate() {
        let (result, operands) = shape.split_once('=').unwrap_or(("r", shape));
        let result = result.chars().next().unwrap_or('r');
        let (to, size) = kind(result);
        let _ = write!(text, "{{ .reg .{to} %o; ");
        for (place, letter) in operands.chars().enumerate() {
            let ((kind, bytes), at) = (kind(letter), place as u32 * 8 * TRIPLES);
            let _ = write!(text, ".reg .{kind} %i{place}; ld.global.b{} %i{place}, [%a1+{at}]; ", bytes * 8);
            // What is divided by: no zero, and no -1, below which the least number has no quotient.
            match letter {
                'x' => {
                    let _ = write!(text, "and.b32 %i{place}, %i{place}, 0xfffffffd; or.b32 %i{place}, %i{place}, 1; ");
                }
                'y' => {
                    let _ = write!(text, "and.b64 %i{place}, %i{place}, -3; or.b64 %i{place}, %i{place}, 1; ");
                }
                _ => {}
            }
        }
        let names: Vec<String> = (0..operands.len()).map(|place| format!("%i{place}")).collect();
        let names = names.join(", ");
        let at = number as u32 * 8 * TRIPLES;
        let _ = write!(text, "{opcode} %o, {names}; ");
        let _ = match result {
            'p' => writeln!(text, "selp.b32 %t5, 1, 0, %o; st.global.b32 [%a2+{at}], %t5; }}"),
            _ => writeln!(text, "st.global.b{} [%a2+{at}], %o; }}", size * 8),
        };
    }
    text += "ret;\n}\n";
    text
}

/// 64 bits that mean something as an operand: specials of all types, small numbers, anything.
fn operand(dice: &mut Dice, index: usize) -> u64 {
    const SINGLES: [u32; 24] = [
        0,
        0x8000_0000,
        1,
        0x8000_0001,
        0x007f_ffff,
        0x0080_0000,
        0x0080_0001,
        0x3f80_0000,
        0xbf80_0000,
        0x3f00_0000,
        0x4020_0000,
        0x4b00_0001,
        0x4f00_0000,
        0xcf00_0000,
        0x5f00_0000,
        0x7f7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0x7f80_0001,
        0xffff_ffff,
        0x3c00_7c00,
        0x7c01_fc00,
        0x7fff_0001,
    ];
    const DOUBLES: [u64; 20] = [
        0,
        1 << 63,
        1,
        0x000f_ffff_ffff_ffff,
        0x0010_0000_0000_0000,
        0x3ff0_0000_0000_0000,
        0xbff0_0000_0000_0000,
        0x3fe0_0000_0000_0000,
        0x4004_0000_0000_0000,
        0x41df_ffff_ffe0_0000,
        0x41e0_0000_0000_0000,
        0x43e0_0000_0000_0000,
        0x43f0_0000_0000_0000,
        0x36a0_0000_0000_0000,
        0x47ef_ffff_f000_0000,
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff8_0000_0000_0000,
        0x7ff0_0000_0000_0001,
    ];
    let single = |dice: &mut Dice| u64::from(SINGLES[dice.below(SINGLES.len())]);
    match index % 8 {
        0 => single(dice) | single(dice) << 32,
        1 => DOUBLES[dice.below(DOUBLES.len())],
        2 => (dice.below(80) as u64).wrapping_sub(40),
        // Near one another: sums cancel, quotients are near one.
        3 => u64::from(0x3f80_0000 ^ dice.draw() as u32 & 0x80ff_ffff) | (dice.draw() & 0x7) << 60,
        4 => 0x3ff0_0000_0000_0000 ^ dice.draw() & 0x803f_ffff_ffff_ffff,
        // Exponents in the middle.
        5 => {
            let long = (dice.draw() >> 3) ^ dice.draw() << 40;
            long & 0x8fff_ffff_87ff_ffff | 0x3000_0000_3800_0000
        }
        _ => dice.draw() ^ dice.draw() << 32,
    }
}

/// A class of forms as a program of one launch.
pub struct Forms {
    /// The class.
    pub name: &'static str,
    /// The forms, in the order of their results: each has 8 bytes for each of [`Forms::TRIPLES`] triples.
    pub forms: Vec<String>,
    /// The PTX.
    pub text: String,
    /// The run.
    pub trace: Trace,
}

impl Forms {
    /// Operand triples that each form is tried on.
    pub const TRIPLES: u32 = TRIPLES;

    /// The form whose result stands at an offset of the results.
    pub fn at(&self, offset: u64) -> &str {
        let place = usize::try_from(offset / u64::from(8 * TRIPLES)).unwrap_or(usize::MAX);
        self.forms.get(place).map_or("none", String::as_str)
    }

    /// The operands of a result, as hexadecimal numbers of 64 bits; a form takes the low ones.
    pub fn operands(&self, offset: u64) -> String {
        let triple = offset % u64::from(8 * TRIPLES) / 8;
        let input = &self.trace.states[0].buffers[0];
        let operand = |place: u64| {
            let at = ((place * u64::from(TRIPLES) + triple) * 8) as usize;
            input[at..at + 8].iter().rev().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        (0..3).map(operand).collect::<Vec<_>>().join(" ")
    }
}

/// Every form of the table, run on its operands, in programs of at most so many forms.
pub fn forms(most: usize) -> Vec<Forms> {
    let mut dice = Dice(77);
    let operands: Vec<u8> =
        (0..3 * TRIPLES).flat_map(|index| operand(&mut dice, index as usize).to_le_bytes()).collect();
    let mut classes: Vec<(&'static str, Vec<(&'static str, String)>)> = Vec::new();
    for (class, shape, patterns) in TABLE {
        for opcode in patterns.split(' ').flat_map(expand) {
            match classes.last_mut() {
                Some((last, forms)) if last == class && forms.len() < most => forms.push((shape, opcode)),
                _ => classes.push((class, vec![(shape, opcode)])),
            }
        }
    }
    classes.into_iter().map(|(name, forms)| run(name, &forms, &operands)).collect()
}

fn run(name: &'static str, forms: &[(&'static str, String)], operands: &[u8]) -> Forms {
    let text = entry(forms);
    let module = Module::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error:?}\n{text}"));
    let share = u64::from(8 * TRIPLES);
    let size = share * forms.len() as u64;
    let map = WriteMap {
        buffer: 1,
        base: 0,
        dims: vec![
            Dim::Span { stride: share as i64, extent: forms.len() as u64, axis: None, tile: 1 },
            Dim::Span { stride: 8, extent: u64::from(TRIPLES), axis: Some(Axis::X), tile: u64::from(THREADS) },
        ]
        .try_into()
        .unwrap(),
        run: 8,
    };
    let launch = Launch {
        kernel: 0,
        entry: b"k".to_vec().try_into().unwrap(),
        grid: [TRIPLES / THREADS, 1, 1],
        block: [THREADS, 1, 1],
        shared: 0,
        args: vec![Arg::Buffer { index: 0, offset: 0 }, Arg::Buffer { index: 1, offset: 0 }].try_into().unwrap(),
        writes: Writes::Maps(vec![map].try_into().unwrap()),
    };
    let input = Buffer { len: operands.len() as u64, init: Init::Blob(BlobId::of(operands)), output: false };
    let program = Program {
        kernels: vec![hash::plain(text.as_bytes())].try_into().unwrap(),
        buffers: vec![input, Buffer { len: size, init: Init::Zero, output: true }].try_into().unwrap(),
        steps: vec![Step::Launch(launch)].try_into().unwrap(),
    };
    let buffers = vec![operands.to_vec(), vec![0; size as usize]];
    let trace = Trace::run(program, vec![module], buffers, 20_000_000).unwrap_or_else(|error| {
        let rejected = Module::parse(text.as_bytes())
            .map(|module| module.entries.into_iter().next().map(|entry| entry.kernel.err()));
        panic!("{name}: {error}: {rejected:?}")
    });
    Forms { name, forms: forms.iter().map(|(_, opcode)| opcode.clone()).collect(), text, trace }
}
