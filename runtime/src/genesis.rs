//! Presets of the genesis.

use crate::{
    AccountId, Balance, BalancesConfig, BlockNumber, ComputeConfig, RuntimeGenesisConfig, SessionConfig, StakingConfig,
    SudoConfig, UNIT, consensus::SessionKeys,
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET, PresetId};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Planck that each development account starts with.
const ENDOWMENT: Balance = 10_000_000 * UNIT;
/// Planck of it that each validator stakes.
const STAKE: Balance = 1_000_000 * UNIT;
/// Blocks of the audit window, and from claim to decline, on chains of one's own machine.
const WINDOW: BlockNumber = 5;

/// A validator of a development chain: its keys are those of the well-known seeds.
fn validator(name: Sr25519Keyring, grandpa: Ed25519Keyring) -> (AccountId, SessionKeys) {
    let keys =
        SessionKeys { aura: name.public().into(), grandpa: grandpa.public().into(), audit: name.public().into() };
    (name.to_account_id(), keys)
}

fn chain(validators: Vec<(AccountId, SessionKeys)>) -> Value {
    use Sr25519Keyring::{Alice, Bob, Charlie, Dave, Eve, Ferdie};
    let people = [Alice, Bob, Charlie, Dave, Eve, Ferdie];
    build_struct_json_patch!(RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances: people.iter().map(|person| (person.to_account_id(), ENDOWMENT)).collect::<Vec<_>>(),
        },
        session: SessionConfig {
            keys: validators.iter().map(|(who, keys)| (who.clone(), who.clone(), keys.clone())).collect::<Vec<_>>(),
        },
        staking: StakingConfig {
            operators: validators.iter().map(|(who, _)| (who.clone(), STAKE)).collect::<Vec<_>>(),
            validators: validators.into_iter().map(|(who, _)| who).collect::<Vec<_>>(),
        },
        compute: ComputeConfig { audit_window: WINDOW, decline_after: WINDOW },
        sudo: SudoConfig { key: Some(Alice.to_account_id()) },
    })
}

fn development() -> Value {
    chain(vec![validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice)])
}

fn local_testnet() -> Value {
    chain(vec![
        validator(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
        validator(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
        validator(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
        validator(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
    ])
}

/// The preset of that name, as a patch of the default genesis in JSON.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => development(),
        LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
        _ => return None,
    };
    serde_json::to_vec(&patch).ok()
}

/// The names of the presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
