//! Many small kernels over the families in use, each against a reference.

use crate::{Job, JobError};

mod bignum;
mod compress;
mod control;
mod conv;
mod elementwise;
mod exact;
mod gemm;
mod graph;
mod halves;
mod hash;
mod layout;
mod linear;
mod nn;
mod physics;
mod picture;
mod reduce;
mod rng;
mod scan;
mod search;
mod sort;
mod statistics;
mod stencil;
mod strings;
mod transform;
mod wmma;

/// All of them.
pub fn jobs() -> Result<Vec<Job>, JobError> {
    let families = [
        bignum::jobs()?,
        compress::jobs()?,
        control::jobs()?,
        conv::jobs()?,
        elementwise::jobs()?,
        exact::jobs()?,
        gemm::jobs()?,
        graph::jobs()?,
        halves::jobs()?,
        hash::jobs()?,
        layout::jobs()?,
        linear::jobs()?,
        nn::jobs()?,
        physics::jobs()?,
        picture::jobs()?,
        reduce::jobs()?,
        rng::jobs()?,
        scan::jobs()?,
        search::jobs()?,
        sort::jobs()?,
        statistics::jobs()?,
        stencil::jobs()?,
        strings::jobs()?,
        transform::jobs()?,
        wmma::jobs()?,
    ];
    Ok(families.into_iter().flatten().collect())
}
