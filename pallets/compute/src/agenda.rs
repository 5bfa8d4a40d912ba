//! The agenda: what to look at in each block, so that money moves without anyone's call.
//!
//! An order is noted for the block after its phase's last. Notes of phases that ended otherwise are passed over. What does
//! not fit a block's weight waits for the next one; `settle` does the same for one order.

use crate::*;
use frame_support::{storage::with_storage_layer, weights::WeightMeter};

/// Blocks after a full one that are tried for a note.
const SPREAD: BlockNumber = 32;
/// Blocks until an order whose processing failed is looked at again.
const RETRY: BlockNumber = 16;
/// Target of log lines.
const LOG: &str = "runtime::assay";

impl<T: Config> Pallet<T> {
    /// Sets the last block of the order's phase, and notes the order for the block after it. An order for which 32 blocks
    /// have no room is left to `settle`.
    pub(crate) fn schedule(id: OrderId, order: &mut Order<T::AccountId>, due: BlockNumber) {
        order.due = Some(due);
        Self::note(id, due.saturating_add(1));
    }

    fn note(id: OrderId, block: BlockNumber) {
        let first = block.max(Self::now().saturating_add(1));
        for block in first..first.saturating_add(SPREAD) {
            if Agenda::<T>::try_append(block, id).is_ok() {
                return;
            }
        }
        log::warn!(target: LOG, "no room to note order {id} for block {first}");
    }

    /// Works through the agenda up to this block, as far as the weight reaches.
    pub(crate) fn run_agenda(meter: &mut WeightMeter) {
        let now = Self::now();
        if meter.try_consume(T::WeightInfo::agenda_block()).is_err() {
            return;
        }
        let mut block = AgendaNext::<T>::get();
        while block <= now && meter.try_consume(T::WeightInfo::agenda_block()).is_ok() {
            let mut notes = Agenda::<T>::take(block).into_inner().into_iter();
            while !notes.as_slice().is_empty() && meter.try_consume(T::WeightInfo::agenda_order()).is_ok() {
                if let Some(order) = notes.next() {
                    Self::attend(order);
                }
            }
            if !notes.as_slice().is_empty() {
                Agenda::<T>::insert(block, frame_support::BoundedVec::truncate_from(notes.collect()));
                break;
            }
            block = block.saturating_add(1);
        }
        AgendaNext::<T>::put(block);
    }

    fn attend(order: OrderId) {
        if let Err(error) = with_storage_layer(|| Self::advance(order)) {
            log::error!(target: LOG, "order {order} cannot advance: {error:?}");
            Self::note(order, Self::now().saturating_add(RETRY));
        }
    }
}
