use assay_engine::Module;

use crate::support::folder;

/// Entry, a part of the reason.
const REFUSED: [(&str, &str); 9] = [
    ("approximate", "approx"),
    ("float_atomic", "atom"),
    ("ticket", "atom"),
    ("timing", "clock"),
    ("processor", "smid"),
    ("print", "printf"),
    ("recursion", "recurs"),
    ("half_tensor", "mma"),
    ("active", "activemask"),
];

#[test]
fn what_cannot_be_exact_is_refused_with_its_reason_and_source_line() {
    let source = std::fs::read_to_string(folder().join("cuda/refused.cu")).unwrap();
    let module = Module::parse(&std::fs::read(folder().join("ptx/refused.ptx")).unwrap()).unwrap();
    assert_eq!(module.entries.len(), REFUSED.len());
    for (name, part) in REFUSED {
        let rejection = module.entry(name).unwrap().kernel.as_ref().err().unwrap();
        assert!(rejection.reason.to_lowercase().contains(part), "{name}: {}", rejection.reason);
        let (file, line) = rejection.source.clone().unwrap_or_default();
        println!("{name}: {file}:{line}: {}", rejection.reason);
        assert!(rejection.line > 0);
        // Library functions that were inlined name their own file.
        if file.ends_with("refused.cu") {
            let text: Vec<&str> = source.lines().collect();
            let entry = text.iter().position(|line| line.contains(&format!(" {name}("))).unwrap();
            let here = line as usize - 1;
            assert!(here < text.len(), "{name}: line {line}");
            assert!(here >= entry || name == "recursion", "{name}: line {line}");
        }
    }
}
