//! Writing programs down.

use assay_primitives::{
    Arg, Axis, BlobId, Buffer, Dim, Init, Launch, Program, Step, WriteMap, Writes, hash, program::Pointer,
};

use crate::{Job, JobError};

/// A program in the making.
pub struct ProgramDraft {
    name: &'static str,
    kernels: Vec<&'static [u8]>,
    buffers: Vec<(Buffer, Vec<u8>)>,
    steps: Vec<(u32, Vec<LaunchDraft>)>,
    expected: Vec<(u16, Vec<u8>)>,
}

/// A launch in the making.
#[derive(Clone)]
pub struct LaunchDraft {
    kernel: u16,
    entry: &'static str,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
    args: Vec<Arg>,
    maps: Vec<MapDraft>,
}

#[derive(Clone)]
enum MapDraft {
    Range { buffer: u16, base: u64, each: u64, len: Option<u64> },
    Map(WriteMap),
}

impl ProgramDraft {
    /// An empty program over one PTX module.
    pub fn new(name: &'static str, ptx: &'static [u8]) -> Self {
        Self { name, kernels: vec![ptx], buffers: Vec::new(), steps: Vec::new(), expected: Vec::new() }
    }

    /// Adds a buffer that starts as `bytes`.
    pub fn data(&mut self, bytes: Vec<u8>) -> u16 {
        let blob = BlobId { root: hash::plain(&bytes), len: bytes.len() as u64 };
        self.buffer(Init::Blob(blob), bytes)
    }

    /// Adds a buffer of `len` zeros.
    pub fn zeros(&mut self, len: usize) -> u16 {
        self.buffer(Init::Zero, vec![0; len])
    }

    fn buffer(&mut self, init: Init, bytes: Vec<u8>) -> u16 {
        self.buffers.push((Buffer { len: bytes.len() as u64, init, output: false }, bytes));
        self.buffers.len().saturating_sub(1).try_into().unwrap_or(u16::MAX)
    }

    /// Adds a launch.
    pub fn launch(&mut self, launch: LaunchDraft) {
        self.steps.push((1, vec![launch]));
    }

    /// Adds launches that are done in order, `times` times.
    pub fn repeat(&mut self, times: u32, launches: Vec<LaunchDraft>) {
        self.steps.push((times, launches));
    }

    /// Makes `buffer` an output, whose bytes at the end are `bytes`.
    pub fn expect(&mut self, buffer: u16, bytes: Vec<u8>) {
        if let Some((buffer, _)) = self.buffers.get_mut(usize::from(buffer)) {
            buffer.output = true;
        }
        self.expected.push((buffer, bytes));
    }

    /// The job.
    pub fn finish(self) -> Result<Job, JobError> {
        let lengths: Vec<u64> = self.buffers.iter().map(|(buffer, _)| buffer.len).collect();
        let mut steps = Vec::new();
        for (times, launches) in &self.steps {
            let mut launches = launches.iter().map(|launch| launch.finish(&lengths)).collect::<Result<Vec<_>, _>>()?;
            steps.push(match (times, launches.len(), launches.pop()) {
                (1, 1, Some(launch)) => Step::Launch(launch),
                (_, _, last) => {
                    launches.extend(last);
                    Step::Repeat {
                        times: *times,
                        launches: launches.try_into().map_err(|_| JobError::TooMany("launches"))?,
                    }
                }
            });
        }
        let (buffers, bytes): (Vec<_>, Vec<_>) = self.buffers.into_iter().unzip();
        let kernels: Vec<_> = self.kernels.iter().map(|ptx| hash::plain(ptx)).collect();
        Ok(Job {
            name: self.name,
            kernels: self.kernels,
            program: Program {
                kernels: kernels.try_into().map_err(|_| JobError::TooMany("kernels"))?,
                buffers: buffers.try_into().map_err(|_| JobError::TooMany("buffers"))?,
                steps: steps.try_into().map_err(|_| JobError::TooMany("steps"))?,
            },
            buffers: bytes,
            expected: self.expected,
        })
    }
}

impl LaunchDraft {
    /// A launch of `entry` with `grid` CTAs along x and `block` threads.
    pub fn line(entry: &'static str, grid: usize, block: u32) -> Self {
        Self::new(entry, [u32::try_from(grid).unwrap_or(u32::MAX), 1, 1], [block, 1, 1])
    }

    /// A launch with as many CTAs of `block` threads as cover `size` threads.
    pub fn plane(entry: &'static str, size: [usize; 2], block: [u32; 2]) -> Self {
        let ctas = |size: usize, block: u32| u32::try_from(size).unwrap_or(u32::MAX).div_ceil(block);
        Self::new(entry, [ctas(size[0], block[0]), ctas(size[1], block[1]), 1], [block[0], block[1], 1])
    }

    /// A launch of `entry`.
    pub fn new(entry: &'static str, grid: [u32; 3], block: [u32; 3]) -> Self {
        Self { kernel: 0, entry, grid, block, shared: 0, args: Vec::new(), maps: Vec::new() }
    }

    /// With `bytes` of dynamic shared memory.
    pub fn shared(mut self, bytes: u32) -> Self {
        self.shared = bytes;
        self
    }

    /// The next argument.
    pub fn arg(mut self, arg: Arg) -> Self {
        self.args.push(arg);
        self
    }

    /// A pointer to the start of a buffer.
    pub fn pointer(self, index: u16) -> Self {
        self.arg(Arg::Buffer { index, offset: 0 })
    }

