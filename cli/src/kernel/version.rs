//! The lowest `.version` that a PTX text needs, so that older drivers load it.
//!
//! Compilers write their own version into every file. What each instruction needs was asked of ptxas, form by form
//! (tests/data/versions.txt); whatever is not known here keeps the version that is written.

/// A version of PTX: major, minor.
pub type Version = (u32, u32);

/// Nothing lower is written: the version of the first toolkit for sm_80.
const FLOOR: Version = (7, 0);

/// Instructions of version 7.0 and before, all of whose forms that the rules below let pass are as old.
const OLD: &[&str] = &[
    "abs",
    "add",
    "addc",
    "and",
    "atom",
    "bar",
    "barrier",
    "bfe",
    "bfi",
    "bfind",
    "bra",
    "brev",
    "brx",
    "call",
    "clz",
    "cnot",
    "copysign",
    "cos",
    "cp",
    "cvt",
    "cvta",
    "div",
    "dp2a",
    "dp4a",
    "ex2",
    "exit",
    "fence",
    "fma",
    "fns",
    "isspacep",
    "ld",
    "ldmatrix",
    "ldu",
    "lg2",
    "lop3",
    "mad",
    "mad24",
    "madc",
    "match",
    "max",
    "membar",
    "min",
    "mma",
    "mov",
    "mul",
    "mul24",
    "nanosleep",
    "neg",
    "not",
    "or",
    "popc",
    "prefetch",
    "prefetchu",
    "prmt",
    "rcp",
    "red",
    "redux",
    "rem",
    "ret",
    "rsqrt",
    "sad",
    "selp",
    "set",
    "setp",
    "shf",
    "shfl",
    "shl",
    "shr",
    "sin",
    "slct",
    "sqrt",
    "st",
    "sub",
    "subc",
    "tanh",
    "testp",
    "trap",
    "vote",
    "wmma",
    "xor",
];

/// Modifiers that came with a version, whatever the instruction.
const MODIFIERS: &[(&str, Version)] = &[
    ("shared::cta", (7, 8)),
    ("shared::cluster", (7, 8)),
    ("cluster", (7, 8)),
    ("param::entry", (8, 3)),
    ("param::func", (8, 3)),
    ("mmio", (8, 2)),
    ("xorsign", (7, 8)),
    ("e4m3x2", (8, 1)),
    ("e5m2x2", (8, 1)),
    ("s16x2", (8, 0)),
    ("u16x2", (8, 0)),
];

/// Modifiers whose versions are not known here.
const UNKNOWN: &[&str] = &[
    "v8",
    "b128",
    "tf32",
    "e2m1x2",
    "e2m3x2",
    "e3m2x2",
    "ue8m0x2",
    "e4m3",
    "e5m2",
    "bulk",
    "tensormap",
    "mbarrier",
    "async",
    "oob",
    "rs",
    "unified",
    "sp",
    "sp::ordered_metadata",
    "noinc",
];

/// The version that a target needs.
fn of_target(target: &str) -> Option<Version> {
    Some(match target {
        "sm_50" | "sm_52" | "sm_53" | "sm_60" | "sm_61" | "sm_62" | "sm_70" | "sm_72" | "sm_75" | "sm_80" => FLOOR,
        "sm_86" => (7, 1),
        "sm_87" => (7, 4),
        "sm_89" | "sm_90" => (7, 8),
        _ => return None,
    })
}

