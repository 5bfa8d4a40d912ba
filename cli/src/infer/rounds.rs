//! One text for the rounds of a `for` or a `repeat`: numbers that differ become expressions of its variables, names that take turns
//! are written so.

use crate::job::expr::{ExprError, evaluate};

/// A round: the variables and their values, and the entries of `writes`.
pub type Round = (Vec<(String, i128)>, Vec<String>);

/// A piece of an entry: text, or a number and whether it stands in an expression already.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number(i128, bool),
}

/// Entries that say what each round says; `None` where no simple expressions are found. Rounds without entries store nothing, so
/// that any entry will do which is one.
pub fn together(rounds: &[Round]) -> Option<Vec<String>> {
    let (idle, rounds): (Vec<&Round>, Vec<&Round>) = rounds.iter().partition(|(_, entries)| entries.is_empty());
    let Some((_, first)) = rounds.first() else { return Some(Vec::new()) };
    if rounds.iter().any(|(_, entries)| entries.len() != first.len()) {
        return None;
    }
    let vars = Vars {
        at: rounds.iter().map(|(vars, _)| vars.as_slice()).collect(),
        idle: idle.iter().map(|(vars, _)| vars.as_slice()).collect(),
    };
    (0..first.len())
        .map(|index| {
            let texts: Vec<&String> = rounds.iter().filter_map(|(_, entries)| entries.get(index)).collect();
            let (names, rest): (Vec<&str>, Vec<String>) =
                texts.iter().map(|text| named(text)).collect::<Option<_>>()?;
            let alone = names.iter().all(|name| names.first() == Some(name));
            let name = match (alone, vars.idle.as_slice()) {
                (true, _) => (*names.first()?).to_owned(),
                (false, []) => turns(&names, &vars.at)?,
                (false, _) => return None,
            };
            Some(format!("{{ buffer = \"{name}\"{}", entry(&rest, &vars)?))
        })
        .collect()
}

/// The number of one more round, by an expression that has the numbers of the others.
pub fn number_at(rounds: &[(&[(String, i128)], u64)], vars: &[(String, i128)]) -> Option<u64> {
    let numbers: Vec<i128> = rounds.iter().map(|(_, number)| (*number).into()).collect();
    let known = Vars { at: rounds.iter().map(|(vars, _)| *vars).collect(), idle: vec![vars] };
    let text = expression(&numbers, &known)?;
    let value = |name: &str| Ok(vars.iter().find(|(known, _)| known == name).map(|(_, value)| *value));
    u64::try_from(evaluate::<ExprError>(&text, &mut { value }).ok()?).ok()
}

/// The variables and their values: of rounds that store something, and of those that do not.
struct Vars<'a> {
    at: Vec<&'a [(String, i128)]>,
    idle: Vec<&'a [(String, i128)]>,
}

/// The name of the buffer, and what follows it.
fn named(entry: &str) -> Option<(&str, String)> {
    let (name, rest) = entry.strip_prefix("{ buffer = \"")?.split_once('"')?;
    Some((name, rest.to_owned()))
}

/// The names as `a|b`, by the round of the innermost loop.
fn turns(names: &[&str], vars: &[&[(String, i128)]]) -> Option<String> {
    let outer = |round: usize| vars.get(round).and_then(|vars| vars.split_last()).map(|(_, outer)| outer);
    let number = |round: usize| (0..round).filter(|before| outer(*before) == outer(round)).count();
    (1..=4usize).find_map(|period| {
        let turn =
            |place: usize| (0..names.len()).find(|round| number(*round) == place).and_then(|round| names.get(round));
        let cycle: Vec<&str> = (0..period).map(|place| turn(place).copied()).collect::<Option<_>>()?;
        let holds = |(round, name): (usize, &&str)| {
            number(round).checked_rem(period).and_then(|place| cycle.get(place)) == Some(name)
        };
        names.iter().enumerate().all(holds).then(|| cycle.join("|"))
    })
}

