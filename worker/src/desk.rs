//! What the server knows of the jobs: who may upload what, and which results it can prove.

use crate::{backend::Prepared, job::record::Trace};
use assay_primitives::{Account, AttemptIndex, BlobId, BlockNumber, Hash, OrderId};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::Notify;

/// Who may upload what for an order.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Whose signature is wanted.
    pub customer: Account,
    /// The blobs that the program names.
    pub blobs: Vec<BlobId>,
}

/// A result that can be proved, unit by unit.
pub struct Served {
    /// The program.
    pub job: Arc<Prepared>,
    /// Its states.
    pub trace: Trace,
}

/// The desk between jobs and server.
#[derive(Default)]
pub struct Desk {
    genesis: RwLock<Option<Hash>>,
    height: AtomicU32,
    admissions: RwLock<HashMap<OrderId, Admission>>,
    served: RwLock<HashMap<(OrderId, AttemptIndex), Arc<Served>>>,
    arrivals: Notify,
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// The chain that signatures must be for; `None` until it is known.
    pub fn genesis(&self) -> Option<Hash> {
        *read(&self.genesis)
    }

    /// Says which chain this is.
    pub fn set_genesis(&self, genesis: Hash) {
        *write(&self.genesis) = Some(genesis);
    }

    /// Number of the best block.
    pub fn height(&self) -> BlockNumber {
        self.height.load(Ordering::Relaxed)
    }

    /// Says which block is the best.
    pub fn set_height(&self, height: BlockNumber) {
        self.height.store(height, Ordering::Relaxed);
    }

    /// Lets the customer of an order upload.
    pub fn admit(&self, order: OrderId, admission: Admission) {
        write(&self.admissions).insert(order, admission);
    }

    /// Ends uploads for an order.
    pub fn dismiss(&self, order: OrderId) {
        write(&self.admissions).remove(&order);
    }

    /// Who may upload what for an order.
    pub fn admission(&self, order: OrderId) -> Option<Admission> {
        read(&self.admissions).get(&order).cloned()
    }

    /// Serves a result and its witnesses.
    pub fn serve(&self, order: OrderId, attempt: AttemptIndex, served: Arc<Served>) {
        write(&self.served).insert((order, attempt), served);
    }

    /// Stops serving.
    pub fn withdraw(&self, order: OrderId, attempt: AttemptIndex) {
        write(&self.served).remove(&(order, attempt));
    }

    /// A result that is served.
    pub fn served(&self, order: OrderId, attempt: AttemptIndex) -> Option<Arc<Served>> {
        read(&self.served).get(&(order, attempt)).cloned()
    }

    /// Says that a blob has arrived, or more of one.
    pub fn arrived(&self) {
        self.arrivals.notify_waiters();
    }

    /// Waits for the next arrival.
    pub async fn next_arrival(&self) {
        self.arrivals.notified().await;
    }
}
