//! Job files: from TOML to a program with its kernels and data. The format is described in docs/job-file.md.

mod arguments;
pub mod bind;
mod buffers;
pub mod edit;
pub mod error;
pub mod expr;
pub mod image;
mod launches;
mod maps;
mod scope;
mod source;
mod symbols;
#[cfg(test)]
mod tests;
pub mod values;
pub mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use assay_engine::Module;
use assay_primitives::{
    KernelId, Program, Step, check,
    check::{EntryInfo, ProgramError},
    hash,
    program::{MAX_BUFFERS, MAX_KERNELS, MAX_STEPS},
};

pub use buffers::{JobBuffer, Output};
pub use error::{JobError, Place, Problem};
pub use source::Source;
pub use symbols::without_values;

use self::{
    buffers::Draft,
    launches::Wanted,
    launches::{Names, bounded},
    scope::Scope,
    source::Table,
    symbols::{Applied, Symbol},
};
use crate::kernel::{self, Serial};

/// What the command line changes in a job file.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Values for names of `[vars]`.
    pub set: Vec<(String, i128)>,
    /// Other pictures for buffers with `image`.
    pub images: Vec<(String, PathBuf)>,
    /// Other files for buffers.
    pub files: Vec<(String, PathBuf)>,
    /// Leave out what launches say of their writes.
    pub without_writes: bool,
    /// Leave approximate instructions as they are.
    pub no_exact_maths: bool,
}

/// A job, ready to be run or bought.
pub struct Job {
    /// The job file.
    pub file: PathBuf,
    /// The program.
    pub program: Program,
    /// The program's kernels, in its order.
    pub kernels: Vec<JobKernel>,
    /// The program's buffers, in its order.
    pub buffers: Vec<JobBuffer>,
    /// Where each launch stands, in the order written.
    pub launches: Vec<Place>,
}

/// A kernel of a job.
pub struct JobKernel {
    /// Its name in the job file.
    pub name: String,
    /// Where it came from.
    pub path: PathBuf,
    /// Index into the program's kernels.
    pub index: u16,
    /// BLAKE3 of its PTX.
    pub id: KernelId,
    /// Its PTX.
    pub ptx: Vec<u8>,
    /// The PTX, parsed.
    pub module: Module,
    /// The PTX before its approximate instructions were replaced, where it has some.
    pub original: Option<Vec<u8>>,
    /// How many were replaced, by their opcodes.
    pub replaced: BTreeMap<String, u32>,
    /// By entry, the buffers that its variables are in: the last of its arguments.
    pub bound: BTreeMap<String, Vec<u16>>,
}

impl Job {
    /// Reads a job file and everything it names.
    pub fn load(file: &Path, options: &Options) -> Result<Self, JobError> {
        Self::of(Source::read(file)?, options)
    }

    /// The job of a text and of everything it names.
    pub fn of(source: Source, options: &Options) -> Result<Self, JobError> {
        let table = source.parse()?;
        let top = source.top(&table);
        top.only(&["vars", "kernels", "symbol", "buffer", "launch", "repeat", "for"])?;
        let mut scope = Scope::default();
        variables(&top, options, &mut scope)?;
        let drafts = buffers::drafts(&top, options, &mut scope)?;
        let symbols = symbols::symbols(&top, &drafts, &mut scope)?;
        let (mut kernels, used) = kernels(&top, (&symbols, &drafts), &scope, !options.no_exact_maths)?;
        let named = kernels.len();
        let serial = serial(&top, &mut kernels)?;
        let buffers = drafts.iter().map(|draft| draft.finish(&scope)).collect::<Result<Vec<_>, _>>()?;
        symbols::all_fit(&symbols, &used, &buffers)?;
        let (own, made) = kernels.split_at_checked(named).unwrap_or((&kernels, &[]));
        let writes = !options.without_writes;
        let names = Names { kernels: own, made, buffers: &buffers, writes, serial: &serial };
        let (mut steps, launches) = launches::steps(&top, &mut scope, &names)?;
        without_replaced(&mut kernels, &mut steps, &serial);

        let of_file = |problem: Problem| source.whole().error(problem);
        let ids: Vec<KernelId> = kernels.iter().map(|kernel| kernel.id).collect();
        let plain = buffers.iter().map(|buffer| buffer.buffer.clone()).collect();
        let program = Program {
            kernels: bounded(ids, "kernels", MAX_KERNELS).map_err(of_file)?,
            buffers: bounded(plain, "buffers", MAX_BUFFERS).map_err(of_file)?,
            steps: bounded(steps, "steps", MAX_STEPS).map_err(of_file)?,
        };
        check(&program, &kernels).map_err(|error| {
            let place = match error {
                ProgramError::BufferLength(index) => drafts.get(usize::from(index)).map(|draft| draft.table().place()),
                ProgramError::NoKernel(launch)
                | ProgramError::NoEntry(launch)
                | ProgramError::ArgumentCount(launch)
                | ProgramError::Argument { launch, .. }
                | ProgramError::Grid(launch)
                | ProgramError::Block(launch)
                | ProgramError::Shared(launch)
                | ProgramError::WriteMap { launch, .. } => {
                    usize::try_from(launch).ok().and_then(|launch| launches.get(launch).cloned())
                }
                _ => None,
            };
            place.unwrap_or_else(|| source.whole()).error(Problem::Program(error))
        })?;
        Ok(Self { file: source.file.clone(), program, kernels, buffers, launches })
    }

    /// The approximate instructions that were replaced by exact ones, by kernel and opcode.
    pub fn replaced(&self) -> BTreeMap<&str, &BTreeMap<String, u32>> {
        let changed = self.kernels.iter().filter(|kernel| !kernel.replaced.is_empty());
        changed.map(|kernel| (kernel.name.as_str(), &kernel.replaced)).collect()
    }

