//! Whatever people do, in whatever order: every invariant holds and every planck is accounted for after each step.

use super::world::*;
use crate::{mock::*, *};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Place { entry: usize, price: u8 },
    Cancel(u8),
    Claim(u8, u8),
    Decline(u8, u8),
    Commit(u8, Option<u8>),
    Report(u8, u8, bool),
    Prove(u8, u8),
    ReportFault(u8, u8, u8),
    Settle(u8),
    Stake(u8, u8),
    Unstake(u8, u8),
    Withdraw(u8),
    Retire(u8),
    Pass(u8),
    Leap,
}

const PROGRAMS: [&[&str]; 3] = [&["add_one"], &["add_one", "expect_one"], &["trespass"]];

fn step() -> impl Strategy<Value = Step> {
    let order = 0u8..6;
    let provider = 0u8..4;
    prop_oneof![
        3 => (0usize..3, any::<u8>()).prop_map(|(entry, price)| Step::Place { entry, price }),
        1 => order.clone().prop_map(Step::Cancel),
        6 => (order.clone(), provider.clone()).prop_map(|(a, b)| Step::Claim(a, b)),
        1 => (order.clone(), provider.clone()).prop_map(|(a, b)| Step::Decline(a, b)),
        5 => (order.clone(), any::<Option<u8>>()).prop_map(|(a, b)| Step::Commit(a, b)),
        5 => (order.clone(), provider.clone(), any::<bool>()).prop_map(|(a, b, c)| Step::Report(a, b, c)),
        2 => (order.clone(), 0u8..4).prop_map(|(a, b)| Step::Prove(a, b)),
        2 => (order.clone(), provider.clone(), 0u8..4).prop_map(|(a, b, c)| Step::ReportFault(a, b, c)),
        1 => order.prop_map(Step::Settle),
        1 => (provider.clone(), any::<u8>()).prop_map(|(a, b)| Step::Stake(a, b)),
        1 => (provider.clone(), any::<u8>()).prop_map(|(a, b)| Step::Unstake(a, b)),
        1 => provider.clone().prop_map(Step::Withdraw),
        1 => provider.prop_map(Step::Retire),
        4 => (1u8..8).prop_map(Step::Pass),
        1 => Just(Step::Leap),
    ]
}

/// Who is asked to do what nobody can do gets an error and nothing changes; the invariants are what is tested.
struct World {
    works: std::collections::BTreeMap<OrderId, Work>,
}

impl World {
    fn take(&mut self, step: Step) {
        let current = |order: OrderId| Orders::<Test>::get(order).and_then(|order| order.current());
        let claimant = |order: OrderId| {
            let tried = Attempts::<Test>::get(order, current(order)?)?;
            PROVIDERS.into_iter().find(|provider| who(*provider) == tried.provider)
        };
        match step {
            Step::Place { entry, price } => {
                let mut terms = terms();
                terms.price.max = (1 + u128::from(price)) * 20 * UNIT + 7;
                terms.price.start = UNIT + u128::from(price);
                terms.price.blocks = u32::from(price % 9);
                terms.audit.auditors = 1 + price % 3;
                let program = Box::new(program(PROGRAMS[entry]));
                let _ = attempt(|| Compute::place_order(RuntimeOrigin::signed(who(CUSTOMER)), program, terms));
            }
            Step::Cancel(order) => {
                let _ = attempt(|| Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order.into()));
            }
            Step::Claim(order, provider) => drop(claim(order.into(), PROVIDERS[usize::from(provider)])),
            Step::Decline(order, provider) => drop(decline(order.into(), PROVIDERS[usize::from(provider)])),
            Step::Commit(order, wrong) => {
                let order = order.into();
                let Some(provider) = claimant(order) else { return };
                let program = Compute::program(Orders::<Test>::get(order).unwrap().program);
                let Some(program) = program else { return };
                let work = match wrong {
                    Some(byte) => Work::wrong_byte(&program, 0, usize::from(byte)),
                    None => Work::honest(&program),
                };
                if matches!(commit(order, provider, &work), Feeless::Done(Ok(_))) {
                    self.works.insert(order, work);
                }
            }
            Step::Report(order, validator, good) => {
                if status_of(order) == Some(OrderStatus::Committed) {
                    let verdict = if good { ReportVerdict::Verified } else { ReportVerdict::Withheld };
                    let validator = VALIDATORS[usize::from(validator)];
                    let _ = feeless(report_call(validator, vec![report_of(order.into(), validator, verdict)]));
                }
            }
            Step::Prove(order, x) => {
                let order = order.into();
                let (Some(work), Some(attempt)) = (self.works.get(&order), current(order)) else { return };
                let _ = prove(order, attempt, unit(0, u32::from(x)), work.witness(unit(0, u32::from(x))));
            }
            Step::ReportFault(order, validator, x) => {
                let order = order.into();
                let (Some(work), Some(attempt)) = (self.works.get(&order), current(order)) else { return };
                let unit = unit(0, u32::from(x));
                let validator = VALIDATORS[usize::from(validator)];
                let _ = feeless(fault_call(order, attempt, validator, unit, work.witness(unit)));
            }
            Step::Settle(order) => {
                let _ = attempt(|| Compute::settle(RuntimeOrigin::signed(who(STRANGER)), order.into()));
            }
            Step::Stake(provider, amount) => {
                let signed = RuntimeOrigin::signed(who(PROVIDERS[usize::from(provider)]));
                let _ = attempt(|| Staking::stake(signed, u128::from(amount) * 50 * UNIT));
            }
            Step::Unstake(provider, amount) => {
                let signed = RuntimeOrigin::signed(who(PROVIDERS[usize::from(provider)]));
                let _ = attempt(|| Staking::unstake(signed, u128::from(amount) * 50 * UNIT));
            }
            Step::Withdraw(provider) => {
                let signed = RuntimeOrigin::signed(who(PROVIDERS[usize::from(provider)]));
                let _ = attempt(|| Staking::withdraw(signed));
            }
            Step::Retire(provider) => {
                let signed = RuntimeOrigin::signed(who(PROVIDERS[usize::from(provider)]));
                let _ = attempt(|| Staking::retire_provider(signed));
            }
            Step::Pass(blocks) => pass(blocks.into()),
            Step::Leap => System::set_block_number(System::block_number() + 400_000),
        }
    }
}

fn status_of(order: u8) -> Option<OrderStatus> {
    Orders::<Test>::get(OrderId::from(order)).map(|order| order.status)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 8 } else { 64 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn money_and_invariants_survive_any_sequence_of_calls(steps in prop::collection::vec(step(), 1..80)) {
        run(|| {
            register();
            let issuance = pallet_balances::Pallet::<Test>::total_issuance();
            let mut world = World { works: Default::default() };
            for step in steps {
                world.take(step);
                check(issuance);
            }
            // Whatever was left ends by time alone.
            for _ in 0..20 {
                pass(40);
            }
            check(issuance);
            for (id, order) in Orders::<Test>::iter() {
                prop_assert!(order.status.is_terminal(), "order {} is still {:?}", id, order.status);
            }
            Ok(())
        })?;
    }
}
