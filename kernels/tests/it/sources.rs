use std::collections::BTreeSet;

use crate::support::{files, folder};

/// The first line that build.py writes.
pub fn first_line(source: &str, flags: &str) -> String {
    let cuda = folder().join("cuda");
    let mut hasher = blake3::Hasher::new();
    hasher.update(flags.as_bytes()).update(b"\n").update(source.as_bytes());
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("#include \"") {
            hasher.update(&std::fs::read(cuda.join(name.trim_end_matches('"'))).unwrap());
        }
    }
    if flags.starts_with("clang++") {
        hasher.update(&std::fs::read(folder().join("variants/clang.cuh")).unwrap());
    }
    format!("// source blake3 {}", hasher.finalize().to_hex())
}

#[test]
fn the_committed_ptx_was_made_of_the_committed_sources() {
    let script = std::fs::read_to_string(folder().join("build.py")).unwrap();
    let list = script.lines().find_map(|line| line.strip_prefix("FLAGS = ")).unwrap();
    let flags: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    let mut stale = Vec::new();
    for path in files(&folder().join("cuda"), "cu") {
        let source = std::fs::read_to_string(&path).unwrap();
        let ptx = folder().join("ptx").join(path.strip_prefix(folder().join("cuda")).unwrap()).with_extension("ptx");
        let text = std::fs::read_to_string(&ptx).unwrap_or_default();
        if text.lines().next() != Some(&first_line(&source, &flags.join(" "))) {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "run kernels/build.py: {stale:?}");
}

#[test]
fn every_ptx_file_has_its_source() {
    let stems = |folder: &std::path::Path, extension: &str| -> BTreeSet<_> {
        files(folder, extension).into_iter().map(|path| path.strip_prefix(folder).unwrap().with_extension("")).collect()
    };
    assert_eq!(stems(&folder().join("ptx"), "ptx"), stems(&folder().join("cuda"), "cu"));
}

#[test]
fn the_ptx_names_no_folder_of_the_machine_that_compiled_it() {
    for path in files(&folder().join("ptx"), "ptx") {
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with(".file")) {
            assert!(!line.contains("\"/"), "{}: {line}", path.display());
        }
    }
}