    /// Bytes that a provider has to be sent.
    pub fn input_bytes(&self) -> u64 {
        self.buffers.iter().filter(|buffer| buffer.data.is_some()).map(|buffer| buffer.buffer.len).sum()
    }
}

/// The check that the chain makes when an order is placed.
fn check(program: &Program, kernels: &[JobKernel]) -> Result<(), ProgramError> {
    check::check(program, |index, name| {
        let kernel = kernels.get(usize::from(index))?;
        kernel::entry_info(kernel.module.entry(std::str::from_utf8(name).ok()?)?)
    })
}

/// Adds kernels that run one CTA, or one thread, at a time for the launches that want that; theirs by the index of those they are made of.
fn serial(top: &Table<'_>, kernels: &mut Vec<JobKernel>) -> Result<BTreeMap<(u16, Serial), u16>, JobError> {
    let mut made = BTreeMap::new();
    for ((index, serial), Wanted { entries, place }) in launches::serial_kernels(top, kernels)? {
        let Some(kernel) = kernels.get(usize::from(index)) else { continue };
        let refused = |reason: String| place.clone().error(Problem::Ptx { path: kernel.path.clone(), line: 0, reason });
        let text = serial.rewrite(&kernel.ptx, |name| entries.contains(name)).map_err(refused)?;
        let prepared = kernel::prepare(text, false).map_err(|error| refused(error.reason))?;
        let at = u16::try_from(kernels.len()).unwrap_or(u16::MAX);
        made.insert((index, serial), at);
        let how = match serial {
            Serial::Ctas => "CTA by CTA",
            Serial::Threads => "thread by thread",
        };
        let (name, path, bound) = (format!("{}, {how}", kernel.name), kernel.path.clone(), kernel.bound.clone());
        let kernel::Prepared { ptx, module, .. } = prepared;
        let id = hash::plain(&ptx);
        kernels.push(JobKernel {
            name,
            path,
            index: at,
            id,
            ptx,
            module,
            original: None,
            replaced: BTreeMap::new(),
            bound,
        });
    }
    Ok(made)
}

/// Takes out kernels that only stand for those made of them.
fn without_replaced(kernels: &mut Vec<JobKernel>, steps: &mut [Step], serial: &BTreeMap<(u16, Serial), u16>) {
    let launches = |steps: &mut [Step], visit: &mut dyn FnMut(&mut u16)| {
        for step in steps {
            match step {
                Step::Launch(launch) => visit(&mut launch.kernel),
                Step::Repeat { launches, .. } => launches.iter_mut().for_each(|launch| visit(&mut launch.kernel)),
            }
        }
    };
    let mut gone: BTreeSet<u16> = serial.keys().map(|(written, _)| *written).collect();
    launches(steps, &mut |kernel| {
        gone.remove(kernel);
    });
    kernels.retain(|kernel| !gone.contains(&kernel.index));
    let places: BTreeMap<u16, u16> = kernels.iter().zip(0..).map(|(kernel, at)| (kernel.index, at)).collect();
    let moved = |kernel: &mut u16| *kernel = places.get(kernel).copied().unwrap_or(*kernel);
    launches(steps, &mut |kernel| moved(kernel));
    kernels.iter_mut().for_each(|kernel| moved(&mut kernel.index));
}

/// The interface of an entry as the chain keeps it.
pub type Interface = EntryInfo;

fn variables<'a>(top: &Table<'a>, options: &Options, scope: &mut Scope<'a>) -> Result<(), JobError> {
    let mut names = Vec::new();
    if let Some(node) = top.get("vars") {
        for (name, node) in node.table()?.entries() {
            names.push(name.clone());
            scope.set_lazy(name, node);
        }
    }
    for (name, value) in &options.set {
        if !scope.has(name) {
            let hint = format!("; `[vars]` has: {}", names.join(", "));
            return Err(top.error(Problem::NoSuch { what: "variable", name: name.clone(), hint }));
        }
        scope.set(name.clone(), *value);
    }
    Ok(())
}

fn kernels(
    top: &Table<'_>,
    (symbols, drafts): (&[Symbol<'_>], &[Draft<'_>]),
    scope: &Scope<'_>,
    replace: bool,
) -> Result<(Vec<JobKernel>, Vec<Option<u64>>), JobError> {
    let mut kernels: Vec<JobKernel> = Vec::new();
    let mut used = vec![None; symbols.len()];
    for (index, (name, node)) in (0u16..).zip(top.need("kernels")?.table()?.entries()) {
        let path = node.path()?;
        let ptx = match path.extension().and_then(|extension| extension.to_str()) {
            Some("ptx") => {
                std::fs::read(&path).map_err(|error| node.error(Problem::Read { path: path.clone(), error }))?
            }
            Some("cu") => kernel::compile(&path, kernel::DEFAULT_ARCH).map_err(|error| node.error(error.into()))?,
            _ => {
                let found = path.display().to_string();
                return Err(node.error(Problem::Choice { found, allowed: "the files .ptx and .cu" }));
            }
        };
        let Applied { ptx, bound } = symbols::apply(symbols, drafts, &name, ptx, &mut used, scope)?;
        let kernel::Prepared { ptx, module, original, replaced } = kernel::prepare(ptx, replace)
            .map_err(|error| node.error(Problem::Ptx { path: path.clone(), line: error.line, reason: error.reason }))?;
        kernels.push(JobKernel { name, path, index, id: hash::plain(&ptx), ptx, module, original, replaced, bound });
    }
    symbols::all_used(symbols, &used)?;
    Ok((kernels, used))
}
