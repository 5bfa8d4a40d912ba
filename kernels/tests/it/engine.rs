use std::time::Instant;

use assay_engine::Module;

use crate::support::{files, folder, run};

#[test]
fn every_entry_is_accepted_but_those_of_the_refused_and_those_without_exact_maths() {
    let mut rejected = Vec::new();
    let all = files(&folder().join("ptx"), "ptx");
    for path in all.iter().filter(|path| !path.ends_with("refused.ptx") && !path.ends_with("plain.ptx")) {
        match Module::parse(&std::fs::read(path).unwrap()) {
            Err(error) => rejected.push(format!("{}: {error:?}", path.display())),
            Ok(module) => {
                assert!(!module.entries.is_empty(), "{}: no entry", path.display());
                for entry in module.entries {
                    if let Err(rejection) = entry.kernel {
                        rejected.push(format!("{}: {}: {rejection:?}", path.display(), entry.name));
                    }
                }
            }
        }
    }
    assert!(rejected.is_empty(), "{}", rejected.join("\n"));
}

/// Set `ASSAY_JOB` to the name of a job, or a part of it, to run only that.
#[test]
fn every_job_gives_the_bytes_of_its_reference() {
    let only = std::env::var("ASSAY_JOB").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut ran = 0;
    for job in assay_kernels::all().unwrap().iter().filter(|job| job.name.contains(&only)) {
        ran += 1;
        let began = Instant::now();
        match run(job) {
            Err(error) => wrong.push(format!("{}: {error}", job.name)),
            Ok((state, steps)) => {
                println!("{:24} {:>12} lane-steps {:>8.1?}", job.name, steps, began.elapsed());
                assert!(!job.expected.is_empty(), "{}: nothing to compare", job.name);
                for (buffer, expected) in &job.expected {
                    let got = &state[usize::from(*buffer)];
                    if got != expected {
                        let at = got.iter().zip(expected).position(|(a, b)| a != b);
                        wrong.push(format!("{}: buffer {buffer} differs from byte {at:?}", job.name));
                    }
                }
            }
        }
    }
    assert!(ran > 0, "no job is named {only}");
    assert!(wrong.is_empty(), "{} of {ran} jobs fail\n{}", wrong.len(), wrong.join("\n"));
}
