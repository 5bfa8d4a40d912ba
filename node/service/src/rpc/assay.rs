//! The `assay_*` calls: the runtime's answers as JSON.

use super::{
    program::ProgramJson,
    views::{AuditLevelJson, Hex32, KernelJson, OrderJson, ParametersJson, PriceJson, ProviderJson, QuoteJson},
};
use crate::{
    Client,
    block::{AccountId, Block, Hash},
};
use assay_primitives::OrderId;
use assay_runtime_api::AssayApi;
use jsonrpsee::{
    core::RpcResult,
    proc_macros::rpc,
    types::{ErrorObjectOwned, error::INVALID_PARAMS_CODE},
};
use sp_api::{ApiError, ApiRef, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Entries that one call returns when the caller does not say.
const DEFAULT_LIMIT: u32 = 20;
/// Entries that one call returns at most.
const MAX_LIMIT: u32 = 100;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The caller asked for too much.
    #[error("limit {0} is above {MAX_LIMIT}")]
    Limit(u32),
    /// The runtime of that block could not answer.
    #[error("the runtime did not answer: {0}")]
    Runtime(#[from] ApiError),
}

impl From<Error> for ErrorObjectOwned {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Limit(_) => INVALID_PARAMS_CODE,
            Error::Runtime(_) => 8_001,
        };
        ErrorObjectOwned::owned(code, error.to_string(), None::<()>)
    }
}

/// What anyone may ask of the market. Money is planck as decimal strings, accounts are SS58, hashes 0x-hex. `at` is a
/// block's hash; without it the best block answers.
#[rpc(server, namespace = "assay")]
pub trait AssayRpc {
    /// The chain's constants.
    #[method(name = "parameters", blocking)]
    fn parameters(&self, at: Option<Hash>) -> RpcResult<ParametersJson>;

    /// One order, or null.
    #[method(name = "order", blocking)]
    fn order(&self, order: OrderId, at: Option<Hash>) -> RpcResult<Option<OrderJson>>;

    /// A customer's orders, newest first, those before order `before`.
    #[method(name = "ordersOf", blocking)]
    fn orders_of(
        &self,
        customer: AccountId,
        before: Option<OrderId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Vec<OrderJson>>;

    /// Orders that wait for a claim, oldest first.
    #[method(name = "openOrders", blocking)]
    fn open_orders(&self, limit: Option<u32>, at: Option<Hash>) -> RpcResult<Vec<OrderJson>>;

    /// A program that an order has named, or null.
    #[method(name = "program", blocking)]
    fn program(&self, program: Hex32, at: Option<Hash>) -> RpcResult<Option<ProgramJson>>;

    /// A registered kernel, or null.
    #[method(name = "kernel", blocking)]
    fn kernel(&self, kernel: Hex32, at: Option<Hash>) -> RpcResult<Option<KernelJson>>;

    /// One provider, or null.
    #[method(name = "provider", blocking)]
    fn provider(&self, operator: AccountId, at: Option<Hash>) -> RpcResult<Option<ProviderJson>>;

    /// The providers.
    #[method(name = "providers", blocking)]
    fn providers(&self, limit: Option<u32>, at: Option<Hash>) -> RpcResult<Vec<ProviderJson>>;

    /// What an order would cost and lock.
    #[method(name = "quote", blocking)]
    fn quote(&self, units: u64, price: PriceJson, audit: AuditLevelJson, at: Option<Hash>) -> RpcResult<QuoteJson>;
}

/// Asks the runtime.
pub struct Assay {
    client: Arc<Client>,
}

impl Assay {
    /// Calls over `client`.
    pub fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    fn api(&self, at: Option<Hash>) -> (ApiRef<'_, <Client as ProvideRuntimeApi<Block>>::Api>, Hash) {
        (self.client.runtime_api(), at.unwrap_or_else(|| self.client.info().best_hash))
    }
}

fn bounded(limit: Option<u32>) -> Result<u32, Error> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit if limit > MAX_LIMIT => Err(Error::Limit(limit)),
        limit => Ok(limit),
    }
}

impl AssayRpcServer for Assay {
    fn parameters(&self, at: Option<Hash>) -> RpcResult<ParametersJson> {
        let (api, at) = self.api(at);
        Ok(api.parameters(at).map_err(Error::from)?.into())
    }

    fn order(&self, order: OrderId, at: Option<Hash>) -> RpcResult<Option<OrderJson>> {
        let (api, at) = self.api(at);
        Ok(api.order(at, order).map_err(Error::from)?.map(Into::into))
    }

    fn orders_of(
        &self,
        customer: AccountId,
        before: Option<OrderId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Vec<OrderJson>> {
        let (api, at) = self.api(at);
        let orders = api.orders_of(at, customer.into(), before, bounded(limit)?).map_err(Error::from)?;
        Ok(orders.into_iter().map(Into::into).collect())
    }

    fn open_orders(&self, limit: Option<u32>, at: Option<Hash>) -> RpcResult<Vec<OrderJson>> {
        let (api, at) = self.api(at);
        let orders = api.open_orders(at, bounded(limit)?).map_err(Error::from)?;
        Ok(orders.into_iter().map(Into::into).collect())
    }

    fn program(&self, program: Hex32, at: Option<Hash>) -> RpcResult<Option<ProgramJson>> {
        let (api, at) = self.api(at);
        Ok(api.program(at, program.0).map_err(Error::from)?.map(Into::into))
    }

    fn kernel(&self, kernel: Hex32, at: Option<Hash>) -> RpcResult<Option<KernelJson>> {
        let (api, at) = self.api(at);
        Ok(api.kernel(at, kernel.0).map_err(Error::from)?.map(Into::into))
    }

    fn provider(&self, operator: AccountId, at: Option<Hash>) -> RpcResult<Option<ProviderJson>> {
        let (api, at) = self.api(at);
        Ok(api.provider(at, operator.into()).map_err(Error::from)?.map(Into::into))
    }

    fn providers(&self, limit: Option<u32>, at: Option<Hash>) -> RpcResult<Vec<ProviderJson>> {
        let (api, at) = self.api(at);
        let providers = api.providers(at, bounded(limit)?).map_err(Error::from)?;
        Ok(providers.into_iter().map(Into::into).collect())
    }

    fn quote(&self, units: u64, price: PriceJson, audit: AuditLevelJson, at: Option<Hash>) -> RpcResult<QuoteJson> {
        let (api, at) = self.api(at);
        Ok(api.quote(at, units, price.into(), audit.into()).map_err(Error::from)?.into())
    }
}
