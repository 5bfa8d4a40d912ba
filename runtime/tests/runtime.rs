//! What the pallets' own tests cannot see: the runtime as a whole.
#![allow(clippy::unwrap_used, clippy::panic)]

use assay_primitives::{
    Hash, Unit,
    witness::{BufferSlice, MAX_WITNESS_BYTES, Side, StateOpening, Witness},
};
use assay_runtime::{
    AccountId, Balances, Block, Compute, Runtime, RuntimeCall, RuntimeGenesisConfig, Session, Staking, UNIT,
    UncheckedExtrinsic, assay, genesis,
    system::{ProxyType, RuntimeBlockLength, RuntimeBlockWeights},
};
use codec::{Decode, Encode};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::{InstanceFilter, fungible::InspectHold},
};
use sp_core::sr25519;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{BuildStorage, generic::Preamble, traits::Block as BlockT, transaction_validity::TransactionSource};

fn merge(base: &mut serde_json::Value, patch: serde_json::Value) {
    match (base, patch) {
        (serde_json::Value::Object(base), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(base.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
        (base, patch) => *base = patch,
    }
}

/// A chain at its genesis.
fn chain(preset: &str) -> sp_io::TestExternalities {
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
    let patch = genesis::preset(&preset.into()).unwrap();
    merge(&mut config, serde_json::from_slice(&patch).unwrap());
    serde_json::from_value::<RuntimeGenesisConfig>(config).unwrap().build_storage().unwrap().into()
}

fn largest_fault() -> pallet_assay_compute::Call<Runtime> {
    let opening = StateOpening { blobs: Default::default(), path: Default::default() };
    let slice = BufferSlice {
        side: Side::Before,
        buffer: 0,
        ranges: Default::default(),
        slice: vec![0; MAX_WITNESS_BYTES as usize - 256].try_into().unwrap(),
    };
    let witness = Witness { before: opening.clone(), after: opening, slices: vec![slice].try_into().unwrap() };
    pallet_assay_compute::Call::report_fault {
        auditor: sr25519::Public::from_raw([0; 32]),
        order: 0,
        attempt: 0,
        unit: Unit { launch: 0, cta: [0; 3] },
        witness: Box::new(witness),
        signature: sr25519::Signature::from_raw([0; 64]),
    }
}

#[test]
fn every_preset_builds_a_chain_whose_validators_are_at_stake() {
    for (preset, expected) in [("development", 1), ("local_testnet", 4)] {
        assert!(genesis::preset_names().iter().any(|name| name == preset));
        chain(preset).execute_with(|| {
            let validators = Session::validators();
            assert_eq!(validators.len(), expected);
            assert_eq!(Staking::elect().len(), expected, "the next session would have other validators");
            for validator in &validators {
                assert_eq!(Balances::total_balance_on_hold(validator), 1_000_000 * UNIT);
            }
            let alice = Sr25519Keyring::Alice;
            assert_eq!(Compute::operator_of(&alice.public()), Some(alice.to_account_id()), "the audit key is unknown");
            assert_eq!(Compute::parameters().audit_window, 5);
        });
    }
    assert_eq!(genesis::preset(&"no such preset".into()), None);
}

#[test]
fn the_largest_dispute_fits_into_a_block_full_of_ordinary_calls() {
    let call = RuntimeCall::Compute(largest_fault());
    let info = call.get_dispatch_info();
    assert_eq!(info.class, DispatchClass::Operational);
    let weights = RuntimeBlockWeights::get();
    let operational = weights.get(DispatchClass::Operational);
    assert!(info.total_weight().all_lte(operational.max_extrinsic.unwrap()), "{info:?} exceeds {operational:?}");
    let reserved = weights.max_block - weights.get(DispatchClass::Normal).max_total.unwrap();
    assert!(operational.reserved.unwrap().all_gte(reserved));
    let length = RuntimeBlockLength::get();
    let spare = length.max.get(DispatchClass::Operational) - length.max.get(DispatchClass::Normal);
    assert!(call.encoded_size() < *length.max.get(DispatchClass::Operational) as usize);
    assert!(spare > 1024 * 1024, "ordinary calls can fill the block");
}

#[test]
fn a_calls_own_authorization_is_a_general_transaction_that_decodes_as_it_was() {
    let extrinsic = assay::authorized(largest_fault());
    let bytes = extrinsic.encode();
    assert_eq!(UncheckedExtrinsic::decode(&mut bytes.as_slice()).unwrap().encode(), bytes);
    assert!(matches!(extrinsic.preamble, Preamble::General(..)));
}

#[test]
fn feeless_calls_without_authorization_never_reach_a_block() {
    chain("development").execute_with(|| {
        let claim = pallet_assay_compute::Call::<Runtime>::claim {
            order: 0,
            attempt: 0,
            provider: Sr25519Keyring::Bob.to_account_id(),
            signature: sr25519::Signature::from_raw([0; 64]),
        };
        let validity = assay_runtime::Executive::validate_transaction(
            TransactionSource::External,
            assay::authorized(claim.clone()),
            <Block as BlockT>::Hash::default(),
        );
        assert!(validity.is_err());
        let bare = UncheckedExtrinsic::new_bare(claim.into());
        let validity = assay_runtime::Executive::validate_transaction(
            TransactionSource::External,
            bare,
            <Block as BlockT>::Hash::default(),
        );
        assert!(validity.is_err());
    });
}

#[test]
fn a_proxy_for_orders_moves_no_money() {
    let to = sp_runtime::MultiAddress::Id(AccountId::from(Hash::default()));
    let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest: to, value: 1 });
    let cancel = RuntimeCall::Compute(pallet_assay_compute::Call::cancel { order: 0 });
    let chill = RuntimeCall::Staking(pallet_assay_staking::Call::chill {});
    assert!(!ProxyType::Orders.filter(&transfer) && !ProxyType::NonTransfer.filter(&transfer));
    assert!(ProxyType::Orders.filter(&cancel) && !ProxyType::Orders.filter(&chill));
    assert!(ProxyType::Operator.filter(&chill) && !ProxyType::Operator.filter(&cancel));
    assert!(ProxyType::Any.is_superset(&ProxyType::Orders) && !ProxyType::Orders.is_superset(&ProxyType::Any));
}
