//! Arguments: their encodings, and how many bytes a launch may have of them.

use assay_primitives::{
    Arg, Program, Step,
    check::{EntryInfo, ProgramError, check},
    program::{MAX_ARG_BYTES, MAX_ARGS, Pointer},
};
use codec::{DecodeAll, Encode};
use proptest::prelude::*;

/// A program of one launch with structures of so many bytes.
fn program(sizes: &[u16]) -> Program {
    let mut program = crate::program(&[[1; 3]], 1);
    let args: Vec<Arg> = sizes.iter().map(|size| bytes(usize::from(*size))).collect();
    let steps = program.steps.iter().map(|step| match step {
        Step::Launch(launch) => launch.clone(),
        Step::Repeat { launches, .. } => launches[0].clone(),
    });
    let steps: Vec<Step> = steps
        .map(|mut launch| {
            launch.args = args.clone().try_into().unwrap();
            Step::Launch(launch)
        })
        .collect();
    program.steps = steps.try_into().unwrap();
    program
}

fn bytes(len: usize) -> Arg {
    Arg::Bytes((0..len).map(|at| (at % 251) as u8).collect::<Vec<_>>().try_into().unwrap())
}

fn checked(sizes: &[u16]) -> Result<(), ProgramError> {
    check(&program(sizes), |_, name| {
        Some(EntryInfo {
            name: name.to_vec().try_into().unwrap(),
            params: sizes.to_vec().try_into().unwrap(),
            shared: 0,
            max_threads: 1024,
        })
    })
}

#[test]
fn short_structures_are_encoded_as_ever() {
    assert_eq!(bytes(3).encode(), [7, 12, 0, 1, 2]);
    let pointers = vec![Pointer { at: 0, index: 2, offset: 5 }];
    let record = Arg::Record { bytes: vec![9; 8].try_into().unwrap(), pointers: pointers.try_into().unwrap() };
    assert_eq!(record.encode(), [&[9, 32][..], &[9; 8], &[4, 0, 0, 2, 0, 5, 0, 0, 0, 0, 0, 0, 0]].concat());
}

#[test]
fn a_structure_of_one_byte_more_than_parameters_take_is_no_argument() {
    let most = MAX_ARG_BYTES as usize;
    let longest = bytes(most);
    assert_eq!(Arg::decode_all(&mut longest.encode().as_slice()).unwrap(), longest);
    let longer = |variant: u8, rest: &[u8]| [&[variant][..], &vec![0u8; most + 1].encode(), rest].concat();
    assert!(Arg::decode_all(&mut longer(7, &[]).as_slice()).is_err());
    assert!(Arg::decode_all(&mut longer(9, &[0]).as_slice()).is_err());
}

#[test]
fn the_arguments_of_a_launch_take_as_many_bytes_as_parameters_and_not_one_more() {
    assert_eq!(checked(&[4096, 256]), Ok(()));
    assert_eq!(checked(&[4352]), Ok(()));
    let over = |argument| Err(ProgramError::Argument { launch: 0, argument });
    assert_eq!(checked(&[4096, 256, 1]), over(2));
    assert_eq!(checked(&[4352, 1, 1]), over(1));
    assert_eq!(checked(&[91; MAX_ARGS as usize]), over(47));
    assert_eq!(checked(&[90; MAX_ARGS as usize]), Ok(()));
}

proptest! {
    #[test]
    fn arguments_come_back_from_their_encoding(
        content in proptest::collection::vec(any::<u8>(), 0..=MAX_ARG_BYTES as usize),
        at in any::<u16>(), index in any::<u16>(), offset in any::<u64>(),
    ) {
        let plain = Arg::Bytes(content.clone().try_into().unwrap());
        let pointers = vec![Pointer { at, index, offset }].try_into().unwrap();
        let record = Arg::Record { bytes: content.try_into().unwrap(), pointers };
        for arg in [plain, record] {
            prop_assert_eq!(&Arg::decode_all(&mut arg.encode().as_slice()).unwrap(), &arg);
        }
    }

    #[test]
    fn launches_pass_up_to_the_bytes_that_parameters_take(
        sizes in proptest::collection::vec(1u16..=600, 1..=MAX_ARGS as usize),
    ) {
        let total: u32 = sizes.iter().map(|size| u32::from(*size)).sum();
        prop_assert_eq!(checked(&sizes).is_ok(), total <= MAX_ARG_BYTES);
        let text = program(&sizes).encode();
        prop_assert_eq!(Program::decode_all(&mut text.as_slice()).unwrap(), program(&sizes));
    }
}
