//! Entries that run as one CTA of a grid at a time, or as one thread of a CTA at a time: which CTA it is is a parameter, so that each
//! CTA can be a launch of its own; its threads are rounds of a loop.

use std::fmt::Write as _;

use assay_exact::text::{Edit, Token, edited};

use super::{
    atomics::plain_atomics,
    functions::{Function, Script},
};

/// What runs one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Serial {
    /// The CTAs; the threads of each run together.
    Ctas,
    /// The CTAs, and in each its threads.
    Threads,
}

/// What the beginning of an entry computes of its parameters: its CTA, counted x first, and the CTAs along x, y and z.
const CTA: &str = " .reg .b32 %assay_cta<7>; ld.param.u32 %assay_cta0, [assay_cta_param_0]; \
ld.param.u32 %assay_cta1, [assay_cta_param_1]; ld.param.u32 %assay_cta2, [assay_cta_param_2]; \
ld.param.u32 %assay_cta3, [assay_cta_param_3]; rem.u32 %assay_cta4, %assay_cta0, %assay_cta1; \
div.u32 %assay_cta6, %assay_cta0, %assay_cta1; rem.u32 %assay_cta5, %assay_cta6, %assay_cta2; \
div.u32 %assay_cta6, %assay_cta6, %assay_cta2;";

/// The same for its threads: those along x, y and z are parameters, and the thread is counted.
const THREAD: &str = " .reg .pred %assay_more; .reg .b32 %assay_thread<8>; ld.param.u32 %assay_thread1, [assay_cta_param_4]; \
ld.param.u32 %assay_thread2, [assay_cta_param_5]; ld.param.u32 %assay_thread3, [assay_cta_param_6]; \
mul.lo.u32 %assay_thread7, %assay_thread1, %assay_thread2; mul.lo.u32 %assay_thread7, %assay_thread7, %assay_thread3; \
mov.u32 %assay_thread0, 0; $assay_next: rem.u32 %assay_thread4, %assay_thread0, %assay_thread1; \
div.u32 %assay_thread6, %assay_thread0, %assay_thread1; rem.u32 %assay_thread5, %assay_thread6, %assay_thread2; \
div.u32 %assay_thread6, %assay_thread6, %assay_thread2;";

/// Behind an entry's last instruction.
const NEXT: &str = " $assay_done: add.u32 %assay_thread0, %assay_thread0, 1; \
setp.lt.u32 %assay_more, %assay_thread0, %assay_thread7; @%assay_more bra $assay_next; ret; ";

impl Serial {
    /// How many parameters an entry gets: the CTA, the extents of the grid, and where threads are counted those of the CTA.
    const fn parameters(self) -> u32 {
        match self {
            Self::Ctas => 4,
            Self::Threads => 7,
        }
    }

