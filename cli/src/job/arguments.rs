//! `args` of a launch.

use assay_engine::Entry;
use assay_primitives::{
    Arg,
    program::{MAX_ARG_BYTES, MAX_ARG_POINTERS, Pointer},
};
use toml::de::DeValue;

use super::{
    error::{JobError, Problem},
    launches::{Names, bounded, find_buffer},
    scope::Scope,
    source::{Node, Table},
    values::{self, Scalar},
};

/// The arguments of an entry, and behind them the buffers `bound` that hold its variables.
pub fn arguments(
    table: &Table<'_>,
    scope: &Scope<'_>,
    names: &Names<'_>,
    entry: &Entry,
    bound: &[u16],
) -> Result<Vec<Arg>, JobError> {
    let expected = entry.params.len().saturating_sub(bound.len());
    let nodes = table.get("args").map_or_else(|| Ok(Vec::new()), |node| node.list())?;
    if nodes.len() != expected {
        let place = table.get("args").map_or_else(|| table.place(), |node| node.place());
        return Err(place.error(Problem::ArgumentCount { found: nodes.len(), entry: entry.name.clone(), expected }));
    }
    let mut args = Vec::new();
    for (position, (node, param)) in nodes.iter().zip(&entry.params).enumerate() {
        let (arg, argument, size) = argument(node, scope, names)?;
        let fits = match size {
            Some(size) => u32::try_from(size) == Ok(param.size),
            None => matches!(param.size, 4 | 8),
        };
        if !fits {
            return Err(node.error(Problem::Argument {
                argument,
                found: size.unwrap_or(8),
                position,
                entry: entry.name.clone(),
                expected: param.size,
            }));
        }
        args.push(arg);
    }
    // Variables that are in buffers.
    args.extend(bound.iter().map(|index| Arg::Buffer { index: *index, offset: 0 }));
    Ok(args)
}

/// The argument, what it is called, and its bytes (`None` for 4 or 8).
fn argument(
    node: &Node<'_>,
    scope: &Scope<'_>,
    names: &Names<'_>,
) -> Result<(Arg, &'static str, Option<usize>), JobError> {
    const EXPECTED: &str = "\"buf:NAME\", \"iteration\", or a table such as { u32 = \"n\" }";
    if let Some(text) = node.value().as_str() {
        if text == "iteration" {
            return Ok((Arg::Iteration, "the iteration", None));
        }
        let Some(rest) = text.strip_prefix("buf:") else { return Err(node.expected(EXPECTED)) };
        let (index, offset) = address(node, rest, scope, names)?;
        return Ok((Arg::Buffer { index, offset }, "a pointer", Some(8)));
    }
    if !matches!(node.value(), DeValue::Table(_)) {
        return Err(node.expected(EXPECTED));
    }
    let entries = node.table()?.entries();
    let [(kind, value)] = entries.as_slice() else { return Err(node.expected("one key, such as { u32 = \"n\" }")) };
    let (bytes, pointers) = match kind.as_str() {
        "struct" => {
            let record = structure(value, scope, names)?;
            (record.bytes, record.pointers)
        }
        "hex" => (values::hex(value)?, Vec::new()),
        kind => {
            let Some(scalar) = Scalar::named(kind) else {
                let known = format!("{}, struct, hex", values::SCALARS);
                return Err(node.error(Problem::UnknownKey { key: kind.to_owned(), known }));
            };
            let bits = scalar.bits(value, scope)?;
            return Ok((scalar_argument(scalar, bits), scalar.name(), Some(scalar.size())));
        }
    };
    let size = bytes.len();
    let bytes = bounded(bytes, "bytes of an argument", MAX_ARG_BYTES).map_err(|problem| value.error(problem))?;
    if pointers.is_empty() {
        return Ok((Arg::Bytes(bytes), "the structure", Some(size)));
    }
    let pointers =
        bounded(pointers, "pointers of an argument", MAX_ARG_POINTERS).map_err(|problem| value.error(problem))?;
    Ok((Arg::Record { bytes, pointers }, "the structure", Some(size)))
}

/// What `buf:photo+16` points to.
fn address(node: &Node<'_>, text: &str, scope: &Scope<'_>, names: &Names<'_>) -> Result<(u16, u64), JobError> {
    let (name, offset) = match text.split_once('+') {
        Some((name, offset)) => (name.trim(), Some(offset)),
        None => (text.trim(), None),
    };
    let (index, buffer) = find_buffer(node, scope.pick(node, name)?, names.buffers)?;
    let offset = match offset {
        Some(text) => scope.expression(node, text)?,
        None => 0,
    };
    let last = i128::from(buffer.buffer.len).saturating_sub(1);
    if offset < 0 || offset > last {
        return Err(node.error(Problem::Range { value: offset, low: 0, high: last }));
    }
    Ok((index, u64::try_from(offset).unwrap_or(0)))
}

fn scalar_argument(scalar: Scalar, bits: u64) -> Arg {
    let [a, b, c, d, ..] = bits.to_le_bytes();
    match scalar {
        Scalar::U8 | Scalar::I8 => Arg::U8(a),
        Scalar::U16 | Scalar::I16 => Arg::U16(u16::from_le_bytes([a, b])),
        Scalar::U32 | Scalar::I32 => Arg::U32(u32::from_le_bytes([a, b, c, d])),
        Scalar::F32 => Arg::F32(u32::from_le_bytes([a, b, c, d])),
        Scalar::U64 | Scalar::I64 => Arg::U64(bits),
        Scalar::F64 => Arg::F64(bits),
    }
}

/// A C structure.
struct Record {
    bytes: Vec<u8>,
    pointers: Vec<Pointer>,
    align: usize,
}

impl Record {
    /// Where a field of such an alignment goes, as the next.
    fn place(&mut self, align: usize) -> usize {
        self.align = self.align.max(align);
        let at = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(at, 0);
        at
    }
}

/// The structure of a list of fields: each at the next multiple of its size, the whole a multiple of the largest.
fn structure(node: &Node<'_>, scope: &Scope<'_>, names: &Names<'_>) -> Result<Record, JobError> {
    let mut out = Record { bytes: Vec::new(), pointers: Vec::new(), align: 1 };
    for field in node.list()? {
        if let Some(text) = field.value().as_str() {
            let Some(rest) = text.strip_prefix("buf:") else {
                return Err(field.expected("a field such as { u32 = 1 } or \"buf:NAME\""));
            };
            let (index, offset) = address(&field, rest, scope, names)?;
            let at = out.place(8);
            out.bytes.extend([0; 8]);
            out.pointers.push(Pointer { at: u16::try_from(at).unwrap_or(u16::MAX), index, offset });
            continue;
        }
        let entries = field.table()?.entries();
        let (scalar, value) = match entries.as_slice() {
            [(kind, value)] if kind == "struct" => {
                let inner = structure(value, scope, names)?;
                let by = u16::try_from(out.place(inner.align)).unwrap_or(u16::MAX);
                out.bytes.extend(inner.bytes);
                out.pointers.extend(inner.pointers.into_iter().map(|p| Pointer { at: p.at.saturating_add(by), ..p }));
                continue;
            }
            [(kind, value)] => (Scalar::named(kind), value),
            _ => return Err(field.expected("a field such as { u32 = 1 }")),
        };
        let Some(scalar) = scalar else { return Err(field.expected("a field such as { u32 = 1 }")) };
        out.place(scalar.size());
        // A list is an array.
        for item in value.list_or_one()? {
            scalar.push(scalar.bits(&item, scope)?, &mut out.bytes);
        }
    }
    let align = out.align;
    out.place(align);
    Ok(out)
}
