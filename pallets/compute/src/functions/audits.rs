//! Reports of audits: which count, and which are false.

use crate::*;
use alloc::vec::Vec;
use assay_primitives::{audit, audit::Report};
use assay_runtime_api::vrf;
use frame_support::{ensure, traits::Get};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    /// The commitment that a report is of, while it can still count: the attempt is committed, its window open, and this
    /// auditor has not reported it.
    fn awaited(
        operator: &T::AccountId,
        report: &Report,
    ) -> Option<(Order<T::AccountId>, Attempt<T::AccountId>, Commitment)> {
        let (order, attempt) = Self::running(report.order, report.attempt, OrderStatus::Committed).ok()?;
        let commitment = attempt.commitment.clone().filter(|commitment| Self::now() <= commitment.window_ends)?;
        let reports = Reports::<T>::get(report.order, report.attempt);
        let fresh = !reports.is_full() && !reports.iter().any(|reported| reported.auditor == *operator);
        fresh.then_some((order, attempt, commitment))
    }

    /// Checks one report that can count: the auditor was drawn, ran the units it drew, and signed what it found.
    fn check_report(
        auditor: &sr25519::Public,
        operator: &T::AccountId,
        report: &Report,
        order: &Order<T::AccountId>,
        attempt: &Attempt<T::AccountId>,
        commitment: &Commitment,
    ) -> Result<(), Error<T>> {
        ensure!(attempt.provider != *operator, Error::<T>::OwnResult);
        let provider: Account = attempt.provider.clone().into();
        let input =
            audit::vrf_input(&Self::genesis_hash(), report.order, report.attempt, &provider, &commitment.trace_root);
        let output = vrf::output(auditor, &input, &report.pre_output).ok_or(Error::<T>::BadVrf)?;
        let level = order.terms.audit;
        let elapsed = Self::now().saturating_sub(commitment.at);
        let auditors = Self::auditors_of(&attempt.provider);
        ensure!(audit::is_assigned(&output, level.auditors, auditors, elapsed), Error::<T>::NotAssigned);
        let program = Self::stored_program(order.program).ok_or(Error::<T>::OrderNotFound)?;
        let drawn = audit::draw_units(&output, &program, level).len();
        let counts = match report.verdict {
            ReportVerdict::Verified => usize::from(report.units) == drawn,
            ReportVerdict::Withheld => usize::from(report.units) <= drawn,
        };
        let most = u64::from(report.units).saturating_mul(T::UnitFuel::get());
        ensure!(counts && report.lane_steps <= most, Error::<T>::BadCount);
        let statement = audit::report_statement(report);
        ensure!(vrf::verify(auditor, &input, &statement, &report.pre_output, &report.proof), Error::<T>::BadVrf);
        Ok(())
    }

    /// Checks a batch; returns the attempts it reports.
    pub(crate) fn check_reports(
        auditor: &sr25519::Public,
        reports: &[Report],
    ) -> Result<Vec<(OrderId, AttemptIndex)>, Error<T>> {
        let operator = Self::operator_of(auditor).ok_or(Error::<T>::NotAuditor)?;
        let mut counted = Vec::new();
        for report in reports {
            let key = (report.order, report.attempt);
            let Some((order, attempt, commitment)) = Self::awaited(&operator, report) else { continue };
            ensure!(!counted.contains(&key), Error::<T>::AlreadyReported);
            Self::check_report(auditor, &operator, report, &order, &attempt, &commitment)?;
            counted.push(key);
        }
        ensure!(!counted.is_empty(), Error::<T>::NothingToReport);
        Ok(counted)
    }

    /// Keeps the reports that count. The proofs were verified when the call was authorized, just before.
    pub(crate) fn do_report_audits(auditor: &sr25519::Public, reports: &[Report]) -> DispatchResult {
        let operator = Self::operator_of(auditor).ok_or(Error::<T>::NotAuditor)?;
        let at = Self::now();
        for report in reports {
            if Self::awaited(&operator, report).is_none() {
                continue;
            }
            let &Report { order, attempt, verdict, units, lane_steps, digest, .. } = report;
            let auditor = operator.clone();
            let reported = Reported { auditor: auditor.clone(), verdict, units, lane_steps, digest, at };
            if Reports::<T>::try_append(order, attempt, reported).is_ok() {
                Self::deposit_event(Event::Audited { order, attempt, auditor, verdict, units, lane_steps });
            }
        }
        Ok(())
    }
}