    /// PTX of which the entries that `wanted` holds take their place, and the extents, from parameters behind their own. Atomics that
    /// are refused become loads and stores. Lines keep their numbers.
    pub fn rewrite(self, ptx: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Vec<u8>, String> {
        let script = Script::read(ptx);
        let mut edits = Vec::new();
        let (mut at, mut behind, mut left) = (0, 0, 0);
        for (place, placed) in script.tokens.iter().enumerate() {
            let Token::Word(word) = placed.token else { continue };
            if place < left {
                continue;
            }
            if word == ".entry" && place >= behind {
                let (function, end) = script.function(place);
                let function = function.ok_or("the PTX is not laid out as compilers do")?;
                if !wanted(function.name) {
                    left = end;
                    continue;
                }
                let mut parameters = String::new();
                for number in 0..self.parameters() {
                    let comma = if number == 0 { "" } else { ", " };
                    let _ = write!(parameters, "{comma}.param .u32 assay_cta_param_{number}");
                }
                let beginning = if self == Self::Ctas { CTA.to_owned() } else { format!("{CTA}{THREAD}") };
                edits.extend(function.begin(&parameters, beginning));
                if self == Self::Threads {
                    edits.extend(Self::turns(&script, place, &function));
                }
                (at, behind) = (function.body.start, end);
                continue;
            }
            let inside = (at..behind).contains(&place);
            let own = match (word, self) {
                ("%nctaid.x", _) => "%assay_cta1",
                ("%nctaid.y", _) => "%assay_cta2",
                ("%nctaid.z", _) => "%assay_cta3",
                ("%ctaid.x", _) => "%assay_cta4",
                ("%ctaid.y", _) => "%assay_cta5",
                ("%ctaid.z", _) => "%assay_cta6",
                ("%ntid.x", Self::Threads) => "%assay_thread1",
                ("%ntid.y", Self::Threads) => "%assay_thread2",
                ("%ntid.z", Self::Threads) => "%assay_thread3",
                ("%tid.x", Self::Threads) => "%assay_thread4",
                ("%tid.y", Self::Threads) => "%assay_thread5",
                ("%tid.z", Self::Threads) => "%assay_thread6",
                ("ret" | "exit", Self::Threads) if inside => "bra $assay_done",
                ("%ctaid" | "%nctaid", _) | ("%tid" | "%ntid", Self::Threads) => {
                    return Err("it takes its place as a vector".to_owned());
                }
                (_, Self::Threads) if together(word) => {
                    return Err(format!(
                        "line {}: `{word}`: threads that run one after the other cannot wait for each other: use `serial = true`",
                        placed.line
                    ));
                }
                _ => continue,
            };
            if !inside {
                return Err(format!(
                    "line {}: a function that is not inlined uses `{word}`: give it `__forceinline__`",
                    placed.line
                ));
            }
            edits.push((placed.start, placed.end, own.to_owned()));
        }
        Ok(plain_atomics(edited(ptx, edits)))
    }

    /// The end of an entry's loop, and its extents, which are those of another CTA, gone.
    fn turns(script: &Script<'_>, entry: usize, function: &Function<'_>) -> Vec<Edit> {
        let token = |at: usize| script.tokens.get(at);
        let last = function.body.end.checked_sub(1).and_then(token).map(|brace| brace.start);
        let mut edits: Vec<Edit> = last.map(|at| (at, at, NEXT.to_owned())).into_iter().collect();
        let extent = |at: usize| {
            matches!(script.token(at), Some(Token::Punct(b',')))
                || matches!(script.token(at), Some(Token::Word(word)) if word.starts_with(|first: char| first.is_ascii_digit()))
        };
        for at in entry..function.body.start {
            if !matches!(
                script.token(at),
                Some(Token::Word(".maxntid" | ".reqntid" | ".minnctapersm" | ".maxnctapersm"))
            ) {
                continue;
            }
            let ends = (at.saturating_add(1)..function.body.start).take_while(|at| extent(*at)).last().unwrap_or(at);
            if let (Some(from), Some(to)) = (token(at), token(ends)) {
                edits.push((from.start, to.end, String::new()));
            }
        }
        edits
    }
}

/// Whether an instruction or a register is about threads that run together.
fn together(word: &str) -> bool {
    const ROOTS: [&str; 15] = [
        "bar",
        "barrier",
        "shfl",
        "vote",
        "match",
        "redux",
        "activemask",
        "mma",
        "wmma",
        "ldmatrix",
        "stmatrix",
        "mbarrier",
        "elect",
        "%laneid",
        "%warpid",
    ];
    ROOTS.contains(&word.split('.').next().unwrap_or(word)) || word.starts_with("%lanemask")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Serial;

    #[test]
    fn lines_keep_their_numbers() {
        let body =
            "{\n\tmov.u32 %r1, %ctaid.x;\n\tmov.u32 %r2, %nctaid.y;\n\tmov.u32 %r3, %tid.z;\n@%p1 ret;\n\tret;\n}\n";
        for head in [
            ".visible .entry k(\n\t.param .u64 a\n)\n",
            ".entry k()\n",
            ".entry k\n\n",
            ".entry k(.param .u32 n)\n.maxntid 32, 2\n.minnctapersm 2\n",
        ] {
            let text = format!(".version 8.0\n{head}{body}// end\n");
            let line = |text: &str, part| text.lines().position(|line| line.contains(part));
            let made = String::from_utf8(Serial::Ctas.rewrite(text.as_bytes(), |_| true).unwrap()).unwrap();
            assert_eq!(line(&made, "\tret;"), line(&text, "\tret;"), "{made}");
            assert_eq!(made.lines().count(), text.lines().count(), "{made}");
            assert!(!made.contains("%ctaid") && made.contains(".param .u32 assay_cta_param_3)"), "{made}");
            assert!(made.contains("%tid.z"), "{made}");
            let made = String::from_utf8(Serial::Threads.rewrite(text.as_bytes(), |_| true).unwrap()).unwrap();
            assert_eq!(line(&made, "\tbra $assay_done;"), line(&text, "\tret;"), "{made}");
            assert_eq!(made.lines().count(), text.lines().count(), "{made}");
            assert!(made.contains("@%p1 bra $assay_done;") && made.contains("assay_cta_param_6)"), "{made}");
            assert!(!made.contains("%tid") && !made.contains("ntid") && !made.contains("minnc"), "{made}");
        }
    }

    #[test]
    fn text_that_is_no_ptx_is_refused_or_left() {
        for serial in [Serial::Ctas, Serial::Threads] {
            for text in ["", ".entry", ".entry {", ".entry k( {}", ".entry k() { {", ".entry k(é) { %ctaid }"] {
                let _ = serial.rewrite(text.as_bytes(), |_| true);
            }
            assert_eq!(serial.rewrite(b"no kernels", |_| true).unwrap(), b"no kernels");
            assert!(serial.rewrite(b".entry k() { mov.v4.u32 {%r1}, %ctaid; }", |_| true).is_err());
            assert!(serial.rewrite(b".entry k() { ret; } .func f() { mov.u32 %r1, %ctaid.x; }", |_| true).is_err());
            assert!(serial.rewrite(b"// .entry {\n.entry k() { /* } %ctaid */ ret; }", |_| true).is_ok());
        }
        let waits = b".entry k() {\n bar.sync 0; ret; }";
        assert!(Serial::Ctas.rewrite(waits, |_| true).is_ok());
        assert!(Serial::Threads.rewrite(waits, |_| true).unwrap_err().starts_with("line 2: `bar.sync`"));
        assert!(Serial::Threads.rewrite(b".entry k() { ret; } .func f() { ret; }", |_| true).is_ok());
        // What nobody asks for stays as it is.
        let both = b".entry w() { bar.sync 0; ret; } .entry k() { mov.u32 %r1, %ctaid.x; ret; }";
        let made = String::from_utf8(Serial::Threads.rewrite(both, |name| name == "k").unwrap()).unwrap();
        assert!(made.starts_with(".entry w() { bar.sync 0; ret; } .entry k(.param"), "{made}");
    }
}
