use assay_primitives::{
    Hash,
    trace::{TracePath, trace_path, trace_root, verify_path},
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
        // The path of leaf 0 without its first sibling, and the node above as if it were a state.
        let root = trace_root(&states).unwrap();
        let path = trace_path(&states, 0).unwrap();
        let upper = TracePath(path.0[1..].to_vec().try_into().unwrap());
        prop_assert!(!verify_path(&root, 2, 0, &states[0], &upper));
    }
}
