//! The instructions of the PTX manual, form by form: accepted, or refused with the right reason.

use crate::support::{parse, text};

#[test]
fn every_form_of_the_manual_has_its_verdict() {
    let mut wrong = Vec::new();
    let mut accepted = 0;
    for line in include_str!("instructions.txt").lines().filter(|line| !line.is_empty()) {
        let (verdict, instruction) = line.split_once('\t').unwrap();
        let module = parse(&text(&format!(".reg .b8 %c<8>; {instruction}")));
        match (&module.entries[0].kernel, verdict) {
            (Ok(_), "ok") => accepted += 1,
            (Err(rejection), part) if part != "ok" && rejection.reason.contains(part) => {}
            (Ok(_), part) => wrong.push(format!("accepted, not refused for `{part}`: {instruction}")),
            (Err(rejection), _) => wrong.push(format!("{instruction}: {}", rejection.reason)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(accepted > 2000, "{accepted}");
}
