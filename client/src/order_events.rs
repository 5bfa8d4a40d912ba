//! The events of an order's life, typed.

use crate::{BlockHash, Client, Error, Result, events::Event};
use assay_primitives::{
    Account, AttemptIndex, Balance, BlockNumber, Hash, OrderId, ProgramId, Unit,
    order::{Failure, OrderStatus, Receipt, ReportVerdict},
};
use codec::{Decode, DecodeAll};

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderEvent {
    /// It waits for a claim; `held` planck are in escrow.
    Placed {
        /// Who pays.
        customer: Account,
        /// What is to be run.
        program: ProgramId,
        /// Planck.
        held: Balance,
    },
    /// A provider claimed it.
    Claimed {
        /// The attempt.
        attempt: AttemptIndex,
        /// Who claimed.
        provider: Account,
        /// Planck that it earns.
        price: Balance,
        /// Planck of its stake that are locked.
        bond: Balance,
        /// Last block for the commit.
        commit_by: BlockNumber,
    },
    /// The provider committed a result.
    Committed {
        /// The attempt.
        attempt: AttemptIndex,
        /// Who committed.
        provider: Account,
        /// What was committed.
        trace_root: Hash,
        /// Last block of the audit window.
        window_ends: BlockNumber,
    },
    /// A validator audited the result.
    Audited {
        /// The attempt.
        attempt: AttemptIndex,
        /// The validator.
        auditor: Account,
        /// What it found.
        verdict: ReportVerdict,
        /// Units that it ran.
        units: u16,
        /// Lane-steps of those units.
        lane_steps: u64,
    },
    /// The runtime convicted the provider.
    FaultProved {
        /// The attempt.
        attempt: AttemptIndex,
        /// The unit that does not reproduce.
        unit: Unit,
        /// Who is convicted.
        provider: Account,
        /// Who proved it.
        finder: Account,
        /// Planck of the bond to the customer.
        to_customer: Balance,
        /// Planck of the bond to the finder.
        to_finder: Balance,
        /// Planck of the bond that were burned.
        burned: Balance,
    },
    /// The runtime found the program at fault.
    ProgramFaultProved {
        /// The attempt.
        attempt: AttemptIndex,
        /// The unit that breaks a rule.
        unit: Unit,
        /// Who proved it.
        finder: Account,
        /// Line of the PTX.
        line: u32,
    },
    /// A validator's fault report showed nothing.
    FalseReport {
        /// The attempt.
        attempt: AttemptIndex,
        /// The validator.
        auditor: Account,
        /// Planck of its stake that were burned.
        burned: Balance,
    },
    /// An attempt ended without settling.
    AttemptFailed {
        /// The attempt.
        attempt: AttemptIndex,
        /// Who had claimed it.
        provider: Account,
        /// Why.
        failure: Failure,
    },
    /// It waits for another claim.
    Reopened,
    /// It is over.
    Closed {
        /// How.
        status: OrderStatus,
        /// Who got what.
        receipt: Receipt,
    },
}

impl Event {
    /// The event as one of an order's life: the order and what happened; `None` for any other event.
    pub fn of_order(&self) -> Result<Option<(OrderId, OrderEvent)>> {
        if self.pallet != "Compute" {
            return Ok(None);
        }
        let found = match self.name.as_str() {
            "OrderPlaced" => {
                let (order, customer, program, held) = self.read_as(&["order", "customer", "program", "held"])?;
                (order, OrderEvent::Placed { customer, program, held })
            }
            "Claimed" => {
                let names = ["order", "attempt", "provider", "price", "bond", "commit_by"];
                let (order, attempt, provider, price, bond, commit_by) = self.read_as(&names)?;
                (order, OrderEvent::Claimed { attempt, provider, price, bond, commit_by })
            }
            "Committed" => {
                let names = ["order", "attempt", "provider", "trace_root", "window_ends"];
                let (order, attempt, provider, trace_root, window_ends) = self.read_as(&names)?;
                (order, OrderEvent::Committed { attempt, provider, trace_root, window_ends })
            }
            "Audited" => {
                let names = ["order", "attempt", "auditor", "verdict", "units", "lane_steps"];
                let (order, attempt, auditor, verdict, units, lane_steps) = self.read_as(&names)?;
                (order, OrderEvent::Audited { attempt, auditor, verdict, units, lane_steps })
            }
            "FaultProved" => {
                let names =
                    ["order", "attempt", "unit", "provider", "finder", "fault", "to_customer", "to_finder", "burned"];
                type Fields = (OrderId, AttemptIndex, Unit, Account, Account, AnyFault, Balance, Balance, Balance);
                let fields: Fields = self.read_as(&names)?;
                let (order, attempt, unit, provider, finder, _, to_customer, to_finder, burned) = fields;
                (order, OrderEvent::FaultProved { attempt, unit, provider, finder, to_customer, to_finder, burned })
            }
            "ProgramFaultProved" => {
                let names = ["order", "attempt", "unit", "finder", "rule", "line", "thread"];
                let fields: (OrderId, AttemptIndex, Unit, Account, u8, u32, [u32; 3]) = self.read_as(&names)?;
                let (order, attempt, unit, finder, _, line, _) = fields;
                (order, OrderEvent::ProgramFaultProved { attempt, unit, finder, line })
            }
            "FalseReport" => {
                let (order, attempt, auditor, burned) = self.read_as(&["order", "attempt", "auditor", "burned"])?;
                (order, OrderEvent::FalseReport { attempt, auditor, burned })
            }
            "AttemptFailed" => {
                let (order, attempt, provider, failure) = self.read_as(&["order", "attempt", "provider", "failure"])?;
                (order, OrderEvent::AttemptFailed { attempt, provider, failure })
            }
            "Reopened" => {
                let (order,) = self.read_as(&["order"])?;
                (order, OrderEvent::Reopened)
            }
            "Closed" => {
                let (order, status, receipt) = self.read_as(&["order", "status", "receipt"])?;
                (order, OrderEvent::Closed { status, receipt })
            }
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// The fields as `T`, if the chain names them like this.
    fn read_as<T: Decode>(&self, names: &[&str]) -> Result<T> {
        let wrong = |reason: String| Error::incompatible(format!("the event {}.{}", self.pallet, self.name), reason);
        if !self.names().eq(names.iter().copied()) {
            return Err(wrong("it has other fields on this chain".into()));
        }
        T::decode_all(&mut self.encoded()).map_err(|error| wrong(error.to_string()))
    }
}

/// The runtime's word for a fault; its place is in the text of the event.
#[derive(Decode)]
#[allow(dead_code)]
enum AnyFault {
    BadStart,
    BadState,
    WrongByte { buffer: u16, offset: u64 },
    UnownedChange { buffer: u16 },
}

impl Client {
    /// What happened to `order` in a block, in order.
    pub async fn order_events(&self, order: OrderId, block: BlockHash) -> Result<Vec<OrderEvent>> {
        let mut events = Vec::new();
        for event in self.events(block).await? {
            if let Some((of, event)) = event.of_order()?
                && of == order
            {
                events.push(event);
            }
        }
        Ok(events)
    }
}
