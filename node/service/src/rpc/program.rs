//! Programs as JSON.

use super::views::Hex32;
use assay_primitives::{Arg, Axis, BlobId, Buffer, Dim, Init, Launch, Program, Step, WriteMap, Writes};
use serde::Serialize;

/// [`Program`], with its address.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgramJson {
    program: Hex32,
    kernels: Vec<Hex32>,
    buffers: Vec<BufferJson>,
    steps: Vec<StepJson>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BufferJson {
    len: u64,
    init: InitJson,
    output: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum InitJson {
    Zero,
    Blob(BlobJson),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BlobJson {
    root: Hex32,
    len: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepJson {
    times: u32,
    launches: Vec<LaunchJson>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LaunchJson {
    kernel: u16,
    entry: String,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
    args: Vec<ArgJson>,
    writes: Vec<WriteMapJson>,
}

/// Numbers are bits: floats are not rounded through JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum ArgJson {
    Buffer { index: u16, offset: u64 },
    U8(u8),
    U16(u16),
    U32(u32),
    U64(String),
    F32(String),
    F64(String),
    Bytes(String),
    Iteration,
    Record { bytes: String, pointers: Vec<PointerJson> },
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PointerJson {
    at: u16,
    index: u16,
    offset: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WriteMapJson {
    buffer: u16,
    base: u64,
    dims: Vec<DimJson>,
    run: u64,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum DimJson {
    Span { stride: i64, extent: u64, axis: Option<char>, tile: u64 },
    At { axis: char, index: u32 },
    Digit { stride: i64, extent: u64, axis: char, tile: u64, per: u32, of: u32 },
    Element { stride: i64, extent: u64, axis: char, tile: u64, per: u32, of: u32 },
}

impl From<Program> for ProgramJson {
    fn from(program: Program) -> Self {
        Self {
            program: Hex32(program.id()),
            kernels: program.kernels.iter().copied().map(Hex32).collect(),
            buffers: program.buffers.iter().map(BufferJson::from).collect(),
            steps: program.steps.iter().map(StepJson::from).collect(),
        }
    }
}

impl From<&Buffer> for BufferJson {
    fn from(buffer: &Buffer) -> Self {
        let init = match buffer.init {
            Init::Zero => InitJson::Zero,
            Init::Blob(BlobId { root, len }) => InitJson::Blob(BlobJson { root: Hex32(root), len }),
        };
        Self { len: buffer.len, init, output: buffer.output }
    }
}

impl From<&Step> for StepJson {
    fn from(step: &Step) -> Self {
        match step {
            Step::Launch(launch) => Self { times: 1, launches: vec![launch.into()] },
            Step::Repeat { times, launches } => {
                Self { times: *times, launches: launches.iter().map(LaunchJson::from).collect() }
            }
        }
    }
}

impl From<&Launch> for LaunchJson {
    fn from(launch: &Launch) -> Self {
        let Writes::Maps(maps) = &launch.writes;
        Self {
            kernel: launch.kernel,
            entry: String::from_utf8_lossy(&launch.entry).into_owned(),
            grid: launch.grid,
            block: launch.block,
            shared: launch.shared,
            args: launch.args.iter().map(ArgJson::from).collect(),
            writes: maps.iter().map(WriteMapJson::from).collect(),
        }
    }
}

impl From<&Arg> for ArgJson {
    fn from(arg: &Arg) -> Self {
        match arg {
            Arg::Buffer { index, offset } => Self::Buffer { index: *index, offset: *offset },
            Arg::U8(value) => Self::U8(*value),
            Arg::U16(value) => Self::U16(*value),
            Arg::U32(value) => Self::U32(*value),
            Arg::U64(value) => Self::U64(value.to_string()),
            Arg::F32(bits) => Self::F32(format!("{bits:#010x}")),
            Arg::F64(bits) => Self::F64(format!("{bits:#018x}")),
            Arg::Bytes(bytes) => Self::Bytes(format!("0x{}", hex::encode(bytes))),
            Arg::Iteration => Self::Iteration,
            Arg::Record { bytes, pointers } => Self::Record {
                bytes: format!("0x{}", hex::encode(bytes)),
                pointers: pointers
                    .iter()
                    .map(|pointer| PointerJson { at: pointer.at, index: pointer.index, offset: pointer.offset })
                    .collect(),
            },
        }
    }
}

impl From<&WriteMap> for WriteMapJson {
    fn from(map: &WriteMap) -> Self {
        Self { buffer: map.buffer, base: map.base, dims: map.dims.iter().map(DimJson::from).collect(), run: map.run }
    }
}

impl From<&Dim> for DimJson {
    fn from(dim: &Dim) -> Self {
        match dim {
            Dim::Span { stride, extent, axis, tile } => {
                Self::Span { stride: *stride, extent: *extent, axis: axis.map(name), tile: *tile }
            }
            Dim::At { axis, index } => Self::At { axis: name(*axis), index: *index },
            Dim::Digit { stride, extent, axis, tile, per, of } => {
                Self::Digit { stride: *stride, extent: *extent, axis: name(*axis), tile: *tile, per: *per, of: *of }
            }
            Dim::Element { stride, extent, axis, tile, per, of } => {
                Self::Element { stride: *stride, extent: *extent, axis: name(*axis), tile: *tile, per: *per, of: *of }
            }
        }
    }
}

fn name(axis: Axis) -> char {
    match axis {
        Axis::X => 'x',
        Axis::Y => 'y',
        Axis::Z => 'z',
    }
}
