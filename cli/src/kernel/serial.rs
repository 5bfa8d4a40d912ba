//! Entries that run as one CTA of a grid at a time: which one is a parameter, so that each CTA can be a launch of its own.

use std::fmt::Write;

/// Parameters that each entry gets behind its own: the CTA, counted x first, and the CTAs along x, y and z.
pub const PARAMETERS: usize = 4;

/// PTX whose entries take their place in the grid, and the grid, from parameters. Lines keep their numbers.
pub fn serial(ptx: &str) -> Result<String, &'static str> {
    const WANTED: [(&str, &str); 6] = [
        ("%nctaid.x", "%assay_cta1"),
        ("%nctaid.y", "%assay_cta2"),
        ("%nctaid.z", "%assay_cta3"),
        ("%ctaid.x", "%assay_cta4"),
        ("%ctaid.y", "%assay_cta5"),
        ("%ctaid.z", "%assay_cta6"),
    ];
    const ODD: &str = "the PTX is not laid out as compilers do";
    let mut out = String::with_capacity(ptx.len());
    let mut rest = ptx;
    while let Some(at) = rest.find(".entry") {
        let (before, from) = rest.split_at_checked(at).ok_or(ODD)?;
        if before.contains("%ctaid") || before.contains("%nctaid") {
            return Err("a function that is not inlined asks for its CTA: give it `__forceinline__`");
        }
        out.push_str(before);
        let open = from.find('{').ok_or(ODD)?;
        let (head, body) = from.split_at_checked(open).ok_or(ODD)?;
        out.push_str(&with_parameters(head).ok_or(ODD)?);
        let (body, behind) = body.split_at_checked(end(body).ok_or(ODD)?).ok_or(ODD)?;
        let mut body = body.to_owned();
        for (register, own) in WANTED {
            body = body.replace(register, own);
        }
        if body.contains("%ctaid") || body.contains("%nctaid") {
            return Err("it takes the CTA as a vector");
        }
        out.push('{');
        out.push_str(PROLOGUE);
        out.push_str(body.get(1..).ok_or(ODD)?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

const PROLOGUE: &str = " .reg .b32 %assay_cta<7>; ld.param.u32 %assay_cta0, [assay_cta_param_0]; \
ld.param.u32 %assay_cta1, [assay_cta_param_1]; ld.param.u32 %assay_cta2, [assay_cta_param_2]; \
ld.param.u32 %assay_cta3, [assay_cta_param_3]; rem.u32 %assay_cta4, %assay_cta0, %assay_cta1; \
div.u32 %assay_cta6, %assay_cta0, %assay_cta1; rem.u32 %assay_cta5, %assay_cta6, %assay_cta2; \
div.u32 %assay_cta6, %assay_cta6, %assay_cta2;";

/// What stands between `.entry` and the body, with the parameters.
fn with_parameters(head: &str) -> Option<String> {
    let mut more = String::new();
    for number in 0..PARAMETERS {
        let _ = write!(more, "{}.param .u32 assay_cta_param_{number}", if number == 0 { "" } else { ", " });
    }
    let Some((name, list)) = head.split_once('(') else {
        let (name, tail) = head.split_at_checked(head.trim_end().len())?;
        return Some(format!("{name} ({more}){tail}"));
    };
    let (list, behind) = list.split_once(')')?;
    let comma = if list.trim().is_empty() { "" } else { ", " };
    let (list, tail) = list.split_at_checked(list.trim_end().len())?;
    Some(format!("{name}({list}{comma}{more}{tail}){behind}"))
}

/// The bytes up to the brace that closes the first one.
fn end(body: &str) -> Option<usize> {
    let mut open = 0usize;
    for (at, letter) in body.char_indices() {
        match letter {
            '{' => open = open.saturating_add(1),
            '}' if open == 1 => return at.checked_add(1),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::serial;

    #[test]
    fn lines_keep_their_numbers() {
        let body = "{\n\tmov.u32 %r1, %ctaid.x;\n\tmov.u32 %r2, %nctaid.y;\n\tret;\n}\n";
        for head in [
            ".visible .entry k(\n\t.param .u64 a\n)\n",
            ".entry k()\n",
            ".entry k\n\n",
            ".entry k(.param .u32 n)\n.maxntid 32\n",
        ] {
            let text = format!(".version 8.0\n{head}{body}// end\n");
            let made = serial(&text).unwrap();
            let line = |text: &str, part| text.lines().position(|line| line.contains(part));
            assert_eq!(line(&made, "ret;"), line(&text, "ret;"), "{made}");
            assert_eq!(made.lines().count(), text.lines().count(), "{made}");
            assert!(!made.contains("%ctaid") && made.contains(".param .u32 assay_cta_param_3"), "{made}");
        }
    }

    #[test]
    fn text_that_is_no_ptx_is_refused_or_left() {
        for text in ["", ".entry", ".entry {", ".entry k( {}", ".entry k() { {", ".entry k(é) { %ctaid }"] {
            let _ = serial(text);
        }
        assert_eq!(serial("no kernels").unwrap(), "no kernels");
        assert!(serial(".entry k() { mov.v4.u32 {%r1}, %ctaid; }").is_err());
    }
}
