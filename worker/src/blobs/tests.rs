#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use assay_primitives::slice;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("blobs"), 1 << 30).unwrap();
    (folder, store)
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 31 + index / 251) as u8).collect()
}

fn files(store: &Store) -> usize {
    fn count(path: &Path) -> usize {
        fs::read_dir(path)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                if path.is_dir() { count(&path) } else { 1 }
            })
            .sum()
    }
    count(&store.inner.root)
}

#[test]
fn a_blob_reads_back_and_its_address_is_plain_blake3() {
    let (_folder, store) = store();
    for len in [0, 1, 1023, 1024, 1025, 16 * 1024, 16 * 1024 + 1, 100_000] {
        let bytes = sample(len);
        let blob = store.put(&bytes).unwrap();
        assert_eq!(blob.root, *blake3::hash(&bytes).as_bytes());
        assert!(store.has(&blob));
        assert_eq!(store.read(&blob).unwrap(), bytes);
        assert_eq!(store.outboard(&blob).unwrap(), Outboard::new(&bytes));
    }
}

#[test]
fn slices_of_stored_blobs_verify() {
    let (_folder, store) = store();
    let bytes = sample(70_000);
    let blob = store.put(&bytes).unwrap();
    for (offset, len) in [(0, 1), (0, 70_000), (16_383, 2), (69_999, 1), (20_000, 40_000)] {
        let range = ByteRange { offset, len };
        let proved = slice::verify(&blob, &[range], &store.slice(&blob, range).unwrap()).unwrap();
        assert_eq!(proved.get(offset, len).unwrap(), &bytes[offset as usize..(offset + len) as usize]);
    }
    assert!(matches!(store.slice(&blob, ByteRange { offset: 70_000, len: 1 }), Err(StoreError::Range)));
    assert!(matches!(store.slice(&blob, ByteRange { offset: 0, len: 0 }), Err(StoreError::Range)));
}

#[test]
fn bytes_of_another_hash_or_length_leave_nothing_behind() {
    let (_folder, store) = store();
    let bytes = sample(5000);
    let right = BlobId { root: *blake3::hash(&bytes).as_bytes(), len: 5000 };

    let mut writer = store.writer(BlobId { root: [7; 32], len: 5000 }).unwrap();
    writer.write(&bytes).unwrap();
    assert!(matches!(writer.finish(), Err(StoreError::Mismatch { .. })));

    let mut writer = store.writer(right).unwrap();
    writer.write(&bytes[..4999]).unwrap();
    assert!(matches!(writer.finish(), Err(StoreError::Mismatch { .. })));

    let mut writer = store.writer(right).unwrap();
    writer.write(&bytes).unwrap();
    assert!(matches!(writer.write(&[0]), Err(StoreError::TooLong(5000))));
    drop(writer);

    let mut writer = store.writer(right).unwrap();
    writer.write(&bytes[..100]).unwrap();
    drop(writer);

    assert_eq!(files(&store), 0);
    assert_eq!(store.used(), 0);
}

#[test]
fn the_quota_counts_what_is_being_written_and_two_writers_of_one_blob_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 10_000).unwrap();
    let bytes = sample(4000);
    let blob = BlobId { root: *blake3::hash(&bytes).as_bytes(), len: 4000 };
    let (mut first, mut second) = (store.writer(blob).unwrap(), store.writer(blob).unwrap());
    assert!(matches!(store.writer(BlobId { root: [1; 32], len: 4000 }), Err(StoreError::Full { .. })));
    first.write(&bytes).unwrap();
    second.write(&bytes).unwrap();
    first.finish().unwrap();
    second.finish().unwrap();
    assert_eq!(store.used(), 4000);
    assert_eq!(store.read(&blob).unwrap(), bytes);
}

#[test]
fn what_was_being_written_is_gone_after_a_restart_and_blobs_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 1 << 20).unwrap();
    let blob = store.put(&sample(3000)).unwrap();
    let mut writer = store.writer(BlobId { root: [9; 32], len: 100 }).unwrap();
    writer.write(&[1, 2, 3]).unwrap();
    std::mem::forget(writer);
    let store = Store::open(folder.path(), 1 << 20).unwrap();
    assert_eq!(store.used(), 3000);
    assert_eq!(store.list().unwrap(), vec![blob]);
    assert_eq!(files(&store), 2);
}

#[test]
fn a_lost_or_torn_outboard_is_made_again() {
    let (_folder, store) = store();
    let bytes = sample(40_000);
    let blob = store.put(&bytes).unwrap();
    fs::write(store.outboard_path(&blob.root), [1, 2, 3]).unwrap();
    assert_eq!(store.outboard(&blob).unwrap(), Outboard::new(&bytes));
    fs::remove_file(store.outboard_path(&blob.root)).unwrap();
    assert_eq!(store.outboard(&blob).unwrap(), Outboard::new(&bytes));
}

#[test]
fn a_rotten_blob_is_told_and_not_served_as_good() {
    let (_folder, store) = store();
    let mut bytes = sample(4000);
    let blob = store.put(&bytes).unwrap();
    bytes[1234] ^= 1;
    fs::write(store.path(&blob.root), &bytes).unwrap();
    assert!(matches!(store.read(&blob), Err(StoreError::Mismatch { .. })));
}

#[test]
fn what_nobody_keeps_is_deleted_and_zeroed_blobs_need_no_file() {
    let (_folder, store) = store();
    let (kept, lost) = (store.put(&sample(1000)).unwrap(), store.put(&sample(2000)).unwrap());
    assert_eq!(store.retain(&HashSet::from([kept.root])).unwrap(), 2000);
    assert!(store.has(&kept) && !store.has(&lost));
    assert_eq!(store.used(), 1000);
    let zero = BlobId::zero(5000);
    assert!(store.has(&zero));
    assert_eq!(store.read(&zero).unwrap(), vec![0; 5000]);
    let range = ByteRange { offset: 10, len: 20 };
    assert!(slice::verify(&zero, &[range], &store.slice(&zero, range).unwrap()).unwrap().get(10, 20).is_some());
}
