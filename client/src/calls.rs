//! What can be asked of the chain. Calls are named; pallet and call indices, and the form of numbers, come from the live
//! metadata, against which every argument is checked.

use crate::{Error, Result};
use assay_primitives::{
    Account, AttemptIndex, Balance, Hash, KernelId, OrderId, Program, Unit, audit::Report, order::Terms,
    trace::TracePath, witness::Witness,
};
use codec::{Compact, Encode};
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use subxt::{
    ext::{
        scale_decode::visitor::{IgnoreVisitor, decode_with_visitor},
        scale_encode,
        scale_type_resolver::{FieldIter, TypeResolver},
    },
    metadata::Metadata,
    transactions::Payload,
};

/// One call with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pallet: &'static str,
    name: &'static str,
    arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    /// An unsigned number, compact or not as the chain wants it.
    Number(u128),
    /// A SCALE encoding.
    Scale(Vec<u8>),
    /// Other calls.
    Calls(Vec<Call>),
}

fn scale(value: &impl Encode) -> Argument {
    Argument::Scale(value.encode())
}

impl Call {
    fn new(pallet: &'static str, name: &'static str, arguments: Vec<Argument>) -> Self {
        Self { pallet, name, arguments }
    }

    /// The pallet's name.
    pub fn pallet(&self) -> &'static str {
        self.pallet
    }

    /// `Pallet.call`.
    pub fn title(&self) -> String {
        format!("{}.{}", self.pallet, self.name)
    }

    /// The call's SCALE encoding for a chain with `metadata`.
    pub fn encode(&self, metadata: &Metadata) -> Result<Vec<u8>> {
        let prepared = self.prepare(metadata)?;
        let mut bytes = vec![prepared.pallet_index, prepared.call_index];
        bytes.extend_from_slice(&prepared.arguments.0);
        Ok(bytes)
    }

    pub(crate) fn prepare(&self, metadata: &Metadata) -> Result<Prepared> {
        let unknown = Error::UnknownCall { pallet: self.pallet, call: self.name };
        let Some(pallet) = metadata.pallet_by_name(self.pallet) else { return Err(unknown) };
        let Some(variant) = pallet.call_variant_by_name(self.name) else { return Err(unknown) };
        let wrong = |reason: String| Error::incompatible(format!("the call {}", self.title()), reason);
        if variant.fields.len() != self.arguments.len() {
            return Err(wrong(format!(
                "the chain wants {} arguments, not {}",
                variant.fields.len(),
                self.arguments.len()
            )));
        }
        let mut bytes = Vec::new();
        for (argument, field) in self.arguments.iter().zip(&variant.fields) {
            let start = bytes.len();
            match argument {
                Argument::Number(number) => encode_number(*number, field.ty.id, metadata.types(), &mut bytes)
                    .ok_or_else(|| {
                        wrong(format!("{number} does not fit `{}`", field.name.as_deref().unwrap_or("?")))
                    })?,
                Argument::Scale(scale) => bytes.extend_from_slice(scale),
                Argument::Calls(calls) => {
                    Compact(calls.len() as u64).encode_to(&mut bytes);
                    for call in calls {
                        bytes.extend(call.encode(metadata)?);
                    }
                }
            }
            let mut rest = bytes.get(start..).unwrap_or_default();
            let read = decode_with_visitor(&mut rest, field.ty.id, metadata.types(), IgnoreVisitor::new());
            let name = field.name.as_deref().unwrap_or("?");
            read.map_err(|error| wrong(format!("`{name}` is another type on this chain: {error}")))?;
            if !rest.is_empty() {
                return Err(wrong(format!("`{name}` is another type on this chain")));
            }
        }
        Ok(Prepared {
            pallet: self.pallet,
            name: self.name,
            pallet_index: pallet.call_index(),
            call_index: variant.index,
            arguments: Encoded(bytes),
        })
    }
}

fn encode_number(number: u128, ty: u32, types: &PortableRegistry, out: &mut Vec<u8>) -> Option<()> {
    match &types.resolve(ty)?.type_def {
        TypeDef::Compact(_) => Compact(number).encode_to(out),
        TypeDef::Primitive(TypeDefPrimitive::U8) => u8::try_from(number).ok()?.encode_to(out),
        TypeDef::Primitive(TypeDefPrimitive::U16) => u16::try_from(number).ok()?.encode_to(out),
        TypeDef::Primitive(TypeDefPrimitive::U32) => u32::try_from(number).ok()?.encode_to(out),
        TypeDef::Primitive(TypeDefPrimitive::U64) => u64::try_from(number).ok()?.encode_to(out),
        TypeDef::Primitive(TypeDefPrimitive::U128) => number.encode_to(out),
        _ => return None,
    }
    Some(())
}

/// A call that the chain's metadata has been asked about.
pub(crate) struct Prepared {
    pallet: &'static str,
    name: &'static str,
    pallet_index: u8,
    call_index: u8,
    arguments: Encoded,
}

/// Arguments, one after the other.
pub(crate) struct Encoded(Vec<u8>);

impl scale_encode::EncodeAsFields for Encoded {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _: &mut dyn FieldIter<'_, R::TypeId>,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

impl Payload for Prepared {
    type CallData = Encoded;

    fn pallet_name(&self) -> &str {
        self.pallet
    }

    fn call_name(&self) -> &str {
        self.name
    }

