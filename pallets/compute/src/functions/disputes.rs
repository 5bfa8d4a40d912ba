//! Disputes: the runtime runs the unit and decides alone.

use crate::*;
use alloc::vec::Vec;
use assay_audit::{Fault, Job, Verdict, WitnessError, judge};
use assay_engine::{LEAST_LANES, Module, Trap};
use assay_primitives::{
    economy::{self, Slash},
    witness::MAX_WITNESS_BYTES,
};
use codec::Encode;
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, DispatchResultWithPostInfo, Pays, PostDispatchInfo},
    ensure,
    traits::Get,
};
use pallet_assay_traits::{Deed, Stake};
use sp_runtime::{DispatchError, DispatchResult};

/// What the runtime found when it ran a unit.
pub enum Judgement<T: Config> {
    /// The provider committed something else than the unit computes.
    Provider(Fault),
    /// The program broke a rule.
    Program(Trap),
    /// Neither was shown.
    Nothing(Error<T>),
}

/// A judgement, and what it took to find it.
pub(crate) struct Judged<T: Config> {
    judgement: Judgement<T>,
    /// Bytes of PTX parsed.
    kernel_bytes: u32,
    /// Fuel used, at most.
    fuel: u64,
}

impl<T: Config> From<WitnessError> for Error<T> {
    fn from(error: WitnessError) -> Self {
        match error {
            WitnessError::NoUnit => Self::NoUnit,
            WitnessError::Path => Self::BadPath,
            WitnessError::Slice => Self::BadSlice,
            WitnessError::Incomplete => Self::IncompleteWitness,
        }
    }
}

type Disputed<T> =
    (Order<<T as frame_system::Config>::AccountId>, Attempt<<T as frame_system::Config>::AccountId>, Commitment);

impl<T: Config> Pallet<T> {
    /// The commitment, while its faults can be proved.
    pub(crate) fn check_dispute(
        order: OrderId,
        attempt: AttemptIndex,
        witness_bytes: u32,
    ) -> Result<Disputed<T>, Error<T>> {
        ensure!(witness_bytes <= MAX_WITNESS_BYTES, Error::<T>::WitnessTooLarge);
        let (found, tried) = Self::running(order, attempt, OrderStatus::Committed)?;
        let commitment = tried.commitment.clone().ok_or(Error::<T>::WrongStatus)?;
        ensure!(Self::now() <= commitment.window_ends, Error::<T>::TooLate);
        Ok((found, tried, commitment))
    }

    /// Runs the unit on its witness.
    fn judge((order, _, commitment): &Disputed<T>, unit: Unit, witness: &Witness) -> Judged<T> {
        let nothing = |error, kernel_bytes| Judged { judgement: Judgement::Nothing(error), kernel_bytes, fuel: 0 };
        let Some(program) = Self::stored_program(order.program) else { return nothing(Error::OrderNotFound, 0) };
        let Some(placed) = program.launch(unit.launch) else { return nothing(Error::NoUnit, 0) };
        let index = usize::from(placed.launch.kernel);
        let Some(code) = program.kernels.get(index).and_then(KernelCode::<T>::get) else {
            return nothing(Error::KernelNotFound, 0);
        };
        let kernel_bytes = u32::try_from(code.len()).unwrap_or(u32::MAX);
        let Ok(module) = Module::parse(&code) else { return nothing(Error::NotPtx, kernel_bytes) };
        // Only the unit's own kernel is parsed; no unit looks at another.
        let mut modules: Vec<_> = program.kernels.iter().map(|_| Module { entries: Vec::new() }).collect();
        if let Some(place) = modules.get_mut(index) {
            *place = module;
        }
        let fuel = T::UnitFuel::get();
        let job = Job { program: &program, modules: &modules, fuel };
        let (judgement, fuel) = match judge(&job, &commitment.trace_root, unit, witness, None) {
            Ok(Verdict::ProviderFault(fault)) => (Judgement::Provider(fault), fuel),
            Ok(Verdict::ProgramFault(trap)) => (Judgement::Program(trap), fuel),
            Ok(Verdict::Verified { lane_steps, .. }) => {
                (Judgement::Nothing(Error::Reproduced), lane_steps.saturating_mul(LEAST_LANES.into()).min(fuel))
            }
            Err(error @ WitnessError::Incomplete) => (Judgement::Nothing(error.into()), fuel),
            Err(error) => (Judgement::Nothing(error.into()), 0),
        };
        Judged { judgement, kernel_bytes, fuel }
    }

    /// Slashes the provider and reopens the order.
    #[allow(clippy::too_many_arguments)]
    fn convict(
        id: OrderId,
        mut order: Order<T::AccountId>,
        attempt: AttemptIndex,
        tried: Attempt<T::AccountId>,
        unit: Unit,
        finder: T::AccountId,
        fault: Fault,
    ) -> DispatchResult {
        let provider = tried.provider.clone();
        let Slash { customer, finder: reward, burned } = economy::slash(tried.bond);
        let shares = [(order.customer.clone(), customer), (finder.clone(), reward)];
        let slashed = T::Stake::slash_bond(&provider, tried.bond, &shares, burned)?;
        let mut paid = slashed.paid.into_iter();
        let to_customer = paid.next().unwrap_or(0);
        let to_finder = paid.next().unwrap_or(0);
        order.compensation = order.compensation.saturating_add(to_customer);
        T::Stake::record(&provider, Deed::Fault);
        T::Stake::suspend(&provider, Self::now().saturating_add(T::FaultSuspension::get()));
        Self::deposit_event(Event::FaultProved {
            order: id,
            attempt,
            unit,
            provider,
            finder,
            fault: fault.into(),
            to_customer,
            to_finder,
            burned: slashed.burned,
        });
        Self::fail(id, order, attempt, tried, Failure::ProviderFault)
    }

