//! What the chain answers, as of its best block.

use crate::{Client, Error, Result, chain::limited};
use assay_primitives::{
    Account, Balance, KernelId, OrderId, Program, ProgramId,
    order::{AuditLevel, KernelView, OrderView, Parameters, PriceCurve, ProviderView, Quote},
};
use codec::{DecodeAll, Encode};

/// An account's money, in planck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    /// What it may spend.
    pub free: Balance,
    /// What is held of it: stake, escrow, deposits.
    pub held: Balance,
}

impl Client {
    pub(crate) async fn api_call<T: DecodeAll>(&self, function: &str, parameters: &[u8]) -> Result<T> {
        let bytes = limited("a question to the runtime", self.rpc.state_call(function, Some(parameters), None)).await?;
        T::decode_all(&mut bytes.as_slice())
            .map_err(|error| Error::incompatible(format!("the answer of {function}"), error))
    }

    /// The chain's constants.
    pub async fn parameters(&self) -> Result<Parameters> {
        self.api_call("AssayApi_parameters", &[]).await
    }

    /// One order.
    pub async fn order(&self, order: OrderId) -> Result<Option<OrderView>> {
        self.api_call("AssayApi_order", &order.encode()).await
    }

    /// Orders of a customer, newest first, at most `limit`, from `before` down.
    pub async fn orders_of(&self, customer: &Account, before: Option<OrderId>, limit: u32) -> Result<Vec<OrderView>> {
        self.api_call("AssayApi_orders_of", &(customer, before, limit).encode()).await
    }

    /// Orders that wait for a claim, oldest first, at most `limit`.
    pub async fn open_orders(&self, limit: u32) -> Result<Vec<OrderView>> {
        self.api_call("AssayApi_open_orders", &limit.encode()).await
    }

    /// Orders that `provider` has claimed and not finished.
    pub async fn assigned_orders(&self, provider: &Account) -> Result<Vec<OrderView>> {
        self.api_call("AssayApi_assigned_orders", &provider.encode()).await
    }

    /// A program that an order has named.
    pub async fn program(&self, program: &ProgramId) -> Result<Option<Program>> {
        let found: Option<Program> = self.api_call("AssayApi_program", &program.encode()).await?;
        match found {
            Some(found) if found.id() != *program => {
                Err(Error::incompatible("a program", "the node's answer has another address"))
            }
            found => Ok(found),
        }
    }

    /// A registered kernel.
    pub async fn kernel(&self, kernel: &KernelId) -> Result<Option<KernelView>> {
        self.api_call("AssayApi_kernel", &kernel.encode()).await
    }

    /// A registered kernel's PTX.
    pub async fn kernel_code(&self, kernel: &KernelId) -> Result<Option<Vec<u8>>> {
        let found: Option<Vec<u8>> = self.api_call("AssayApi_kernel_code", &kernel.encode()).await?;
        match found {
            Some(ptx) if assay_primitives::hash::plain(&ptx) != *kernel => {
                Err(Error::incompatible("a kernel", "the node's answer has another hash"))
            }
            found => Ok(found),
        }
    }

    /// One provider.
    pub async fn provider(&self, operator: &Account) -> Result<Option<ProviderView>> {
        self.api_call("AssayApi_provider", &operator.encode()).await
    }

    /// Every provider, at most `limit`.
    pub async fn providers(&self, limit: u32) -> Result<Vec<ProviderView>> {
        self.api_call("AssayApi_providers", &limit.encode()).await
    }

    /// What an order would cost.
    pub async fn quote(&self, units: u64, price: &PriceCurve, audit: &AuditLevel) -> Result<Quote> {
        self.api_call("AssayApi_quote", &(units, price, audit).encode()).await
    }

    /// An account's money.
    pub async fn funds(&self, account: &Account) -> Result<Funds> {
        type Info = (u32, u32, u32, u32, [u128; 4]);
        let (_, best) = self.best().await?;
        let at = self.at(best).await?;
        let unreadable = |error: subxt::error::StorageError| Error::incompatible("an account", error);
        let address = subxt::storage::dynamic::<_, subxt::utils::Static<Info>>("System", "Account");
        let key = subxt::utils::AccountId32(*account);
        let found = at.storage().try_fetch(address, (key,)).await.map_err(unreadable)?;
        let Some(found) = found else { return Ok(Funds::default()) };
        let (_, _, _, _, [free, held, ..]) =
            found.decode().map_err(|error| Error::incompatible("an account", error))?.0;
        Ok(Funds { free, held })
    }
}
