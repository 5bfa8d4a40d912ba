//! Speaking with a provider's blob server. It is a stranger: whatever it sends is checked against an address or a root
//! before it is kept.

use crate::Signer;
use assay_primitives::{
    AttemptIndex, BlobId, BlockNumber, Hash, OrderId, Unit, payload, slice,
    trace::{self, TracePath},
    witness::{ByteRange, MAX_WITNESS_BYTES, Witness},
};
use codec::DecodeAll;
use futures::stream;
use reqwest::{Body, Client as Http, Response, StatusCode, Url};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes asked for at a time in downloads.
const PART: u64 = 1024 * 1024;
/// Bytes sent at a time in uploads.
const SENT: usize = 256 * 1024;
/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a server may keep silent.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// Longest message of a server that is read.
const MAX_MESSAGE: usize = 1024;
/// Longest result: every buffer of a state, and a path.
const MAX_RESULT: usize = 16 * 1024;

/// What goes wrong with a blob server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The endpoint is no URL that is asked.
    #[error("`{0}` is no http or https URL")]
    Endpoint(String),
    /// Connection, timeout, or a broken answer.
    #[error("the blob server cannot be reached: {0}")]
    Http(String),
    /// The server refused.
    #[error("the blob server answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// The server's words.
        message: String,
    },
    /// The server's bytes are not those of the address.
    #[error("the blob server sent wrong bytes for {}: {reason}", hex::encode(.blob))]
    Wrong {
        /// The blob, or the trace, that was asked for.
        blob: Hash,
        /// What is wrong.
        reason: String,
    },
    /// A local file failed.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Writing what was downloaded failed.
    #[error("cannot write: {0}")]
    Write(std::io::Error),
}

impl BlobError {
    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT
                    )
            }
            _ => false,
        }
    }
}

impl From<reqwest::Error> for BlobError {
    fn from(error: reqwest::Error) -> Self {
        // The library's message hides the cause behind the URL.
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = cause.to_string();
            source = cause.source();
        }
        Self::Http(text)
    }
}

/// What an upload is allowed by: the customer of an order signs for each blob.
#[derive(Clone, Debug)]
pub struct Permit {
    /// The chain's genesis.
    pub genesis: Hash,
    /// The order whose program names the blob.
    pub order: OrderId,
    /// The customer's key.
    pub signer: Signer,
    /// Last block at which the server may accept it.
    pub expiry: BlockNumber,
}

/// Where uploaded bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Memory.
    Bytes(Vec<u8>),
    /// A file.
    File(PathBuf),
}

