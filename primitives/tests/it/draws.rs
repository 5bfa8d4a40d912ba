use crate::program;
use assay_primitives::{
    audit::{draw_units, is_assigned, unit_at, unit_count},
    economy,
    order::AuditLevel,
};

#[test]
fn units_are_numbered_without_gap_or_alias() {
    let program = program(&[[3, 2, 2], [1, 5, 1]], 3);
    let count = unit_count(&program);
    assert_eq!(count, 12 + 3 * 17);
    let units: std::collections::BTreeSet<_> = (0..count).map(|index| unit_at(&program, index).unwrap()).collect();
    assert_eq!(units.len() as u64, count);
    assert_eq!(units.last().unwrap().launch, 6);
    for unit in &units {
        let launch = program.launch(unit.launch).unwrap().launch;
        assert!(unit.cta.iter().zip(launch.grid).all(|(place, size)| *place < size));
    }
    assert_eq!(unit_at(&program, count), None);
}

#[test]
fn measured_detection_matches_the_formula() {
    let program = program(&[[100, 1, 1]], 9);
    // A tenth of the units is wrong; 7 draws find one with probability 1 - 0.9^7 = 52.2 %.
    let wrong = |unit: &assay_primitives::Unit| unit.cta[0] < 10;
    let level = AuditLevel { auditors: 1, units: 7 };
    let trials = 20_000u32;
    let found = (0..trials)
        .filter(|trial| {
            let mut output = [0; 32];
            output[..4].copy_from_slice(&trial.to_le_bytes());
            draw_units(&output, &program, level).iter().any(wrong)
        })
        .count() as f64;
    let expected = 1.0 - 0.9f64.powi(7);
    assert!((found / f64::from(trials) - expected).abs() < 0.015, "{}", found / f64::from(trials));
    assert_eq!(economy::detection_ppm(level), 521_703);
}

#[test]
fn assignment_is_as_likely_as_asked_and_widens_until_everyone_is_drawn() {
    let drawn = |elapsed| {
        (0..10_000u32)
            .filter(|i| {
                let mut output = [0; 32];
                output[..4].copy_from_slice(&i.to_le_bytes());
                is_assigned(&output, 2, 16, elapsed)
            })
            .count()
    };
    let at_first = drawn(0);
    assert!((2300..2700).contains(&at_first), "{at_first} of 10000, expected a quarter");
    assert!(drawn(2) > at_first);
    assert_eq!(drawn(40), 10_000);
    assert!(is_assigned(&[0; 32], 1, 1, 0), "a lone validator always audits");
    assert!(!is_assigned(&[0; 32], 1, 0, 0));
}
