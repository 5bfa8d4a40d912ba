//! `[[launch]]` and `[[repeat]]`.

use std::collections::{BTreeMap, BTreeSet};

use assay_engine::Entry;
use assay_primitives::{
    Arg, Axis, Dim, Launch, Step, WriteMap, Writes,
    check::ProgramError,
    program::{
        MAX_ARG_BYTES, MAX_ARG_POINTERS, MAX_ARGS, MAX_CTAS, MAX_LAUNCHES, MAX_REPEAT_LAUNCHES, MAX_THREADS, Pointer,
    },
    write_map::{MAX_DIMS, MAX_WRITE_MAPS},
};
use toml::de::DeValue;

use super::{
    JobBuffer, JobKernel,
    error::{JobError, Place, Problem},
    scope::Scope,
    source::{Node, Table},
    values::{self, Scalar},
    writes::{self, AXES, Flat, Target, Tile},
};
use crate::kernel::{is_called, with_template};

/// What launches name.
pub struct Names<'a> {
    /// The kernels of the file.
    pub kernels: &'a [JobKernel],
    /// The buffers, in the program's order.
    pub buffers: &'a [JobBuffer],
    /// Whether write maps are read.
    pub writes: bool,
    /// For kernels whose CTAs run one after the other: the kernels that do so.
    pub serial: &'a BTreeMap<u16, u16>,
}

/// The steps of a file, and where each launch stands, in the order written.
pub fn steps(top: &Table<'_>, scope: &mut Scope<'_>, names: &Names<'_>) -> Result<(Vec<Step>, Vec<Place>), JobError> {
    let mut out = (Vec::new(), Vec::new());
    for (table, kind) in body(top, &["launch", "repeat", "for"])? {
        match kind {
            "launch" => {
                let (launch, times) = launch(&table, scope, names)?;
                out.0.push(step(launch, times).map_err(|problem| table.error(problem))?);
                out.1.push(table.place());
            }
            "repeat" => repeat(&table, scope, names, &mut out)?,
            _ => {
                let mut written = Vec::new();
                rounds(&table, scope, names, &[], &mut written)?;
                // Steps are few: rounds that are written out share them.
                for alike in written.chunk_by(|(.., one), (.., next)| one.is_none() && next.is_none()) {
                    for part in alike.chunks(MAX_REPEAT_LAUNCHES as usize) {
                        out.1.extend(part.iter().map(|(_, place, _)| place.clone()));
                        if let [(launch, _, times @ Some(_))] = part {
                            out.0.push(step(launch.clone(), *times).map_err(|problem| table.error(problem))?);
                            continue;
                        }
                        let launches = part.iter().map(|(launch, ..)| launch.clone()).collect();
                        let launches =
                            bounded(launches, "launches", MAX_REPEAT_LAUNCHES).map_err(|p| table.error(p))?;
                        out.0.push(Step::Repeat { times: 1, launches });
                    }
                }
            }
        }
    }
    Ok(out)
}

/// A launch, or as many as it has CTAs.
fn step(launch: Launch, times: Option<u32>) -> Result<Step, Problem> {
    let Some(times) = times else { return Ok(Step::Launch(launch)) };
    Ok(Step::Repeat { times, launches: bounded(vec![launch], "launches", MAX_REPEAT_LAUNCHES)? })
}

/// The launches anywhere in the file whose CTAs run one after the other: their kernels by index.
pub fn serial_kernels(top: &Table<'_>, kernels: &[JobKernel]) -> Result<BTreeMap<u16, Place>, JobError> {
    let mut found = BTreeMap::new();
    for (table, kind) in body(top, &["launch", "for"]).unwrap_or_default() {
        if kind == "for" {
            found.extend(serial_kernels(&table, kernels)?);
        } else if table.get("serial").is_some() {
            found.insert(find_kernel(&table, kernels)?.0, table.place());
        }
    }
    Ok(found)
}

/// The tables at the keys `kinds`, in the order of the file.
fn body<'a>(table: &Table<'a>, kinds: &[&'static str]) -> Result<Vec<(Table<'a>, &'static str)>, JobError> {
    let mut tables = Vec::new();
    for kind in kinds {
        tables.extend(table.tables(kind)?.into_iter().map(|table| (table, *kind)));
    }
    tables.sort_by_key(|(table, _)| table.start);
    Ok(tables)
}

