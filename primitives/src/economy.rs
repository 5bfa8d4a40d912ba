//! Prices, bonds and settlement: pure functions of what the chain knows. All shares round down; the customer's refund
//! takes what rounding leaves, so every split adds up.

use crate::{Balance, BlockNumber, order::{AuditLevel, PriceCurve}};

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
    let _ = (amount, ppm);
    0
}

/// Price of a claim `elapsed` blocks after the order opened.
pub fn price_at(curve: &PriceCurve, elapsed: BlockNumber) -> Balance {
    let _ = (curve, elapsed);
    0
}

/// Planck for the auditors of an order.
pub fn audit_fee(max_price: Balance, level: AuditLevel) -> Balance {
    let _ = (max_price, level);
    0
}

/// Probability, in parts per million and rounded down, that `auditors * units` draws hit one of the units when a
/// fraction [`FAKED_PPM`] of them is faked: `1 - (1 - f)^k`. Never 0.
pub fn detection_ppm(level: AuditLevel) -> u128 {
    let _ = level;
    1
}

/// Bond for a claim at `price`: `(C/p - R) / (1 - ξ)` with cost `C = R = price` (nobody works for more than the price),
/// `p` from [`detection_ppm`], `ξ` the finder's and the customer's share together; at least the price itself.
pub fn bond(price: Balance, level: AuditLevel) -> Balance {
    let _ = (price, level);
    0
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
    let _ = (held, price, audit_fee);
    Settlement { provider: 0, protocol_fee: 0, audit_fee: 0, refund: held }
}

/// Splits `held` when the program itself is proved at fault: provider gets [`PROGRAM_FAULT_PPM`] of the price, the
/// auditors their fee, the customer the rest.
pub fn void(held: Balance, price: Balance, audit_fee: Balance) -> Settlement {
    let _ = (held, price, audit_fee);
    Settlement { provider: 0, protocol_fee: 0, audit_fee: 0, refund: held }
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
    let _ = bond;
    Slash { customer: 0, finder: 0, burned: bond }
}
