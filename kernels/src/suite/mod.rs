//! Many small kernels over the families in use, each against a reference.

use crate::{Job, JobError};

mod elementwise;
mod reduce;
mod scan;
mod sort;
mod stencil;

/// All of them.
pub fn jobs() -> Result<Vec<Job>, JobError> {
    let families =
        [elementwise::jobs()?, reduce::jobs()?, scan::jobs()?, sort::jobs()?, stencil::jobs()?];
    Ok(families.into_iter().flatten().collect())
}