fn repeat(
    table: &Table<'_>,
    scope: &mut Scope<'_>,
    names: &Names<'_>,
    out: &mut (Vec<Step>, Vec<Place>),
) -> Result<(), JobError> {
    table.only(&["times", "launch"])?;
    let times = table.need("times")?;
    let times = u32::try_from(scope.within(&times, 1, u32::MAX.into())?).unwrap_or(u32::MAX);
    let inner = table.tables("launch")?;
    if inner.is_empty() {
        return Err(table.error(Problem::Missing("launch")));
    }
    let round = |round: u32, scope: &mut Scope<'_>| {
        scope.set_round(Some(round.into()));
        let plain = |inner: &Table<'_>, scope: &mut Scope<'_>| match launch(inner, scope, names)? {
            (launch, None) => Ok(launch),
            _ => Err(inner.error(Problem::Form("`serial` does not stand in a `repeat`: use a `for`"))),
        };
        let launches = inner.iter().map(|inner| plain(inner, scope)).collect::<Result<Vec<Launch>, JobError>>();
        scope.set_round(None);
        launches
    };
    scope.take_period();
    let mut launches = round(0, scope)?;
    let period = u32::try_from(scope.take_period()).unwrap_or(u32::MAX);
    if period > 1 && launches.iter().any(|launch| launch.args.contains(&Arg::Iteration)) {
        return Err(table.error(Problem::Form("`a|b` and \"iteration\" do not go together: use `for`")));
    }
    for number in 1..period.min(times) {
        launches.extend(round(number, scope)?);
    }
    let per_round = inner.len();
    let rest = times.checked_rem(period).unwrap_or(0) as usize;
    let tail: Vec<Launch> = launches.iter().take(rest.saturating_mul(per_round)).cloned().collect();
    for (times, launches) in [(times.checked_div(period).unwrap_or(0), launches), (1, tail)] {
        if times == 0 || launches.is_empty() {
            continue;
        }
        out.1.extend(inner.iter().cycle().take(launches.len()).map(Table::place));
        let launches = bounded(launches, "launches in a repeat", MAX_REPEAT_LAUNCHES).map_err(|p| table.error(p))?;
        out.0.push(Step::Repeat { times, launches });
    }
    Ok(())
}

/// The launches of a `for`, written out, each with its place.
fn rounds(
    table: &Table<'_>,
    scope: &mut Scope<'_>,
    names: &Names<'_>,
    outer: &[(String, i128)],
    out: &mut Vec<(Launch, Place, Option<u32>)>,
) -> Result<(), JobError> {
    table.only(&["var", "from", "until", "step", "launch", "for"])?;
    let node = table.need("var")?;
    let var = node.text()?.to_owned();
    if scope.has(&var) {
        return Err(node.error(Problem::Twice { what: "variable", name: var }));
    }
    let from = table.get("from").map_or(Ok(0), |node| scope.integer(&node))?;
    let until = scope.integer(&table.need("until")?)?;
    let step = match table.get("step") {
        Some(node) => match scope.integer(&node)? {
            0 => return Err(node.error(Problem::Form("`step` is not 0"))),
            step => step,
        },
        None => 1,
    };
    let body = body(table, &["launch", "for"])?;
    if body.is_empty() {
        return Err(table.error(Problem::Missing("launch")));
    }
    let (mut value, mut round) = (from, 0u64);
    while if step > 0 { value < until } else { value > until } {
        scope.set(var.clone(), value);
        let mut vars = outer.to_vec();
        vars.push((var.clone(), value));
        let at = vars.iter().map(|(var, value)| format!("{var} = {value}")).collect::<Vec<_>>().join(", ");
        for (table, kind) in &body {
            scope.set_round(Some(round));
            if *kind == "for" {
                rounds(table, scope, names, &vars, out)?;
                continue;
            }
            let (launch, times) = launch(table, scope, names).map_err(|mut error| {
                error.place.field = format!("{} ({at})", error.place.field);
                error
            })?;
            let mut place = table.place();
            place.field = format!("{} ({at})", place.field);
            place.vars = vars.clone();
            out.push((launch, place, times));
            if out.len() > MAX_LAUNCHES as usize {
                return Err(table.error(Problem::Program(ProgramError::TooLarge)));
            }
        }
        value = value.saturating_add(step);
        round = round.saturating_add(1);
        // An empty `for` inside must not run for ever.
        if round > MAX_LAUNCHES.into() {
            return Err(table.error(Problem::Program(ProgramError::TooLarge)));
        }
    }
    scope.unset(&var);
    scope.set_round(None);
    Ok(())
}

