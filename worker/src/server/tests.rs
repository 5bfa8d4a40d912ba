#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::desk::Admission;
use assay_client::{
    BlobClient, Signer,
    blobs::{BlobError, Permit, Source},
};
use assay_primitives::BlobId;
use reqwest::StatusCode;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

const GENESIS: [u8; 32] = [5; 32];
const ORDER: u64 = 7;
const HEIGHT: u32 = 100;

/// A server on loopback with one order of Charlie's.
struct Stand {
    folder: tempfile::TempDir,
    store: Store,
    desk: Arc<Desk>,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 7 + index / 253) as u8).collect()
}

fn id(bytes: &[u8]) -> BlobId {
    BlobId { root: *blake3::hash(bytes).as_bytes(), len: bytes.len() as u64 }
}

impl Stand {
    async fn with(quota: u64, limits: Limits, blobs: Vec<BlobId>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("blobs"), quota).unwrap();
        let desk = Arc::new(Desk::default());
        desk.set_genesis(GENESIS);
        desk.set_height(HEIGHT);
        desk.admit(ORDER, Admission { customer: charlie().account(), blobs });
        let cache = Arc::new(Cache::new(store.clone(), 1 << 20));
        let metrics = Metrics::new().unwrap();
        let server = Server::new(store.clone(), desk.clone(), cache, metrics, limits, "cpu".into(), None);
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(server.serve(listener, async move { drop(stopped.await) }));
        Self { folder, store, desk, address, _stop: stop }
    }

    async fn new(blobs: Vec<BlobId>) -> Self {
        Self::with(1 << 30, Limits::default(), blobs).await
    }

    fn client(&self) -> BlobClient {
        BlobClient::new(&format!("http://{}", self.address)).unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn files(&self) -> usize {
        fn count(path: PathBuf) -> usize {
            let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { count(path) } else { 1 }).sum()
        }
        count(self.folder.path().join("blobs"))
    }
}

fn charlie() -> Signer {
    Signer::parse("//Charlie").unwrap()
}

fn permit() -> Permit {
    Permit { genesis: GENESIS, order: ORDER, signer: charlie(), expiry: HEIGHT + 50 }
}

async fn upload(stand: &Stand, permit: &Permit, blob: &BlobId, bytes: &[u8]) -> Result<(), BlobError> {
    stand.client().upload(permit, blob, Source::Bytes(bytes.to_vec()), |_| {}).await
}

