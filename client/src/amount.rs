//! Amounts as people write them: ASSAY with up to 12 decimals.

use assay_primitives::Balance;

/// Decimals of one ASSAY.
pub const DECIMALS: usize = 12;
/// Planck of one ASSAY.
pub const UNIT: Balance = 1_000_000_000_000;

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no amount: {reason}")]
pub struct AmountError {
    text: String,
    reason: &'static str,
}

/// Reads `1`, `1.5`, `1_000.25` or `1.5 ASSAY` as ASSAY, and `25 planck` as planck.
pub fn parse(text: &str) -> Result<Balance, AmountError> {
    let error = |reason| AmountError { text: text.to_owned(), reason };
    let trimmed = text.trim();
    if let Some(planck) = trimmed.strip_suffix("planck") {
        return digits(planck.trim_end()).ok_or(error("planck are whole numbers"));
    }
    let number = trimmed.strip_suffix("ASSAY").unwrap_or(trimmed).trim_end();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() {
        return Err(error("expected a number such as 1.5"));
    }
    if fraction.len() > DECIMALS {
        return Err(error("an ASSAY has 12 decimals"));
    }
    let whole = digits(whole).ok_or(error("expected a number such as 1.5"))?;
    let padded = format!("{fraction:0<DECIMALS$}");
    let fraction = digits(&padded).filter(|_| !fraction.contains('_')).ok_or(error("expected a number such as 1.5"))?;
    whole.checked_mul(UNIT).and_then(|planck| planck.checked_add(fraction)).ok_or(error("too large"))
}

fn digits(text: &str) -> Option<Balance> {
    let plain = text.replace('_', "");
    if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    plain.parse().ok()
}

/// The amount in ASSAY without trailing zeros, such as `1.5`.
pub fn format(planck: Balance) -> String {
    let (whole, fraction) = (planck / UNIT, planck % UNIT);
    if fraction == 0 {
        return whole.to_string();
    }
    let decimals = format!("{fraction:0>DECIMALS$}");
    format!("{whole}.{}", decimals.trim_end_matches('0'))
}

/// The amount with its unit, such as `1.5 ASSAY`.
pub fn display(planck: Balance) -> String {
    format!("{} ASSAY", format(planck))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_read_back_to_what_was_printed() {
        for planck in [0, 1, 999, UNIT, UNIT + 1, 1_500_000_000_000, 123_456_789_012_345_678, u128::MAX] {
            assert_eq!(parse(&format(planck)).unwrap(), planck, "{planck}");
            assert_eq!(parse(&display(planck)).unwrap(), planck, "{planck}");
        }
    }

    #[test]
    fn people_may_write_units_and_separators() {
        assert_eq!(parse("1_000.25").unwrap(), 1_000 * UNIT + UNIT / 4);
        assert_eq!(parse(" 5 ").unwrap(), 5 * UNIT);
        assert_eq!(parse("0.000000000001").unwrap(), 1);
        assert_eq!(parse("25 planck").unwrap(), 25);
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "1.", "-1", "1e9", "1,5", "0.0000000000001", "a", "1.5.2", "1._5", "1.5 planck"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("340282366920938463463374608").is_err());
    }
}