/// A list as the program has it.
pub fn bounded<T, B: TryFrom<Vec<T>>>(list: Vec<T>, what: &'static str, most: u32) -> Result<B, Problem> {
    let count = list.len();
    B::try_from(list).map_err(|_| Problem::TooMany { what, count, most })
}

/// A launch, and how many it is where its CTAs are launches of their own.
fn launch(table: &Table<'_>, scope: &mut Scope<'_>, names: &Names<'_>) -> Result<(Launch, Option<u32>), JobError> {
    table.only(&["kernel", "entry", "grid", "block", "shared", "args", "serial", "writes"])?;
    let (mut kernel_index, kernel) = find_kernel(table, names.kernels)?;
    let serial = table.get("serial");
    if let Some(node) = &serial
        && !matches!(node.value(), DeValue::Boolean(true))
    {
        return Err(node.expected("true"));
    }
    let entry = find_entry(table, kernel)?;
    let (grid_node, block_node) = (table.need("grid")?, table.need("block")?);
    let grid = extents(&grid_node, scope, MAX_CTAS.into())?;
    let block = extents(&block_node, scope, MAX_THREADS.into())?;
    let [_, rows, planes] = grid;
    if product(grid) > MAX_CTAS || rows > 65_535 || planes > 65_535 {
        return Err(grid_node.error(Problem::Program(ProgramError::Grid(0))));
    }
    let most = entry.kernel.as_ref().map_or(MAX_THREADS, |kernel| kernel.max_threads.min(MAX_THREADS));
    if product(block) > u64::from(most) || block[2] > 64 {
        return Err(block_node.error(Problem::Program(ProgramError::Block(0))));
    }
    for (name, extents) in [("grid", grid), ("block", block)] {
        for (axis, extent) in ["x", "y", "z"].into_iter().zip(extents) {
            scope.set(format!("{name}.{axis}"), extent.into());
        }
    }
    let shared = table.get("shared").map_or(Ok(0), |node| scope.u32(&node))?;
    let bound = kernel.bound.get(&entry.name).map_or(&[][..], Vec::as_slice);
    let mut args = arguments(table, scope, names, entry, bound)?;
    let mut times = None;
    let grid = if serial.is_some() {
        if product(grid) > SERIAL_CTAS {
            return Err(grid_node.error(Problem::Form("`serial` takes a grid of at most 4096 CTAs")));
        }
        kernel_index = names.serial.get(&kernel_index).copied().unwrap_or(kernel_index);
        times = u32::try_from(product(grid)).ok();
        args.push(Arg::Iteration);
        args.extend(grid.map(Arg::U32));
        [1; 3]
    } else {
        grid
    };
    let mut maps = Vec::new();
    if serial.is_some() && table.get("writes").is_none() && names.writes {
        maps = all_of(&args, names);
    }
    if let Some(node) = table.get("writes").filter(|_| names.writes) {
        for node in node.list_or_one()? {
            maps.extend(write_maps(&node.table()?, grid, scope, names)?);
            check_maps(&node, &maps, grid, names)?;
        }
    }
    let writes = Writes::Maps(bounded(maps, "write maps", MAX_WRITE_MAPS).map_err(|problem| table.error(problem))?);
    let name = bounded(entry.name.clone().into_bytes(), "bytes of a name", assay_primitives::program::MAX_NAME)
        .map_err(|problem| table.error(problem))?;
    let args = bounded(args, "arguments", MAX_ARGS).map_err(|problem| table.error(problem))?;
    Ok((Launch { kernel: kernel_index, entry: name, grid, block, shared, args, writes }, times))
}

/// Launches that the CTAs of one may become, at most.
const SERIAL_CTAS: u64 = 4096;

