//! What happened in a block.

use crate::{BlockHash, Client, Config, Error, Result};
use assay_primitives::{Account, AttemptIndex, Balance, OrderId};
use subxt::{
    events::Phase,
    ext::scale_value::{Composite, Primitive, Value, ValueDef},
};

/// One event, by the names in the chain's metadata.
#[derive(Clone)]
pub struct Event {
    /// The pallet.
    pub pallet: String,
    /// The event.
    pub name: String,
    /// Position of the transaction that caused it; `None` when the block itself did.
    pub transaction: Option<u32>,
    fields: Composite<()>,
    encoded: Vec<u8>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{} {}", self.pallet, self.name, self.text())
    }
}

impl Event {
    pub(crate) fn read(event: &subxt::events::Event<'_, Config>, transaction: Option<u32>) -> Result<Self> {
        let fields = event
            .decode_fields_unchecked_as::<Composite<()>>()
            .map_err(|error| Error::incompatible("an event", error))?;
        let (pallet, name) = (event.pallet_name().to_owned(), event.event_name().to_owned());
        Ok(Self { pallet, name, transaction, fields, encoded: event.field_bytes().to_vec() })
    }

    fn field(&self, name: &str) -> Option<&Value> {
        match &self.fields {
            Composite::Named(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            Composite::Unnamed(_) => None,
        }
    }

    /// The names of the fields, in order; `_` for one without.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let named: Vec<&str> = match &self.fields {
            Composite::Named(fields) => fields.iter().map(|(name, _)| name.as_str()).collect(),
            Composite::Unnamed(fields) => fields.iter().map(|_| "_").collect(),
        };
        named.into_iter()
    }

    /// The fields' SCALE encoding.
    pub(crate) fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// An unsigned number.
    pub fn number(&self, field: &str) -> Option<u128> {
        self.field(field)?.as_u128()
    }

    /// 32 bytes: an account or a hash.
    pub fn bytes32(&self, field: &str) -> Option<[u8; 32]> {
        let mut bytes = Vec::with_capacity(32);
        collect(self.field(field)?, &mut bytes)?;
        bytes.try_into().ok()
    }

    /// The name of an enum's variant.
    pub fn variant(&self, field: &str) -> Option<&str> {
        match &self.field(field)?.value {
            ValueDef::Variant(variant) => Some(&variant.name),
            _ => None,
        }
    }

    /// The event's fields as text.
    pub fn text(&self) -> String {
        Value::without_context(ValueDef::Composite(self.fields.clone())).to_string()
    }

    /// The order that the event is about.
    pub fn order(&self) -> Option<OrderId> {
        if self.pallet != "Compute" {
            return None;
        }
        OrderId::try_from(self.number("order")?).ok()
    }

    /// The attempt that the event is about.
    pub fn attempt(&self) -> Option<AttemptIndex> {
        AttemptIndex::try_from(self.number("attempt")?).ok()
    }

    /// The provider that the event is about.
    pub fn provider(&self) -> Option<Account> {
        self.bytes32("provider")
    }

    /// Planck.
    pub fn amount(&self, field: &str) -> Option<Balance> {
        self.number(field)
    }
}

/// Bytes of nested sequences of numbers below 256.
fn collect(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match &value.value {
        ValueDef::Composite(Composite::Unnamed(values)) => values.iter().try_for_each(|value| collect(value, out)),
        ValueDef::Composite(Composite::Named(values)) => values.iter().try_for_each(|(_, value)| collect(value, out)),
        ValueDef::Primitive(Primitive::U128(number)) => {
            out.push(u8::try_from(*number).ok()?);
            Some(())
        }
        _ => None,
    }
}

impl Client {
    /// Every event of a block.
    pub async fn events(&self, block: BlockHash) -> Result<Vec<Event>> {
        let at = self.at(block).await?;
        let unreadable = |error: subxt::error::EventsError| Error::incompatible("a block's events", error);
        let events = at.events().fetch().await.map_err(unreadable)?;
        events
            .iter()
            .map(|event| {
                let event = event.map_err(unreadable)?;
                let transaction = match event.phase() {
                    Phase::ApplyExtrinsic(index) => Some(index),
                    _ => None,
                };
                Event::read(&event, transaction)
            })
            .collect()
    }
}
