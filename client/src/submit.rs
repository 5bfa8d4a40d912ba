//! Sending transactions and waiting for what becomes of them.

use crate::{
    BlockHash, Call, Client, Config, DispatchFailure, Error, Result, Signer,
    chain::{block_number, limited},
    events::Event,
    feeless,
};
use assay_primitives::BlockNumber;
use codec::Encode;
use std::time::Duration;
use subxt::{
    config::DefaultExtrinsicParamsBuilder,
    error::DispatchError,
    events::Phase,
    metadata::Metadata,
    rpcs::{self, methods::legacy::TransactionStatus},
};

/// Blocks in which a signed transaction must be included.
const MORTALITY: u32 = 64;
/// Pause between two looks for a transaction whose subscription broke.
const LOOK: Duration = Duration::from_secs(1);

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A best block has the transaction. It may be reverted.
    InBlock,
    /// The block is final.
    Finalised,
}

/// A transaction in a block whose call succeeded.
#[derive(Clone, Debug)]
pub struct Included {
    /// The block's number.
    pub block: BlockNumber,
    /// The block's hash.
    pub hash: BlockHash,
    /// What the transaction caused, in order.
    pub events: Vec<Event>,
}

impl Included {
    /// The first event of `pallet` with `name`.
    pub fn event(&self, pallet: &str, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.pallet == pallet && event.name == name)
    }
}

impl Client {
    /// Signs `call`, sends it and waits. A call that fails in its block is [`Error::Dispatch`].
    pub async fn submit(&self, call: &Call, signer: &Signer, wait: Wait) -> Result<Included> {
        let transaction = self.signed(call, signer).await?;
        self.send(&transaction, MORTALITY, wait).await
    }

    /// Sends `call` without signer or fee and waits. `patience` is how many blocks to look for it when the connection breaks.
    pub async fn submit_feeless(&self, call: &Call, patience: BlockNumber, wait: Wait) -> Result<Included> {
        let (_, best) = self.best().await?;
        let at = self.at(best).await?;
        let transaction = feeless::general(&call.encode(at.metadata_ref())?, at.metadata_ref())?;
        self.send(&transaction, patience, wait).await.map_err(|error| match error {
            Error::Refused { code, reason, .. } => {
                let failure = refusal(&reason, call.pallet(), at.metadata_ref());
                let reason = failure.as_ref().map_or(reason, DispatchFailure::to_string);
                Error::Refused { code, reason, failure }
            }
            error => error,
        })
    }

    /// Planck that `call` would cost `signer` in fees.
    pub async fn fee(&self, call: &Call, signer: &Signer) -> Result<u128> {
        let transaction = self.signed(call, signer).await?;
        let parameters = [transaction.as_slice(), &(transaction.len() as u32).encode()].concat();
        type Info = (codec::Compact<u64>, codec::Compact<u64>, u8, u128);
        let (_, _, _, fee): Info = self.api_call("TransactionPaymentApi_query_info", &parameters).await?;
        Ok(fee)
    }

    async fn signed(&self, call: &Call, signer: &Signer) -> Result<Vec<u8>> {
        let (best, best_hash) = self.best().await?;
        let (finalised, finalised_hash) = self.finalised().await?;
        // A transaction dies with the block it is mortal from: take a final one, unless finality lags too far behind.
        let (from, from_hash) = if best.saturating_sub(finalised) < MORTALITY / 2 {
            (finalised, finalised_hash)
        } else {
            (best, best_hash)
        };
        let at = self.at(best_hash).await?;
        let account = subxt::utils::AccountId32(signer.account());
        let nonce = limited("the account's nonce", self.rpc.system_account_next_index(&account)).await?;
        let parameters = DefaultExtrinsicParamsBuilder::<Config>::new()
            .nonce(nonce)
            .mortal_from_unchecked(MORTALITY.into(), from.into(), from_hash)
            .build();
        let prepared = call.prepare(at.metadata_ref())?;
        let built = |error: subxt::error::ExtrinsicError| Error::incompatible("the chain's transactions", error);
        let mut signable = at.tx().create_v4_signable_offline(&prepared, parameters).map_err(built)?;
        Ok(signable.sign(signer.pair()).map_err(built)?.into_encoded())
    }

    async fn send(&self, transaction: &[u8], patience: BlockNumber, wait: Wait) -> Result<Included> {
        let (before, _) = self.best().await?;
        let submitted = self.rpc.author_submit_and_watch_extrinsic(transaction);
        let mut statuses = match limited("submitting a transaction", submitted).await {
            Ok(statuses) => statuses,
            Err(Error::Rpc { source: rpcs::Error::User(error), .. }) if (1000..2000).contains(&error.code) => {
                let data = error.data.map(|data| data.get().trim_matches('"').to_owned());
                let reason = data.map_or_else(|| error.message.clone(), |data| format!("{}: {data}", error.message));
                return Err(Error::Refused { code: error.code, reason, failure: None });
            }
            Err(error) => return Err(error),
        };
        while let Some(status) = statuses.next().await {
            let hash = match status {
                Ok(TransactionStatus::InBlock(hash)) if wait == Wait::InBlock => hash,
                Ok(TransactionStatus::Finalized(hash)) => hash,
                Ok(TransactionStatus::Usurped(_)) => return dropped("another with the same nonce took its place"),
                Ok(TransactionStatus::Dropped) => return dropped("the pool is full"),
                Ok(TransactionStatus::Invalid) => return dropped("it has become invalid"),
                Ok(TransactionStatus::FinalityTimeout(_)) => return dropped("its block was not made final in time"),
                Ok(_) => continue,
                Err(_) => break,
            };
            return self.outcome(transaction, hash).await;
        }
        self.find(transaction, before, patience, wait).await
    }