/// All bytes of the buffers that are given to a kernel, for its only CTA.
fn all_of(args: &[Arg], names: &Names<'_>) -> Vec<WriteMap> {
    let mut given: BTreeSet<u16> = BTreeSet::new();
    for arg in args {
        match arg {
            Arg::Buffer { index, .. } => given.extend([*index]),
            Arg::Record { pointers, .. } => given.extend(pointers.iter().map(|pointer| pointer.index)),
            _ => {}
        }
    }
    let len = |buffer: u16| names.buffers.get(usize::from(buffer)).map_or(0, |buffer| buffer.buffer.len);
    let map = |buffer: u16| WriteMap { buffer, base: 0, dims: Default::default(), run: len(buffer) };
    given.into_iter().map(map).collect()
}

/// Checks the maps so far, so that the error stands at the one that is wrong.
fn check_maps(node: &Node<'_>, maps: &[WriteMap], grid: [u32; 3], names: &Names<'_>) -> Result<(), JobError> {
    let lengths: Vec<u64> = names.buffers.iter().map(|buffer| buffer.buffer.len).collect();
    let Ok(maps) = maps.to_vec().try_into() else { return Ok(()) };
    Writes::Maps(maps).check(grid, &lengths).map_err(|(_, error)| node.error(Problem::WriteMap(error)))
}

fn find_kernel<'n>(table: &Table<'_>, kernels: &'n [JobKernel]) -> Result<(u16, &'n JobKernel), JobError> {
    let list = || kernels.iter().map(|kernel| kernel.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = match table.get("kernel") {
        Some(node) => {
            let name = node.text()?;
            let found = kernels.iter().find(|kernel| kernel.name == name);
            found.ok_or_else(|| {
                let hint = format!("; there are: {}", list());
                node.error(Problem::NoSuch { what: "kernel", name: name.to_owned(), hint })
            })?
        }
        None => match kernels {
            [only] => only,
            _ => return Err(table.error(Problem::Ambiguous(format!("`kernel` must be one of {}", list())))),
        },
    };
    Ok((found.index, found))
}

fn find_entry<'n>(table: &Table<'_>, kernel: &'n JobKernel) -> Result<&'n Entry, JobError> {
    let entries = &kernel.module.entries;
    let known = |entry: &Entry| with_template(&entry.name).unwrap_or_else(|| entry.name.clone());
    let list = || entries.iter().map(known).collect::<Vec<_>>().join(", ");
    let (found, place) = match table.get("entry") {
        Some(node) => {
            let name = node.text()?;
            let plain: Vec<&Entry> = entries.iter().filter(|entry| is_called(&entry.name, name)).collect();
            let found = match (kernel.module.entry(name), plain.as_slice()) {
                (Some(entry), _) => entry,
                (None, [entry]) => entry,
                (None, []) => {
                    let hint = format!("; there are: {}", list());
                    return Err(node.error(Problem::NoSuch { what: "entry", name: name.to_owned(), hint }));
                }
                (None, several) => {
                    let names = several.iter().map(|entry| known(entry)).collect::<Vec<_>>().join(", ");
                    return Err(node.error(Problem::Ambiguous(format!("`{name}` may be any of {names}"))));
                }
            };
            (found, node.place())
        }
        None => match entries.as_slice() {
            [only] => (only, table.place()),
            _ => return Err(table.error(Problem::Ambiguous(format!("`entry` must be one of {}", list())))),
        },
    };
    match &found.kernel {
        Ok(_) => Ok(found),
        Err(rejection) => Err(place.error(Problem::Rejected {
            entry: found.name.clone(),
            reason: rejection.reason.clone(),
            path: kernel.path.clone(),
            line: rejection.line,
        })),
    }
}

fn product(extents: [u32; 3]) -> u64 {
    extents.iter().fold(1u64, |product, extent| product.saturating_mul(u64::from(*extent)))
}

fn extents(node: &Node<'_>, scope: &Scope<'_>, most: i128) -> Result<[u32; 3], JobError> {
    let list = node.list_or_one()?;
    if list.is_empty() || list.len() > 3 {
        return Err(node.error(Problem::TooMany { what: "axes", count: list.len(), most: 3 }));
    }
    let mut extents = [1; 3];
    for (extent, node) in extents.iter_mut().zip(&list) {
        *extent = u32::try_from(scope.within(node, 1, most)?).unwrap_or(u32::MAX);
    }
    Ok(extents)
}

fn arguments(
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

fn find_buffer<'n>(node: &Node<'_>, name: &str, buffers: &'n [JobBuffer]) -> Result<(u16, &'n JobBuffer), JobError> {
    let found = (0u16..).zip(buffers).find(|(_, buffer)| buffer.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = buffers.iter().map(|buffer| buffer.name.as_str()).collect();
        let hint = format!("; there are: {}", names.join(", "));
        node.error(Problem::NoSuch { what: "buffer", name: name.to_owned(), hint })
    })
}

