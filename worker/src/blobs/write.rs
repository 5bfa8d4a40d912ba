//! Writing one blob: hashed as it comes, named only when it is what it should be.

use super::{MAX_BLOB, Store, StoreError, at};
use assay_primitives::{BlobId, slice::Builder};
use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    sync::atomic::Ordering,
};

/// A blob on its way in. Dropped before [`Writer::finish`], it leaves nothing.
pub struct Writer {
    store: Store,
    expected: BlobId,
    file: File,
    path: PathBuf,
    hashed: Builder,
    written: u64,
    finished: bool,
}

impl Writer {
    pub(super) fn new(store: Store, expected: BlobId) -> Result<Self, StoreError> {
        if expected.len > MAX_BLOB {
            return Err(StoreError::TooLong(MAX_BLOB));
        }
        let serial = store.inner.serial.fetch_add(1, Ordering::Relaxed);
        let path = store.inner.root.join("tmp").join(format!("{}-{serial}", hex::encode(expected.root)));
        store.reserve(expected.len)?;
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(error) => {
                store.release(expected.len);
                return Err(at(&path)(error));
            }
        };
        Ok(Self { store, expected, file, path, hashed: Builder::default(), written: 0, finished: false })
    }

    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.written = self.written.saturating_add(bytes.len() as u64);
        if self.written > self.expected.len {
            return Err(StoreError::TooLong(self.expected.len));
        }
        self.file.write_all(bytes).map_err(at(&self.path))?;
        self.hashed.update(bytes);
        Ok(())
    }

    /// Keeps the blob if it is what was expected.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let hashed = std::mem::take(&mut self.hashed).finish();
        if hashed.blob != self.expected {
            return Err(StoreError::Mismatch { wanted: self.expected, found: hashed.blob });
        }
        self.file.sync_all().map_err(at(&self.path))?;
        let target = self.store.path(&self.expected.root);
        let shelf = target.parent().unwrap_or(&self.store.inner.root).to_owned();
        if !shelf.exists() {
            fs::create_dir_all(&shelf).map_err(at(&shelf))?;
            sync_folder(&self.store.inner.root)?;
        }
        let outboard = self.path.with_extension("cv");
        let mut file = File::create(&outboard).map_err(at(&outboard))?;
        file.write_all(hashed.groups.as_flattened()).map_err(at(&outboard))?;
        file.sync_all().map_err(at(&outboard))?;
        let outboard_target = self.store.outboard_path(&self.expected.root);
        fs::rename(&outboard, &outboard_target).map_err(at(&outboard_target))?;
        // Of two writers of the same blob the second finds it there, and gives its reservation back.
        let naming = self.store.naming();
        let was_there = self.store.len(&self.expected.root) == Some(self.expected.len);
        fs::rename(&self.path, &target).map_err(at(&target))?;
        drop(naming);
        sync_folder(&shelf)?;
        if was_there {
            self.store.release(self.expected.len);
        }
        self.finished = true;
        Ok(())
    }
}

fn sync_folder(path: &std::path::Path) -> Result<(), StoreError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(at(path))
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(self.path.with_extension("cv"));
            self.store.release(self.expected.len);
        }
    }
}