fn status(result: Result<(), BlobError>) -> StatusCode {
    match result {
        Err(BlobError::Status { status, .. }) => status,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_uploaded_is_downloaded_and_the_progress_is_told() {
    let bytes = sample(3_000_000);
    let blob = id(&bytes);
    let stand = Stand::new(vec![blob]).await;
    let file = stand.folder.path().join("input");
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(assay_client::blobs::blob_of_file(&file).unwrap(), blob);
    let seen = Arc::new(AtomicU64::new(0));
    let progress = {
        let seen = seen.clone();
        move |sent| seen.store(sent, Ordering::Relaxed)
    };
    assert!(!stand.client().has(&blob).await.unwrap());
    stand.client().upload(&permit(), &blob, Source::File(file), progress).await.unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 3_000_000);
    assert!(stand.client().has(&blob).await.unwrap());
    upload(&stand, &permit(), &blob, &bytes).await.unwrap();

    let mut copy = Vec::new();
    let mut parts = 0;
    stand.client().download(&blob, &mut copy, |_| parts += 1).await.unwrap();
    assert_eq!(copy, bytes);
    assert_eq!(parts, 3);
}

#[tokio::test]
async fn bytes_of_another_hash_or_length_are_refused_and_leave_nothing() {
    let bytes = sample(100_000);
    let blob = id(&bytes);
    let other = BlobId { root: [9; 32], len: blob.len };
    let stand = Stand::new(vec![blob, other, BlobId { len: 99_999, ..blob }]).await;
    assert_eq!(status(upload(&stand, &permit(), &other, &bytes).await), StatusCode::UNPROCESSABLE_ENTITY);
    let short = BlobId { len: 99_999, ..blob };
    assert_eq!(status(upload(&stand, &permit(), &short, &bytes[..99_999]).await), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stand.files(), 0);
    assert_eq!(stand.store.used(), 0);
}

#[tokio::test]
async fn only_the_customer_of_the_order_uploads_and_only_what_its_program_names() {
    let bytes = sample(1000);
    let blob = id(&bytes);
    let stand = Stand::new(vec![blob]).await;
    let stranger = Permit { signer: Signer::parse("//Eve").unwrap(), ..permit() };
    assert_eq!(status(upload(&stand, &stranger, &blob, &bytes).await), StatusCode::FORBIDDEN);
    let elsewhere = Permit { order: 8, ..permit() };
    assert_eq!(status(upload(&stand, &elsewhere, &blob, &bytes).await), StatusCode::FORBIDDEN);
    let unnamed = sample(1001);
    assert_eq!(status(upload(&stand, &permit(), &id(&unnamed), &unnamed).await), StatusCode::FORBIDDEN);
    let replayed = Permit { genesis: [6; 32], ..permit() };
    assert_eq!(status(upload(&stand, &replayed, &blob, &bytes).await), StatusCode::UNAUTHORIZED);
    stand.desk.dismiss(ORDER);
    assert_eq!(status(upload(&stand, &permit(), &blob, &bytes).await), StatusCode::FORBIDDEN);
    assert_eq!(stand.files(), 0);
}

#[tokio::test]
async fn an_expired_or_endless_permit_is_refused() {
    let bytes = sample(1000);
    let blob = id(&bytes);
    let stand = Stand::new(vec![blob]).await;
    for expiry in [HEIGHT - 1, HEIGHT + 1_000_000] {
        let refused = upload(&stand, &Permit { expiry, ..permit() }, &blob, &bytes).await;
        assert_eq!(status(refused), StatusCode::UNAUTHORIZED, "{expiry}");
    }
    upload(&stand, &Permit { expiry: HEIGHT, ..permit() }, &blob, &bytes).await.unwrap();
}

#[tokio::test]
async fn a_signature_over_anything_else_is_refused() {
    let bytes = sample(1000);
    let blob = id(&bytes);
    let stand = Stand::new(vec![blob]).await;
    let http = reqwest::Client::new();
    let send = |signature: String| {
        http.put(stand.url(&format!("/v1/blobs/{}?len=1000&order={ORDER}", hex::encode(blob.root))))
            .header("x-assay-account", charlie().address())
            .header("x-assay-expiry", HEIGHT + 1)
            .header("x-assay-signature", signature)
            .body(bytes.clone())
            .send()
    };
    let foreign = hex::encode(charlie().sign(&[1; 32]));
    assert_eq!(send(foreign).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send("00".repeat(64)).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send("zz".into()).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let right = assay_primitives::payload::upload(&GENESIS, ORDER, &charlie().account(), &blob, HEIGHT + 1);
    assert_eq!(send(format!("0x{}", hex::encode(charlie().sign(&right)))).await.unwrap().status(), StatusCode::CREATED);
    let bare = http.put(stand.url(&format!("/v1/blobs/{}?len=1000&order=7", hex::encode(blob.root)))).body(bytes);
    assert_eq!(bare.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn malformed_requests_are_told_what_is_wrong() {
    let stand = Stand::new(vec![]).await;
    let http = reqwest::Client::new();
    let root = "00".repeat(32);
    for (path, expected) in [
        ("/v1/blobs/xyz".to_owned(), StatusCode::BAD_REQUEST),
        (format!("/v1/blobs/{root}"), StatusCode::NOT_FOUND),
        (format!("/v1/slices/{root}?len=10&offset=0&size=1"), StatusCode::NOT_FOUND),
        (format!("/v1/slices/{root}?len=10&offset=0"), StatusCode::BAD_REQUEST),
        (format!("/v1/slices/{root}?len=10&offset=0&size=99999999"), StatusCode::PAYLOAD_TOO_LARGE),
        ("/v1/orders/1/0/witness?launch=0&x=0&y=0&z=0".to_owned(), StatusCode::NOT_FOUND),
        ("/v1/orders/1/0/witness?launch=-1&x=0&y=0&z=0".to_owned(), StatusCode::BAD_REQUEST),
        ("/v1/orders/1/0/result".to_owned(), StatusCode::NOT_FOUND),
        ("/v1/orders/x/0/result".to_owned(), StatusCode::BAD_REQUEST),
        ("/v2".to_owned(), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(http.get(stand.url(&path)).send().await.unwrap().status(), expected, "{path}");
    }
    let huge = format!("/v1/blobs/{root}?len=99999999999999&order=7");
    assert_eq!(http.put(stand.url(&huge)).body("").send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    let unequal = format!("/v1/blobs/{root}?len=10&order=7");
    assert_eq!(http.put(stand.url(&unequal)).body("12345").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn ranges_are_served_as_http_says() {
    let bytes = sample(10_000);
    let stand = Stand::new(vec![]).await;
    let blob = stand.store.put(&bytes).unwrap();
    let http = reqwest::Client::new();
    let url = stand.url(&format!("/v1/blobs/{}", hex::encode(blob.root)));
    let part = http.get(&url).header("range", "bytes=100-199").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"], "bytes 100-199/10000");
    assert_eq!(part.bytes().await.unwrap(), bytes[100..200]);
    let whole = http.get(&url).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.bytes().await.unwrap(), bytes);
    let head = http.head(&url).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "10000");
    let beyond = http.get(&url).header("range", "bytes=10000-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

#[tokio::test]
async fn slices_are_proved_and_a_server_that_lies_about_bytes_is_caught() {
    let bytes = sample(200_000);
    let stand = Stand::new(vec![]).await;
    let blob = stand.store.put(&bytes).unwrap();
    assert_eq!(stand.client().range(&blob, 50_000, 70_000).await.unwrap(), bytes[50_000..120_000]);
    let mut rotten = bytes.clone();
    rotten[60_000] ^= 1;
    std::fs::write(stand.store.path(&blob.root), &rotten).unwrap();
    assert!(matches!(stand.client().range(&blob, 50_000, 70_000).await, Err(BlobError::Wrong { .. })));
    let mut copy = Vec::new();
    assert!(matches!(stand.client().download(&blob, &mut copy, |_| {}).await, Err(BlobError::Wrong { .. })));
    let zero = BlobId::zero(5000);
    assert_eq!(stand.client().range(&zero, 10, 100).await.unwrap(), vec![0; 100]);
}

#[tokio::test]
async fn the_same_blob_uploaded_by_many_at_once_is_kept_once() {
    let bytes = sample(400_000);
    let blob = id(&bytes);
    let stand = Stand::new(vec![blob]).await;
    let permit = permit();
    let all = (0..8).map(|_| upload(&stand, &permit, &blob, &bytes));
    for result in futures::future::join_all(all).await {
        result.unwrap();
    }
    assert_eq!(stand.store.read(&blob).unwrap(), bytes);
    assert_eq!(stand.store.used(), 400_000);
    assert_eq!(stand.files(), 2);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let bytes = sample(100_000);
    let blob = id(&bytes);
    let stand = Stand::new(vec![blob]).await;
    let digest = assay_primitives::payload::upload(&GENESIS, ORDER, &charlie().account(), &blob, HEIGHT);
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    let request = format!(
        "PUT /v1/blobs/{}?len=100000&order={ORDER} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\nx-assay-account: {}\r\nx-assay-expiry: {HEIGHT}\r\nx-assay-signature: {}\r\n\r\n",
        hex::encode(blob.root),
        charlie().address(),
        hex::encode(charlie().sign(&digest)),
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..60_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(stand.files(), 1, "the upload is under way");
    drop(stream);
    for _ in 0..100 {
        if stand.files() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stand.files(), 0);
    assert_eq!(stand.store.used(), 0);
    assert!(!stand.store.has(&blob));
}

#[tokio::test]
async fn a_full_store_says_so() {
    let bytes = sample(5000);
    let blob = id(&bytes);
    let stand = Stand::with(4000, Limits::default(), vec![blob]).await;
    assert_eq!(status(upload(&stand, &permit(), &blob, &bytes).await), StatusCode::INSUFFICIENT_STORAGE);
}

#[tokio::test]
async fn a_peer_that_keeps_silent_is_let_go_and_the_others_are_served() {
    let limits = Limits { connections: 2, silence: Duration::from_millis(300), ..Limits::default() };
    let stand = Stand::with(1 << 20, limits, vec![]).await;
    let mut mute = TcpStream::connect(stand.address).await.unwrap();
    let mut slow = TcpStream::connect(stand.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let response = reqwest::get(stand.url("/healthz")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), mute.read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn health_and_metrics_answer() {
    let stand = Stand::new(vec![]).await;
    let health = reqwest::get(stand.url("/healthz")).await.unwrap().text().await.unwrap();
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["bestBlock"], HEIGHT);
    let metrics = reqwest::get(stand.url("/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("assay_worker_stored_bytes 0"), "{metrics}");
}