fn write_maps(
    table: &Table<'_>,
    grid: [u32; 3],
    scope: &Scope<'_>,
    names: &Names<'_>,
) -> Result<Vec<WriteMap>, JobError> {
    let node = table.need("buffer")?;
    let (buffer, found) = find_buffer(&node, scope.pick(&node, node.text()?)?, names.buffers)?;
    let number = |key: &str| table.get(key).map(|node| scope.u64(&node)).transpose();
    let base = number("base")?.unwrap_or(0);
    let target = Target { buffer, base, len: found.buffer.len, grid };
    const FORMS: [&str; 7] = ["range", "tile", "grid-stride", "flat", "per-cta", "all-by-cta0", "dims"];
    let given: Vec<&str> = FORMS.into_iter().filter(|form| table.get(form).is_some()).collect();
    let form = match given.as_slice() {
        [form] => *form,
        [] if table.get("run").is_some() => "dims",
        [] => {
            return Err(table.error(Problem::Missing(
                "range` or `tile` or `grid-stride` or `flat` or `per-cta` or `all-by-cta0` or `run",
            )));
        }
        [first, second, ..] => {
            return Err(table.error(Problem::Ambiguous(format!("a write map has either `{first}` or `{second}`"))));
        }
    };
    let of = |problem: Problem| table.error(problem);
    let length = || number("len").map(|len| len.unwrap_or_else(|| target.rest()));
    let at_least_1 = |key: &'static str| {
        let value = scope.within(&table.need(key)?, 1, u64::MAX.into())?;
        Ok::<u64, JobError>(u64::try_from(value).unwrap_or(u64::MAX))
    };
    match form {
        "range" => {
            table.only(&["buffer", "base", "range", "len", "axis"])?;
            let along = table.get("axis").map(|node| axis(&node)).transpose()?;
            writes::range(&target, at_least_1("range")?, length()?, along).map_err(of)
        }
        "per-cta" => {
            table.only(&["buffer", "base", "per-cta"])?;
            writes::per_cta(&target, at_least_1("per-cta")?).map_err(of)
        }
        "all-by-cta0" => {
            table.only(&["buffer", "base", "len", "all-by-cta0"])?;
            if let Some(node) = table.get("all-by-cta0")
                && !matches!(node.value(), DeValue::Boolean(true))
            {
                return Err(node.expected("true"));
            }
            writes::all_by_cta0(&target, length()?).map_err(of)
        }
        "grid-stride" => {
            table.only(&["buffer", "base", "grid-stride", "count", "element"])?;
            writes::grid_stride(&target, at_least_1("grid-stride")?, at_least_1("count")?, at_least_1("element")?)
                .map_err(of)
        }
        "flat" => {
            table.only(&["buffer", "base", "flat", "shape", "strides", "element", "axis"])?;
            let shape = table.need("shape")?.list_or_one()?;
            let shape = shape
                .iter()
                .map(|node| Ok(u64::try_from(scope.within(node, 1, u32::MAX.into())?).unwrap_or(u64::MAX)))
                .collect::<Result<Vec<u64>, JobError>>()?;
            let strides = table.need("strides")?.list_or_one()?;
            let strides = strides
                .iter()
                .map(|node| Ok(i64::try_from(scope.within(node, i64::MIN.into(), i64::MAX.into())?).unwrap_or(0)))
                .collect::<Result<Vec<i64>, JobError>>()?;
            if shape.is_empty() || shape.len() != strides.len() {
                return Err(table.error(Problem::Form("`shape` and `strides` want as many numbers each, one or more")));
            }
            let along = table.get("axis").map(|node| axis(&node)).transpose()?;
            let form = Flat { each: at_least_1("flat")?, shape, strides, element: at_least_1("element")? };
            writes::flat(&target, &form, along).map_err(of)
        }
        "tile" => {
            table.only(&["buffer", "base", "tile", "size", "element", "pitch", "plane", "axes"])?;
            let numbers = |key: &'static str| {
                let nodes = table.need(key)?.list_or_one()?;
                nodes
                    .iter()
                    .map(|node| Ok(u64::try_from(scope.within(node, 1, u64::MAX.into())?).unwrap_or(u64::MAX)))
                    .collect::<Result<Vec<u64>, JobError>>()
            };
            let axes = match table.get("axes") {
                Some(node) => node.list()?.iter().map(axis).collect::<Result<Vec<Axis>, JobError>>()?,
                None => AXES.to_vec(),
            };
            let form = Tile {
                tile: numbers("tile")?,
                size: numbers("size")?,
                element: at_least_1("element")?,
                pitch: number("pitch")?,
                plane: number("plane")?,
                axes,
            };
            if form.tile.is_empty() || form.tile.len() > 3 || form.tile.len() != form.size.len() {
                return Err(
                    table.error(Problem::Form("`tile` and `size` want one to three numbers each, as many in both"))
                );
            }
            if form.axes.len() < form.tile.len() {
                return Err(table.error(Problem::Form("`axes` wants an axis for each number of `tile`")));
            }
            writes::tile(&target, &form).map_err(of)
        }
        _ => {
            table.only(&["buffer", "base", "dims", "run"])?;
            let dims = table.get("dims").map_or_else(|| Ok(Vec::new()), |node| node.list())?;
            let dims =
                dims.iter().map(|node| dim(&node.table()?, grid, scope)).collect::<Result<Vec<Dim>, JobError>>()?;
            let dims = bounded(dims, "dimensions", MAX_DIMS).map_err(of)?;
            Ok(vec![WriteMap { buffer, base, dims, run: at_least_1("run")? }])
        }
    }
}