    /// The program breaks a rule. A first launch runs from the declared inputs, and the order ends. A later one runs from a
    /// state that the provider committed: the order ends when the window closes, which it now does no sooner than a whole
    /// window from here, unless that state is proved wrong.
    fn trapped(
        id: OrderId,
        mut order: Order<T::AccountId>,
        attempt: AttemptIndex,
        mut tried: Attempt<T::AccountId>,
        unit: Unit,
        finder: T::AccountId,
        trap: Trap,
    ) -> DispatchResult {
        Self::deposit_event(Event::ProgramFaultProved {
            order: id,
            attempt,
            unit,
            finder: finder.clone(),
            rule: trap.kind.into(),
            line: trap.line,
            thread: trap.thread,
        });
        if unit.launch == 0 {
            return Self::void(id, order, attempt, tried, finder);
        }
        let ends = Self::now().saturating_add(AuditWindow::<T>::get());
        tried.trapped = Some(finder);
        if let Some(commitment) = tried.commitment.as_mut() {
            commitment.window_ends = ends;
        }
        Self::schedule(id, &mut order, ends);
        Orders::<T>::insert(id, order);
        Attempts::<T>::insert(id, attempt, tried);
        Ok(())
    }

    /// What follows from a judgement; `None` when nothing was shown.
    fn decide(
        id: OrderId,
        (order, tried, _): Disputed<T>,
        attempt: AttemptIndex,
        unit: Unit,
        finder: T::AccountId,
        judgement: Judgement<T>,
    ) -> Result<Option<Error<T>>, DispatchError> {
        match judgement {
            Judgement::Provider(fault) => Self::convict(id, order, attempt, tried, unit, finder, fault)?,
            Judgement::Program(_) if tried.trapped.is_some() => return Ok(Some(Error::AlreadyReported)),
            Judgement::Program(trap) => Self::trapped(id, order, attempt, tried, unit, finder, trap)?,
            Judgement::Nothing(error) => return Ok(Some(error)),
        }
        Ok(None)
    }

    pub(crate) fn do_prove_fault(
        finder: T::AccountId,
        id: OrderId,
        attempt: AttemptIndex,
        unit: Unit,
        witness: &Witness,
    ) -> DispatchResultWithPostInfo {
        let bytes = u32::try_from(witness.encoded_size()).unwrap_or(u32::MAX);
        let spent = |kernel_bytes, fuel, pays_fee| PostDispatchInfo {
            actual_weight: Some(T::WeightInfo::prove_fault(bytes, kernel_bytes, fuel)),
            pays_fee,
        };
        let disputed = Self::check_dispute(id, attempt, bytes)
            .map_err(|error| DispatchErrorWithPostInfo { post_info: spent(0, 0, Pays::Yes), error: error.into() })?;
        let Judged { judgement, kernel_bytes, fuel } = Self::judge(&disputed, unit, witness);
        match Self::decide(id, disputed, attempt, unit, finder, judgement)? {
            None => Ok(spent(kernel_bytes, fuel, Pays::No)),
            Some(error) => {
                Err(DispatchErrorWithPostInfo { post_info: spent(kernel_bytes, fuel, Pays::Yes), error: error.into() })
            }
        }
    }

    /// What a false report of `operator` costs it.
    pub(crate) fn penalty(operator: &T::AccountId) -> Balance {
        economy::share(T::Stake::total_stake(operator), FALSE_REPORT_PPM)
    }

    pub(crate) fn do_report_fault(
        auditor: &sr25519::Public,
        id: OrderId,
        attempt: AttemptIndex,
        unit: Unit,
        witness: &Witness,
    ) -> DispatchResultWithPostInfo {
        let bytes = u32::try_from(witness.encoded_size()).unwrap_or(u32::MAX);
        let operator = Self::operator_of(auditor).ok_or(Error::<T>::NotAuditor)?;
        let disputed = Self::check_dispute(id, attempt, bytes)?;
        let Judged { judgement, kernel_bytes, fuel } = Self::judge(&disputed, unit, witness);
        let error = Self::decide(id, disputed, attempt, unit, operator.clone(), judgement)?;
        if let Some(error) = error {
            SpentReports::<T>::insert((id, attempt), &operator, ());
            if !matches!(error, Error::AlreadyReported) {
                let burned = T::Stake::slash_stake(&operator, Self::penalty(&operator))?;
                Self::deposit_event(Event::FalseReport { order: id, attempt, auditor: operator, burned });
            }
        }
        let actual_weight = Some(T::WeightInfo::report_fault(bytes, kernel_bytes, fuel));
        Ok(PostDispatchInfo { actual_weight, pays_fee: Pays::No })
    }
}
