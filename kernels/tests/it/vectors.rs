use crate::support::{files, folder, trace};

/// Each line is a job's name and its trace root, as `./x gpu --out FILE` writes them on a device or for the engine.
#[test]
fn the_engine_gives_the_recorded_trace_roots() {
    let jobs = assay_kernels::all().unwrap();
    let recorded = files(&folder().join("vectors"), "txt");
    assert!(recorded.iter().any(|path| path.ends_with("engine.txt")));
    let mut roots: Vec<(&str, String)> = Vec::new();
    for job in &jobs {
        let root = trace(job).unwrap().root().unwrap();
        roots.push((job.name, root.iter().map(|byte| format!("{byte:02x}")).collect()));
    }
    for path in recorded {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        let known = |name: &str| lines.iter().find(|(other, _)| *other == name).map(|(_, root)| *root);
        let engine = path.ends_with("engine.txt");
        for (name, root) in &roots {
            match known(name) {
                Some(recorded) => assert_eq!(recorded, root, "{}: {name}", path.display()),
                None => assert!(!engine, "{name} is not recorded: ./x gpu --cpu --out {}", path.display()),
            }
        }
    }
}
