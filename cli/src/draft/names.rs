//! What C++ calls things: types from mangled names, names of parameters from the source.

use crate::kernel::with_types;

/// The types of a function's parameters, from its mangled name.
pub fn parameters(mangled: &str) -> Option<Vec<String>> {
    let text = with_types(mangled)?;
    let end = text.rfind(')')?;
    let start = opening(text.get(..end)?)?;
    Some(split(text.get(start.checked_add(1)?..end)?))
}

/// Where the parenthesis opens that the end of `text` is in.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 0u32;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' => depth = depth.saturating_add(1),
            '(' if depth == 0 => return Some(at),
            '(' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Parts between commas that are in no brackets.
fn split(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0u32;
    for c in list.chars() {
        match c {
            '(' | '<' | '[' | '{' => depth = depth.saturating_add(1),
            ')' | '>' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let parts = parts.iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty() && part != "void").collect()
}

/// What a type points to.
pub fn pointee(kind: &str) -> Option<String> {
    let kind = kind.trim().trim_end_matches("const").trim_end();
    let pointee = kind.strip_suffix('*').or_else(|| kind.strip_suffix('&'))?;
    Some(pointee.trim().to_owned())
}

/// The name of a number's type in a job file.
pub fn number(kind: &str) -> Option<&'static str> {
    let words: Vec<&str> = kind.split_whitespace().filter(|word| !matches!(*word, "const" | "volatile")).collect();
    Some(match words.join(" ").as_str() {
        "bool" | "unsigned char" => "u8",
        "char" | "signed char" => "i8",
        "short" => "i16",
        "unsigned short" | "__half" | "__nv_bfloat16" => "u16",
        "int" => "i32",
        "unsigned int" | "unsigned" => "u32",
        "long" | "long long" => "i64",
        "unsigned long" | "unsigned long long" => "u64",
        "float" | "float2" | "float3" | "float4" => "f32",
        "double" | "double2" | "double3" | "double4" => "f64",
        "int2" | "int3" | "int4" => "i32",
        "uint2" | "uint3" | "uint4" => "u32",
        "uchar4" | "uchar3" => "u8",
        _ => return None,
    })
}

/// The names that the source, without its comments, gives the parameters of a kernel; `None` where it cannot be told.
pub fn in_source(source: &str, function: &str, count: usize) -> Option<Vec<String>> {
    if function.is_empty() {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = None;
    for (at, _) in source.match_indices(function) {
        let before = source.get(..at).unwrap_or_default();
        let rest = source.get(at.saturating_add(function.len())..).unwrap_or_default().trim_start();
        if before.ends_with(is_part) || !rest.starts_with('(') {
            continue;
        }
        // A definition: `__global__` stands before it in the same statement.
        let statement = before.rsplit([';', '}']).next().unwrap_or_default();
        if !statement.contains("__global__") {
            continue;
        }
        let mut depth = 0u32;
        let end = rest.char_indices().find(|(_, c)| {
            match c {
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        });
        let list = split(rest.get(1..end?.0).unwrap_or_default());
        let names: Option<Vec<String>> = list
            .iter()
            .map(|parameter| {
                let parameter = parameter.split(['=', '[']).next().unwrap_or_default().trim_end();
                let name = parameter.rsplit(|c| !is_part(c)).next().unwrap_or_default();
                let usable = !name.is_empty() && name.is_ascii() && !name.starts_with(|c: char| c.is_ascii_digit());
                // A parameter without a name ends in its type.
                (usable && number(parameter.trim()).is_none()).then(|| name.to_owned())
            })
            .collect();
        found = names.filter(|names| names.len() == count).or(found);
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use assay_exact::text::without_comments;

    use super::*;

    #[test]
    fn mangled_names_give_the_types_of_parameters() {
        let types = |name| parameters(name).unwrap();
        assert_eq!(types("_Z5saxpyifPKfPf"), ["int", "float", "float const*", "float*"]);
        assert_eq!(types("_Z6reduceILi256EdEvPKT0_PS0_j"), ["double const*", "double*", "unsigned int"]);
        assert_eq!(types("_ZN2ns4blurEPKhPhii"), ["unsigned char const*", "unsigned char*", "int", "int"]);
        assert!(types("_Z4nonev").is_empty());
        assert_eq!(parameters("saxpy"), None);
    }

    #[test]
    fn what_a_pointer_points_to_has_a_type_of_the_job_file() {
        assert_eq!(pointee("float const*").and_then(|kind| number(&kind)), Some("f32"));
        assert_eq!(pointee("unsigned char*").and_then(|kind| number(&kind)), Some("u8"));
        assert_eq!(pointee("Body*").and_then(|kind| number(&kind)), None);
        assert_eq!(pointee("int"), None);
    }

    #[test]
    fn the_source_names_the_parameters() {
        let plain = |text: &str| String::from_utf8_lossy(&without_comments(text.as_bytes())).into_owned();
        let source = "// __global__ void k(int no)\n__global__ void k(int n);\ntemplate <int N>\n__global__ void \
                      __launch_bounds__(256) k(const float* __restrict__ x, /* y */ float y[], int n = 3)\n{ k(1, 2, 3); }";
        let source = &plain(source);
        assert_eq!(in_source(source, "k", 3).unwrap(), ["x", "y", "n"]);
        assert_eq!(in_source(source, "k", 1).unwrap(), ["n"]);
        assert_eq!(in_source(source, "k", 2), None);
        let quoted = "const char *page = \"http://k\"; __global__ void k(int n) { }";
        assert_eq!(in_source(&plain(quoted), "k", 1).unwrap(), ["n"]);
        assert_eq!(in_source("__global__ void k(int, float)", "k", 2), None);
        assert_eq!(in_source("__global__ void k(", "k", 1), None);
    }
}
