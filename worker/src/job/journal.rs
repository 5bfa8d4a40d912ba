//! The journal: one file per job, replaced as a whole. A file is a magic line, the BLAKE3 of the rest, and the record's SCALE
//! encoding; one that does not check is set aside, and the chain tells what was claimed.

use super::record::Record;
use assay_primitives::{AttemptIndex, OrderId};
use codec::{DecodeAll, Encode};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

const MAGIC: &[u8] = b"assay job 1\n";

/// A folder of records.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
}

/// The journal's disk fails.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", .path.display())]
pub struct JournalError {
    path: PathBuf,
    source: io::Error,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    move |source| JournalError { path: path.to_owned(), source }
}

impl Journal {
    /// Opens the journal in `folder`, which is created.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder })
    }

    fn path(&self, order: OrderId, attempt: AttemptIndex) -> PathBuf {
        self.folder.join(format!("{order}-{attempt}.job"))
    }

    /// Keeps `record` in the place of what was kept of its job. When this returns, it is on disk.
    pub fn save(&self, record: &Record) -> Result<(), JournalError> {
        let body = record.encode();
        let path = self.path(record.order, record.attempt);
        let next = path.with_extension("tmp");
        let mut file = File::create(&next).map_err(at(&next))?;
        let bytes = [MAGIC, blake3::hash(&body).as_bytes(), &body].concat();
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(at(&next))?;
        fs::rename(&next, &path).map_err(at(&path))?;
        self.sync()
    }

    /// Forgets a job.
    pub fn remove(&self, order: OrderId, attempt: AttemptIndex) -> Result<(), JournalError> {
        let path = self.path(order, attempt);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => self.sync(),
        }
    }

    /// Every record. Files that do not check are renamed to `….broken`.
    pub fn load(&self) -> Result<Vec<Record>, JournalError> {
        let mut records = Vec::new();
        for file in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let path = file.map_err(at(&self.folder))?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("job") => {}
                Some("tmp") => {
                    fs::remove_file(&path).map_err(at(&path))?;
                    continue;
                }
                _ => continue,
            }
            match read(&fs::read(&path).map_err(at(&path))?) {
                Some(record) if path == self.path(record.order, record.attempt) => records.push(record),
                _ => {
                    let aside = path.with_extension("broken");
                    tracing::error!("{} is broken: set aside as {}", path.display(), aside.display());
                    fs::rename(&path, &aside).map_err(at(&aside))?;
                }
            }
        }
        records.sort_by_key(|record| (record.order, record.attempt));
        Ok(records)
    }

    fn sync(&self) -> Result<(), JournalError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at(&self.folder))
    }
}

fn read(bytes: &[u8]) -> Option<Record> {
    let (hash, body) = bytes.strip_prefix(MAGIC)?.split_at_checked(32)?;
    if blake3::hash(body).as_bytes() != hash {
        return None;
    }
    Record::decode_all(&mut &*body).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::job::record::{Execution, Stage};
    use assay_primitives::{BlobId, Program};

    fn record(order: OrderId, stage: Stage) -> Record {
        let program = Program { kernels: Default::default(), buffers: Default::default(), steps: Default::default() };
        Record { order, attempt: 1, provider: [1; 32], customer: [2; 32], program, kernels: vec![], stage }
    }

    fn executed() -> Stage {
        let states = vec![vec![BlobId::zero(8)]; 3];
        Stage::Executed(Execution { states, lane_steps: Some(7), trap: None })
    }

    #[test]
    fn records_read_back_and_a_later_one_takes_the_place_of_an_earlier() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.save(&record(3, Stage::Claiming)).unwrap();
        journal.save(&record(3, executed())).unwrap();
        journal.save(&record(2, Stage::Claimed)).unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.load().unwrap(), vec![record(2, Stage::Claimed), record(3, executed())]);
        journal.remove(2, 1).unwrap();
        journal.remove(2, 1).unwrap();
        assert_eq!(journal.load().unwrap(), vec![record(3, executed())]);
    }

    #[test]
    fn a_record_torn_at_any_byte_is_set_aside_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.save(&record(1, Stage::Claimed)).unwrap();
        journal.save(&record(9, executed())).unwrap();
        let whole = fs::read(journal.path(9, 1)).unwrap();
        for len in 0..whole.len() {
            fs::write(journal.path(9, 1), &whole[..len]).unwrap();
            assert_eq!(journal.load().unwrap(), vec![record(1, Stage::Claimed)], "torn at {len}");
        }
        for index in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[index] ^= 1;
            fs::write(journal.path(9, 1), &flipped).unwrap();
            assert_eq!(journal.load().unwrap(), vec![record(1, Stage::Claimed)], "flipped at {index}");
        }
        fs::write(journal.path(9, 1), &whole).unwrap();
        assert_eq!(journal.load().unwrap().len(), 2);
    }

    #[test]
    fn a_write_that_did_not_reach_its_rename_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.save(&record(4, Stage::Claimed)).unwrap();
        fs::write(journal.path(4, 1).with_extension("tmp"), b"half").unwrap();
        assert_eq!(journal.load().unwrap(), vec![record(4, Stage::Claimed)]);
        assert!(!journal.path(4, 1).with_extension("tmp").exists());
    }

    #[test]
    fn a_record_under_another_jobs_name_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.save(&record(4, Stage::Claimed)).unwrap();
        fs::rename(journal.path(4, 1), journal.path(5, 1)).unwrap();
        assert_eq!(journal.load().unwrap(), vec![]);
    }
}
