//! Who may make the calls without a fee: decided from the call's own signature, before the call enters a block. A call that
//! is not valid is dropped by the pool and charged to nobody; its error's position is the pool's custom code.

use crate::*;
use assay_primitives::{hash, payload};
use codec::Encode;
use frame_support::{ensure, pallet_prelude::TransactionValidityWithRefund, weights::Weight};
use pallet_assay_traits::Stake;
use sp_io::crypto::sr25519_verify;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionSource, ValidTransaction};

/// Blocks that a call waits in the pool.
const LONGEVITY: u64 = 32;
/// A claim or a decline: can wait.
const PRIORITY: u64 = 1 << 40;
/// A commit, a report: has a deadline.
const URGENT: u64 = 1 << 50;
/// A fault.
const FAULT: u64 = 1 << 60;

impl<T: Config> Error<T> {
    /// The error as the pool tells it.
    fn invalid(self) -> InvalidTransaction {
        InvalidTransaction::Custom(self.encode().first().copied().unwrap_or(u8::MAX))
    }
}

fn valid<T: Config>(
    what: &'static str,
    priority: u64,
    tags: impl IntoIterator<Item = impl Encode>,
) -> TransactionValidityWithRefund {
    let builder = ValidTransaction::with_tag_prefix(what).priority(priority).longevity(LONGEVITY).propagate(true);
    let validity = tags.into_iter().fold(builder, |builder, tag| builder.and_provides(tag)).build()?;
    Ok((validity, Weight::zero()))
}

impl<T: Config> Pallet<T> {
    fn check_worker(provider: &T::AccountId, payload: &Hash, signature: &sr25519::Signature) -> Result<(), Error<T>> {
        let worker = T::Stake::worker(provider).ok_or(Error::<T>::NotProvider)?;
        let verifies = sr25519_verify(signature, payload, &sr25519::Public::from_raw(worker));
        ensure!(verifies, Error::<T>::BadSignature);
        Ok(())
    }

    pub(crate) fn authorize_claim(
        _: TransactionSource,
        order: &OrderId,
        attempt: &AttemptIndex,
        provider: &T::AccountId,
        signature: &sr25519::Signature,
    ) -> TransactionValidityWithRefund {
        Self::check_claim(*order, *attempt, provider).map_err(Error::invalid)?;
        let payload = payload::claim(&Self::genesis_hash(), *order, *attempt, &provider.clone().into());
        Self::check_worker(provider, &payload, signature).map_err(Error::invalid)?;
        valid::<T>("assay claim", PRIORITY, [(order, attempt)])
    }

    pub(crate) fn authorize_decline(
        _: TransactionSource,
        order: &OrderId,
        attempt: &AttemptIndex,
        provider: &T::AccountId,
        signature: &sr25519::Signature,
    ) -> TransactionValidityWithRefund {
        Self::check_decline(*order, *attempt, provider).map_err(Error::invalid)?;
        let payload = payload::decline(&Self::genesis_hash(), *order, *attempt, &provider.clone().into());
        Self::check_worker(provider, &payload, signature).map_err(Error::invalid)?;
        valid::<T>("assay decline", PRIORITY, [(order, attempt)])
    }

    pub(crate) fn authorize_commit_result(
        _: TransactionSource,
        order: &OrderId,
        attempt: &AttemptIndex,
        provider: &T::AccountId,
        trace_root: &Hash,
        start: &TracePath,
        signature: &sr25519::Signature,
    ) -> TransactionValidityWithRefund {
        Self::check_commit(*order, *attempt, provider, trace_root, start).map_err(Error::invalid)?;
        let payload = payload::commit(&Self::genesis_hash(), *order, *attempt, &provider.clone().into(), trace_root);
        Self::check_worker(provider, &payload, signature).map_err(Error::invalid)?;
        valid::<T>("assay commit", URGENT, [(order, attempt)])
    }

    pub(crate) fn authorize_report_audits(
        _: TransactionSource,
        auditor: &sr25519::Public,
        reports: &Batch,
    ) -> TransactionValidityWithRefund {
        let counted = Self::check_reports(auditor, reports).map_err(Error::invalid)?;
        valid::<T>("assay report", URGENT, counted.into_iter().map(|attempt| (auditor, attempt)))
    }

    pub(crate) fn authorize_report_fault(
        _: TransactionSource,
        auditor: &sr25519::Public,
        order: &OrderId,
        attempt: &AttemptIndex,
        unit: &Unit,
        witness: &Box<Witness>,
        signature: &sr25519::Signature,
    ) -> TransactionValidityWithRefund {
        Self::check_fault_report(auditor, *order, *attempt, unit, witness, signature).map_err(Error::invalid)?;
        valid::<T>("assay fault", FAULT, [(order, attempt, auditor)])
    }

    fn check_fault_report(
        auditor: &sr25519::Public,
        order: OrderId,
        attempt: AttemptIndex,
        unit: &Unit,
        witness: &Witness,
        signature: &sr25519::Signature,
    ) -> Result<(), Error<T>> {
        let operator = Self::operator_of(auditor).ok_or(Error::<T>::NotAuditor)?;
        let bytes = u32::try_from(witness.encoded_size()).unwrap_or(u32::MAX);
        Self::check_dispute(order, attempt, bytes)?;
        ensure!(!SpentReports::<T>::contains_key((order, attempt), &operator), Error::<T>::AlreadyReported);
        let penalty = Self::penalty(&operator);
        ensure!(penalty > 0 && penalty <= T::Stake::unpromised(&operator), Error::<T>::NoStake);
        let evidence = (unit, witness).using_encoded(hash::plain);
        let payload = payload::fault_report(&Self::genesis_hash(), order, attempt, &auditor.0, &evidence);
        ensure!(sr25519_verify(signature, &payload, auditor), Error::<T>::BadSignature);
        Ok(())
    }
}