    /// Looks for a transaction in the blocks after `before`: what is left to do when the connection broke.
    async fn find(
        &self,
        transaction: &[u8],
        before: BlockNumber,
        patience: BlockNumber,
        wait: Wait,
    ) -> Result<Included> {
        let mut next = before.saturating_add(1);
        loop {
            let (head, _) = match wait {
                Wait::InBlock => self.best().await?,
                Wait::Finalised => self.finalised().await?,
            };
            while next <= head {
                let hash = limited("a block's hash", self.rpc.chain_get_block_hash(Some(next.into()))).await?;
                if let Some(hash) = hash
                    && self.position(transaction, hash).await?.is_some()
                {
                    return self.outcome(transaction, hash).await;
                }
                next = next.saturating_add(1);
            }
            if head > before.saturating_add(patience) {
                return Err(Error::Unseen { reason: format!("it is in none of the blocks {before} to {head}") });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn position(&self, transaction: &[u8], block: BlockHash) -> Result<Option<u32>> {
        let details = limited("a block", self.rpc.chain_get_block(Some(block))).await?;
        let extrinsics = details.map(|details| details.block.extrinsics).unwrap_or_default();
        Ok(extrinsics
            .iter()
            .position(|extrinsic| extrinsic.0 == transaction)
            .and_then(|index| u32::try_from(index).ok()))
    }

    async fn outcome(&self, transaction: &[u8], hash: BlockHash) -> Result<Included> {
        let lost = || Error::Unseen { reason: format!("block {hash:?} does not have it any more") };
        let index = self.position(transaction, hash).await?.ok_or_else(lost)?;
        let at = self.at(hash).await?;
        let unreadable = |error: subxt::error::EventsError| Error::incompatible("a block's events", error);
        let all = at.events().fetch().await.map_err(unreadable)?;
        let mut events = Vec::new();
        for event in all.iter() {
            let event = event.map_err(unreadable)?;
            if event.phase() != Phase::ApplyExtrinsic(index) {
                continue;
            }
            if event.pallet_name() == "System" && event.event_name() == "ExtrinsicFailed" {
                let error = DispatchError::decode_from(event.field_bytes().to_vec(), at.metadata())
                    .map_err(|error| Error::incompatible("the failure of a call", error))?;
                return Err(Error::Dispatch(failure(&error)));
            }
            events.push(Event::read(&event, Some(index))?);
        }
        Ok(Included { block: block_number(at.block_number())?, hash, events })
    }

    pub(crate) async fn at(&self, block: BlockHash) -> Result<At> {
        self.api.at_block(block).await.map_err(|error| match error {
            subxt::error::OnlineClientAtBlockError::BlockHeaderNotFound { .. } => {
                Error::incompatible("a block", "the node does not have it any more")
            }
            error => Error::incompatible("the chain's metadata", error),
        })
    }
}

pub(crate) type At = subxt::client::ClientAtBlock<Config, subxt::client::OnlineClientAtBlockImpl<Config>>;

fn dropped(reason: &str) -> Result<Included> {
    Err(Error::Dropped { reason: reason.to_owned() })
}

/// The pallet's error behind a custom code: feeless calls are refused with the position of an error of their pallet.
fn refusal(reason: &str, pallet: &str, metadata: &Metadata) -> Option<DispatchFailure> {
    let (_, code) = reason.rsplit_once("Custom error: ")?;
    let variant = metadata.pallet_by_name(pallet)?.error_variant_by_index(code.trim().parse().ok()?)?;
    Some(DispatchFailure {
        pallet: Some(pallet.to_owned()),
        name: variant.name.clone(),
        docs: variant.docs.join(" ").trim().to_owned(),
    })
}

fn failure(error: &DispatchError) -> DispatchFailure {
    if let DispatchError::Module(module) = error {
        return match module.details() {
            Ok(details) => DispatchFailure {
                pallet: Some(details.pallet.name().to_owned()),
                name: details.variant.name.clone(),
                docs: details.variant.docs.join(" ").trim().to_owned(),
            },
            Err(_) => DispatchFailure { pallet: None, name: module.details_string(), docs: String::new() },
        };
    }
    let name = match error {
        DispatchError::Token(error) => format!("Token.{error:?}"),
        DispatchError::Arithmetic(error) => format!("Arithmetic.{error:?}"),
        DispatchError::Transactional(error) => format!("Transactional.{error:?}"),
        error => format!("{error:?}"),
    };
    DispatchFailure { pallet: None, name, docs: error.to_string() }
}
