//! What the calls do, by theme.

mod attempts;
mod audits;
pub(crate) mod closing;
mod disputes;
mod kernels;
mod orders;

use crate::*;
use frame_support::ensure;
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
    /// The current block.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// The genesis hash, which everything signed binds.
    pub fn genesis_hash() -> Hash {
        use frame_support::sp_runtime::traits::Zero;
        let hash = frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero());
        Hash::try_from(hash.as_ref()).unwrap_or_default()
    }

    /// The order, if it stands at `status` with `attempt` as its present attempt.
    pub(crate) fn running(
        order: OrderId,
        attempt: AttemptIndex,
        status: OrderStatus,
    ) -> Result<(Order<T::AccountId>, Attempt<T::AccountId>), Error<T>> {
        let found = Orders::<T>::get(order).ok_or(Error::<T>::OrderNotFound)?;
        ensure!(found.status == status, Error::<T>::WrongStatus);
        ensure!(found.current() == Some(attempt), Error::<T>::WrongAttempt);
        let tried = Attempts::<T>::get(order, attempt).ok_or(Error::<T>::WrongAttempt)?;
        Ok((found, tried))
    }

    /// The program, if it is on chain.
    pub(crate) fn stored_program(program: ProgramId) -> Option<Program> {
        use codec::Decode;
        Program::decode(&mut Programs::<T>::get(program)?.as_slice()).ok()
    }
}
