use assay_primitives::{
    BlobId, Hash,
    hash::{Purpose, derive},
    program::{Buffer, Init, MAX_LAUNCHES},
    trace::{TracePath, initial_state, state_root, trace_path, trace_root, verify_path},
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_trace_path_proves_its_state_at_its_place_and_nothing_else(
        states in proptest::collection::vec(any::<Hash>(), 1..70), index in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let count = states.len() as u32;
        let root = trace_root(&states).unwrap();
        let index = index.index(states.len()) as u32;
        let path = trace_path(&states, index).unwrap();
        let state = states[index as usize];
        prop_assert!(verify_path(&root, count, index, &state, &path));
        let other = other.index(states.len()) as u32;
        prop_assert_eq!(verify_path(&root, count, other, &state, &path), other == index);
        prop_assert!(!verify_path(&root, count + 1, index, &state, &path), "a count lie");
        let mut short = path.0.to_vec();
        if short.pop().is_some() {
            prop_assert!(!verify_path(&root, count, index, &state, &TracePath(short.try_into().unwrap())), "a short path");
        }
        let mut wrong = state;
        wrong[0] ^= 1;
        prop_assert!(!verify_path(&root, count, index, &wrong, &path));
    }

    #[test]
    fn an_inner_node_of_a_trace_is_no_leaf(states in proptest::collection::vec(any::<Hash>(), 4..5)) {
        let root = trace_root(&states).unwrap();
        let path = trace_path(&states, 0).unwrap();
        let leaf = |state: &Hash| derive(Purpose::TraceLeaf, &[state]);
        let inner = derive(Purpose::TraceNode, &[&leaf(&states[0]), &leaf(&states[1])]);
        let top = derive(Purpose::TraceNode, &[&inner, &path.0[1]]);
        prop_assert_eq!(derive(Purpose::TraceRoot, &[&4u32.to_le_bytes(), &top]), root, "the tree is the one documented");
        let upper = TracePath(path.0[1..].to_vec().try_into().unwrap());
        for node in [inner, top, states[0]] {
            for count in [1, 2, 3, 4] {
                prop_assert!(!verify_path(&root, count, 0, &node, &upper));
            }
        }
    }

    #[test]
    fn a_path_of_another_length_is_refused(states in proptest::collection::vec(any::<Hash>(), 1..20), extra in any::<Hash>()) {
        let count = states.len() as u32;
        let root = trace_root(&states).unwrap();
        let path = trace_path(&states, 0).unwrap();
        let mut longer = path.0.to_vec();
        longer.push(extra);
        prop_assert!(!verify_path(&root, count, 0, &states[0], &TracePath(longer.try_into().unwrap())));
        prop_assert!(!verify_path(&root, count, count, &states[0], &path));
        prop_assert!(trace_path(&states, count).is_none());
    }
}

#[test]
fn the_longest_trace_has_paths_and_a_longer_one_has_no_root() {
    let most = MAX_LAUNCHES as usize + 1;
    let states: Vec<Hash> = (0..=most as u32).map(|i| derive(Purpose::State, &[&i.to_le_bytes()])).collect();
    let root = trace_root(&states[..most]).unwrap();
    let last = MAX_LAUNCHES;
    assert!(verify_path(&root, last + 1, last, &states[last as usize], &trace_path(&states[..most], last).unwrap()));
    assert_eq!(trace_root(&states), None);
    assert_eq!(trace_root(&[]), None);
}

#[test]
fn a_program_starts_from_its_blobs_and_from_zeros_of_its_lengths() {
    let mut program = crate::program(&[[1, 1, 1]], 1);
    let blob = BlobId::of(b"seed");
    program.buffers[0] = Buffer { len: 4, init: Init::Blob(blob), output: false };
    program.buffers.try_push(Buffer { len: 1 << 33, init: Init::Zero, output: true }).unwrap();
    assert_eq!(initial_state(&program), [blob, BlobId::zero(1 << 33)]);
    assert_ne!(state_root(&[blob, BlobId::zero(5)]), state_root(&[blob, BlobId::zero(6)]));
}
