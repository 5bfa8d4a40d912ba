//! The connection.

use crate::{BlockHash, Config, Error, Result};
use assay_primitives::{BlockNumber, Hash};
use std::{future::Future, sync::Arc, time::Duration};
use subxt::{
    OnlineClient,
    backend::LegacyBackend,
    config::RpcConfigFor,
    rpcs::{
        LegacyRpcMethods, RpcClient,
        client::reconnecting_rpc_client::{ExponentialBackoff, RpcClient as ReconnectingClient},
    },
};

/// How long a first connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long a request may take, reconnecting included.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// Longest pause between two attempts to connect.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// A connection to a node. It opens again by itself when it breaks; clones share it.
#[derive(Clone)]
pub struct Client {
    pub(crate) api: OnlineClient<Config>,
    pub(crate) rpc: LegacyRpcMethods<RpcConfigFor<Config>>,
    genesis: Hash,
    url: Arc<str>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Client({})", self.url)
    }
}

impl Client {
    /// Connects to a node's RPC at `url`, such as `ws://127.0.0.1:9944`. Fails when nobody answers there within 10 s.
    pub async fn connect(url: &str) -> Result<Self> {
        let connect = |reason: String| Error::Connect { url: url.to_owned(), reason };
        let parsed = reqwest::Url::parse(url).map_err(|error| connect(error.to_string()))?;
        if !matches!(parsed.scheme(), "ws" | "wss") {
            return Err(connect("the URL must start with ws:// or wss://".into()));
        }
        let backoff = || ExponentialBackoff::from_millis(100).max_delay(MAX_BACKOFF);
        // The first attempt is not repeated, so that a wrong address is told at once.
        let transport = tokio::time::timeout(CONNECT_LIMIT, async {
            RpcClient::from_insecure_url(url).await.map_err(|error| connect(plain(&error.to_string())))?;
            let client = ReconnectingClient::builder()
                .retry_policy(backoff())
                .request_timeout(REQUEST_LIMIT)
                .connection_timeout(CONNECT_LIMIT)
                .build(url)
                .await
                .map_err(|error| connect(error.to_string()))?;
            Ok::<_, Error>(RpcClient::new(client))
        })
        .await
        .map_err(|_| connect(format!("no answer within {CONNECT_LIMIT:?}")))??;
        let rpc = LegacyRpcMethods::new(transport.clone());
        let backend = LegacyBackend::builder().build(transport);
        let api = OnlineClient::from_backend_with_config(Config::new(), Arc::new(backend))
            .await
            .map_err(|error| connect(error.to_string()))?;
        let genesis = api.genesis_hash().0;
        Ok(Self { api, rpc, genesis, url: url.into() })
    }

    /// As [`Client::connect`], but waits until the node answers.
    pub async fn connect_patiently(url: &str) -> Result<Self> {
        let mut pause = Duration::from_millis(200);
        loop {
            match Self::connect(url).await {
                Err(error) if error.is_retryable() => {
                    tracing::warn!("{error}; trying again in {pause:?}");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(MAX_BACKOFF);
                }
                result => return result,
            }
        }
    }

    /// The hash of the chain's first block.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// The URL of the node.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The number and hash of the best block.
    pub async fn best(&self) -> Result<(BlockNumber, BlockHash)> {
        let header = limited("the best block", self.rpc.chain_get_header(None)).await?;
        let header = header.ok_or_else(|| Error::incompatible("the best block", "the node has none"))?;
        let number = block_number(header.number)?;
        let hash = limited("the best block", self.rpc.chain_get_block_hash(Some(header.number.into()))).await?;
        Ok((number, hash.ok_or_else(|| Error::incompatible("the best block", "it has no hash"))?))
    }

    /// The number and hash of the last finalised block.
    pub async fn finalised(&self) -> Result<(BlockNumber, BlockHash)> {
        let hash = limited("the finalised block", self.rpc.chain_get_finalized_head()).await?;
        let header = limited("the finalised block", self.rpc.chain_get_header(Some(hash))).await?;
        let header = header.ok_or_else(|| Error::incompatible("the finalised block", "the node has lost it"))?;
        Ok((block_number(header.number)?, hash))
    }

    /// Version and name of the chain and its node, as they call themselves.
    pub async fn identity(&self) -> Result<Identity> {
        let chain = limited("the chain's name", self.rpc.system_chain()).await?;
        let node = limited("the node's name", self.rpc.system_name()).await?;
        let version = limited("the node's version", self.rpc.system_version()).await?;
        let runtime = limited("the runtime's version", self.rpc.state_get_runtime_version(None)).await?;
        Ok(Identity { chain, node: format!("{node} {version}"), spec_version: runtime.spec_version })
    }
}

/// How a node and its chain call themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The chain's name.
    pub chain: String,
    /// The node's name and version.
    pub node: String,
    /// The runtime's version.
    pub spec_version: u32,
}

/// A transport's message without the layers it came through.
fn plain(message: &str) -> String {
    message.replace("RPC error: ", "").replace("client error: ", "")
}

pub(crate) fn block_number(number: u64) -> Result<BlockNumber> {
    BlockNumber::try_from(number).map_err(|_| Error::incompatible("a block's number", "it is too large"))
}

/// Waits for an answer, but not for ever: while the connection is down, requests wait for it.
pub(crate) async fn limited<T>(
    what: &'static str,
    request: impl Future<Output = Result<T, subxt::rpcs::Error>>,
) -> Result<T> {
    tokio::time::timeout(REQUEST_LIMIT, request)
        .await
        .map_err(|_| Error::Timeout { what, limit: REQUEST_LIMIT })?
        .map_err(Error::rpc(what))
}
