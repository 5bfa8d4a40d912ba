//! What the chain tells, as JSON: camelCase, planck as decimal strings, accounts as SS58, hashes as 0x-hex.

use crate::block::AccountId;
use assay_primitives::{
    AttemptIndex, Balance, BlockNumber, Hash, OrderId,
    order::{
        AttemptView, AuditLevel, Failure, KernelView, OrderStatus, OrderView, Parameters, PriceCurve, ProviderView,
        Quote, Receipt, ReportVerdict, ReportView,
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Planck; a decimal string, since JSON's numbers are too short. Reads plain numbers too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planck(pub Balance);

impl Serialize for Planck {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Planck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number.into())),
            Either::Text(text) => {
                text.parse().map(Self).map_err(|_| D::Error::custom("planck must be a decimal number"))
            }
        }
    }
}

/// 32 bytes as 0x-hex. Reads hex with and without the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex32(pub Hash);

impl Serialize for Hex32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("0x{}", hex::encode(self.0)))
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(&text), &mut hash)
            .map_err(|_| D::Error::custom("a hash must be 32 bytes of hex"))?;
        Ok(Self(hash))
    }
}

/// [`PriceCurve`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceJson {
    start: Planck,
    max: Planck,
    blocks: BlockNumber,
}

impl From<PriceCurve> for PriceJson {
    fn from(price: PriceCurve) -> Self {
        Self { start: Planck(price.start), max: Planck(price.max), blocks: price.blocks }
    }
}

impl From<PriceJson> for PriceCurve {
    fn from(price: PriceJson) -> Self {
        Self { start: price.start.0, max: price.max.0, blocks: price.blocks }
    }
}

/// [`AuditLevel`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuditLevelJson {
    auditors: u8,
    units: u16,
}

impl From<AuditLevel> for AuditLevelJson {
    fn from(level: AuditLevel) -> Self {
        Self { auditors: level.auditors, units: level.units }
    }
}

impl From<AuditLevelJson> for AuditLevel {
    fn from(level: AuditLevelJson) -> Self {
        Self { auditors: level.auditors, units: level.units }
    }
}

/// [`Parameters`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParametersJson {
    unit_fuel: u64,
    witness_bytes: u32,
    kernel_bytes: u32,
    deposit_per_byte: Planck,
    audit_window: BlockNumber,
    decline_after: BlockNumber,
    min_stake: Planck,
}

impl From<Parameters> for ParametersJson {
    fn from(parameters: Parameters) -> Self {
        Self {
            unit_fuel: parameters.unit_fuel,
            witness_bytes: parameters.witness_bytes,
            kernel_bytes: parameters.kernel_bytes,
            deposit_per_byte: Planck(parameters.deposit_per_byte),
            audit_window: parameters.audit_window,
            decline_after: parameters.decline_after,
            min_stake: Planck(parameters.min_stake),
        }
    }
}

/// [`OrderView`], its terms beside it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderJson {
    order: OrderId,
    customer: AccountId,
    program: Hex32,
    price: PriceJson,
    open_blocks: BlockNumber,
    attempt_blocks: BlockNumber,
    audit: AuditLevelJson,
    status: OrderStatus,
    placed_at: BlockNumber,
    open_since: BlockNumber,
    held: Planck,
    attempts: Vec<AttemptJson>,
    receipt: Option<ReceiptJson>,
}

impl From<OrderView> for OrderJson {
    fn from(view: OrderView) -> Self {
        Self {
            order: view.order,
            customer: view.customer.into(),
            program: Hex32(view.program),
            price: view.terms.price.into(),
            open_blocks: view.terms.open_blocks,
            attempt_blocks: view.terms.attempt_blocks,
            audit: view.terms.audit.into(),
            status: view.status,
            placed_at: view.placed_at,
            open_since: view.open_since,
            held: Planck(view.held),
            attempts: view.attempts.into_iter().map(Into::into).collect(),
            receipt: view.receipt.map(Into::into),
        }
    }
}

/// [`AttemptView`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptJson {
    attempt: AttemptIndex,
    provider: AccountId,
    price: Planck,
    bond: Planck,
    claimed_at: BlockNumber,
    commit_by: BlockNumber,
    committed_at: Option<BlockNumber>,
    window_ends: Option<BlockNumber>,
    trace_root: Option<Hex32>,
    reports: Vec<ReportJson>,
    failure: Option<Failure>,
}

impl From<AttemptView> for AttemptJson {
    fn from(view: AttemptView) -> Self {
        Self {
            attempt: view.attempt,
            provider: view.provider.into(),
            price: Planck(view.price),
            bond: Planck(view.bond),
            claimed_at: view.claimed_at,
            commit_by: view.commit_by,
            committed_at: view.committed_at,
            window_ends: view.window_ends,
            trace_root: view.trace_root.map(Hex32),
            reports: view.reports.into_iter().map(Into::into).collect(),
            failure: view.failure,
        }
    }
}

