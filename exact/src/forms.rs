//! What each approximate instruction becomes.

use crate::scan::Instruction;

/// What names begin with that this crate brings into a text.
pub const PREFIX: &str = "assay_exact_";

/// One kind of replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The same with another opcode, and so many operands.
    Opcode(&'static str, usize),
    /// The same, rounded to the nearest.
    Rounded,
    /// A square root and its reciprocal, of numbers of that type.
    InverseRoot(&'static str, &'static str, &'static str),
    /// A call of a function of one argument.
    Call(&'static str, Argument),
}

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    Float,
    Double,
    /// In the low 16 bits of a word.
    Half,
    /// Two halves.
    Pair,
}

impl Form {
    /// What becomes of the instruction with that opcode.
    pub fn of(opcode: &str) -> Option<Self> {
        use Argument::{Double, Float, Half, Pair};
        // Assemblers take the modifier behind the type as well, and some headers have it there.
        let in_order = opcode.strip_suffix(".ftz").and_then(|front| {
            let (front, kind) = front.rsplit_once('.')?;
            front.contains(".approx").then(|| format!("{front}.ftz.{kind}"))
        });
        Some(match in_order.as_deref().unwrap_or(opcode) {
            "rcp.approx.f32" => Self::Opcode("rcp.rn.f32", 2),
            "rcp.approx.ftz.f32" => Self::Opcode("rcp.rn.ftz.f32", 2),
            "sqrt.approx.f32" => Self::Opcode("sqrt.rn.f32", 2),
            "sqrt.approx.ftz.f32" => Self::Opcode("sqrt.rn.ftz.f32", 2),
            "div.approx.f32" | "div.full.f32" => Self::Opcode("div.rn.f32", 3),
            "div.approx.ftz.f32" | "div.full.ftz.f32" => Self::Opcode("div.rn.ftz.f32", 3),
            "rsqrt.approx.f32" => Self::InverseRoot("f32", "sqrt.rn.f32", "rcp.rn.f32"),
            "rsqrt.approx.ftz.f32" => Self::InverseRoot("f32", "sqrt.rn.ftz.f32", "rcp.rn.ftz.f32"),
            "ex2.approx.f32" => Self::Call("assay_exact_ex2_f32", Float),
            "ex2.approx.ftz.f32" => Self::Call("assay_exact_ex2_ftz_f32", Float),
            "lg2.approx.f32" => Self::Call("assay_exact_lg2_f32", Float),
            "lg2.approx.ftz.f32" => Self::Call("assay_exact_lg2_ftz_f32", Float),
            "sin.approx.f32" => Self::Call("assay_exact_sin_f32", Float),
            "sin.approx.ftz.f32" => Self::Call("assay_exact_sin_ftz_f32", Float),
            // No cosine is small enough to be flushed, and that of a subnormal number is 1 as well.
            "cos.approx.f32" | "cos.approx.ftz.f32" => Self::Call("assay_exact_cos_f32", Float),
            "tanh.approx.f32" => Self::Call("assay_exact_tanh_f32", Float),
            "rcp.approx.ftz.f64" => Self::Call("assay_exact_rcp_ftz_f64", Double),
            "rsqrt.approx.ftz.f64" => Self::Call("assay_exact_rsqrt_ftz_f64", Double),
            "rsqrt.approx.f64" => Self::InverseRoot("f64", "sqrt.rn.f64", "rcp.rn.f64"),
            "ex2.approx.f16" => Self::Call("assay_exact_ex2_f16", Half),
            "ex2.approx.f16x2" => Self::Call("assay_exact_ex2_f16x2", Pair),
            "ex2.approx.ftz.bf16" => Self::Call("assay_exact_ex2_ftz_bf16", Half),
            "ex2.approx.ftz.bf16x2" => Self::Call("assay_exact_ex2_ftz_bf16x2", Pair),
            "tanh.approx.f16" => Self::Call("assay_exact_tanh_f16", Half),
            "tanh.approx.f16x2" => Self::Call("assay_exact_tanh_f16x2", Pair),
            "tanh.approx.bf16" => Self::Call("assay_exact_tanh_bf16", Half),
            "tanh.approx.bf16x2" => Self::Call("assay_exact_tanh_bf16x2", Pair),
            _ if unrounded(opcode) => Self::Rounded,
            _ => return None,
        })
    }

    /// Operands.
    pub fn operands(self) -> usize {
        match self {
            Self::Opcode(_, count) => count,
            Self::Rounded => 3,
            Self::InverseRoot(..) | Self::Call(..) => 2,
        }
    }

    /// The function that it calls.
    pub fn function(self) -> Option<&'static str> {
        match self {
            Self::Call(function, _) => Some(function),
            Self::Opcode(..) | Self::Rounded | Self::InverseRoot(..) => None,
        }
    }

    /// The replacement of an instruction, the `number`th of the text, on one line.
    pub fn replacement(self, instruction: &Instruction<'_>, number: usize) -> String {
        let Instruction { guard, operands, .. } = instruction;
        let to = operands.first().map_or("", String::as_str);
        let from = operands.get(1).map_or("", String::as_str);
        let guarded = |negated: bool| match guard {
            Some((name, not)) if *not != negated => format!("@!{name} "),
            Some((name, _)) => format!("@{name} "),
            None => String::new(),
        };
        match self {
            Self::Opcode(opcode, _) => format!("{}{opcode} {};", guarded(false), operands.join(", ")),
            Self::Rounded => {
                let (operation, rest) = instruction.opcode.split_once('.').unwrap_or((instruction.opcode, ""));
                format!("{}{operation}.rn.{rest} {};", guarded(false), operands.join(", "))
            }
            Self::InverseRoot(kind, root, reciprocal) => {
                let guard = guarded(false);
                format!(
                    "{{ .reg .{kind} %assay_exact_t; {guard}{root} %assay_exact_t, {from}; \
                     {guard}{reciprocal} {to}, %assay_exact_t; }}"
                )
            }
            Self::Call(function, argument) => {
                // A call under a predicate would have to be one of all threads: the others go round it.
                let (round, end) = match guard {
                    Some(_) => {
                        (format!("{}bra $assay_exact_{number}; ", guarded(true)), format!("$assay_exact_{number}: "))
                    }
                    None => (String::new(), String::new()),
                };
                let call = |kind: &str, to: &str, from: &str| {
                    format!(
                        "st.param.{kind} [assay_exact_a], {from}; \
                         call.uni (assay_exact_r), {function}, (assay_exact_a); ld.param.{kind} {to}, [assay_exact_r];"
                    )
                };
                let params = |bits: &str| format!(".param .{bits} assay_exact_a; .param .{bits} assay_exact_r;");
                match argument {
                    Argument::Float => format!("{{ {} {round}{} {end}}}", params("b32"), call("f32", to, from)),
                    Argument::Double => format!("{{ {} {round}{} {end}}}", params("b64"), call("f64", to, from)),
                    Argument::Pair => format!("{{ {} {round}{} {end}}}", params("b32"), call("b32", to, from)),
                    Argument::Half => format!(
                        "{{ .reg .b16 %assay_exact_h; .reg .b32 %assay_exact_t; {} {round}\
                         mov.b16 %assay_exact_h, 0; mov.b32 %assay_exact_t, {{{from}, %assay_exact_h}}; {} \
                         mov.b32 {{{to}, %assay_exact_h}}, %assay_exact_t; {end}}}",
                        params("b32"),
                        call("b32", "%assay_exact_t", "%assay_exact_t")
                    ),
                }
            }
        }
    }
}

/// Whether it adds, subtracts or multiplies floats to the nearest, but lets the assembler make one operation of two.
fn unrounded(opcode: &str) -> bool {
    let mut parts = opcode.split('.');
    let operation = parts.next();
    let last = parts.next_back();
    matches!(operation, Some("add" | "sub" | "mul"))
        && matches!(last, Some("f32" | "f64" | "f16" | "f16x2" | "bf16" | "bf16x2"))
        && parts.all(|part| matches!(part, "ftz" | "sat"))
}
