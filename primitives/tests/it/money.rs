use assay_primitives::{
    economy,
    order::{AuditLevel, PriceCurve},
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_split_of_money_adds_up(held in any::<u128>(), price in any::<u128>(), fee in any::<u128>(), bond in any::<u128>()) {
        for split in [economy::settle(held, price, fee), economy::void(held, price, fee)] {
            let parts = [split.provider, split.protocol_fee, split.audit_fee, split.refund];
            prop_assert_eq!(parts.iter().fold(0u128, |sum, part| sum.checked_add(*part).unwrap()), held);
        }
        let slash = economy::slash(bond);
        prop_assert_eq!(slash.customer + slash.finder + slash.burned, bond);
    }

    #[test]
    fn the_price_rises_from_start_to_max_and_never_leaves_them(
        start in 0u128..1 << 100, rise in 0u128..1 << 100, blocks in 0u32..1000, at in 0u32..2000,
    ) {
        let curve = PriceCurve { start, max: start + rise, blocks };
        let price = economy::price_at(&curve, at);
        prop_assert!(price >= start && price <= curve.max);
        prop_assert!(economy::price_at(&curve, at + 1) >= price);
        prop_assert_eq!(economy::price_at(&curve, blocks), curve.max);
    }

    #[test]
    fn faking_a_tenth_of_the_units_loses_money(price in 1u128..1 << 80, auditors in 1u8..8, units in 1u16..200) {
        let level = AuditLevel { auditors, units };
        let bond = economy::bond(price, level);
        let p = economy::detection_ppm(level);
        // Caught: the part of the bond that no friend gets back. Not caught: the price, at no cost.
        let burned = bond - economy::slash(bond).finder - economy::slash(bond).customer;
        let loss = burned.saturating_mul(p);
        let gain = price.saturating_mul(1_000_000 - p);
        prop_assert!(loss + loss / 1000 + 10_000_000 >= gain, "loss {} gain {}", loss, gain);
    }
}
