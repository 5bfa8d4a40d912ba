//! Names of C++ functions and variables.

use std::fmt;

use cpp_demangle::{DemangleNodeType, DemangleOptions, DemangleWrite, Symbol};

/// Most bytes of a readable name: substitutions let a short mangled one stand for any length.
const LONGEST: usize = 4096;

struct Bounded(String);

impl DemangleWrite for Bounded {
    fn push_demangle_node(&mut self, _: DemangleNodeType) {}

    fn write_string(&mut self, text: &str) -> fmt::Result {
        if self.0.len().saturating_add(text.len()) > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }

    fn pop_demangle_node(&mut self) {}
}

fn demangled(name: &str, options: &DemangleOptions) -> Option<String> {
    let mut out = Bounded(String::new());
    Symbol::new(name).ok()?.structured_demangle(&mut out, options).ok()?;
    Some(out.0.replace("> >", ">>"))
}

/// The name with its types: `void reduce<256>(float const*, int)`.
pub fn with_types(name: &str) -> Option<String> {
    demangled(name, &DemangleOptions::default())
}

/// Without namespaces, with template arguments: `reduce<256>`.
fn last_part(name: &str) -> Option<String> {
    without_namespaces(&demangled(name, &DemangleOptions::default().no_params().no_return_type())?)
}

