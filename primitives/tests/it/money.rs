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

    #[test]
    fn a_share_is_the_exact_product_rounded_down(amount in 0u128..1 << 100, ppm in 0u128..=1_000_000) {
        prop_assert_eq!(economy::share(amount, ppm), amount * ppm / 1_000_000);
        let all = economy::share(u128::MAX - amount, ppm);
        prop_assert!(all <= u128::MAX - amount);
        prop_assert!(economy::share(u128::MAX - amount, 1_000_000) == u128::MAX - amount);
    }

    #[test]
    fn a_price_is_the_straight_line_rounded_down(start in 0u128..1 << 90, rise in 0u128..1 << 90, blocks in 1u32.., at in any::<u32>()) {
        let curve = PriceCurve { start, max: start + rise, blocks };
        let exact = start + rise * u128::from(at.min(blocks)) / u128::from(blocks);
        prop_assert_eq!(economy::price_at(&curve, at), exact);
    }

    #[test]
    fn prices_bonds_and_fees_of_any_numbers_are_answered(
        start in any::<u128>(), max in any::<u128>(), blocks in any::<u32>(), at in any::<u32>(), auditors in any::<u8>(), units in any::<u16>(),
    ) {
        let price = economy::price_at(&PriceCurve { start, max, blocks }, at);
        prop_assert!(price <= max.max(start));
        let level = AuditLevel { auditors, units };
        prop_assert!(economy::bond(price, level) >= price);
        prop_assert!(economy::audit_fee(max, level) <= economy::share(max, economy::AUDIT_FEE_PPM).saturating_mul(255));
        let p = economy::detection_ppm(level);
        prop_assert!((1..=1_000_000).contains(&p));
        let missed = 0.9f64.powi(i32::from(auditors) * i32::from(units));
        prop_assert!((p as f64 - (1.0 - missed) * 1e6).abs() <= 2.0, "{} against {}", p, missed);
        prop_assert!(economy::detection_ppm(AuditLevel { units: units.saturating_add(1), ..level }) >= p, "more units find no less");
    }
}
