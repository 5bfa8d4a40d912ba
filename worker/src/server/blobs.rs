//! Blobs in and out.

use super::{Refusal, Server, auth};
use crate::blobs::{MAX_BLOB, StoreError, Writer};
use assay_primitives::{BlobId, Hash, OrderId, witness::ByteRange};
use axum::{
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use serde::Deserialize;
use std::{io::SeekFrom, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    sync::mpsc,
    time::Instant,
};
use tokio_util::io::ReaderStream;

/// Longest range of one slice.
const MAX_SLICE: u64 = 4 * 1024 * 1024;
/// Bytes of a refused upload that are read, so that the client hears why instead of a broken connection.
const DRAINED: u64 = 8 * 1024 * 1024;
/// Bytes sent at a time.
const SENT: usize = 128 * 1024;
/// What every upload may take, however long the blob.
const UPLOAD_START: Duration = Duration::from_secs(60);

pub fn root(text: &str) -> Result<Hash, Refusal> {
    let mut root = [0; 32];
    hex::decode_to_slice(text, &mut root).map_err(|_| Refusal::malformed("a blob is named by 64 hex digits"))?;
    Ok(root)
}

#[derive(Deserialize)]
pub struct Upload {
    len: u64,
    order: OrderId,
}

pub async fn upload(
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(query): Query<Upload>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Refusal> {
    let admitted = admit(&server, &name, &query, &headers);
    let blob = match admitted {
        Ok(blob) => blob,
        Err(refusal) => {
            server.inner.metrics.refused.inc();
            drain(body).await;
            return Err(refusal);
        }
    };
    if server.inner.store.has(&blob) {
        drain(body).await;
        return Ok(StatusCode::OK);
    }
    let permit = server.inner.uploads.try_acquire().map_err(|_| Refusal::busy())?;
    let result = receive(&server, blob, body).await;
    drop(permit);
    server.inner.desk.arrived();
    match &result {
        Ok(_) => tracing::info!("order {}: input {} is here ({} bytes)", query.order, short(&blob.root), blob.len),
        Err(refusal) => tracing::warn!("order {}: input {} was refused: {refusal:?}", query.order, short(&blob.root)),
    }
    result
}

fn short(root: &Hash) -> String {
    hex::encode(root.get(..4).unwrap_or_default())
}

fn admit(server: &Server, name: &str, query: &Upload, headers: &HeaderMap) -> Result<BlobId, Refusal> {
    let blob = BlobId { root: root(name)?, len: query.len };
    if blob.len > MAX_BLOB {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a blob has {MAX_BLOB} bytes at most")));
    }
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|announced| announced != blob.len) {
        return Err(Refusal::malformed("the body has another length than the blob"));
    }
    auth::check(server, headers, query.order, &blob)?;
    Ok(blob)
}

async fn receive(server: &Server, blob: BlobId, body: Body) -> Result<StatusCode, Refusal> {
    let inner = &server.inner;
    let writer = inner.store.writer(blob)?;
    let (to_disk, chunks) = mpsc::channel(8);
    let writing = tokio::task::spawn_blocking(move || write(writer, chunks));
    let rate = inner.limits.upload_rate.max(1);
    let deadline = Instant::now() + UPLOAD_START + Duration::from_secs(blob.len.checked_div(rate).unwrap_or(0));
    let mut stream = body.into_data_stream();
    let broken = loop {
        let next = tokio::time::timeout_at(deadline, tokio::time::timeout(inner.limits.silence, stream.next())).await;
        let chunk = match next {
            Ok(Ok(Some(Ok(chunk)))) => chunk,
            Ok(Ok(None)) => break None,
            Ok(Ok(Some(Err(error)))) => break Some(Refusal::malformed(format!("the upload broke off: {error}"))),
            Ok(Err(_)) | Err(_) => break Some(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the upload is too slow")),
        };
        inner.metrics.uploaded.inc_by(chunk.len() as u64);
        inner.desk.arrived();
        if to_disk.send(Some(chunk)).await.is_err() {
            // The writer has given up, and says why below.
            break None;
        }
    };
    if broken.is_none() {
        let _ = to_disk.send(None).await;
    }
    drop(to_disk);
    let written = writing.await.map_err(|error| Refusal::internal(&error))?;
    match (broken, written) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(())) => Ok(StatusCode::CREATED),
        (None, Err(error @ StoreError::TooLong(_))) => {
            Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
        }
        (None, Err(error)) => Err(error.into()),
    }
}

