//! Atomics of one thread at a time as what they do: a load, the operation, a store.
//!
//! ```text
//! atom.global.add.f32 %f3, [%rd2], %f1;
//!
//! { .reg .f32 %assay_old, %assay_new; ld.global.f32 %assay_old, [%rd2];
//!   add.rn.f32 %assay_new, %assay_old, %f1; st.global.f32 [%rd2], %assay_new; mov.b32 %f3, %assay_old; }
//! ```
//!
//! Where two threads change the same bytes, the race detector finds the stores.

use std::collections::BTreeSet;

use assay_engine::Module;
use assay_exact::text::{Edit, Token, edited};

use super::functions::Script;

/// A statement `@guard opcode operands;`, its operands as they are written.
struct Statement<'a> {
    guard: String,
    opcode: &'a str,
    operands: Vec<&'a str>,
    start: usize,
    end: usize,
}

/// Names of the scope that stands for an atomic.
const OLD: &str = "%assay_old";
const NEW: &str = "%assay_new";
const HOLDS: &str = "%assay_holds";

/// PTX with the atomics that are refused, for their order shows, as loads and stores. Lines keep their numbers.
pub fn plain_atomics(ptx: Vec<u8>) -> Vec<u8> {
    let taken = |token| matches!(token, Token::Word(OLD | NEW | HOLDS));
    if Script::read(&ptx).tokens.iter().any(|placed| taken(placed.token)) {
        return ptx;
    }
    let mut text = ptx;
    // Of an entry the first refusal is told: the next shows when that one is gone.
    let mut done = BTreeSet::new();
    while let Ok(module) = Module::parse(&text) {
        let refused = module.entries.iter().filter_map(|entry| entry.kernel.as_ref().err().map(|why| why.line));
        let lines: BTreeSet<u32> = refused.filter(|line| done.insert(*line)).collect();
        let edits = edits(&text, &lines);
        if edits.is_empty() {
            break;
        }
        text = edited(&text, edits);
    }
    text
}

/// The atomics of these lines, replaced.
fn edits(text: &[u8], lines: &BTreeSet<u32>) -> Vec<Edit> {
    let script = Script::read(text);
    let atomic = |at: usize| {
        let placed = script.tokens.get(at)?;
        let Token::Word(word) = placed.token else { return None };
        (lines.contains(&placed.line) && (word.starts_with("atom.") || word.starts_with("red."))).then_some(())?;
        let statement = statement(text, &script, at)?;
        Some((statement.start, statement.end, plain(&statement)?))
    };
    (0..script.tokens.len()).filter_map(atomic).collect()
}

/// The statement whose opcode stands at `at`.
fn statement<'a>(text: &'a [u8], script: &Script<'a>, at: usize) -> Option<Statement<'a>> {
    let Some(Token::Word(opcode)) = script.token(at) else { return None };
    let place = |at: usize| script.tokens.get(at);
    let part = |from: usize, to: usize| std::str::from_utf8(text.get(place(from)?.start..place(to)?.end)?).ok();
    let first = match [at.checked_sub(2), at.checked_sub(3)] {
        [Some(two), _] if script.is(two, b'@') => two,
        [_, Some(three)] if script.is(three, b'@') => three,
        _ => at,
    };
    let guard = if first == at { String::new() } else { format!("{} ", part(first, at.checked_sub(1)?)?) };
    let mut operands = Vec::new();
    let (mut from, mut to, mut depth) = (at.checked_add(1)?, at.checked_add(1)?, 0u32);
    loop {
        let ends = match script.token(to)? {
            Token::Punct(b'[' | b'{') => {
                depth = depth.checked_add(1)?;
                false
            }
            Token::Punct(b']' | b'}') => {
                depth = depth.checked_sub(1)?;
                false
            }
            Token::Punct(b',') => depth == 0,
            Token::Punct(b';') => true,
            _ => false,
        };
        if ends {
            operands.push(part(from, to.checked_sub(1).filter(|last| *last >= from)?)?);
            from = to.checked_add(1)?;
        }
        if script.is(to, b';') {
            return Some(Statement { guard, opcode, operands, start: place(first)?.start, end: place(to)?.end });
        }
        to = to.checked_add(1)?;
    }
}

