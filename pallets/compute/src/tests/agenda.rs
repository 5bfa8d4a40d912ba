use super::world::*;
use crate::{mock::*, *};
use frame_support::weights::Weight;

#[test]
fn a_block_without_idle_weight_leaves_the_agenda_to_the_next() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        pass_with(terms().open_blocks + 5, Weight::zero());
        assert_eq!(status(order), OrderStatus::Open);
        pass(1);
        assert_eq!(status(order), OrderStatus::Expired);
    });
}

#[test]
fn what_does_not_fit_one_block_is_done_in_the_following_ones() {
    run(|| {
        register();
        let orders: Vec<_> = (0..20).map(|_| place(&program(&["add_one"]))).collect();
        pass(terms().open_blocks + 1);
        let step = <Test as Config>::WeightInfo::agenda_order();
        let blocks = <Test as Config>::WeightInfo::agenda_block().saturating_mul(3);
        let idle = step.saturating_mul(7).saturating_add(blocks);
        let ended = || orders.iter().filter(|order| status(**order) == OrderStatus::Expired).count();
        for most in [7, 14, 20] {
            pass_with(1, idle);
            assert!(ended() <= most, "{} of at most {most}", ended());
        }
        pass(2);
        assert_eq!(ended(), 20);
    });
}

#[test]
fn it_never_uses_more_than_it_is_given() {
    run(|| {
        register();
        for _ in 0..5 {
            place(&program(&["add_one"]));
        }
        use frame_support::traits::Hooks;
        for idle in [0, 1_000_000, 10_000_000_000, 100_000_000_000] {
            System::set_block_number(System::block_number() + terms().open_blocks);
            let idle = Weight::from_parts(idle, u64::MAX);
            let used = Compute::on_idle(System::block_number(), idle);
            assert!(used.all_lte(idle), "{used:?} of {idle:?}");
        }
    });
}

#[test]
fn a_full_block_of_the_agenda_spills_into_the_next() {
    run(|| {
        register();
        let block = 1 + terms().open_blocks + 1;
        let full = (0..u64::from(MAX_AGENDA)).map(|order| order + 1_000_000).collect::<Vec<_>>();
        Agenda::<Test>::insert(block, frame_support::BoundedVec::truncate_from(full));
        let order = place(&program(&["add_one"]));
        assert_eq!(Agenda::<Test>::get(block + 1).to_vec(), [order]);
        pass(block + 2);
        assert_eq!(status(order), OrderStatus::Expired);
    });
}

#[test]
fn an_order_ends_after_its_last_attempt() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        Orders::<Test>::mutate(order, |order| order.as_mut().unwrap().attempts = MAX_ATTEMPTS - 1);
        claim(order, P).ok();
        pass(terms().attempt_blocks + 2);
        assert_eq!(status(order), OrderStatus::Expired);
        assert!(receipt(order).compensation > 0);
        assert_eq!(receipt(order).refund, receipt(order).held);
    });
}
