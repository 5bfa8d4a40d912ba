//! The functions that replacements call, out of the PTX that nvcc made of kernels/cuda/approximate.cu.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use crate::Error;

const PTX: &str = include_str!("../../kernels/ptx/approximate.ptx");

/// What the header's function is called that reduces large angles, and what it is called here.
const LARGE: (&str, &str) = ("_ZN5assay12reduce_largeEf", "assay_exact_reduce_large");

/// One function.
#[derive(Debug)]
pub struct Function {
    name: String,
    /// `.func`, result, name and parameters, on one line.
    pub header: String,
    /// From brace to brace.
    pub body: String,
}

/// Those functions and the ones that they call; the called before the calling.
pub fn with_callees(names: &BTreeSet<&'static str>) -> Result<Vec<&'static Function>, Error> {
    let all = all();
    let mut wanted = Vec::new();
    if names.iter().any(|name| all.get(*name).is_some_and(|function| function.body.contains(LARGE.1))) {
        wanted.push(LARGE.1);
    }
    wanted.extend(names);
    wanted.into_iter().map(|name| all.get(name).ok_or(Error::Missing(name))).collect()
}

fn all() -> &'static BTreeMap<String, Function> {
    static ALL: OnceLock<BTreeMap<String, Function>> = OnceLock::new();
    ALL.get_or_init(|| read(PTX).into_iter().map(|function| (function.name.clone(), function)).collect())
}

/// The functions of a text, without comments and lines of the source.
fn read(ptx: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    let mut lines = ptx.lines().map(|line| line.split("//").next().unwrap_or_default().trim_end());
    while let Some(first) = lines.next() {
        if !first.starts_with(".func") {
            continue;
        }
        let mut header = first.replace(LARGE.0, LARGE.1);
        let mut body = String::new();
        let mut inside = false;
        for line in lines.by_ref() {
            if line == "{" {
                inside = true;
            }
            if !inside {
                header.push_str(&line.trim().replace(LARGE.0, LARGE.1));
            } else if !line.is_empty() && !line.trim_start().starts_with(".loc") {
                body.push_str(&line.replace(LARGE.0, LARGE.1));
                body.push('\n');
            }
            if line == "}" {
                break;
            }
        }
        let header = header.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = header.split_once(") ").and_then(|(_, rest)| rest.split('(').next()).unwrap_or_default().to_owned();
        functions.push(Function { name, header, body });
    }
    functions
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_function_calls_only_what_comes_with_it() {
        for function in all().values() {
            for line in function.body.lines().filter(|line| line.contains("assay_")) {
                assert!(line.contains(&function.name) || line.contains(LARGE.1), "{line}");
            }
            assert!(!function.body.contains(".approx") && !function.body.contains("_ZN"), "{}", function.name);
        }
    }
}
