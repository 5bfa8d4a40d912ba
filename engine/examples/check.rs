//! Prints what the engine says of PTX files: `cargo run --release -p assay-engine --example check -- FILE…`

use assay_engine::Module;

fn main() {
    for path in std::env::args().skip(1) {
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                println!("{path}: {error}");
                continue;
            }
        };
        match Module::parse(&text) {
            Err(error) => println!("{path}:{}: {}", error.line, error.reason),
            Ok(module) => {
                for entry in &module.entries {
                    match &entry.kernel {
                        Ok(kernel) => println!(
                            "{path}:{}: {} accepted, {} B shared, {} B local",
                            entry.line, entry.name, kernel.shared, kernel.local
                        ),
                        Err(rejection) => {
                            println!("{path}:{}: {} rejected: {}", rejection.line, entry.name, rejection.reason);
                        }
                    }
                }
            }
        }
    }
}
