//! Orders: placed, cancelled.

use crate::*;
use alloc::vec::Vec;
use assay_primitives::{
    check::{self, ProgramError},
    economy,
    order::{AuditLevel, PriceCurve},
    trace,
};
use codec::Encode;
use frame_support::{BoundedVec, ensure, traits::fungible::Inspect as _};
use pallet_assay_traits::Escrow;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> From<ProgramError> for Error<T> {
    fn from(error: ProgramError) -> Self {
        match error {
            ProgramError::NoLaunch => Self::NoLaunch,
            ProgramError::TooLarge => Self::ProgramTooLarge,
            ProgramError::BufferLength(_) => Self::BadBuffer,
            ProgramError::NoOutput => Self::NoOutput,
            ProgramError::NoKernel(_) => Self::UnlistedKernel,
            ProgramError::NoEntry(_) => Self::UnknownEntry,
            ProgramError::ArgumentCount(_) | ProgramError::Argument { .. } => Self::BadArgument,
            ProgramError::Grid(_) => Self::BadGrid,
            ProgramError::Block(_) => Self::BadBlock,
            ProgramError::Shared(_) => Self::BadShared,
            ProgramError::WriteMap { .. } => Self::BadWriteMap,
        }
    }
}

impl<T: Config> Pallet<T> {
    fn check_terms(terms: &Terms) -> Result<(), Error<T>> {
        let PriceCurve { start, max, blocks } = terms.price;
        let least = if blocks == 0 { max } else { start };
        ensure!(
            least > T::Currency::minimum_balance() && start <= max && max <= MAX_PRICE && blocks <= MAX_PHASE,
            Error::<T>::BadPrice
        );
        ensure!((1..=MAX_PHASE).contains(&terms.open_blocks), Error::<T>::BadOpenBlocks);
        // A provider must be able to decline before its deadline, or a customer could hold the inputs back and be paid.
        let shortest = DeclineAfter::<T>::get().saturating_add(1);
        ensure!((shortest..=MAX_PHASE).contains(&terms.attempt_blocks), Error::<T>::BadAttemptBlocks);
        let AuditLevel { auditors, units } = terms.audit;
        ensure!((1..=MAX_AUDITORS).contains(&auditors) && (1..=MAX_DRAWS).contains(&units), Error::<T>::BadAudit);
        ensure!(usize::from(auditors) <= Auditors::<T>::decode_len().unwrap_or(0), Error::<T>::TooFewAuditors);
        Ok(())
    }

    fn check_program(program: &Program) -> Result<(), Error<T>> {
        let kernels: Vec<_> = program
            .kernels
            .iter()
            .map(|kernel| {
                let kernel = Kernels::<T>::get(kernel).ok_or(Error::<T>::KernelNotFound)?;
                ensure!(kernel.engine == assay_engine::VERSION, Error::<T>::EngineChanged);
                Ok(kernel.entries)
            })
            .collect::<Result<_, Error<T>>>()?;
        let entry = |kernel: u16, name: &[u8]| {
            kernels.get(usize::from(kernel))?.iter().find(|entry| entry.name.as_slice() == name).cloned()
        };
        Ok(check::check(program, entry)?)
    }

    pub(crate) fn do_place_order(customer: T::AccountId, program: &Program, terms: Terms) -> DispatchResult {
        Self::check_terms(&terms)?;
        Self::check_program(program)?;
        let states = trace::state_count(program.launches()).ok_or(Error::<T>::ProgramTooLarge)?;
        let start_root = trace::state_root(&trace::initial_state(program));
        let id = program.id();
        let audit_fee = economy::audit_fee(terms.price.max, terms.audit);
        let held = terms.price.max.saturating_add(audit_fee);

        let order = NextOrder::<T>::get();
        NextOrder::<T>::put(order.saturating_add(1));
        T::Escrow::lock(order, &customer, held)?;
        Self::keep_program(id, program)?;
        let position = OrderCounts::<T>::get(&customer);
        OrderCounts::<T>::insert(&customer, position.saturating_add(1));
        CustomerOrders::<T>::insert(&customer, position, order);
        let now = Self::now();
        let mut placed = Order {
            customer: customer.clone(),
            program: id,
            terms,
            status: OrderStatus::Open,
            placed_at: now,
            open_since: now,
            start_root,
            states,
            audit_fee,
            attempts: 0,
            declines: 0,
            excluded: Default::default(),
            compensation: 0,
            due: None,
            receipt: None,
        };
        Self::open(order, &mut placed);
        Orders::<T>::insert(order, placed);
        Self::deposit_event(Event::OrderPlaced { order, customer, program: id, held });
        Ok(())
    }

    pub(crate) fn do_cancel(customer: &T::AccountId, order: OrderId) -> DispatchResult {
        let found = Orders::<T>::get(order).ok_or(Error::<T>::OrderNotFound)?;
        ensure!(found.customer == *customer, Error::<T>::NotOwner);
        ensure!(found.status == OrderStatus::Open, Error::<T>::WrongStatus);
        Self::close(order, found, OrderStatus::Cancelled, Default::default())
    }

    /// Makes the order wait for a claim from this block on.
    pub(crate) fn open(id: OrderId, order: &mut Order<T::AccountId>) {
        order.status = OrderStatus::Open;
        order.open_since = Self::now();
        OpenOrders::<T>::insert(Sorted::from(id), ());
        Self::schedule(id, order, order.open_since.saturating_add(order.terms.open_blocks));
    }

    /// Keeps the program on chain, and its kernels with it.
    fn keep_program(id: ProgramId, program: &Program) -> Result<(), DispatchError> {
        if !Programs::<T>::contains_key(id) {
            let encoded: BoundedVec<_, _> = program.encode().try_into().map_err(|_| Error::<T>::ProgramTooLarge)?;
            Programs::<T>::insert(id, encoded);
        }
        ProgramRefs::<T>::mutate(id, |refs| *refs = refs.saturating_add(1));
        for kernel in &program.kernels {
            KernelUses::<T>::mutate(kernel, |uses| *uses = uses.saturating_add(1));
        }
        Ok(())
    }

    /// Lets go of the kernels of an order that ended.
    pub(crate) fn release_kernels(id: ProgramId) {
        for kernel in Self::stored_program(id).iter().flat_map(|program| &program.kernels) {
            KernelUses::<T>::mutate_exists(kernel, |uses| {
                *uses = uses.and_then(|uses| uses.checked_sub(1)).filter(|uses| *uses > 0);
            });
        }
    }

    /// Lets go of the program of an order whose retention is over.
    pub(crate) fn release_program(id: ProgramId) {
        ProgramRefs::<T>::mutate_exists(id, |refs| {
            *refs = refs.and_then(|refs| refs.checked_sub(1)).filter(|refs| *refs > 0);
            if refs.is_none() {
                Programs::<T>::remove(id);
            }
        });
    }
}