/// The version that an instruction needs: its opcode, and how many operands it has.
fn of_instruction(opcode: &str, operands: usize) -> Option<Version> {
    let mut words = opcode.split('.');
    let name = words.next()?;
    let words: Vec<&str> = words.collect();
    let has = |word: &str| words.contains(&word);
    let any = |some: &[&str]| some.iter().any(|word| has(word));
    if any(UNKNOWN) && !(name == "cp" && has("async") && !any(&["bulk", "mbarrier"])) {
        return None;
    }
    let mut version = match name {
        "createpolicy" | "applypriority" | "discard" => (7, 4),
        "bmsk" | "szext" => (7, 6),
        "movmatrix" | "stmatrix" | "griddepcontrol" => (7, 8),
        _ if OLD.contains(&name) || is_video(name) => FLOOR,
        _ => return None,
    };
    let mut need = |least: Version| version = version.max(least);
    for (word, least) in MODIFIERS {
        if has(word) {
            need(*least);
        }
    }
    if words.iter().any(|word| word.starts_with("L1::") || word.starts_with("L2::")) {
        need((7, 4));
    }
    let doubles = any(&["b64", "u64", "s64", "f64"]);
    let halves = any(&["f16", "f16x2"]);
    let short = any(&["bf16", "bf16x2"]);
    match name {
        "ld" | "st" | "ldu" if has("v4") && doubles => return None,
        "bar" | "barrier" if has("cta") => need((7, 8)),
        "fence" | "membar" if has("proxy") => need(if has("alias") { (7, 5) } else { (8, 0) }),
        "fence" if any(&["acquire", "release"]) => return None,
        "cvta" | "isspacep" if has("param") => need((7, 7)),
        "lop3" if any(&["or", "and"]) => need((8, 2)),
        "max" | "min" if operands > 3 => return None,
        "max" | "min" if has("relu") => need((8, 0)),
        "add" | "sub" | "fma" if has("f32") && (halves || short) => return None,
        "redux" if has("f32") => return None,
        "ldmatrix" | "stmatrix" if !has("m8n8") || !has("b16") => return None,
        "mma" | "wmma" if halves || short || any(&["f32", "f64"]) => return None,
        "mma" | "wmma" if has("and") => need((7, 1)),
        "cp" if operands > 3 => need((7, 5)),
        "atom" | "red" if any(&["v2", "v4"]) => return None,
        _ => {}
    }
    if has("satfinite") && !matches!(name, "mma" | "wmma") {
        need((8, 1));
    }
    if short {
        let from_float = ["cvt.rn.bf16.f32", "cvt.rz.bf16.f32", "cvt.rn.bf16x2.f32", "cvt.rz.bf16x2.f32"];
        match name {
            "abs" | "neg" | "fma" | "max" | "min" => {}
            "cvt" if opcode == "cvt.f32.bf16" => need((7, 1)),
            "cvt" if from_float.contains(&opcode.replace(".relu", "").replace(".satfinite", "").as_str()) => {}
            _ => need((7, 8)),
        }
    }
    Some(version)
}

/// Scalar and packed video instructions.
fn is_video(name: &str) -> bool {
    let plain = name.trim_end_matches(['2', '4']);
    matches!(plain, "vadd" | "vsub" | "vabsdiff" | "vmin" | "vmax" | "vavrg" | "vshl" | "vshr" | "vmad" | "vset")
}

/// Special registers that are newer than version 7.0.
fn is_new_register(word: &str) -> bool {
    let new = ["%cluster", "%ncluster", "%is_explicit", "%current_graph", "%aggr_smem", "%reserved_smem"];
    new.iter().any(|start| word.starts_with(start))
}

/// The lowest version that a text needs; `None` where something in it is not known. Reads what compilers write: directives on lines of
/// their own, instructions with their semicolon.
pub fn lowest(ptx: &str) -> Option<Version> {
    let mut version = FLOOR;
    let (mut statement, mut section) = (String::new(), false);
    for line in ptx.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line.contains("/*") {
            return None;
        }
        if section {
            section = line != "}";
            continue;
        }
        let first = line.split_whitespace().next().unwrap_or_default();
        match first {
            ".version" | ".address_size" | ".file" => continue,
            ".pragma" if line.contains("\"nounroll\"") => continue,
            ".pragma" if line.contains("used_bytes_mask") => {
                version = version.max((8, 3));
                continue;
            }
            ".target" => {
                let targets = line.trim_start_matches(".target").split(',').map(str::trim);
                for target in targets.filter(|target| *target != "debug") {
                    version = version.max(of_target(target)?);
                }
                continue;
            }
            ".loc" => {
                if line.contains("inlined_at") || line.contains("function_name") {
                    version = version.max((7, 2));
                }
                continue;
            }
            ".section" => {
                section = !line.ends_with('}');
                continue;
            }
            _ => {}
        }
        if statement.is_empty() && first.starts_with('.') {
            // A declaration; those of functions end at a brace.
            let known = [
                ".reg",
                ".local",
                ".shared",
                ".global",
                ".const",
                ".param",
                ".visible",
                ".extern",
                ".weak",
                ".func",
                ".entry",
                ".common",
                ".maxntid",
                ".minnctapersm",
                ".reqntid",
                ".maxnreg",
                ".branchtargets",
                ".calltargets",
                ".callprototype",
                ".noreturn",
            ];
            if !known.contains(&first) || line.contains(".attribute") || line.contains(".b128") {
                return None;
            }
            continue;
        }
        statement.push_str(line);
        statement.push(' ');
        if !line.ends_with([';', '{', '}', ':', ')']) {
            continue;
        }
        for part in std::mem::take(&mut statement).split(';') {
            version = version.max(of_statement(part)?);
        }
    }
    Some(version)
}

