use std::{collections::BTreeMap, path::Path};

use crate::{
    sources::first_line,
    support::{files, folder, run},
};

/// The ways of compiling that build.py names, with their flags.
fn ways() -> BTreeMap<String, String> {
    let script = std::fs::read_to_string(folder().join("build.py")).unwrap();
    let lines = script.lines().skip_while(|line| !line.starts_with("VARIANTS = {")).skip(1);
    lines
        .take_while(|line| *line != "}")
        .map(|line| {
            let mut words = line.split('"').skip(1).step_by(2);
            (words.next().unwrap().to_owned(), words.collect::<Vec<_>>().join(" "))
        })
        .collect()
}

fn stem<'a>(path: &'a Path, base: &Path) -> &'a Path {
    path.strip_prefix(base).unwrap()
}

#[test]
fn the_committed_variants_were_made_of_the_committed_sources() {
    let ways = ways();
    assert!(ways.len() >= 3, "{ways:?}");
    for (way, flags) in ways {
        let base = folder().join("variants").join(way);
        let all = files(&base, "ptx");
        assert!(all.len() >= 7, "{}", base.display());
        for path in all {
            let source = folder().join("cuda").join(stem(&path, &base)).with_extension("cu");
            let source = std::fs::read_to_string(source).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(
                text.lines().next(),
                Some(first_line(&source, &flags).as_str()),
                "run kernels/build.py: {}",
                path.display()
            );
        }
    }
}

/// What `-G`, other targets and another compiler make of the same source gives the same bytes as the host's reference.
#[test]
fn every_variant_gives_the_bytes_of_the_reference() {
    let ptx = folder().join("ptx");
    let mut wrong = Vec::new();
    let mut counts = BTreeMap::new();
    for way in ways().into_keys() {
        let base = folder().join("variants").join(&way);
        // From the text that a job carries to the variant's.
        let variants: BTreeMap<Vec<u8>, &'static [u8]> = files(&base, "ptx")
            .into_iter()
            .map(|path| {
                let text: &'static [u8] = Vec::leak(std::fs::read(&path).unwrap());
                (std::fs::read(ptx.join(stem(&path, &base))).unwrap(), text)
            })
            .collect();
        for mut job in assay_kernels::all().unwrap() {
            let found: Option<Vec<&'static [u8]>> = job.kernels.iter().map(|ptx| variants.get(*ptx).copied()).collect();
            let Some(found) = found else { continue };
            job.kernels = found;
            *counts.entry(way.clone()).or_insert(0) += 1;
            match run(&job) {
                Err(error) => wrong.push(format!("{way} {}: {error}", job.name)),
                Ok((state, _)) => {
                    for (buffer, expected) in &job.expected {
                        if state[usize::from(*buffer)] != *expected {
                            wrong.push(format!("{way} {}: buffer {buffer} differs", job.name));
                        }
                    }
                }
            }
        }
    }
    assert!(counts.len() >= 4 && counts.values().all(|count| *count >= 15), "{counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