    /// Pointers to the starts of buffers.
    pub fn pointers(self, buffers: &[u16]) -> Self {
        buffers.iter().fold(self, |draft, buffer| draft.pointer(*buffer))
    }

    /// A size or a count as a 32-bit integer.
    pub fn int(self, value: usize) -> Self {
        self.arg(Arg::U32(u32::try_from(value).unwrap_or(u32::MAX)))
    }

    /// A 64-bit integer.
    pub fn long(self, value: u64) -> Self {
        self.arg(Arg::U64(value))
    }

    /// A float.
    pub fn float(self, value: f32) -> Self {
        self.arg(Arg::F32(value.to_bits()))
    }

    /// A double.
    pub fn double(self, value: f64) -> Self {
        self.arg(Arg::F64(value.to_bits()))
    }

    /// A structure by value, at most 256 bytes.
    pub fn structure(self, bytes: Vec<u8>) -> Result<Self, JobError> {
        Ok(self.arg(Arg::Bytes(bytes.try_into().map_err(|_| JobError::TooMany("bytes of one argument"))?)))
    }

    /// A structure by value, at most 256 bytes, that holds pointers.
    pub fn record(self, bytes: Vec<u8>, pointers: Vec<Pointer>) -> Result<Self, JobError> {
        let bytes = bytes.try_into().map_err(|_| JobError::TooMany("bytes of one argument"))?;
        let pointers = pointers.try_into().map_err(|_| JobError::TooMany("pointers of one argument"))?;
        Ok(self.arg(Arg::Record { bytes, pointers }))
    }

    /// The round of the enclosing repeat.
    pub fn iteration(self) -> Self {
        self.arg(Arg::Iteration)
    }

    /// CTA x owns `each` bytes of `buffer` from `each * x` on, up to the buffer's end.
    pub fn range(mut self, buffer: u16, each: usize) -> Self {
        self.maps.push(MapDraft::Range { buffer, base: 0, each: each as u64, len: None });
        self
    }

    /// As [`Self::range`], within `len` bytes from `base`.
    pub fn range_of(mut self, buffer: u16, base: usize, len: usize, each: usize) -> Self {
        self.maps.push(MapDraft::Range { buffer, base: base as u64, each: each as u64, len: Some(len as u64) });
        self
    }

    /// CTA (x, y) owns its tile of `size` elements of `element` bytes.
    pub fn tile(self, buffer: u16, tile: [usize; 2], size: [usize; 2], element: usize) -> Self {
        let together = gcd(tile[0] as u64, size[0] as u64).max(1);
        let element = element as u64;
        let row = size[0] as u64 * element;
        let dims = vec![
            span(row, size[1] as u64, Some(Axis::Y), tile[1] as u64),
            span(together * element, size[0] as u64 / together, Some(Axis::X), tile[0] as u64 / together),
        ];
        self.map(buffer, 0, dims, together * element)
    }

    /// Only CTA (0, 0, 0) owns, and that all of the first `len` bytes.
    pub fn first_owns(self, buffer: u16, len: usize) -> Self {
        let dims = [Axis::X, Axis::Y, Axis::Z].map(|axis| Dim::At { axis, index: 0 }).to_vec();
        self.map(buffer, 0, dims, len as u64)
    }

    /// Any strided view.
    pub fn map(mut self, buffer: u16, base: u64, mut dims: Vec<Dim>, run: u64) -> Self {
        dims.truncate(assay_primitives::write_map::MAX_DIMS as usize);
        if let Ok(dims) = dims.try_into() {
            self.maps.push(MapDraft::Map(WriteMap { buffer, base, dims, run }));
        }
        self
    }

    fn finish(&self, lengths: &[u64]) -> Result<Launch, JobError> {
        let maps: Vec<WriteMap> = self.maps.iter().map(|map| map.finish(lengths)).collect::<Result<_, _>>()?;
        Ok(Launch {
            kernel: self.kernel,
            entry: self.entry.as_bytes().to_vec().try_into().map_err(|_| JobError::TooMany("letters of a name"))?,
            grid: self.grid,
            block: self.block,
            shared: self.shared,
            args: self.args.clone().try_into().map_err(|_| JobError::TooMany("arguments"))?,
            writes: Writes::Maps(maps.try_into().map_err(|_| JobError::TooMany("write maps"))?),
        })
    }
}

impl MapDraft {
    fn finish(&self, lengths: &[u64]) -> Result<WriteMap, JobError> {
        match self {
            Self::Map(map) => Ok(map.clone()),
            Self::Range { buffer, base, each, len } => {
                let end = *lengths.get(usize::from(*buffer)).ok_or(JobError::NoBuffer(*buffer))?;
                let len = len.unwrap_or(end.saturating_sub(*base));
                // The last CTA's range may be cut: pieces that divide both.
                let piece = gcd(*each, len).max(1);
                let dims = vec![span(piece, len / piece, Some(Axis::X), each / piece)];
                Ok(WriteMap {
                    buffer: *buffer,
                    base: *base,
                    dims: dims.try_into().map_err(|_| JobError::TooMany("dimensions"))?,
                    run: piece,
                })
            }
        }
    }
}

/// A dimension of a write map; `tile` counts only with an axis.
pub(crate) fn span(stride: u64, extent: u64, axis: Option<Axis>, tile: u64) -> Dim {
    Dim::Span { stride: i64::try_from(stride).unwrap_or(i64::MAX), extent, axis, tile }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