/// The address of a file's bytes.
pub fn blob_of_file(path: &Path) -> Result<BlobId, BlobError> {
    let failed = |source| BlobError::File { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; SENT];
    let mut len = 0u64;
    loop {
        let read = std::io::Read::read(&mut file, &mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(BlobId { root: *hasher.finalize().as_bytes(), len });
        }
        len = len.saturating_add(read as u64);
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

/// A provider's blob server.
#[derive(Clone, Debug)]
pub struct BlobClient {
    http: Http,
    endpoint: Url,
}

impl BlobClient {
    /// The server at `endpoint`, the URL that its provider has registered.
    pub fn new(endpoint: &str) -> Result<Self, BlobError> {
        let wrong = || BlobError::Endpoint(endpoint.to_owned());
        let url = Url::parse(endpoint).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
            return Err(wrong());
        }
        let http = Http::builder()
            .user_agent(concat!("assay-client/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_LIMIT)
            .read_timeout(READ_LIMIT)
            .build()?;
        Ok(Self { http, endpoint: url })
    }

    fn url(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Url, BlobError> {
        let mut url = self.endpoint.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.path_segments_mut()
            .map_err(|()| BlobError::Endpoint(self.endpoint.to_string()))?
            .pop_if_empty()
            .push("v1")
            .extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// Whether the server has a blob of that address.
    pub async fn has(&self, blob: &BlobId) -> Result<bool, BlobError> {
        let url = self.url(&["blobs", &hex::encode(blob.root)], &[])?;
        let response = self.http.head(url).send().await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(refusal(response).await),
        }
    }

    /// Uploads a blob; `progress` hears how many bytes have gone so far. A blob that is there already is not sent again.
    pub async fn upload(
        &self,
        permit: &Permit,
        blob: &BlobId,
        source: Source,
        progress: impl FnMut(u64) + Send + Sync + 'static,
    ) -> Result<(), BlobError> {
        let mut progress = progress;
        if self.has(blob).await.unwrap_or(false) {
            progress(blob.len);
            return Ok(());
        }
        let account = permit.signer.account();
        let signature =
            permit.signer.sign(&payload::upload(&permit.genesis, permit.order, &account, blob, permit.expiry));
        let query = [("len", blob.len.to_string()), ("order", permit.order.to_string())];
        let body = match source {
            Source::Bytes(bytes) => Reader::Memory(std::io::Cursor::new(bytes)),
            Source::File(path) => match tokio::fs::File::open(&path).await {
                Ok(file) => Reader::File(file),
                Err(source) => return Err(BlobError::File { path, source }),
            },
        };
        let chunks = stream::try_unfold((body, progress, 0u64), |(mut body, mut progress, sent)| async move {
            let chunk = body.next().await?;
            if chunk.is_empty() {
                return Ok::<_, std::io::Error>(None);
            }
            let sent = sent.saturating_add(chunk.len() as u64);
            progress(sent);
            Ok(Some((chunk, (body, progress, sent))))
        });
        let response = self
            .http
            .put(self.url(&["blobs", &hex::encode(blob.root)], &query)?)
            .header("content-length", blob.len)
            .header("x-assay-account", hex::encode(account))
            .header("x-assay-expiry", permit.expiry)
            .header("x-assay-signature", hex::encode(signature))
            .body(Body::wrap_stream(chunks))
            .send()
            .await?;
        if response.status().is_success() { Ok(()) } else { Err(refusal(response).await) }
    }

    /// Downloads a blob into `sink`, each part checked before it is written; `progress` hears how many bytes are there.
    pub async fn download(
        &self,
        blob: &BlobId,
        sink: &mut (impl AsyncWrite + Unpin),
        mut progress: impl FnMut(u64),
    ) -> Result<(), BlobError> {
        let mut offset = 0;
        // An empty blob has nothing to prove.
        while offset < blob.len {
            let size = PART.min(blob.len.saturating_sub(offset));
            let bytes = self.range(blob, offset, size).await?;
            sink.write_all(&bytes).await.map_err(BlobError::Write)?;
            offset = offset.saturating_add(size);
            progress(offset);
        }
        sink.flush().await.map_err(BlobError::Write)
    }

    /// Bytes of a blob, proved against its address.
    pub async fn range(&self, blob: &BlobId, offset: u64, size: u64) -> Result<Vec<u8>, BlobError> {
        let wrong = |reason: String| BlobError::Wrong { blob: blob.root, reason };
        let range = ByteRange { offset, len: size };
        let encoding = if blob.is_zero() {
            Vec::new()
        } else {
            let query = [("len", blob.len.to_string()), ("offset", offset.to_string()), ("size", size.to_string())];
            let response = self.http.get(self.url(&["slices", &hex::encode(blob.root)], &query)?).send().await?;
            // Whole chunks at both ends, and the nodes of the tree above them.
            let limit = size.saturating_mul(2).saturating_add(16 * 1024);
            body(response, usize::try_from(limit).unwrap_or(usize::MAX)).await?
        };
        let proved = slice::verify(blob, &[range], &encoding).map_err(|error| wrong(format!("{error:?}")))?;
        proved.get(offset, size).map(<[u8]>::to_vec).ok_or_else(|| wrong("the range is not covered".into()))
    }

    /// The last state of an attempt, checked against its committed `trace_root` of a program of `launches` launches.
    pub async fn result(
        &self,
        order: OrderId,
        attempt: AttemptIndex,
        trace_root: &Hash,
        launches: u64,
    ) -> Result<Vec<BlobId>, BlobError> {
        let wrong = |reason: &str| BlobError::Wrong { blob: *trace_root, reason: reason.to_owned() };
        let url = self.url(&["orders", &order.to_string(), &attempt.to_string(), "result"], &[])?;
        let bytes = body(self.http.get(url).send().await?, MAX_RESULT).await?;
        let (blobs, path) = <(Vec<BlobId>, TracePath)>::decode_all(&mut bytes.as_slice())
            .map_err(|error| wrong(&format!("no result: {error}")))?;
        let count = trace::state_count(launches).ok_or_else(|| wrong("the program has too many launches"))?;
        let last = count.saturating_sub(1);
        if !trace::verify_path(trace_root, count, last, &trace::state_root(&blobs), &path) {
            return Err(wrong("the result is not what was committed"));
        }
        Ok(blobs)
    }

    /// The witness of a unit, not judged yet.
    pub async fn witness(&self, order: OrderId, attempt: AttemptIndex, unit: &Unit) -> Result<Witness, BlobError> {
        let [x, y, z] = unit.cta;
        let query =
            [("launch", unit.launch.to_string()), ("x", x.to_string()), ("y", y.to_string()), ("z", z.to_string())];
        let url = self.url(&["orders", &order.to_string(), &attempt.to_string(), "witness"], &query)?;
        let bytes = body(self.http.get(url).send().await?, MAX_WITNESS_BYTES as usize).await?;
        Witness::decode_all(&mut bytes.as_slice())
            .map_err(|error| BlobError::Wrong { blob: [0; 32], reason: format!("no witness: {error}") })
    }
}

enum Reader {
    Memory(std::io::Cursor<Vec<u8>>),
    File(tokio::fs::File),
}

impl Reader {
    /// The next bytes; none at the end.
    async fn next(&mut self) -> std::io::Result<Vec<u8>> {
        let mut chunk = vec![0; SENT];
        let read = match self {
            Self::Memory(cursor) => cursor.read(&mut chunk).await?,
            Self::File(file) => file.read(&mut chunk).await?,
        };
        chunk.truncate(read);
        Ok(chunk)
    }
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, BlobError> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(BlobError::Http("the answer is too long".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn refusal(mut response: Response) -> BlobError {
    let status = response.status();
    let mut message = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        message.extend_from_slice(&chunk);
        if message.len() > MAX_MESSAGE {
            break;
        }
    }
    message.truncate(MAX_MESSAGE);
    let message = String::from_utf8_lossy(&message).chars().filter(|char| !char.is_control()).collect();
    BlobError::Status { status, message }
}
