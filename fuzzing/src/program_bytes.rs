//! Programs from anybody.

use assay_primitives::{
    Program,
    audit::{unit_at, unit_count},
    check::{EntryInfo, check},
    program::{MAX_LAUNCHES, MAX_THREADS},
    trace::initial_state,
};
use codec::{Decode, Encode};

/// Decodes, checks, and asks all the questions that the chain asks of a program.
pub fn program_bytes(data: &[u8]) {
    let Ok(program) = Program::decode(&mut &data[..]) else { return };
    let encoding = program.encode();
    assert_eq!(Program::decode(&mut &encoding[..]).as_ref(), Ok(&program), "the encoding is not canonical");
    let count = unit_count(&program);
    for index in [0, 1, count / 2, count.saturating_sub(1), count, u64::MAX] {
        let unit = unit_at(&program, index);
        if let Some(unit) = unit {
            let launch = program.launch(unit.launch).unwrap().launch;
            // Positions of more launches than a program may have need not be exact.
            let counted = program.launches() <= u64::from(MAX_LAUNCHES);
            assert!(!counted || unit.cta.iter().zip(launch.grid).all(|(at, size)| *at < size));
            let mut visits = 0;
            launch.writes.for_each_owned(unit.cta, |_, _, _| {
                visits += 1;
                visits < 100
            });
        }
    }
    let entry = |_: u16, name: &[u8]| {
        let launch = (0..program.launches().min(5000)).find_map(|at| {
            let launch = program.launch(at as u32)?.launch;
            (launch.entry.as_slice() == name).then_some(launch)
        })?;
        let params: Vec<u16> = launch.args.iter().map(|arg| arg.encoded_size() as u16 - 1).collect();
        Some(EntryInfo {
            name: launch.entry.clone(),
            params: params.try_into().ok()?,
            shared: 0,
            max_threads: MAX_THREADS,
        })
    };
    if check(&program, entry).is_ok() {
        assert!(count > 0);
        assert_eq!(initial_state(&program).len(), program.buffers.len());
        for at in 0..program.launches() as u32 {
            let launch = program.launch(at).unwrap().launch;
            let lengths: Vec<u64> = program.buffers.iter().map(|buffer| buffer.len).collect();
            assert_eq!(launch.writes.check(launch.grid, &lengths), Ok(()));
        }
    }
}