/// What an atomic does, in plain instructions; none where it is not known.
fn plain(atomic: &Statement<'_>) -> Option<String> {
    let mut words = atomic.opcode.split('.');
    let returns = words.next()? == "atom";
    let mut rest: Vec<&str> = words
        .filter(|word| {
            !matches!(*word, "relaxed" | "acquire" | "release" | "acq_rel" | "cta" | "gpu" | "sys" | "noftz")
        })
        .collect();
    let space = match rest.first() {
        Some(&"global") => ".global",
        Some(&"shared") => ".shared",
        _ => "",
    };
    if !space.is_empty() {
        rest.remove(0);
    }
    let [operation, kind] = rest[..] else { return None };
    let bits = match kind {
        "f16" | "b16" => "16",
        "f32" | "b32" | "u32" | "s32" | "f16x2" => "32",
        "f64" | "b64" | "u64" | "s64" => "64",
        _ => return None,
    };
    let (to, operands) = match (returns, &atomic.operands[..]) {
        (true, [to, operands @ ..]) => (Some(*to).filter(|to| *to != "_"), operands),
        (false, operands) => (None, operands),
        _ => return None,
    };
    let (address, b, c) = match (operation, operands) {
        ("cas", [address, b, c]) => (*address, *b, *c),
        (_, [address, b]) if operation != "cas" => (*address, *b, ""),
        _ => return None,
    };
    let (old, new, holds) = (OLD, NEW, HOLDS);
    let steps = match (operation, kind) {
        ("add", "f16" | "f16x2" | "f32" | "f64") => vec![format!("add.rn.{kind} {new}, {old}, {b}")],
        ("add", "u32" | "s32" | "u64" | "s64") => vec![format!("add.{kind} {new}, {old}, {b}")],
        ("and" | "or" | "xor", "b32" | "b64") => vec![format!("{operation}.{kind} {new}, {old}, {b}")],
        ("min" | "max", "u32" | "s32" | "u64" | "s64") => vec![format!("{operation}.{kind} {new}, {old}, {b}")],
        ("exch", "b32" | "b64") => vec![format!("mov.{kind} {new}, {b}")],
        ("inc", "u32") => vec![
            format!("setp.ge.u32 {holds}, {old}, {b}"),
            format!("add.u32 {new}, {old}, 1"),
            format!("selp.b32 {new}, 0, {new}, {holds}"),
        ],
        ("dec", "u32") => vec![
            format!("setp.eq.u32 {holds}, {old}, 0"),
            format!("setp.gt.or.u32 {holds}, {old}, {b}, {holds}"),
            format!("sub.u32 {new}, {old}, 1"),
            format!("selp.b32 {new}, {b}, {new}, {holds}"),
        ],
        ("cas", "b16" | "b32" | "b64") => {
            vec![format!("setp.eq.b{bits} {holds}, {old}, {b}"), format!("selp.b{bits} {new}, {c}, {old}, {holds}")]
        }
        _ => return None,
    };
    let register = match kind {
        "f32" | "f64" => kind.to_owned(),
        _ => format!("b{bits}"),
    };
    let mut all = vec![format!("ld{space}.{register} {old}, {address}")];
    all.extend(steps);
    all.push(format!("st{space}.{register} {address}, {new}"));
    all.extend(to.map(|to| format!("mov.b{bits} {to}, {old}")));
    let guard = &atomic.guard;
    let body: String = all.iter().map(|step| format!("{guard}{step}; ")).collect();
    Some(format!("{{ .reg .{register} {old}, {new}; .reg .pred {holds}; {body}}}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::plain_atomics;
    use assay_engine::Module;

    fn kernel(body: &str) -> String {
        format!(
            ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p)\n{{\n\
             .reg .pred %p<3>;\n.reg .b16 %h<4>;\n.reg .b32 %r<5>;\n.reg .f32 %f<4>;\n.reg .b64 %rd<5>;\n.reg .f64 %fd<4>;\n\
             ld.param.u64 %rd1, [p];\nmov.u32 %r1, 5;\nmov.u32 %r3, 7;\nmov.f32 %f1, 0f3F800000;\nmov.f64 %fd1, 0d3FF0000000000000;\n\
             setp.eq.u32 %p1, %r1, 5;\nmov.u64 %rd3, 9;\nmov.b16 %h1, 0x3C00;\n{body}\nst.global.u32 [%rd1+64], %r2;\nret;\n}}\n"
        )
    }

    #[test]
    fn every_atomic_whose_order_shows_has_plain_instructions() {
        for body in [
            "mov.u32 %r2, 0; red.global.add.f32 [%rd1], %f1;",
            "mov.u32 %r2, 0; @%p1 red.add.f64 [%rd1+8], %fd1;",
            "mov.u32 %r2, 0; @!%p1 red.relaxed.gpu.global.add.f32 [%rd1], 0f3F800000;",
            "atom.global.add.u32 %r2, [%rd1], %r1;",
            "@%p1 atom.global.inc.u32 %r2, [%rd1], 6;",
            "atom.global.dec.u32 %r2, [%rd1+4], %r1;",
            "atom.global.cas.b32 %r2, [%rd1], %r1, %r3;",
            "atom.global.exch.b32 %r2, [%rd1], %r1;",
            "atom.global.max.s32 %r2, [%rd1], -1;",
            "atom.acq_rel.sys.global.or.b32 %r2, [%rd1], %r1;",
            "atom.global.add.u64 %rd4, [%rd1], %rd3; cvt.u32.u64 %r2, %rd4;",
            "atom.global.cas.b64 %rd4, [%rd1], %rd3, %rd3; cvt.u32.u64 %r2, %rd4;",
            "atom.global.cas.b16 %h2, [%rd1], %h1, %h1; cvt.u32.u16 %r2, %h2;",
            "atom.global.add.noftz.f16x2 %r2, [%rd1], %r1;",
            "atom.global.add.noftz.f16 %h2, [%rd1], %h1; cvt.u32.u16 %r2, %h2;",
            "atom.global.add.f32 %f2, [%rd1], %f1; atom.global.add.f32 %f3, [%rd1], %f2;\nmov.b32 %r2, %f3;",
        ] {
            let text = kernel(body);
            let before = Module::parse(text.as_bytes()).unwrap();
            assert!(before.entries[0].kernel.is_err(), "{body}");
            let made = plain_atomics(text.clone().into_bytes());
            let module = Module::parse(&made).unwrap();
            let made = String::from_utf8(made).unwrap();
            assert!(module.entries[0].kernel.is_ok(), "{made}: {:?}", module.entries[0].kernel.as_ref().err());
            assert_eq!(made.lines().count(), text.lines().count(), "{made}");
        }
    }

    #[test]
    fn what_is_taken_as_it_is_stays() {
        for body in [
            "mov.u32 %r2, 0; red.global.add.u32 [%rd1], %r1;",
            "mov.u32 %r2, 0; atom.shared.add.u32 %r2, [%rd1], %r1, %r2, %r3;",
            "atom.global.add.v2.f32 {%f1, %f2}, [%rd1], {%f1, %f2};",
            "{ .reg .b32 %assay_old; mov.b32 %assay_old, 3; atom.global.add.u32 %r2, [%rd1], %assay_old; }",
            "ex2.approx.f32 %f1, %f2;",
            "atom.global.add.f32",
            "@ atom.global.add.f32 ,,,;",
        ] {
            let text = kernel(body).into_bytes();
            assert_eq!(plain_atomics(text.clone()), text, "{body}");
        }
    }
}