/// The version that what stands before a semicolon needs.
fn of_statement(text: &str) -> Option<Version> {
    let mut text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | '(' | ')'));
    // Labels and guards.
    while let Some((label, rest)) = text.split_once(':') {
        let plain = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'));
        if !plain || rest.starts_with(':') {
            break;
        }
        text = rest.trim_start();
    }
    if text.starts_with('@') {
        text = text.split_once(char::is_whitespace).map(|(_, rest)| rest.trim_start())?;
    }
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '}' | ')'));
    let (opcode, operands) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if opcode.is_empty() || opcode.starts_with('.') {
        return Some(FLOOR);
    }
    if operands.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '%' | '_'))).any(is_new_register) {
        return None;
    }
    let mut depth = 0usize;
    let mut count = usize::from(!operands.trim().is_empty());
    for c in operands.chars() {
        match c {
            '{' | '[' | '(' => depth = depth.saturating_add(1),
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => count = count.saturating_add(1),
            _ => {}
        }
    }
    of_instruction(opcode, count)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// What ptxas asks of each form: version, target and form.
    const MEASURED: &str = include_str!("../../tests/data/versions.txt");

    #[test]
    fn no_form_gets_a_lower_version_than_ptxas_wants() {
        let (mut known, mut exact) = (0, 0);
        for line in MEASURED.lines().filter(|line| !line.starts_with('#')) {
            let [wanted, target, form] = *line.split('\t').collect::<Vec<_>>() else { panic!("{line}") };
            let (major, minor) = wanted.split_once('.').unwrap();
            let wanted: Version = (major.parse().unwrap(), minor.parse().unwrap());
            let text = format!(".version 9.0\n.target {target}\n.address_size 64\n{form}\n");
            let Some(found) = lowest(&text) else { continue };
            assert!(found >= wanted, "{form}: {found:?} is lower than {wanted:?}");
            known += 1;
            exact += u32::from(found == wanted.max(FLOOR));
        }
        // Most forms are known, and few get more than they need.
        assert!(known > 2100 && exact > known - 40, "{exact} of {known}");
    }

    #[test]
    fn what_is_not_known_keeps_its_version() {
        let of = |more: &str| lowest(&format!(".version 9.0\n.target sm_80\n.address_size 64\n{more}"));
        assert_eq!(of(""), Some((7, 0)));
        assert_eq!(of("\t.loc 1 3 4, function_name $L__info_string0, inlined_at 1 9 3\n"), Some((7, 2)));
        assert_eq!(of("// mov.b128\n$L__BB0_2:\n@%p1 bra $L__BB0_2;\n"), Some((7, 0)));
        assert_eq!(of("{ .reg .b32 t; mov.b32 t, 1; frob.b32 %r1, t; }\n"), None);
        assert_eq!(
            of(
                ".visible .entry k(\n\t.param .u64 k_param_0\n)\n{\n\tstmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], {%r2};\n}\n"
            ),
            Some((7, 8))
        );
        assert_eq!(of("\t.pragma \"nounroll\";\n"), Some((7, 0)));
        assert_eq!(of("\t.pragma \"used_bytes_mask 0xfff\";\n"), Some((8, 3)));
        for unknown in [
            ".pragma \"other\";",
            "mov.b128 %q1, %q2;",
            "mov.u32 %r1, %clusterid.x;",
            "max.s32 %r1, %r2, %r3, %r4;",
            "elect.sync %r1|%p1, -1;",
            ".blocksareclusters",
            "/* */",
        ] {
            assert_eq!(of(unknown), None, "{unknown}");
        }
        assert_eq!(lowest(".version 9.0\n.target sm_100a\n"), None);
        assert_eq!(lowest(".version 9.0\n.target sm_90, debug\n"), Some((7, 8)));
    }
}