fn entry(texts: &[String], vars: &Vars<'_>) -> Option<String> {
    let mut all: Vec<Vec<Piece>> = texts.iter().map(|text| pieces(text)).collect();
    let based = |pieces: &Vec<Piece>| {
        pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.ends_with(", base = ")))
    };
    if all.iter().any(based) {
        all = texts.iter().map(|text| pieces(&with_base(text))).collect();
    }
    let first = all.first()?;
    if all.iter().any(|pieces| pieces.len() != first.len()) {
        return None;
    }
    let mut out = String::new();
    for index in 0..first.len() {
        let column: Vec<&Piece> = all.iter().filter_map(|pieces| pieces.get(index)).collect();
        match column.first()? {
            Piece::Text(text) if column.iter().all(|piece| *piece == *column.first().unwrap_or(piece)) => {
                out.push_str(text);
            }
            Piece::Text(_) => return None,
            Piece::Number(_, inside) => {
                let numbers: Option<Vec<i128>> = column
                    .iter()
                    .map(|piece| match piece {
                        Piece::Number(number, quoted) if quoted == inside => Some(*number),
                        _ => None,
                    })
                    .collect();
                let text = expression(&numbers?, vars)?;
                match (inside, text.parse::<i128>().is_ok()) {
                    (_, true) => out.push_str(&text),
                    (true, false) => out.push_str(&format!("({text})")),
                    (false, false) => out.push_str(&format!("\"{text}\"")),
                }
            }
        }
    }
    Some(out)
}

