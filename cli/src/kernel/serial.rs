//! Entries that run as one CTA of a grid at a time: which one is a parameter, so that each CTA can be a launch of its own.

use assay_exact::text::{Token, edited};

use super::functions::Script;

/// Parameters that each entry gets behind its own: the CTA, counted x first, and the CTAs along x, y and z.
const PARAMETERS: &str = ".param .u32 assay_cta_param_0, .param .u32 assay_cta_param_1, .param .u32 assay_cta_param_2, \
.param .u32 assay_cta_param_3";

const PROLOGUE: &str = " .reg .b32 %assay_cta<7>; ld.param.u32 %assay_cta0, [assay_cta_param_0]; \
ld.param.u32 %assay_cta1, [assay_cta_param_1]; ld.param.u32 %assay_cta2, [assay_cta_param_2]; \
ld.param.u32 %assay_cta3, [assay_cta_param_3]; rem.u32 %assay_cta4, %assay_cta0, %assay_cta1; \
div.u32 %assay_cta6, %assay_cta0, %assay_cta1; rem.u32 %assay_cta5, %assay_cta6, %assay_cta2; \
div.u32 %assay_cta6, %assay_cta6, %assay_cta2;";

/// PTX whose entries take their place in the grid, and the grid, from parameters. Lines keep their numbers.
pub fn serial(ptx: &[u8]) -> Result<Vec<u8>, &'static str> {
    let script = Script::read(ptx);
    let mut edits = Vec::new();
    let (mut at, mut behind) = (0, 0);
    for (place, placed) in script.tokens.iter().enumerate() {
        let Token::Word(word) = placed.token else { continue };
        if word == ".entry" && place >= behind {
            let (function, end) = script.function(place);
            let function = function.ok_or("the PTX is not laid out as compilers do")?;
            edits.extend(function.begin(PARAMETERS, PROLOGUE.to_owned()));
            (at, behind) = (function.body.start, end);
            continue;
        }
        let own = match word {
            "%nctaid.x" => "%assay_cta1",
            "%nctaid.y" => "%assay_cta2",
            "%nctaid.z" => "%assay_cta3",
            "%ctaid.x" => "%assay_cta4",
            "%ctaid.y" => "%assay_cta5",
            "%ctaid.z" => "%assay_cta6",
            _ if word.starts_with("%ctaid") || word.starts_with("%nctaid") => "",
            _ => continue,
        };
        if !(at..behind).contains(&place) {
            return Err("a function that is not inlined asks for its CTA: give it `__forceinline__`");
        }
        if own.is_empty() {
            return Err("it takes the CTA as a vector");
        }
        edits.push((placed.start, placed.end, own.to_owned()));
    }
    Ok(edited(ptx, edits))
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
            let made = String::from_utf8(serial(text.as_bytes()).unwrap()).unwrap();
            let line = |text: &str, part| text.lines().position(|line| line.contains(part));
            assert_eq!(line(&made, "ret;"), line(&text, "ret;"), "{made}");
            assert_eq!(made.lines().count(), text.lines().count(), "{made}");
            assert!(!made.contains("%ctaid") && made.contains(".param .u32 assay_cta_param_3"), "{made}");
        }
    }

    #[test]
    fn text_that_is_no_ptx_is_refused_or_left() {
        for text in ["", ".entry", ".entry {", ".entry k( {}", ".entry k() { {", ".entry k(é) { %ctaid }"] {
            let _ = serial(text.as_bytes());
        }
        assert_eq!(serial(b"no kernels").unwrap(), b"no kernels");
        assert!(serial(b".entry k() { mov.v4.u32 {%r1}, %ctaid; }").is_err());
        assert!(serial(b".entry k() { ret; } .func f() { mov.u32 %r1, %ctaid.x; }").is_err());
        assert!(serial(b"// .entry {\n.entry k() { /* } %ctaid */ ret; }").is_ok());
    }
}
