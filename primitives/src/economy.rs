//! Prices, bonds and settlement: pure functions of what the chain knows. All shares round down; the customer's refund
//! takes what rounding leaves, so every split adds up.

use crate::{
    Balance, BlockNumber,
    order::{AuditLevel, PriceCurve},
};

/// Parts per million.
pub const MILLION: u128 = 1_000_000;
/// Share of the price that is burned as the protocol's fee, in parts per million.
pub const PROTOCOL_FEE_PPM: u128 = 50_000;
/// Share of the highest price that pays each auditor, in parts per million.
pub const AUDIT_FEE_PPM: u128 = 20_000;
/// Share of the bond that a proved fault pays the finder, in parts per million.
pub const FINDER_PPM: u128 = 300_000;
/// Share of the bond that a proved fault pays the customer, in parts per million.
pub const CUSTOMER_PPM: u128 = 300_000;
/// Share of the bond that a no-show pays the customer, in parts per million.
pub const NO_SHOW_PPM: u128 = 100_000;
/// Share of the price that a proved program fault pays the provider, in parts per million.
pub const PROGRAM_FAULT_PPM: u128 = 250_000;
/// The fraction of faked units that the bond rule must make a loss, in parts per million.
pub const FAKED_PPM: u128 = 100_000;

/// `amount * ppm / 1e6`, rounded down, exact for any amount.
pub fn share(amount: Balance, ppm: u128) -> Balance {
    let whole = (amount / MILLION).saturating_mul(ppm);
    // Below a million times a share: no overflow for shares up to 2^64.
    let rest = (amount % MILLION).saturating_mul(ppm) / MILLION;
    whole.saturating_add(rest)
}

/// Price of a claim `elapsed` blocks after the order opened.
pub fn price_at(curve: &PriceCurve, elapsed: BlockNumber) -> Balance {
    let Some(rise) = curve.max.checked_sub(curve.start) else { return curve.max };
    if elapsed >= curve.blocks {
        return curve.max;
    }
    let (blocks, elapsed) = (Balance::from(curve.blocks), Balance::from(elapsed));
    let (Some(whole), Some(rest)) = (rise.checked_div(blocks), rise.checked_rem(blocks)) else { return curve.max };
    // `whole * elapsed + rest * elapsed / blocks`: both factors of the second product fit 32 bits.
    let part = rest.saturating_mul(elapsed).checked_div(blocks).unwrap_or(0);
    curve.start.saturating_add(whole.saturating_mul(elapsed)).saturating_add(part)
}

/// Planck for the auditors of an order.
pub fn audit_fee(max_price: Balance, level: AuditLevel) -> Balance {
    share(max_price, AUDIT_FEE_PPM).saturating_mul(Balance::from(level.auditors))
}

/// Probability, in parts per million and rounded down, that `auditors * units` draws hit one of the units when a
/// fraction [`FAKED_PPM`] of them is faked: `1 - (1 - f)^k`. Never 0.
pub fn detection_ppm(level: AuditLevel) -> u128 {
    let mut draws = u32::from(level.auditors).saturating_mul(u32::from(level.units));
    // 1 - f, squared up to the power of the draws, in parts per 2^64-free billions: exact to 1e-9 and rounded up.
    const ONE: u128 = 1_000_000_000_000;
    let mul = |a: u128, b: u128| a.saturating_mul(b).div_ceil(ONE);
    let mut missed = ONE;
    let mut power = ONE.saturating_sub(FAKED_PPM.saturating_mul(ONE / MILLION));
    while draws > 0 {
        if draws & 1 == 1 {
            missed = mul(missed, power);
        }
        power = mul(power, power);
        draws >>= 1;
    }
    (ONE.saturating_sub(missed) / (ONE / MILLION)).max(1)
}

/// `amount * numerator / denominator`, rounded down, saturating; factors below 2^64.
fn mul_div(amount: Balance, numerator: u128, denominator: u128) -> Balance {
    let (Some(whole), Some(rest)) = (amount.checked_div(denominator), amount.checked_rem(denominator)) else {
        return Balance::MAX;
    };
    let part = rest.saturating_mul(numerator).checked_div(denominator).unwrap_or(0);
    whole.saturating_mul(numerator).saturating_add(part)
}

/// Bond for a claim at `price`: `(C/p - R) / (1 - ξ)` with cost `C = R = price` (nobody works for more than the price),
/// `p` from [`detection_ppm`], `ξ` the finder's and the customer's share together; at least the price itself.
pub fn bond(price: Balance, level: AuditLevel) -> Balance {
    let detection = detection_ppm(level);
    // C/p - R with C = R = price: price * (1 - p) / p.
    let gain = mul_div(price, MILLION.saturating_sub(detection), detection);
    let hurt = MILLION.saturating_sub(FINDER_PPM).saturating_sub(CUSTOMER_PPM);
    mul_div(gain, MILLION, hurt).max(price)
}

/// Who gets what when an order settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Planck to the provider.
    pub provider: Balance,
    /// Planck burned.
    pub protocol_fee: Balance,
    /// Planck to the auditors together.
    pub audit_fee: Balance,
    /// Planck back to the customer.
    pub refund: Balance,
}

/// Splits `held` when an order settles at `price`: provider gets the price less the fee. Parts add up to `held` for any
/// input; when `held` is short, the later of (provider, fee, auditors, customer) gives way.
pub fn settle(held: Balance, price: Balance, audit_fee: Balance) -> Settlement {
    let fee = share(price, PROTOCOL_FEE_PPM);
    split(held, price.saturating_sub(fee), fee, audit_fee)
}

/// Splits `held` when the program itself is proved at fault: provider gets [`PROGRAM_FAULT_PPM`] of the price, the
/// auditors their fee, the customer the rest.
pub fn void(held: Balance, price: Balance, audit_fee: Balance) -> Settlement {
    split(held, share(price, PROGRAM_FAULT_PPM), 0, audit_fee)
}

fn split(held: Balance, provider: Balance, protocol_fee: Balance, audit_fee: Balance) -> Settlement {
    let mut left = held;
    let mut take = |wanted: Balance| {
        let taken = wanted.min(left);
        left = left.saturating_sub(taken);
        taken
    };
    let (provider, protocol_fee, audit_fee) = (take(provider), take(protocol_fee), take(audit_fee));
    Settlement { provider, protocol_fee, audit_fee, refund: left }
}

/// Who gets what of a slashed bond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slash {
    /// Planck to the customer.
    pub customer: Balance,
    /// Planck to the finder.
    pub finder: Balance,
    /// Planck burned.
    pub burned: Balance,
}

/// Splits a bond after a proved fault; the parts add up to it.
pub fn slash(bond: Balance) -> Slash {
    let customer = share(bond, CUSTOMER_PPM);
    let finder = share(bond, FINDER_PPM);
    Slash { customer, finder, burned: bond.saturating_sub(customer).saturating_sub(finder) }
}
