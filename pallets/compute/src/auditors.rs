//! The validators of the session as auditors: their audit keys, told by pallet session.

use crate::*;
use frame_support::{BoundedVec, traits::OneSessionHandler};
use sp_core::sr25519;

/// The audit key as a session key: sr25519, key type `audt`.
pub mod crypto {
    use assay_runtime_api::vrf::AUDIT_KEY;
    use sp_application_crypto::{app_crypto, sr25519};

    app_crypto!(sr25519, AUDIT_KEY);
}

/// A validator's audit key.
pub type AuditorId = crypto::Public;

impl<T: Config> Pallet<T> {
    /// The operator whose audit key this is, if it validates in this session.
    pub fn operator_of(auditor: &sr25519::Public) -> Option<T::AccountId> {
        Auditors::<T>::get().into_iter().find(|(key, _)| key == auditor).map(|(_, operator)| operator)
    }

    /// Validators that may audit a result of `provider`: all but itself.
    pub fn auditors_of(provider: &T::AccountId) -> u32 {
        let others = Auditors::<T>::get().iter().filter(|(_, operator)| operator != provider).count();
        u32::try_from(others).unwrap_or(u32::MAX)
    }

    fn set_auditors<'a>(validators: impl Iterator<Item = (&'a T::AccountId, AuditorId)>)
    where
        T::AccountId: 'a,
    {
        let auditors = validators.map(|(operator, key)| (sr25519::Public::from(key), operator.clone())).collect();
        Auditors::<T>::put(BoundedVec::truncate_from(auditors));
    }
}

impl<T: Config> sp_runtime::BoundToRuntimeAppPublic for Pallet<T> {
    type Public = AuditorId;
}

impl<T: Config> OneSessionHandler<T::AccountId> for Pallet<T> {
    type Key = AuditorId;

    fn on_genesis_session<'a, I: 'a>(validators: I)
    where
        I: Iterator<Item = (&'a T::AccountId, AuditorId)>,
        T::AccountId: 'a,
    {
        Self::set_auditors(validators);
    }

    fn on_new_session<'a, I: 'a>(changed: bool, validators: I, _queued: I)
    where
        I: Iterator<Item = (&'a T::AccountId, AuditorId)>,
        T::AccountId: 'a,
    {
        if changed {
            Self::set_auditors(validators);
        }
    }

    fn on_disabled(_: u32) {}
}
