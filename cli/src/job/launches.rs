//! `[[launch]]`, `[[repeat]]` and `[[for]]`.

use std::collections::{BTreeMap, BTreeSet};

use assay_engine::{Entry, Kernel};
use assay_primitives::{
    Arg, Launch, Step, Writes,
    check::ProgramError,
    program::{MAX_ARGS, MAX_CTAS, MAX_LAUNCHES, MAX_REPEAT_LAUNCHES, MAX_THREADS},
    write_map::MAX_WRITE_MAPS,
};
use toml::de::DeValue;

use super::{
    JobBuffer, JobKernel,
    arguments::arguments,
    error::{JobError, Place, Problem},
    maps,
    scope::Scope,
    source::{Node, Table},
};
use crate::kernel::{self, Serial};

/// What launches name.
pub struct Names<'a> {
    /// The kernels of the file.
    pub kernels: &'a [JobKernel],
    /// The buffers, in the program's order.
    pub buffers: &'a [JobBuffer],
    /// Whether write maps are read.
    pub writes: bool,
    /// The kernels made of those, whose CTAs run one after the other.
    pub made: &'a [JobKernel],
    /// Which are made of which.
    pub serial: &'a BTreeMap<(u16, Serial), u16>,
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

/// What of a launch runs one after the other, where it says so.
fn serial(table: &Table<'_>) -> Result<Option<Serial>, JobError> {
    let Some(node) = table.get("serial") else { return Ok(None) };
    match node.value() {
        DeValue::Boolean(true) => Ok(Some(Serial::Ctas)),
        DeValue::String(text) if text == "threads" => Ok(Some(Serial::Threads)),
        _ => Err(node.expected("true or \"threads\"")),
    }
}

/// Entries that run one after the other, and where a launch of one stands.
pub struct Wanted {
    pub entries: BTreeSet<String>,
    pub place: Place,
}

