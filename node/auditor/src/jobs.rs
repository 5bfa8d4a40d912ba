//! Programs with their kernels parsed, kept for as long as they are likely to be asked again.

use super::chain::{Chain, ChainError};
use assay_engine::Module;
use assay_primitives::{KernelId, Program, ProgramId, hash};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Programs kept.
const KEPT: usize = 16;

/// Why a program cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The chain did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The chain has no such program.
    #[error("the chain has no program 0x{}", hex::encode(.0))]
    NoProgram(ProgramId),
    /// The chain has no such kernel.
    #[error("the chain has no kernel 0x{}", hex::encode(.0))]
    NoKernel(KernelId),
    /// The kernel's text is not what its address says, or no PTX.
    #[error("kernel 0x{} cannot be read: {reason}", hex::encode(.kernel))]
    Kernel {
        /// The kernel.
        kernel: KernelId,
        /// What is wrong.
        reason: String,
    },
}

/// A program, ready to run.
pub struct Loaded {
    /// The program.
    pub program: Program,
    /// Its kernels, in its order.
    pub modules: Vec<Module>,
    /// Lane-steps one unit may take.
    pub fuel: u64,
}

/// The programs loaded last.
#[derive(Default)]
pub struct Jobs {
    kept: Mutex<VecDeque<(ProgramId, Arc<Loaded>)>>,
}

impl Jobs {
    /// The program with that address. Parses when it is not kept: call it where blocking is allowed.
    pub fn load(&self, chain: &impl Chain, id: ProgramId) -> Result<Arc<Loaded>, JobError> {
        if let Some(loaded) = self.find(id) {
            return Ok(loaded);
        }
        let program = chain.program(id)?.ok_or(JobError::NoProgram(id))?;
        let modules = program.kernels.iter().map(|kernel| parse(chain, *kernel)).collect::<Result<_, _>>()?;
        let loaded = Arc::new(Loaded { program, modules, fuel: chain.unit_fuel()? });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((id, loaded.clone()));
        Ok(loaded)
    }

    fn find(&self, id: ProgramId) -> Option<Arc<Loaded>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(kept, _)| *kept == id).map(|(_, loaded)| loaded.clone())
    }
}

fn parse(chain: &impl Chain, kernel: KernelId) -> Result<Module, JobError> {
    let code = chain.kernel_code(kernel)?.ok_or(JobError::NoKernel(kernel))?;
    if hash::plain(&code) != kernel {
        return Err(JobError::Kernel { kernel, reason: "its bytes have another hash".into() });
    }
    Module::parse(&code)
        .map_err(|error| JobError::Kernel { kernel, reason: format!("line {}: {}", error.line, error.reason) })
}
