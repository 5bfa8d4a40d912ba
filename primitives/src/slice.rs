//! Slices: proved ranges of a blob, in the bao pre-order encoding of whole 1 KiB chunks, without the length header (the
//! length is bound in [`BlobId`]). One verifier serves the wire, the auditors and the runtime.

use crate::{BlobId, Hash, witness::ByteRange};
use alloc::vec::Vec;
use blake3::hazmat::{ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root};

/// Why a slice proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceError {
    /// Ranges are empty, unsorted, overlapping, touching or outside the blob.
    Ranges,
    /// The encoding ends early.
    Short,
    /// The encoding goes on after its end.
    Trailing,
    /// A hash does not match.
    Mismatch,
}

/// Bytes of one BLAKE3 chunk.
pub const CHUNK: u64 = 1024;
/// Bytes of one group of chunks: what an [`Outboard`] keeps a chaining value of.
pub const GROUP: u64 = 16 * 1024;

/// The chaining values of a blob's groups: with them, a range is proved without hashing more than the groups it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outboard {
    /// The blob.
    pub blob: BlobId,
    /// One per group of [`GROUP`] bytes, left to right; empty for [`BlobId::zero`].
    pub groups: Vec<Hash>,
}

/// Ranges of a blob whose bytes are proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proved {
    /// Whole chunks: (offset of the first byte, bytes), sorted, disjoint.
    pub runs: Vec<(u64, Vec<u8>)>,
}

impl Proved {
    /// The bytes at `[offset, offset + len)`, if they are all proved.
    pub fn get(&self, offset: u64, len: u64) -> Option<&[u8]> {
        let after = self.runs.partition_point(|(start, _)| *start <= offset);
        let (start, bytes) = self.runs.get(after.checked_sub(1)?)?;
        let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
        bytes.get(from..from.checked_add(usize::try_from(len).ok()?)?)
    }

    fn push(&mut self, offset: u64, bytes: &[u8]) {
        match self.runs.last_mut() {
            Some((start, run)) if start.checked_add(run.len() as u64) == Some(offset) => run.extend_from_slice(bytes),
            _ => self.runs.push((offset, bytes.to_vec())),
        }
    }
}

/// Ranges sorted, disjoint, not touching, not empty, inside `len` bytes.
fn canonical(ranges: &[ByteRange], len: u64) -> Result<(), SliceError> {
    let mut free = 0;
    for (position, range) in ranges.iter().enumerate() {
        let end = range.offset.checked_add(range.len).ok_or(SliceError::Ranges)?;
        if range.len == 0 || end > len || range.offset < free || (position > 0 && range.offset == free) {
            return Err(SliceError::Ranges);
        }
        free = end;
    }
    Ok(())
}

/// The part of `ranges` that touches `[start, end)`.
fn touching(ranges: &[ByteRange], start: u64, end: u64) -> &[ByteRange] {
    let from = ranges.partition_point(|range| range.offset.saturating_add(range.len) <= start);
    let to = ranges.partition_point(|range| range.offset < end);
    ranges.get(from..to).unwrap_or(&[])
}

fn subtree(bytes: &[u8], offset: u64) -> ChainingValue {
    blake3::Hasher::new().set_input_offset(offset).update(bytes).finalize_non_root()
}

/// Chaining value, or root, of two halves.
fn merge(left: &ChainingValue, right: &ChainingValue, is_root: bool) -> Hash {
    if is_root {
        *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
    } else {
        merge_subtrees_non_root(left, right, Mode::Hash)
    }
}

struct Verifier<'a> {
    encoding: &'a [u8],
    proved: Proved,
}

impl<'a> Verifier<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], SliceError> {
        let (head, tail) = self.encoding.split_at_checked(len).ok_or(SliceError::Short)?;
        self.encoding = tail;
        Ok(head)
    }

    /// One subtree over `[start, end)` whose hash is `expected`. Depth is at most 54, the depth of a blob of 2⁶⁴ bytes.
    fn node(
        &mut self,
        start: u64,
        end: u64,
        expected: &Hash,
        is_root: bool,
        ranges: &[ByteRange],
    ) -> Result<(), SliceError> {
        let ranges = touching(ranges, start, end);
        // The root of an empty selection is still hashed by nobody: nothing is claimed of it.
        if ranges.is_empty() {
            return Ok(());
        }
        let len = end.saturating_sub(start);
        if len <= CHUNK {
            let bytes = self.take(usize::try_from(len).map_err(|_| SliceError::Short)?)?;
            let hash = if is_root { *blake3::hash(bytes).as_bytes() } else { subtree(bytes, start) };
            if hash != *expected {
                return Err(SliceError::Mismatch);
            }
            self.proved.push(start, bytes);
            return Ok(());
        }
        let (left, right) = self.take(64)?.split_at_checked(32).ok_or(SliceError::Short)?;
        let left: Hash = left.try_into().map_err(|_| SliceError::Short)?;
        let right: Hash = right.try_into().map_err(|_| SliceError::Short)?;
        if merge(&left, &right, is_root) != *expected {
            return Err(SliceError::Mismatch);
        }
        let middle = start.saturating_add(left_subtree_len(len));
        self.node(start, middle, &left, false, ranges)?;
        self.node(middle, end, &right, false, ranges)
    }
}

/// Checks `encoding` against `blob` for exactly the chunks that `ranges` touch. A zeroed blob is proved by its address: its
/// encoding is empty, and the ranges themselves, not whole chunks, are proved.
pub fn verify(blob: &BlobId, ranges: &[ByteRange], encoding: &[u8]) -> Result<Proved, SliceError> {
    canonical(ranges, blob.len)?;
    let mut verifier = Verifier { encoding, proved: Proved::default() };
    if blob.is_zero() {
        for range in ranges {
            let len = usize::try_from(range.len).map_err(|_| SliceError::Ranges)?;
            verifier.proved.push(range.offset, &alloc::vec![0; len]);
        }
    } else {
        verifier.node(0, blob.len, &blob.root, true, ranges)?;
    }
    if verifier.encoding.is_empty() { Ok(verifier.proved) } else { Err(SliceError::Trailing) }
}