/// Writes chunks until `None`; without it the upload broke off, and nothing stays.
fn write(mut writer: Writer, mut chunks: mpsc::Receiver<Option<axum::body::Bytes>>) -> Result<(), StoreError> {
    while let Some(message) = chunks.blocking_recv() {
        match message {
            Some(chunk) => writer.write(&chunk)?,
            None => return writer.finish(),
        }
    }
    Ok(())
}

async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    let mut left = DRAINED;
    let deadline = Instant::now() + Duration::from_secs(5);
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout_at(deadline, stream.next()).await {
        left = left.saturating_sub(chunk.len() as u64);
        if left == 0 {
            return;
        }
    }
}

pub async fn download(
    State(server): State<Server>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let root = root(&name)?;
    let store = &server.inner.store;
    let len = store.len(&root).ok_or(StoreError::Missing(root))?;
    let range = match headers.get(header::RANGE) {
        Some(value) => {
            Some(value.to_str().ok().and_then(|value| parse_range(value, len)).ok_or_else(|| unsatisfied(len))?)
        }
        None => None,
    };
    let (start, size) = range.unwrap_or((0, len));
    let failed = |error: std::io::Error| Refusal::internal(&error);
    let mut file = tokio::fs::File::open(store.path(&root)).await.map_err(failed)?;
    file.seek(SeekFrom::Start(start)).await.map_err(failed)?;
    let metrics = server.inner.metrics.clone();
    let stream = ReaderStream::with_capacity(file.take(size), SENT).inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            metrics.served.inc_by(chunk.len() as u64);
        }
    });
    let mut response = Response::new(Body::from_stream(stream));
    let answers = response.headers_mut();
    answers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    answers.insert(header::ACCEPT_RANGES, header::HeaderValue::from_static("bytes"));
    answers.insert(header::CONTENT_LENGTH, size.into());
    if let Ok(etag) = format!("\"{name}\"").parse() {
        answers.insert(header::ETAG, etag);
    }
    if range.is_some() {
        let last = start.saturating_add(size).saturating_sub(1);
        if let Ok(value) = format!("bytes {start}-{last}/{len}").parse() {
            answers.insert(header::CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn unsatisfied(len: u64) -> Refusal {
    Refusal::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("the blob has {len} bytes; one range is served at a time"))
}

/// Offset and size of the one range in a `Range` header.
fn parse_range(value: &str, len: u64) -> Option<(u64, u64)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let size = last.parse::<u64>().ok()?.min(len);
        return (size > 0).then_some((len.checked_sub(size)?, size));
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    let end = last.min(len.checked_sub(1)?);
    (first <= end).then_some((first, end.checked_sub(first)?.checked_add(1)?))
}

#[derive(Deserialize)]
pub struct Slice {
    len: u64,
    offset: u64,
    size: u64,
}

pub async fn slice(
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(query): Query<Slice>,
) -> Result<impl IntoResponse, Refusal> {
    let blob = BlobId { root: root(&name)?, len: query.len };
    if query.size > MAX_SLICE {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a slice covers {MAX_SLICE} bytes at most")));
    }
    let range = ByteRange { offset: query.offset, len: query.size };
    let store = server.inner.store.clone();
    let bytes = tokio::task::spawn_blocking(move || store.slice(&blob, range))
        .await
        .map_err(|error| Refusal::internal(&error))??;
    server.inner.metrics.served.inc_by(bytes.len() as u64);
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

#[cfg(test)]
mod range_tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_says_and_clipped() {
        assert_eq!(parse_range("bytes=0-9", 100), Some((0, 10)));
        assert_eq!(parse_range("bytes=90-200", 100), Some((90, 10)));
        assert_eq!(parse_range("bytes=90-", 100), Some((90, 10)));
        assert_eq!(parse_range("bytes=-7", 100), Some((93, 7)));
        assert_eq!(parse_range("bytes=-700", 100), Some((0, 100)));
    }

    #[test]
    fn what_is_no_range_of_the_blob_is_refused() {
        for value in
            ["bytes=100-", "bytes=9-8", "bytes=-0", "bytes=", "bytes=-", "bytes=a-b", "lines=0-1", "bytes=0-1,4-5"]
        {
            assert_eq!(parse_range(value, 100), None, "{value}");
        }
        assert_eq!(parse_range("bytes=0-0", 0), None);
    }
}
