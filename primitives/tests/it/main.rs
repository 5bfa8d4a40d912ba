//! Property tests of the pure rules.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arguments;
mod checks;
mod draws;
mod money;
mod slices;
mod traces;
mod write_maps;

use assay_primitives::{
    Writes,
    program::{Buffer, Init, Launch, Program, Step},
};

/// One launch over the first grid, then `times` rounds over all.
fn program(grids: &[[u32; 3]], times: u32) -> Program {
    let launch = |grid: &[u32; 3]| Launch {
        kernel: 0,
        entry: b"k".to_vec().try_into().unwrap(),
        grid: *grid,
        block: [1; 3],
        shared: 0,
        args: Default::default(),
        writes: Writes::Maps(Default::default()),
    };
    let launches: Vec<Launch> = grids.iter().map(launch).collect();
    Program {
        kernels: vec![[0; 32]].try_into().unwrap(),
        buffers: vec![Buffer { len: 4, init: Init::Zero, output: true }].try_into().unwrap(),
        steps: vec![Step::Launch(launches[0].clone()), Step::Repeat { times, launches: launches.try_into().unwrap() }]
            .try_into()
            .unwrap(),
    }
}
