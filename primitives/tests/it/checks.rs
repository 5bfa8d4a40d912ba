use assay_primitives::{
    Arg, Axis, BlobId, Dim, Launch, Program, Step, WriteMap, Writes,
    check::{EntryInfo, ProgramError, check},
    program::{Buffer, Init, MAX_BUFFER_LEN, MAX_LAUNCHES, MAX_SHARED, Pointer},
    write_map::MapError,
};

fn launch() -> Launch {
    Launch {
        kernel: 0,
        entry: b"axpy".to_vec().try_into().unwrap(),
        grid: [4, 1, 1],
        block: [64, 1, 1],
        shared: 0,
        args: vec![
            Arg::Buffer { index: 0, offset: 0 },
            Arg::Buffer { index: 1, offset: 0 },
            Arg::F32(0),
            Arg::U64(0),
            Arg::Bytes(vec![0; 12].try_into().unwrap()),
            Arg::Iteration,
        ]
        .try_into()
        .unwrap(),
        writes: Writes::Maps(
            vec![WriteMap {
                buffer: 1,
                base: 0,
                dims: vec![Dim::Span { stride: 4, extent: 256, axis: Some(Axis::X), tile: 64 }].try_into().unwrap(),
                run: 4,
            }]
            .try_into()
            .unwrap(),
        ),
    }
}

fn program(steps: Vec<Step>) -> Program {
    Program {
        kernels: vec![[7; 32]].try_into().unwrap(),
        buffers: vec![
            Buffer { len: 1024, init: Init::Blob(BlobId { root: [1; 32], len: 1024 }), output: false },
            Buffer { len: 1024, init: Init::Zero, output: true },
        ]
        .try_into()
        .unwrap(),
        steps: steps.try_into().unwrap(),
    }
}

fn entry(kernel: u16, name: &[u8]) -> Option<EntryInfo> {
    (kernel == 0 && name == b"axpy").then(|| EntryInfo {
        name: name.to_vec().try_into().unwrap(),
        params: vec![8, 8, 4, 8, 12, 4].try_into().unwrap(),
        shared: 1024,
        max_threads: 256,
    })
}

fn with(change: impl FnOnce(&mut Launch)) -> Result<(), ProgramError> {
    let mut changed = launch();
    change(&mut changed);
    check(&program(vec![Step::Launch(launch()), Step::Launch(changed)]), entry)
}

fn with_program(change: impl FnOnce(&mut Program)) -> Result<(), ProgramError> {
    let mut changed = program(vec![Step::Launch(launch())]);
    change(&mut changed);
    check(&changed, entry)
}

#[test]
fn a_sound_program_passes() {
    assert_eq!(with(|_| {}), Ok(()));
    let rounds = Step::Repeat { times: MAX_LAUNCHES / 2, launches: vec![launch(), launch()].try_into().unwrap() };
    assert_eq!(check(&program(vec![rounds]), entry), Ok(()));
}

#[test]
fn each_fault_of_a_launch_is_named_with_its_place() {
    assert_eq!(with(|launch| launch.kernel = 1), Err(ProgramError::NoKernel(1)));
    assert_eq!(with(|launch| launch.entry = b"axpz".to_vec().try_into().unwrap()), Err(ProgramError::NoEntry(1)));
    assert_eq!(with(|launch| launch.grid = [0, 1, 1]), Err(ProgramError::Grid(1)));
    assert_eq!(with(|launch| launch.grid = [1, 65_536, 1]), Err(ProgramError::Grid(1)));
    assert_eq!(with(|launch| launch.grid = [u32::MAX; 3]), Err(ProgramError::Grid(1)));
    assert_eq!(with(|launch| launch.block = [64, 0, 1]), Err(ProgramError::Block(1)));
    assert_eq!(with(|launch| launch.block = [257, 1, 1]), Err(ProgramError::Block(1)));
    assert_eq!(with(|launch| launch.block = [1, 1, 65]), Err(ProgramError::Block(1)));
    assert_eq!(with(|launch| launch.block = [u32::MAX; 3]), Err(ProgramError::Block(1)));
    assert_eq!(with(|launch| launch.shared = MAX_SHARED - 1024), Ok(()));
    assert_eq!(with(|launch| launch.shared = MAX_SHARED - 1023), Err(ProgramError::Shared(1)));
    assert_eq!(with(|launch| launch.shared = u32::MAX), Err(ProgramError::Shared(1)));
    assert_eq!(
        with(|launch| {
            launch.args.pop();
        }),
        Err(ProgramError::ArgumentCount(1))
    );
    let map = |error| Err(ProgramError::WriteMap { launch: 1, map: 0, error });
    assert_eq!(with(|launch| launch.grid = [4, 2, 1]), map(MapError::SharedByCtas));
    let one = |launch: &mut Launch, change: fn(&mut WriteMap)| {
        let Writes::Maps(maps) = &mut launch.writes;
        change(&mut maps[0]);
    };
    assert_eq!(with(|launch| one(launch, |map| map.buffer = 2)), map(MapError::NoBuffer));
    assert_eq!(with(|launch| one(launch, |map| map.base = 4)), map(MapError::OutOfBounds));
}