    fn call_data(&self) -> &Encoded {
        &self.arguments
    }
}

/// Several calls, all or none of them.
pub fn batch_all(calls: Vec<Call>) -> Call {
    Call::new("Utility", "batch_all", vec![Argument::Calls(calls)])
}

/// Sends `amount` planck, and keeps the sender's account alive.
pub fn transfer(to: &Account, amount: Balance) -> Call {
    let address = subxt::utils::MultiAddress::<_, ()>::Id(subxt::utils::AccountId32(*to));
    Call::new("Balances", "transfer_keep_alive", vec![scale(&address), Argument::Number(amount)])
}

/// Calls of the staking pallet, signed by the operator.
pub mod staking {
    use super::*;

    fn call(name: &'static str, arguments: Vec<Argument>) -> Call {
        Call::new("Staking", name, arguments)
    }

    /// Stakes `amount` planck more.
    pub fn stake(amount: Balance) -> Call {
        call("stake", vec![Argument::Number(amount)])
    }

    /// Starts to unbond `amount` planck.
    pub fn unstake(amount: Balance) -> Call {
        call("unstake", vec![Argument::Number(amount)])
    }

    /// Takes what is unbonded.
    pub fn withdraw() -> Call {
        call("withdraw", Vec::new())
    }

    /// Registers the operator as a provider with the URL of its blob server and the key that signs claims and commits.
    pub fn set_provider(endpoint: &str, worker: &Account) -> Call {
        call("set_provider", vec![scale(&endpoint), scale(worker)])
    }

    /// Ends being a provider.
    pub fn retire_provider() -> Call {
        call("retire_provider", Vec::new())
    }

    /// Offers to validate.
    pub fn validate() -> Call {
        call("validate", Vec::new())
    }

    /// Ends validating.
    pub fn chill() -> Call {
        call("chill", Vec::new())
    }
}

/// Calls of the compute pallet.
pub mod compute {
    use super::*;

    fn call(name: &'static str, arguments: Vec<Argument>) -> Call {
        Call::new("Compute", name, arguments)
    }

    fn attempt_of(order: OrderId, attempt: AttemptIndex) -> [Argument; 2] {
        [Argument::Number(order.into()), Argument::Number(attempt.into())]
    }

    /// Registers a kernel by its PTX. Signed by its owner, who deposits for its bytes.
    pub fn register_kernel(ptx: &[u8]) -> Call {
        call("register_kernel", vec![scale(&ptx)])
    }

    /// Takes a kernel off the chain and its deposit back. Signed by its owner.
    pub fn retire_kernel(kernel: &KernelId) -> Call {
        call("retire_kernel", vec![scale(kernel)])
    }

    /// Orders a program. Signed by the customer, whose money is held.
    pub fn place_order(program: &Program, terms: &Terms) -> Call {
        call("place_order", vec![scale(program), scale(terms)])
    }

    /// Takes an open order back. Signed by the customer.
    pub fn cancel(order: OrderId) -> Call {
        call("cancel", vec![Argument::Number(order.into())])
    }

    /// Claims an order. Feeless; `signature` is the worker key's over [`assay_primitives::payload::claim`].
    pub fn claim(order: OrderId, attempt: AttemptIndex, provider: &Account, signature: &[u8; 64]) -> Call {
        let [order, attempt] = attempt_of(order, attempt);
        call("claim", vec![order, attempt, scale(provider), scale(signature)])
    }

    /// Declines a claimed order whose inputs did not arrive. Feeless; `signature` is the worker key's over
    /// [`assay_primitives::payload::decline`].
    pub fn decline(order: OrderId, attempt: AttemptIndex, provider: &Account, signature: &[u8; 64]) -> Call {
        let [order, attempt] = attempt_of(order, attempt);
        call("decline", vec![order, attempt, scale(provider), scale(signature)])
    }

    /// Commits a result: the trace's root and the path of its state 0. Feeless; `signature` is the worker key's over
    /// [`assay_primitives::payload::commit`].
    pub fn commit_result(
        order: OrderId,
        attempt: AttemptIndex,
        provider: &Account,
        trace_root: &Hash,
        start: &TracePath,
        signature: &[u8; 64],
    ) -> Call {
        let [order, attempt] = attempt_of(order, attempt);
        call("commit_result", vec![order, attempt, scale(provider), scale(trace_root), scale(start), scale(signature)])
    }

    /// Reports audits. Feeless; the reports' VRF proofs authenticate them.
    pub fn report_audits(auditor: &[u8; 32], reports: &[Report]) -> Call {
        call("report_audits", vec![scale(auditor), scale(&reports)])
    }

    /// Proves a fault for a validator. Feeless; `signature` is the audit key's over
    /// [`assay_primitives::payload::fault_report`].
    pub fn report_fault(
        auditor: &[u8; 32],
        order: OrderId,
        attempt: AttemptIndex,
        unit: &Unit,
        witness: &Witness,
        signature: &[u8; 64],
    ) -> Call {
        let [order, attempt] = attempt_of(order, attempt);
        call("report_fault", vec![scale(auditor), order, attempt, scale(unit), scale(witness), scale(signature)])
    }

    /// Proves a fault. Signed by anybody; the fee comes back when the proof is right.
    pub fn prove_fault(order: OrderId, attempt: AttemptIndex, unit: &Unit, witness: &Witness) -> Call {
        let [order, attempt] = attempt_of(order, attempt);
        call("prove_fault", vec![order, attempt, scale(unit), scale(witness)])
    }

    /// Settles an order that is due. Signed by anybody.
    pub fn settle(order: OrderId) -> Call {
        call("settle", vec![Argument::Number(order.into())])
    }
}
