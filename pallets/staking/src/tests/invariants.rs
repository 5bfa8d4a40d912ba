use crate::mock::*;
use frame_support::storage::with_storage_layer;
use pallet_assay_traits::Stake;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn money_and_invariants_survive_any_sequence(
        steps in prop::collection::vec((0u8..12, 1u8..5, 0u128..3_000, 0u128..3_000), 1..80),
    ) {
        run(|| {
            let issuance = Balances::total_issuance();
            for (what, operator, a, b) in steps {
                let account = who(operator);
                let _: Result<(), sp_runtime::DispatchError> = with_storage_layer(|| match what {
                    0 | 1 => Staking::stake(signed(operator), a),
                    2 => Staking::unstake(signed(operator), a),
                    3 => Staking::withdraw(signed(operator)),
                    4 | 5 => Staking::lock_bond(&account, a),
                    6 => Staking::release_bond(&account, a),
                    7 => {
                        let bond = Staking::bonded(&account);
                        Staking::slash_bond(&account, bond, &[(who(5), a), (who(9), b % 20)], b).map(|_| ())
                    },
                    8 => Staking::slash_stake(&account, a).map(|_| ()),
                    9 => Staking::validate(signed(operator)),
                    10 => Staking::chill(signed(operator)),
                    _ => {
                        System::set_block_number(System::block_number() + 20);
                        Ok(())
                    },
                });
                check(issuance);
            }
        });
    }
}
