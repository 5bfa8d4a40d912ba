//! Many small kernels over the families in use, each against a reference.

use crate::{Job, JobError};

mod conv;
mod elementwise;
mod gemm;
mod hash;
mod nn;
mod physics;
mod reduce;
mod rng;
mod scan;
mod sort;
mod stencil;
mod strings;
mod transform;

/// All of them.
pub fn jobs() -> Result<Vec<Job>, JobError> {
    let families = [
        conv::jobs()?,
        elementwise::jobs()?,
        gemm::jobs()?,
        hash::jobs()?,
        nn::jobs()?,
        physics::jobs()?,
        rng::jobs()?,
        strings::jobs()?,
        reduce::jobs()?,
        scan::jobs()?,
        sort::jobs()?,
        stencil::jobs()?,
        transform::jobs()?,
    ];
    Ok(families.into_iter().flatten().collect())
}
