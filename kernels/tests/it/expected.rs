use std::fmt::Write as _;

use crate::support::folder;

/// `expected.b3sum` beside each job file: BLAKE3 of the bytes of its outputs, as the reference computes them.
#[test]
fn the_job_files_state_the_hashes_of_the_references() {
    let mut wrong = String::new();
    for job in assay_kernels::job_files().unwrap() {
        let path = folder().join(job.name).join("expected.b3sum");
        let stated = std::fs::read_to_string(&path).unwrap_or_default();
        let stated: Vec<&str> = stated.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let mut expected = job.expected;
        expected.sort();
        let computed: Vec<String> =
            expected.iter().map(|(_, bytes)| blake3::hash(bytes).to_hex().to_string()).collect();
        if stated != computed {
            writeln!(wrong, "{} should state {}", path.display(), computed.join(" ")).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
