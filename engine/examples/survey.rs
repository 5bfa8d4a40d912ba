//! Counts what the engine says of PTX files, reasons grouped: `cargo run --release -p assay-engine --example survey -- FILE…`

use assay_engine::Module;
use std::collections::BTreeMap;

fn main() {
    let (mut files, mut broken, mut total, mut accepted) = (0usize, 0usize, 0usize, 0usize);
    let mut reasons: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for path in std::env::args().skip(1) {
        let Ok(text) = std::fs::read(&path) else { continue };
        files += 1;
        let module = match Module::parse(&text) {
            Ok(module) => module,
            Err(error) => {
                broken += 1;
                let place = format!("{path}:{}", error.line);
                reasons.entry(format!("NOT READ: {}", error.reason)).or_insert((0, place)).0 += 1;
                continue;
            }
        };
        for entry in &module.entries {
            total += 1;
            match &entry.kernel {
                Ok(_) => accepted += 1,
                Err(rejection) => {
                    let place = format!("{path}:{} {}", rejection.line, entry.name.get(..60).unwrap_or(&entry.name));
                    reasons.entry(rejection.reason.clone()).or_insert((0, place)).0 += 1;
                }
            }
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, (count, _))| core::cmp::Reverse(*count));
    println!("{files} files, {broken} not read, {total} entries, {accepted} accepted");
    for (reason, (count, first)) in reasons {
        println!("{count:6}  {reason}\n        first: {first}");
    }
}
