//! The blob store: one flat file per blob, addressed by its hash.
//!
//! ```text
//! DIR/ab/abcd…      the bytes
//! DIR/ab/abcd….cv   the outboard: a chaining value per group of 16 KiB
//! DIR/tmp/          what is being written; emptied at start
//! ```
//! A blob appears by a rename after its bytes and its outboard are on disk, so what has a name is whole.

mod write;

pub use write::Writer;

use assay_primitives::{
    BlobId, Hash,
    slice::{GROUP, Outboard},
    witness::ByteRange,
};
use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Longest blob that is kept.
pub const MAX_BLOB: u64 = assay_primitives::program::MAX_BUFFER_LEN;

/// Why the store fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk fails.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// More bytes than the store may hold.
    #[error("the store is full: {used} of {quota} bytes are used, {wanted} more were wanted")]
    Full {
        /// Bytes in use.
        used: u64,
        /// Bytes that may be.
        quota: u64,
        /// Bytes that were asked for.
        wanted: u64,
    },
    /// There is no such blob.
    #[error("there is no blob {}", hex::encode(.0))]
    Missing(Hash),
    /// The bytes are not those of the address.
    #[error("the bytes have the hash {} and {} bytes, not {} and {}", hex::encode(.found.root), .found.len, hex::encode(.wanted.root), .wanted.len)]
    Mismatch {
        /// The address.
        wanted: BlobId,
        /// What the bytes are.
        found: BlobId,
    },
    /// More bytes came than the address has.
    #[error("more than the {0} bytes of the blob came")]
    TooLong(u64),
    /// A range that the blob does not have.
    #[error("the blob does not have this range")]
    Range,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io { path: path.to_owned(), source }
}

/// The store. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    quota: u64,
    /// Bytes of blobs and of what is being written.
    used: AtomicU64,
    /// Names the files in `tmp`.
    serial: AtomicU64,
    /// Held while a blob appears or goes, so that its bytes are counted once.
    naming: Mutex<()>,
}

impl Store {
    /// Opens the store in `root`, which is created, for at most `quota` bytes.
    pub fn open(root: impl Into<PathBuf>, quota: u64) -> Result<Self, StoreError> {
        let root = root.into();
        let tmp = root.join("tmp");
        if tmp.exists() {
            fs::remove_dir_all(&tmp).map_err(at(&tmp))?;
        }
        fs::create_dir_all(&tmp).map_err(at(&tmp))?;
        let inner = Inner { root, quota, used: AtomicU64::new(0), serial: AtomicU64::new(0), naming: Mutex::default() };
        let store = Self { inner: Arc::new(inner) };
        let used = store.list()?.into_iter().fold(0u64, |sum, blob| sum.saturating_add(blob.len));
        store.inner.used.store(used, Ordering::Relaxed);
        Ok(store)
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.inner.used.load(Ordering::Relaxed)
    }

    /// Bytes that may be used.
    pub fn quota(&self) -> u64 {
        self.inner.quota
    }

    /// The file of a blob.
    pub fn path(&self, root: &Hash) -> PathBuf {
        let name = hex::encode(root);
        self.inner.root.join(name.get(..2).unwrap_or("00")).join(name)
    }

    fn outboard_path(&self, root: &Hash) -> PathBuf {
        self.path(root).with_extension("cv")
    }

    /// Bytes of the blob with that hash, if it is here.
    pub fn len(&self, root: &Hash) -> Option<u64> {
        fs::metadata(self.path(root)).ok().filter(fs::Metadata::is_file).map(|file| file.len())
    }

    /// Whether the blob is here. Zeroed blobs always are.
    pub fn has(&self, blob: &BlobId) -> bool {
        blob.is_zero() || self.len(&blob.root) == Some(blob.len)
    }

    /// Every blob, in no order.
    pub fn list(&self) -> Result<Vec<BlobId>, StoreError> {
        let mut blobs = Vec::new();
        for shelf in fs::read_dir(&self.inner.root).map_err(at(&self.inner.root))? {
            let shelf = shelf.map_err(at(&self.inner.root))?.path();
            if !shelf.is_dir() || shelf.ends_with("tmp") {
                continue;
            }
            for file in fs::read_dir(&shelf).map_err(at(&shelf))? {
                let file = file.map_err(at(&shelf))?;
                let mut root = [0; 32];
                if hex::decode_to_slice(file.file_name().to_string_lossy().as_bytes(), &mut root).is_ok() {
                    let len = file.metadata().map_err(at(&shelf))?.len();
                    blobs.push(BlobId { root, len });
                }
            }
        }
        Ok(blobs)
    }