fn dim(table: &Table<'_>, grid: [u32; 3], scope: &Scope<'_>) -> Result<Dim, JobError> {
    if let Some(at) = table.get("at") {
        table.only(&["axis", "at"])?;
        return Ok(Dim::At { axis: axis(&table.need("axis")?)?, index: scope.u32(&at)? });
    }
    let elements = table.get("elements");
    table.only(match elements {
        Some(_) => &["stride", "extent", "axis", "elements", "per", "of"],
        None => &["stride", "extent", "axis", "tile", "per", "of"],
    })?;
    let stride = scope.within(&table.need("stride")?, i64::MIN.into(), i64::MAX.into())?;
    if let Some(elements) = elements {
        let of = scope.u32(&table.need("of")?)?;
        return Ok(Dim::Element {
            stride: i64::try_from(stride).unwrap_or(0),
            extent: table.get("extent").map_or(Ok(of.into()), |node| scope.u64(&node))?,
            axis: axis(&table.need("axis")?)?,
            tile: scope.u64(&elements)?,
            per: table.get("per").map_or(Ok(1), |node| scope.u32(&node))?,
            of,
        });
    }
    let digit = ["per", "of"].iter().any(|key| table.get(key).is_some());
    if digit {
        let axis = axis(&table.need("axis")?)?;
        let per = table.get("per").map_or(Ok(1), |node| scope.u32(&node))?;
        let ctas = grid.get(axis.index()).copied().unwrap_or(1);
        let rest = ctas.div_ceil(per.max(1)).max(2);
        return Ok(Dim::Digit {
            stride: i64::try_from(stride).unwrap_or(0),
            extent: scope.u64(&table.need("extent")?)?,
            axis,
            tile: table.get("tile").map_or(Ok(1), |node| scope.u64(&node))?,
            per,
            of: table.get("of").map_or(Ok(rest), |node| scope.u32(&node))?,
        });
    }
    Ok(Dim::Span {
        stride: i64::try_from(stride).unwrap_or(0),
        extent: scope.u64(&table.need("extent")?)?,
        axis: table.get("axis").map(|node| axis(&node)).transpose()?,
        tile: table.get("tile").map_or(Ok(1), |node| scope.u64(&node))?,
    })
}

fn axis(node: &Node<'_>) -> Result<Axis, JobError> {
    match node.text()? {
        "x" => Ok(Axis::X),
        "y" => Ok(Axis::Y),
        "z" => Ok(Axis::Z),
        other => Err(node.error(Problem::Choice { found: other.to_owned(), allowed: "x, y, z" })),
    }
}
