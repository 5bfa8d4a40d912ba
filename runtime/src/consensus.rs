//! Who makes blocks and who makes them final. AURA rather than BABE: an epoch without blocks would stop BABE for good, and
//! audits draw from private VRFs, so that nothing here needs the chain's randomness.

use crate::{
    AccountId, Aura, Balances, BlockNumber, Compute, Grandpa, MILLISECONDS_PER_BLOCK, MINUTES, Runtime, RuntimeEvent,
    Session, Staking, UNIT,
};
use alloc::vec::Vec;
use frame_support::traits::{ConstBool, ConstU32, ConstU64, ConstU128};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{
    impl_opaque_keys,
    traits::{ConvertInto, OpaqueKeys},
};

/// Validators at most.
pub const MAX_VALIDATORS: u32 = 100;
/// Blocks of a session: changes of validators take effect after two.
pub const SESSION: BlockNumber = 2 * MINUTES;

frame_support::parameter_types! {
    /// Blocks of a session.
    pub const SessionPeriod: BlockNumber = SESSION;
    /// Block of the first session's end, modulo the period.
    pub const SessionOffset: BlockNumber = 0;
}

impl_opaque_keys! {
    /// The keys of a validator.
    pub struct SessionKeys {
        /// Makes blocks.
        pub aura: Aura,
        /// Makes them final.
        pub grandpa: Grandpa,
        /// Draws and signs audits.
        pub audit: Compute,
    }
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type DisabledValidators = Session;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<MILLISECONDS_PER_BLOCK>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<168>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
    type EventHandler = ();
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = pallet_session::PeriodicSessions<SessionPeriod, SessionOffset>;
    type NextSessionRotation = pallet_session::PeriodicSessions<SessionPeriod, SessionOffset>;
    type SessionManager = Staking;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = ();
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type KeyDeposit = ConstU128<UNIT>;
}