/// The entry with its base, which is left out where it is 0.
fn with_base(entry: &str) -> String {
    match entry.strip_prefix(", ") {
        Some(rest) if !rest.starts_with("base = ") => format!(", base = 0, {rest}"),
        _ => entry.to_owned(),
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut found: Vec<Piece> = Vec::new();
    let (mut word, mut digits, mut quoted) = (String::new(), String::new(), false);
    let mut inside_name = false;
    let close = |digits: &mut String, word: &mut String, found: &mut Vec<Piece>, quoted: bool| {
        if digits.is_empty() {
            return;
        }
        match digits.parse() {
            Ok(number) => {
                found.push(Piece::Text(std::mem::take(word)));
                found.push(Piece::Number(number, quoted));
            }
            Err(_) => word.push_str(digits),
        }
        digits.clear();
    };
    for letter in text.chars() {
        let starts = letter == '-' && word.ends_with([' ', '[']) && digits.is_empty();
        if !inside_name && (letter.is_ascii_digit() || starts) {
            digits.push(letter);
            continue;
        }
        close(&mut digits, &mut word, &mut found, quoted);
        if letter == '"' {
            quoted = !quoted;
        }
        inside_name = letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        word.push(letter);
    }
    close(&mut digits, &mut word, &mut found, quoted);
    found.push(Piece::Text(word));
    found
}

/// An expression that has these values where the variables have those.
fn expression(numbers: &[i128], vars: &Vars<'_>) -> Option<String> {
    let first = *numbers.first()?;
    if numbers.iter().all(|number| *number == first) {
        return Some(first.to_string());
    }
    let names: Vec<&str> = vars.at.first()?.iter().map(|(name, _)| name.as_str()).collect();
    // The innermost variable is the likeliest.
    for (place, name) in names.iter().enumerate().rev() {
        let of = |rounds: &[&[(String, i128)]]| -> Vec<i128> {
            rounds.iter().filter_map(|vars| vars.get(place).map(|var| var.1)).collect()
        };
        let (values, idle) = (of(&vars.at), of(&vars.idle));
        if values.len() != numbers.len() {
            return None;
        }
        if let Some((by, more)) = line(&values, numbers) {
            let stands =
                |value: &i128| by.checked_mul(*value).and_then(|sum| sum.checked_add(more)).is_some_and(|sum| sum >= 0);
            return idle.iter().all(stands).then(|| linear(name, by, more));
        }
        if idle.iter().any(|value| !(0..64).contains(value)) {
            continue;
        }
        let shifted = |left: bool| {
            let whole = |(value, number): (&i128, &i128)| {
                let power = 1i128.checked_shl(u32::try_from(*value).ok().filter(|bits| *bits < 64)?)?;
                match left {
                    true => (number % power == 0).then(|| number.checked_div(power)).flatten(),
                    false => number.checked_mul(power),
                }
            };
            let all: Vec<i128> = values.iter().zip(numbers).map(whole).collect::<Option<_>>()?;
            all.first().copied().filter(|first| all.iter().all(|other| other == first))
        };
        if let Some(times) = shifted(true) {
            return Some(format!("{times} << {name}"));
        }
        if let Some(times) = shifted(false) {
            return Some(format!("{times} >> {name}"));
        }
        for of in 2..=4i128 {
            let rests: Vec<i128> = values.iter().map(|value| value.rem_euclid(of)).collect();
            if let Some((by, more)) = line(&rests, numbers).filter(|_| values.iter().all(|value| *value >= 0)) {
                return Some(linear(&format!("{name} % {of}"), by, more));
            }
        }
    }
    None
}

/// Slope and height of the line through all points.
fn line(values: &[i128], numbers: &[i128]) -> Option<(i128, i128)> {
    let (from, low) = (*values.first()?, *numbers.first()?);
    let (to, high) = values.iter().zip(numbers).find(|(value, _)| **value != from)?;
    let (apart, by) = (to.checked_sub(from)?, high.checked_sub(low)?);
    let slope = by.checked_div(apart).filter(|slope| slope.checked_mul(apart) == Some(by))?;
    let height = low.checked_sub(slope.checked_mul(from)?)?;
    let holds = |(value, number): (&i128, &i128)| {
        slope.checked_mul(*value).and_then(|sum| sum.checked_add(height)) == Some(*number)
    };
    values.iter().zip(numbers).all(holds).then_some((slope, height))
}

fn linear(name: &str, by: i128, more: i128) -> String {
    match (by, more) {
        (1, 0) => name.to_owned(),
        (by, 0) => format!("{name} * {by}"),
        (1, more) if more > 0 => format!("{name} + {more}"),
        (1, more) => format!("{name} - {}", more.unsigned_abs()),
        (by, more) if by < 0 => format!("{more} - {name} * {}", by.unsigned_abs()),
        (by, more) if more > 0 => format!("{name} * {by} + {more}"),
        (by, more) => format!("{name} * {by} - {}", more.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing)]
    use super::*;

    fn rounds(values: &[i128], entry: impl Fn(i128) -> String) -> Vec<Round> {
        values.iter().map(|value| (vec![("k".to_owned(), *value)], vec![entry(*value)])).collect()
    }

    #[test]
    fn numbers_that_follow_the_variable_become_expressions() {
        let row = |k: i128| match k {
            0 => "{ buffer = \"r2\", range = \"block.x * 4\", len = 160 }".to_owned(),
            k => format!("{{ buffer = \"r2\", base = {}, range = \"block.x * 4\", len = 160 }}", k * 160),
        };
        assert_eq!(
            together(&rounds(&[0, 1, 2, 3], row)).unwrap(),
            ["{ buffer = \"r2\", base = \"k * 160\", range = \"block.x * 4\", len = 160 }"]
        );
        let cases: [(&[i128], fn(i128) -> i128, &str); 6] = [
            (&[1, 2, 3], |_| 7, "7"),
            (&[1, 2, 3], |k| 100 - 4 * k, "\"100 - k * 4\""),
            (&[1, 2, 3, 4], |k| 8 << k, "\"8 << k\""),
            (&[1, 2, 3, 4], |k| 64 >> k, "\"64 >> k\""),
            (&[0, 1, 2, 3], |k| k % 2 * 4, "\"k % 2 * 4\""),
            (&[5, 4, 3], |k| k + 2, "\"k + 2\""),
        ];
        for (values, number, text) in cases {
            let made = together(&rounds(values, |k| format!("{{ buffer = \"a\", run = {} }}", number(k)))).unwrap();
            assert_eq!(made, [format!("{{ buffer = \"a\", run = {text} }}")]);
        }
        let inside = |k: i128| format!("{{ buffer = \"a\", range = \"block.x * {}\" }}", k + 1);
        assert_eq!(together(&rounds(&[1, 2], inside)).unwrap(), ["{ buffer = \"a\", range = \"block.x * (k + 1)\" }"]);
        let odd = |k: i128| format!("{{ buffer = \"a\", run = {} }}", k * k * k);
        assert_eq!(together(&rounds(&[1, 2, 3, 4], odd)), None);
    }

    #[test]
    fn the_number_of_one_more_round_is_foretold_where_it_follows_the_variable() {
        let vars: Vec<Vec<(String, i128)>> = (1..=5).map(|l| vec![("l".to_owned(), l)]).collect();
        let told = |number: fn(i128) -> i128| {
            let rounds: Vec<(&[(String, i128)], u64)> =
                vars[..3].iter().map(|vars| (vars.as_slice(), number(vars[0].1) as u64)).collect();
            number_at(&rounds, &vars[4])
        };
        assert_eq!(told(|l| 256 << l), Some(256 << 5));
        assert_eq!(told(|l| 16 * l - 4), Some(76));
        assert_eq!(told(|_| 7), Some(7));
        assert_eq!(told(|l| 9 - 2 * l), None);
        assert_eq!(told(|l| l * l * l), None);
    }

    #[test]
    fn rounds_that_store_nothing_hold_no_other_round_back() {
        let shrinking =
            |k: i128| format!("{{ buffer = \"a\", base = {}, all-by-cta0 = true, len = {} }}", 4 + 44 * k, 12 - 4 * k);
        let mut all = rounds(&[0, 1, 2, 3], shrinking);
        all[3].1.clear();
        let whole = "{ buffer = \"a\", base = \"k * 44 + 4\", all-by-cta0 = true, len = \"12 - k * 4\" }";
        assert_eq!(together(&all).unwrap(), [whole]);
        // There its length would be less than nothing.
        all[3].0[0].1 = 4;
        assert_eq!(together(&all), None);
        for round in &mut all {
            round.1.clear();
        }
        assert_eq!(together(&all).unwrap(), [""; 0]);
    }

    #[test]
    fn buffers_that_take_turns_are_named_so() {
        let of = |name: &str| vec![format!("{{ buffer = \"{name}\", per-cta = 4 }}")];
        let repeat: Vec<Round> = vec![(Vec::new(), of("b")), (Vec::new(), of("a"))];
        assert_eq!(together(&repeat).unwrap(), ["{ buffer = \"b|a\", per-cta = 4 }"]);
        let at = |i: i128, j: i128| vec![("i".to_owned(), i), ("j".to_owned(), j)];
        let mut nested: Vec<Round> = Vec::new();
        for i in 0..2 {
            for (j, name) in (0..3).zip(["x", "y", "x"]) {
                nested.push((at(i, j), of(name)));
            }
        }
        assert_eq!(together(&nested).unwrap(), ["{ buffer = \"x|y\", per-cta = 4 }"]);
        nested[5].1 = of("y");
        assert_eq!(together(&nested), None);
    }

    #[test]
    fn rounds_of_other_shapes_stay_apart() {
        let one = (vec![("k".to_owned(), 1)], vec!["{ buffer = \"a\", run = 4 }".to_owned()]);
        let two = (vec![("k".to_owned(), 2)], vec!["{ buffer = \"a\", per-cta = 4 }".to_owned()]);
        assert_eq!(together(&[one.clone(), two]), None);
        let more = (vec![("k".to_owned(), 2)], vec![one.1[0].clone(), one.1[0].clone()]);
        assert_eq!(together(&[one, more]), None);
    }
}