fn without_namespaces(whole: &str) -> Option<String> {
    let mut depth = 0u32;
    let mut start = 0;
    for (at, letter) in whole.char_indices() {
        match letter {
            '<' | '(' | '{' => depth = depth.saturating_add(1),
            '>' | ')' | '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => start = at.saturating_add(1),
            _ => {}
        }
    }
    whole.get(start..).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// The own name in a mangled C++ name: `blur` of `_Z4blurPKhPhii`, `blur` of `_ZN2ns4blurEv`.
pub fn unmangled(name: &str) -> Option<String> {
    let mut last = last_part(name)?;
    last.truncate(last.find('<').unwrap_or(last.len()));
    Some(last)
}

/// The name with its template arguments, as in `reduce<float, 256>`; `None` where it has none.
pub fn with_template(name: &str) -> Option<String> {
    last_part(name).filter(|last| last.ends_with('>'))
}

/// The name with the types of the parameters, without namespaces: `blur(float const*, int)`.
fn signature(name: &str) -> Option<String> {
    without_namespaces(&demangled(name, &DemangleOptions::default().no_return_type())?)
}

/// One spelling of the types in a name: as mangled names have them, without `const` and blanks.
fn spelling(name: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let letters = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = if letters(first) { rest.find(|c| !letters(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        let longer = words.last().is_some_and(|last| matches!(*last, "unsigned" | "signed" | "long" | "short"));
        match word {
            "const" | "__restrict__" | "restrict" => {}
            "int" if longer => {}
            "uint" | "uint32_t" => words.push("unsigned"),
            "int32_t" => words.push("int"),
            "uint64_t" | "size_t" | "ulong" => words.extend(["unsigned", "long"]),
            "int64_t" | "ptrdiff_t" => words.push("long"),
            "uint16_t" | "ushort" => words.extend(["unsigned", "short"]),
            "int16_t" => words.push("short"),
            "uint8_t" | "uchar" => words.extend(["unsigned", "char"]),
            "int8_t" => words.extend(["signed", "char"]),
            "half" => words.push("__half"),
            "nv_bfloat16" => words.push("__nv_bfloat16"),
            word => words.push(word),
        }
    }
    words.concat()
}

/// Names of a C++ function: alone, with its template arguments, and with the types of its parameters.
pub fn is_called(mangled: &str, name: &str) -> bool {
    unmangled(mangled).is_some_and(|known| known == name)
        || name.contains(['<', '('])
            && [with_template(mangled), signature(mangled)]
                .into_iter()
                .flatten()
                .any(|known| spelling(&known) == spelling(name))
}

/// The name to show: plain, with its template arguments where it has some.
pub fn shown(name: &str) -> String {
    last_part(name).unwrap_or_else(|| name.to_owned())
}

/// The name as people know it.
pub fn plain_name(name: &str) -> String {
    unmangled(name).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mangled_names_are_known_by_their_plain_name() {
        assert_eq!(unmangled("_Z4blurPKhPhii").as_deref(), Some("blur"));
        assert_eq!(unmangled("_ZN2ns4blurEPKh").as_deref(), Some("blur"));
        assert_eq!(unmangled("_Z6reduceILi256EEvPf").as_deref(), Some("reduce"));
        assert_eq!(unmangled("_ZL4blurPKh").as_deref(), Some("blur"));
        assert_eq!(unmangled("_ZN2nsL4blurEPKh").as_deref(), Some("blur"));
        assert_eq!(unmangled("blur"), None);
        assert_eq!(unmangled("_Z99x"), None);
    }

    #[test]
    fn template_arguments_tell_instances_apart() {
        let name = |mangled| with_template(mangled).unwrap_or_default();
        assert_eq!(name("_Z14update_latticeILb1EEvPaPKaPKffxx"), "update_lattice<true>");
        assert_eq!(name("_Z6reduceIfLi256EEvPKT_PS0_j"), "reduce<float, 256>");
        assert_eq!(name("_Z16compute_lj_forceId7double37double4EvPT0_"), "compute_lj_force<double, double3, double4>");
        assert_eq!(name("_ZN2ns4blurILin3EEEvPKh"), "blur<-3>");
        assert_eq!(name("_Z3mapIPK6__halfJijEEvT_"), "map<__half const*, int, unsigned int>");
        assert_eq!(name("_Z3mapI3BoxIfLi2EEEvT_"), "map<Box<float, 2>>");
        assert_eq!(with_template("_Z4blurPKhPhii"), None);
        assert_eq!(with_template("_Z4blurI"), None);
        assert!(is_called("_Z6reduceIfLi256EEvPKT_PS0_j", "reduce<float,256>"));
        assert!(is_called("_Z6reduceIfLi256EEvPKT_PS0_j", "reduce"));
        assert!(!is_called("_Z6reduceIfLi256EEvPKT_PS0_j", "reduce<float>"));
    }

    #[test]
    fn types_may_be_spelled_as_people_spell_them() {
        for (mangled, name) in [
            ("_Z10testKernelIjEvPT_m", "testKernel<unsigned>"),
            ("_Z10testKernelIjEvPT_m", "testKernel<uint32_t>"),
            ("_Z3mapIPK6__halfmEvT_", "map<const half *, size_t>"),
            ("_Z3mapIPK6__halfmEvT_", "map<__half const*, unsigned long int>"),
            ("_Z13simple_kernelPKiPii", "simple_kernel(const int *, int *, int)"),
            ("_ZN2ns4blurIfEEvPKT_h", "blur<float>(float const*, uint8_t)"),
        ] {
            assert!(is_called(mangled, name), "{name} is not {:?}", signature(mangled));
        }
        for (mangled, name) in [
            ("_Z10testKernelIjEvPT_m", "testKernel<int>"),
            ("_Z10testKernelIjEvPT_m", "testKernel<unsigned long>"),
            ("_Z13simple_kernelPKiPii", "simple_kernel(int *, int)"),
            ("_Z13simple_kernelPKiPii", "simple_kernel("),
            ("_Z13simple_kernelPKiPii", "é("),
        ] {
            assert!(!is_called(mangled, name), "{name} is {:?}", signature(mangled));
        }
    }

    #[test]
    fn names_made_to_be_long_or_deep_are_left_as_they_are() {
        let deep = format!("_Z1a{}", "I1b".repeat(100_000));
        assert_eq!(shown(&deep), deep);
        // Each argument holds the one before twice.
        let mut long = "_Z1fI1aIiiE".to_owned();
        for number in 0..60 {
            let digits: Vec<char> = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".chars().collect();
            let place = number * 2;
            let id: String =
                if place < 36 { digits[place].into() } else { format!("{}{}", digits[place / 36], digits[place % 36]) };
            long.push_str(&format!("1bIS{id}_S{id}_E"));
        }
        long.push_str("Evv");
        assert!(shown(&long).len() <= LONGEST.max(long.len()));
    }
}