/// A structure of `len` bytes with one pointer.
fn record(len: usize, at: u16, index: u16, offset: u64) -> Arg {
    let pointers = vec![Pointer { at, index, offset }];
    Arg::Record { bytes: vec![0; len].try_into().unwrap(), pointers: pointers.try_into().unwrap() }
}

#[test]
fn arguments_must_have_the_length_of_their_parameters_and_point_into_buffers() {
    for (argument, wrong) in [
        (0, Arg::Buffer { index: 2, offset: 0 }),
        (0, Arg::Buffer { index: 0, offset: 1024 }),
        (0, Arg::U32(0)),
        (2, Arg::U64(0)),
        (2, Arg::Buffer { index: 0, offset: 0 }),
        (3, Arg::F32(0)),
        (4, Arg::Bytes(vec![0; 11].try_into().unwrap())),
        (4, Arg::Iteration),
        (4, record(12, 0, 2, 0)),
        (4, record(12, 0, 1, 1024)),
        (4, record(12, 4, 1, 0)),
        (4, record(12, 8, 1, 0)),
        (4, record(16, 8, 1, 0)),
    ] {
        let result = with(|launch| launch.args[argument] = wrong.clone());
        assert_eq!(result, Err(ProgramError::Argument { launch: 1, argument: argument as u8 }), "{wrong:?}");
    }
    assert_eq!(with(|launch| launch.args[4] = record(12, 0, 1, 1023)), Ok(()));
    assert_eq!(with(|launch| launch.args[1] = Arg::Buffer { index: 1, offset: 1023 }), Ok(()));
    assert_eq!(with(|launch| launch.args[3] = Arg::F64(0)), Ok(()));
}

#[test]
fn each_fault_of_a_program_is_named() {
    assert_eq!(check(&program(vec![]), entry), Err(ProgramError::NoLaunch));
    let nothing = Step::Repeat { times: 3, launches: Default::default() };
    assert_eq!(check(&program(vec![Step::Launch(launch()), nothing]), entry), Err(ProgramError::NoLaunch));
    let never = Step::Repeat { times: 0, launches: vec![launch()].try_into().unwrap() };
    assert_eq!(check(&program(vec![Step::Launch(launch()), never]), entry), Err(ProgramError::NoLaunch));
    let long = Step::Repeat { times: u32::MAX, launches: vec![launch(); 16].try_into().unwrap() };
    assert_eq!(check(&program(vec![long]), entry), Err(ProgramError::TooLarge));
    assert_eq!(
        check(
            &program(vec![Step::Launch(Launch { entry: vec![b'a'; 256].try_into().unwrap(), ..launch() }); 64]),
            entry
        ),
        Err(ProgramError::NoEntry(0))
    );
    let wide = Step::Repeat { times: 1, launches: vec![launch(); 16].try_into().unwrap() };
    assert_eq!(check(&program(vec![wide; 64]), entry), Err(ProgramError::TooLarge));
    assert_eq!(with_program(|program| program.buffers[1].len = 0), Err(ProgramError::BufferLength(1)));
    assert_eq!(with_program(|program| program.buffers[1].len = MAX_BUFFER_LEN + 1), Err(ProgramError::BufferLength(1)));
    assert_eq!(with_program(|program| program.buffers[0].len = 1023), Err(ProgramError::BufferLength(0)));
    assert_eq!(with_program(|program| program.buffers[1].output = false), Err(ProgramError::NoOutput));
}