/// Hashes a blob as it comes, in pieces of any length.
pub struct Builder {
    group: blake3::Hasher,
    /// Bytes in `group`.
    filled: usize,
    groups: Vec<Hash>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { group: blake3::Hasher::new(), filled: 0, groups: Vec::new() }
    }
}

impl Builder {
    /// Goes on with `bytes`.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == GROUP as usize {
                self.groups.push(self.group.finalize_non_root());
                // `Hasher::reset` would keep the old offset.
                self.group = blake3::Hasher::new();
                self.group.set_input_offset((self.groups.len() as u64).saturating_mul(GROUP));
                self.filled = 0;
            }
            let room = (GROUP as usize).saturating_sub(self.filled).min(bytes.len());
            let (head, tail) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.group.update(head);
            self.filled = self.filled.saturating_add(head.len());
            bytes = tail;
        }
    }

    /// The outboard of all that came.
    pub fn finish(mut self) -> Outboard {
        let whole = self.groups.len() as u64;
        let len = whole.saturating_mul(GROUP).saturating_add(self.filled as u64);
        if self.filled > 0 {
            self.groups.push(self.group.finalize_non_root());
        }
        let mut outboard = Outboard { blob: BlobId { root: [0; 32], len }, groups: self.groups };
        outboard.blob.root = match outboard.value(0, len, true) {
            Some(root) if whole > 0 => root,
            _ => *self.group.finalize().as_bytes(),
        };
        outboard
    }
}

impl Outboard {
    /// Hashes `data`.
    pub fn new(data: &[u8]) -> Self {
        let mut builder = Builder::default();
        builder.update(data);
        builder.finish()
    }

    /// The outboard of a zeroed buffer.
    pub fn zero(len: u64) -> Self {
        Self { blob: BlobId::zero(len), groups: Vec::new() }
    }

    /// The chaining value of the group that starts at `start`.
    fn group(&self, start: u64) -> Option<ChainingValue> {
        self.groups.get(usize::try_from(start.checked_div(GROUP)?).ok()?).copied()
    }

    /// The hash over `[start, end)`, a subtree of whole groups, or a group.
    fn value(&self, start: u64, end: u64, is_root: bool) -> Option<ChainingValue> {
        let len = end.checked_sub(start)?;
        if len <= GROUP {
            return self.group(start);
        }
        let middle = start.checked_add(left_subtree_len(len))?;
        Some(merge(&self.value(start, middle, false)?, &self.value(middle, end, false)?, is_root))
    }

    /// Encodes `ranges` for [`verify`]; `read(offset, len)` gives the blob's bytes, a group at a time. `None` when the
    /// ranges are not canonical, `read` fails, or the groups are not those of the blob.
    pub fn encode(&self, ranges: &[ByteRange], mut read: impl FnMut(u64, u64) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        canonical(ranges, self.blob.len).ok()?;
        let mut out = Vec::new();
        if self.blob.is_zero() || ranges.is_empty() {
            return Some(out);
        }
        let root = self.encode_node(0, self.blob.len, true, ranges, &mut read, &mut out)?;
        (self.blob.len <= GROUP || root == self.blob.root).then_some(out)
    }

    /// Encodes the subtree over `[start, end)` and tells its hash.
    fn encode_node(
        &self,
        start: u64,
        end: u64,
        is_root: bool,
        ranges: &[ByteRange],
        read: &mut impl FnMut(u64, u64) -> Option<Vec<u8>>,
        out: &mut Vec<u8>,
    ) -> Option<ChainingValue> {
        let ranges = touching(ranges, start, end);
        if ranges.is_empty() {
            return self.value(start, end, is_root);
        }
        let len = end.checked_sub(start)?;
        if len <= GROUP {
            let bytes = read(start, len)?;
            if bytes.len() as u64 != len {
                return None;
            }
            encode_group(start, &bytes, ranges, out)?;
            return self.group(start);
        }
        let middle = start.checked_add(left_subtree_len(len))?;
        // The pair comes before what proves it, and is known after.
        let pair = out.len();
        out.resize(pair.checked_add(64)?, 0);
        let left = self.encode_node(start, middle, false, ranges, read, out)?;
        let right = self.encode_node(middle, end, false, ranges, read, out)?;
        let (to_left, to_right) = out.get_mut(pair..pair.checked_add(64)?)?.split_at_mut_checked(32)?;
        to_left.copy_from_slice(&left);
        to_right.copy_from_slice(&right);
        Some(merge(&left, &right, is_root))
    }
}

/// Encodes the touched chunks of `bytes`, a subtree at `start` of the blob.
fn encode_group(start: u64, bytes: &[u8], ranges: &[ByteRange], out: &mut Vec<u8>) -> Option<()> {
    let len = bytes.len() as u64;
    let ranges = touching(ranges, start, start.checked_add(len)?);
    if ranges.is_empty() {
        return Some(());
    }
    if len <= CHUNK {
        out.extend_from_slice(bytes);
        return Some(());
    }
    let split = left_subtree_len(len);
    let middle = start.checked_add(split)?;
    let (left, right) = bytes.split_at_checked(usize::try_from(split).ok()?)?;
    out.extend_from_slice(&subtree(left, start));
    out.extend_from_slice(&subtree(right, middle));
    encode_group(start, left, ranges, out)?;
    encode_group(middle, right, ranges, out)
}
