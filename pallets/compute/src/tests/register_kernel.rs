use super::world::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};

#[test]
fn a_kernel_is_kept_with_its_accepted_entries_and_a_deposit_for_its_bytes() {
    run(|| {
        let id = register();
        let kernel = Kernels::<Test>::get(id).unwrap();
        let names: Vec<_> = kernel.entries.iter().map(|entry| entry.name.to_vec()).collect();
        assert_eq!(names, [&b"add_one"[..], b"expect_one", b"trespass", b"spin"]);
        assert_eq!(kernel.entries[0].params.to_vec(), [8]);
        assert_eq!(kernel.deposit, PTX.len() as u128 * 1_000_000_000);
        assert_eq!(Balances::balance_on_hold(&HoldReason::Kernel.into(), &who(OWNER)), kernel.deposit);
        assert_eq!(Compute::kernel_code(id).unwrap(), PTX.as_bytes());
        assert_eq!(events(), [Event::KernelRegistered { kernel: id, owner: who(OWNER), deposit: kernel.deposit }]);
    });
}

#[test]
fn the_same_bytes_cannot_be_registered_twice() {
    run(|| {
        register();
        let again = Compute::register_kernel(RuntimeOrigin::signed(who(STRANGER)), ptx(PTX));
        assert_noop!(again, Error::<Test>::KernelExists);
    });
}

#[test]
fn text_that_is_no_ptx_is_refused() {
    run(|| {
        for text in ["", "hello", ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry f(", "\u{0}\u{1}"] {
            let call = Compute::register_kernel(RuntimeOrigin::signed(who(OWNER)), ptx(text));
            assert!(call.is_err(), "{text:?} was accepted");
        }
    });
}

#[test]
fn a_kernel_without_an_exact_entry_is_refused() {
    let text = ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry f()\n{\n.reg .f32 %f<3>;\nmov.f32 %f1, 0f3F800000;\nsin.approx.f32 %f2, %f1;\nret;\n}\n";
    run(|| {
        let call = Compute::register_kernel(RuntimeOrigin::signed(who(OWNER)), ptx(text));
        assert_noop!(call, Error::<Test>::NoEntryAccepted);
    });
}

#[test]
fn an_owner_who_cannot_pay_the_deposit_registers_nothing() {
    run(|| {
        let poor = AccountId::from([9; 32]);
        assert!(attempt(|| Compute::register_kernel(RuntimeOrigin::signed(poor), ptx(PTX))).is_err());
        assert_eq!(Kernels::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_retired_kernel_can_be_registered_by_another() {
    run(|| {
        let id = register();
        assert_ok!(Compute::retire_kernel(RuntimeOrigin::signed(who(OWNER)), id));
        assert_ok!(Compute::register_kernel(RuntimeOrigin::signed(who(STRANGER)), ptx(PTX)));
        assert_eq!(Kernels::<Test>::get(id).unwrap().owner, who(STRANGER));
    });
}
