//! A program with its kernels, ready to run.

use assay_audit::Job;
use assay_engine::Module;
use assay_primitives::{
    KernelId, Program,
    check::{self, EntryInfo, ProgramError},
    hash,
};

/// Why a program cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The PTX at this place is not the kernel that the program names.
    #[error("kernel {0} is not the one that the program names")]
    WrongKernel(usize),
    /// PTX that the engine cannot read.
    #[error("kernel {}: line {line}: {reason}", hex::encode(.kernel))]
    Parse {
        /// The kernel.
        kernel: KernelId,
        /// Line of the PTX.
        line: u32,
        /// What is wrong there.
        reason: String,
    },
    /// The program breaks a rule.
    #[error("the program cannot run: {0:?}")]
    Program(ProgramError),
}

/// A checked program with its kernels parsed.
pub struct Prepared {
    program: Program,
    modules: Vec<Module>,
    ptx: Vec<Vec<u8>>,
    fuel: u64,
}

impl Prepared {
    /// Parses the kernels' PTX, in the program's order, and checks the program against them. `fuel` is the lane-steps one
    /// unit may take.
    pub fn new(program: Program, ptx: Vec<Vec<u8>>, fuel: u64) -> Result<Self, PrepareError> {
        if ptx.len() != program.kernels.len() {
            return Err(PrepareError::WrongKernel(ptx.len().min(program.kernels.len())));
        }
        let mut modules = Vec::with_capacity(ptx.len());
        for (position, (kernel, ptx)) in program.kernels.iter().zip(&ptx).enumerate() {
            if hash::plain(ptx) != *kernel {
                return Err(PrepareError::WrongKernel(position));
            }
            let parse = |error: assay_engine::ParseError| PrepareError::Parse {
                kernel: *kernel,
                line: error.line,
                reason: error.reason,
            };
            modules.push(Module::parse(ptx).map_err(parse)?);
        }
        check::check(&program, |kernel, name| entry(modules.get(usize::from(kernel))?, name))
            .map_err(PrepareError::Program)?;
        Ok(Self { program, modules, ptx, fuel })
    }

    /// As the auditor's engine sees it.
    pub fn job(&self) -> Job<'_> {
        Job { program: &self.program, modules: &self.modules, fuel: self.fuel }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The kernels' PTX, in the program's order.
    pub fn ptx(&self) -> &[Vec<u8>] {
        &self.ptx
    }

    /// The kernels, parsed.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }
}

/// What a program has to know of an accepted entry.
fn entry(module: &Module, name: &[u8]) -> Option<EntryInfo> {
    let entry = module.entry(std::str::from_utf8(name).ok()?)?;
    let kernel = entry.kernel.as_ref().ok()?;
    let params: Vec<u16> = entry.params.iter().map(|param| u16::try_from(param.size).ok()).collect::<Option<_>>()?;
    Some(EntryInfo {
        name: name.to_vec().try_into().ok()?,
        params: params.try_into().ok()?,
        shared: kernel.shared,
        max_threads: kernel.max_threads,
    })
}