/// [`ReportView`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportJson {
    auditor: AccountId,
    verdict: ReportVerdict,
    units: u16,
    lane_steps: u64,
    digest: Hex32,
    at: BlockNumber,
}

impl From<ReportView> for ReportJson {
    fn from(view: ReportView) -> Self {
        Self {
            auditor: view.auditor.into(),
            verdict: view.verdict,
            units: view.units,
            lane_steps: view.lane_steps,
            digest: Hex32(view.digest),
            at: view.at,
        }
    }
}

/// [`Receipt`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptJson {
    held: Planck,
    provider: Planck,
    protocol_fee: Planck,
    audit_fee: Planck,
    refund: Planck,
    compensation: Planck,
    closed_at: BlockNumber,
}

impl From<Receipt> for ReceiptJson {
    fn from(receipt: Receipt) -> Self {
        Self {
            held: Planck(receipt.held),
            provider: Planck(receipt.provider),
            protocol_fee: Planck(receipt.protocol_fee),
            audit_fee: Planck(receipt.audit_fee),
            refund: Planck(receipt.refund),
            compensation: Planck(receipt.compensation),
            closed_at: receipt.closed_at,
        }
    }
}

/// [`Quote`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuoteJson {
    units: u64,
    audit_fee: Planck,
    escrow: Planck,
    bond: Planck,
}

impl From<Quote> for QuoteJson {
    fn from(quote: Quote) -> Self {
        Self {
            units: quote.units,
            audit_fee: Planck(quote.audit_fee),
            escrow: Planck(quote.escrow),
            bond: Planck(quote.bond),
        }
    }
}

/// [`KernelView`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KernelJson {
    kernel: Hex32,
    owner: AccountId,
    deposit: Planck,
    len: u32,
    engine: u32,
    entries: Vec<String>,
}

impl From<KernelView> for KernelJson {
    fn from(view: KernelView) -> Self {
        Self {
            kernel: Hex32(view.kernel),
            owner: view.owner.into(),
            deposit: Planck(view.deposit),
            len: view.len,
            engine: view.engine,
            entries: view.entries,
        }
    }
}

/// [`ProviderView`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderJson {
    operator: AccountId,
    endpoint: String,
    worker: AccountId,
    stake: Planck,
    bonded: Planck,
    suspended_until: Option<BlockNumber>,
    attempts: u32,
    settled: u32,
    declined: u32,
    no_shows: u32,
    faults: u32,
    slashed: Planck,
}

impl From<ProviderView> for ProviderJson {
    fn from(view: ProviderView) -> Self {
        Self {
            operator: view.operator.into(),
            endpoint: view.endpoint,
            worker: view.worker.into(),
            stake: Planck(view.stake),
            bonded: Planck(view.bonded),
            suspended_until: view.suspended_until,
            attempts: view.attempts,
            settled: view.settled,
            declined: view.declined,
            no_shows: view.no_shows,
            faults: view.faults,
            slashed: Planck(view.slashed),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn planck_is_written_as_a_decimal_string_and_read_from_either() {
        let most = Planck(Balance::MAX);
        let text = serde_json::to_string(&most).unwrap();
        assert_eq!(text, format!("\"{}\"", Balance::MAX));
        assert_eq!(serde_json::from_str::<Planck>(&text).unwrap(), most);
        assert_eq!(serde_json::from_str::<Planck>("17").unwrap(), Planck(17));
        assert!(serde_json::from_str::<Planck>("\"0x17\"").is_err());
        assert!(serde_json::from_str::<Planck>("\"-1\"").is_err());
        assert!(serde_json::from_str::<Planck>("1.5").is_err());
    }

    #[test]
    fn hashes_are_written_with_the_prefix_and_read_with_and_without() {
        let hash = Hex32([0xab; 32]);
        let text = serde_json::to_string(&hash).unwrap();
        assert!(text.starts_with("\"0xabab"));
        assert_eq!(serde_json::from_str::<Hex32>(&text).unwrap(), hash);
        assert_eq!(serde_json::from_str::<Hex32>(&text.replace("0x", "")).unwrap(), hash);
        assert!(serde_json::from_str::<Hex32>("\"0xab\"").is_err());
        assert!(serde_json::from_str::<Hex32>(&text.replace("ab", "xy")).is_err());
    }

    #[test]
    fn names_are_camel_case_and_accounts_ss58() {
        let report = ReportView {
            auditor: sp_core::sr25519::Public::from_raw([1; 32]).0,
            verdict: ReportVerdict::Withheld,
            units: 4,
            lane_steps: 5,
            digest: [0; 32],
            at: 6,
        };
        let json = serde_json::to_value(ReportJson::from(report)).unwrap();
        assert_eq!(json.get("laneSteps"), Some(&5.into()));
        assert_eq!(json.get("verdict"), Some(&"withheld".into()));
        assert!(json.get("auditor").and_then(|auditor| auditor.as_str()).unwrap().starts_with('5'));
    }
}
