//! Kernels: registered once, named by any number of programs.

use crate::*;
use alloc::vec::Vec;
use assay_engine::Module;
use assay_primitives::{check::EntryInfo, hash};
use frame_support::{
    BoundedVec, ensure,
    traits::{Get, fungible::hold::Mutate as _, tokens::Precision},
};
use sp_core::ConstU32;
use sp_runtime::DispatchResult;

/// What programs have to know of an accepted entry; `None` for a rejected one, or one that no program could name.
fn entry_info(entry: &assay_engine::Entry) -> Option<EntryInfo> {
    let kernel = entry.kernel.as_ref().ok()?;
    let params = entry.params.iter().map(|param| u16::try_from(param.size).ok()).collect::<Option<Vec<_>>>()?;
    Some(EntryInfo {
        name: entry.name.as_bytes().to_vec().try_into().ok()?,
        params: params.try_into().ok()?,
        shared: kernel.shared,
        max_threads: kernel.max_threads,
    })
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_kernel(
        owner: T::AccountId,
        ptx: BoundedVec<u8, ConstU32<MAX_KERNEL_BYTES>>,
    ) -> DispatchResult {
        let kernel = hash::plain(&ptx);
        ensure!(!Kernels::<T>::contains_key(kernel), Error::<T>::KernelExists);
        let module = Module::parse(&ptx).map_err(|_| Error::<T>::NotPtx)?;
        let entries: Vec<_> = module.entries.iter().filter_map(entry_info).collect();
        ensure!(!entries.is_empty(), Error::<T>::NoEntryAccepted);
        let entries = entries.try_into().map_err(|_| Error::<T>::TooManyEntries)?;
        let len = u32::try_from(ptx.len()).unwrap_or(u32::MAX);
        let deposit = T::DepositPerByte::get().saturating_mul(Balance::from(len));
        T::Currency::hold(&HoldReason::Kernel.into(), &owner, deposit)?;
        Kernels::<T>::insert(
            kernel,
            Kernel { owner: owner.clone(), deposit, len, engine: assay_engine::VERSION, entries },
        );
        KernelCode::<T>::insert(kernel, ptx);
        Self::deposit_event(Event::KernelRegistered { kernel, owner, deposit });
        Ok(())
    }

    pub(crate) fn do_retire_kernel(owner: &T::AccountId, kernel: KernelId) -> DispatchResult {
        let found = Kernels::<T>::get(kernel).ok_or(Error::<T>::KernelNotFound)?;
        ensure!(found.owner == *owner, Error::<T>::NotOwner);
        ensure!(KernelUses::<T>::get(kernel) == 0, Error::<T>::KernelInUse);
        if found.deposit > 0 {
            T::Currency::release(&HoldReason::Kernel.into(), owner, found.deposit, Precision::Exact)?;
        }
        Kernels::<T>::remove(kernel);
        KernelCode::<T>::remove(kernel);
        Self::deposit_event(Event::KernelRetired { kernel, owner: found.owner, deposit: found.deposit });
        Ok(())
    }
}