/// The launches anywhere in the file that run one after the other: their entries, by the index of their kernels.
pub fn serial_kernels(top: &Table<'_>, kernels: &[JobKernel]) -> Result<BTreeMap<(u16, Serial), Wanted>, JobError> {
    let mut found: BTreeMap<(u16, Serial), Wanted> = BTreeMap::new();
    for (table, kind) in body(top, &["launch", "for"]).unwrap_or_default() {
        let inner = if kind == "for" {
            serial_kernels(&table, kernels)?
        } else if let Some(serial) = serial(&table)? {
            let (index, kernel) = find_kernel(&table, kernels)?;
            let (entry, _) = find_entry(&table, kernel)?;
            let wanted = Wanted { entries: BTreeSet::from([entry.name.clone()]), place: table.place() };
            BTreeMap::from([((index, serial), wanted)])
        } else {
            BTreeMap::new()
        };
        for (key, wanted) in inner {
            match found.get_mut(&key) {
                Some(known) => known.entries.extend(wanted.entries),
                None => {
                    found.insert(key, wanted);
                }
            }
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
    let (written, kernel) = find_kernel(table, names.kernels)?;
    let serial = serial(table)?;
    let made = serial.and_then(|serial| names.serial.get(&(written, serial)));
    let runs = made.and_then(|made| names.made.iter().find(|kernel| kernel.index == *made)).unwrap_or(kernel);
    // Its parameters are those of the entry as written.
    let (entry, place) = find_entry(table, kernel)?;
    let limits = accepted(runs, &entry.name, place)?;
    let (grid_node, block_node) = (table.need("grid")?, table.need("block")?);
    let grid = extents(&grid_node, scope, MAX_CTAS.into())?;
    let block = extents(&block_node, scope, MAX_THREADS.into())?;
    let [_, rows, planes] = grid;
    if product(grid) > MAX_CTAS || rows > 65_535 || planes > 65_535 {
        return Err(grid_node.error(Problem::Program(ProgramError::Grid(0))));
    }
    let limits = if serial == Some(Serial::Threads) { entry.kernel.as_ref().ok() } else { Some(limits) };
    let most = limits.map_or(MAX_THREADS, |kernel| kernel.max_threads.min(MAX_THREADS));
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
    let (mut grid, mut block) = (grid, block);
    if let Some(serial) = serial {
        if product(grid) > SERIAL_CTAS {
            return Err(grid_node.error(Problem::Form("`serial` takes a grid of at most 4096 CTAs")));
        }
        times = u32::try_from(product(grid)).ok();
        args.push(Arg::Iteration);
        args.extend(grid.map(Arg::U32));
        grid = [1; 3];
        if serial == Serial::Threads {
            args.extend(block.map(Arg::U32));
            block = [1; 3];
        }
    }
    let mut maps = Vec::new();
    if serial.is_some() && table.get("writes").is_none() && names.writes {
        maps = maps::all_of(&args, names);
    }
    if let Some(node) = table.get("writes").filter(|_| names.writes) {
        for node in node.list_or_one()? {
            maps.extend(maps::read(&node.table()?, grid, scope, names)?);
            maps::check(&node, &maps, grid, names)?;
        }
    }
    let writes = Writes::Maps(bounded(maps, "write maps", MAX_WRITE_MAPS).map_err(|problem| table.error(problem))?);
    let name = bounded(entry.name.clone().into_bytes(), "bytes of a name", assay_primitives::program::MAX_NAME)
        .map_err(|problem| table.error(problem))?;
    let args = bounded(args, "arguments", MAX_ARGS).map_err(|problem| table.error(problem))?;
    Ok((Launch { kernel: runs.index, entry: name, grid, block, shared, args, writes }, times))
}

/// Launches that the CTAs of one may become, at most.
const SERIAL_CTAS: u64 = 4096;

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

/// The entry that a launch names, and where it does.
fn find_entry<'n>(table: &Table<'_>, kernel: &'n JobKernel) -> Result<(&'n Entry, Place), JobError> {
    let entries = &kernel.module.entries;
    let names = kernel::Names::new(entries.iter().map(|entry| entry.name.as_str()));
    let list = |places: &[usize]| places.iter().map(|place| names.simplest(*place)).collect::<Vec<_>>().join(", ");
    let all: Vec<usize> = (0..entries.len()).collect();
    match table.get("entry") {
        Some(node) => {
            let name = node.text()?;
            let found = names.find(name);
            match found.as_slice() {
                [place] if let Some(entry) = entries.get(*place) => Ok((entry, node.place())),
                [] => {
                    let hint = format!("; there are: {}", list(&all));
                    Err(node.error(Problem::NoSuch { what: "entry", name: name.to_owned(), hint }))
                }
                several => Err(node.error(Problem::Ambiguous(format!("`{name}` may be any of {}", list(several))))),
            }
        }
        None => match entries.as_slice() {
            [only] => Ok((only, table.place())),
            _ => Err(table.error(Problem::Ambiguous(format!("`entry` must be one of {}", list(&all))))),
        },
    }
}

/// The engine's word on an entry.
fn accepted<'n>(kernel: &'n JobKernel, name: &str, place: Place) -> Result<&'n Kernel, JobError> {
    match kernel.module.entry(name).map(|entry| entry.kernel.as_ref()) {
        Some(Ok(kernel)) => Ok(kernel),
        Some(Err(rejection)) => Err(place.error(Problem::Rejected {
            entry: name.to_owned(),
            reason: rejection.reason.clone(),
            path: kernel.path.clone(),
            line: rejection.line,
        })),
        None => Err(place.error(Problem::NoSuch { what: "entry", name: name.to_owned(), hint: String::new() })),
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

/// The buffer of a name, and its index.
pub fn find_buffer<'n>(
    node: &Node<'_>,
    name: &str,
    buffers: &'n [JobBuffer],
) -> Result<(u16, &'n JobBuffer), JobError> {
    let found = (0u16..).zip(buffers).find(|(_, buffer)| buffer.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = buffers.iter().map(|buffer| buffer.name.as_str()).collect();
        let hint = format!("; there are: {}", names.join(", "));
        node.error(Problem::NoSuch { what: "buffer", name: name.to_owned(), hint })
    })
}