    /// Starts to write the blob `expected` as it comes.
    pub fn writer(&self, expected: BlobId) -> Result<Writer, StoreError> {
        Writer::new(self.clone(), expected)
    }

    /// Keeps `bytes`.
    pub fn put(&self, bytes: &[u8]) -> Result<BlobId, StoreError> {
        let blob = BlobId { root: *blake3::hash(bytes).as_bytes(), len: bytes.len() as u64 };
        if !self.has(&blob) {
            let mut writer = self.writer(blob)?;
            writer.write(bytes)?;
            writer.finish()?;
        }
        Ok(blob)
    }

    /// The whole blob, checked against its hash.
    pub fn read(&self, blob: &BlobId) -> Result<Vec<u8>, StoreError> {
        if blob.is_zero() {
            return Ok(vec![0; usize::try_from(blob.len).map_err(|_| StoreError::Range)?]);
        }
        let path = self.path(&blob.root);
        let bytes = fs::read(&path).map_err(|error| self.missing(blob, &path, error))?;
        let found = BlobId { root: *blake3::hash(&bytes).as_bytes(), len: bytes.len() as u64 };
        if found == *blob { Ok(bytes) } else { Err(StoreError::Mismatch { wanted: *blob, found }) }
    }

    fn missing(&self, blob: &BlobId, path: &Path, error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(blob.root),
            _ => at(path)(error),
        }
    }

    /// The blob's outboard.
    pub fn outboard(&self, blob: &BlobId) -> Result<Outboard, StoreError> {
        if blob.is_zero() {
            return Ok(Outboard::zero(blob.len));
        }
        if self.len(&blob.root) != Some(blob.len) {
            return Err(StoreError::Missing(blob.root));
        }
        let path = self.outboard_path(&blob.root);
        let groups = fs::read(&path).unwrap_or_default();
        let (groups, rest) = groups.as_chunks::<32>();
        if rest.is_empty() && groups.len() as u64 == blob.len.div_ceil(GROUP) {
            return Ok(Outboard { blob: *blob, groups: groups.to_vec() });
        }
        // It is derived from the blob: whatever happened to it, it can be made again.
        Ok(Outboard::new(&self.read(blob)?))
    }

    /// The bao slice of a range of the blob.
    pub fn slice(&self, blob: &BlobId, range: ByteRange) -> Result<Vec<u8>, StoreError> {
        let outboard = self.outboard(blob)?;
        if blob.is_zero() {
            return outboard.encode(&[range], |_, _| None).ok_or(StoreError::Range);
        }
        let path = self.path(&blob.root);
        let mut file = File::open(&path).map_err(|error| self.missing(blob, &path, error))?;
        let read = |offset, len| {
            let mut bytes = vec![0; usize::try_from(len).ok()?];
            file.seek(SeekFrom::Start(offset)).ok()?;
            file.read_exact(&mut bytes).ok()?;
            Some(bytes)
        };
        outboard.encode(&[range], read).ok_or(StoreError::Range)
    }

    /// Deletes every blob whose hash is not in `keep`. Returns the bytes that became free.
    pub fn retain(&self, keep: &HashSet<Hash>) -> Result<u64, StoreError> {
        let mut freed = 0u64;
        let _naming = self.naming();
        for blob in self.list()?.into_iter().filter(|blob| !keep.contains(&blob.root)) {
            let path = self.path(&blob.root);
            fs::remove_file(&path).map_err(at(&path))?;
            let _ = fs::remove_file(self.outboard_path(&blob.root));
            self.release(blob.len);
            freed = freed.saturating_add(blob.len);
        }
        Ok(freed)
    }

    fn naming(&self) -> MutexGuard<'_, ()> {
        self.inner.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self, wanted: u64) -> Result<(), StoreError> {
        let quota = self.inner.quota;
        let claim = |used: u64| used.checked_add(wanted).filter(|used| *used <= quota);
        match self.inner.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim) {
            Ok(_) => Ok(()),
            Err(used) => Err(StoreError::Full { used, quota, wanted }),
        }
    }

    fn release(&self, bytes: u64) {
        let free = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self.inner.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
    }
}

#[cfg(test)]
mod tests;
