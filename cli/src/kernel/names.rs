//! Names of C++ functions and variables.

use std::{collections::BTreeMap, fmt};

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

/// The text from behind the bracket that closes the one it starts with.
fn behind_bracket(text: &str) -> Option<&str> {
    let mut depth = 0u32;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return text.get(at.saturating_add(letter.len_utf8())..);
        }
    }
    None
}

/// The number that a C++ literal stands for, and what follows it.
fn literal(text: &str) -> Option<(u128, &str)> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (inside, rest) = match quoted.strip_prefix("\\'") {
            Some(rest) => ("\\'", rest.strip_prefix('\'')?),
            None => quoted.split_once('\'')?,
        };
        let mut letters = inside.chars();
        let number = match (letters.next()?, letters.as_str()) {
            ('\\', "n") => 10,
            ('\\', "t") => 9,
            ('\\', "r") => 13,
            ('\\', escaped) => match escaped.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => u32::from_str_radix(escaped, 8).ok().or_else(|| escaped.parse().ok().map(char::into))?,
            },
            (letter, "") => letter.into(),
            _ => return None,
        };
        return Some((number.into(), rest));
    }
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let lower = word.to_ascii_lowercase();
    let digits = lower.trim_end_matches(['u', 'l', 'z']);
    let number = match (lower.as_str(), digits) {
        ("true", _) => 1,
        ("false", _) => 0,
        (_, "0") => 0,
        _ => match (digits.strip_prefix("0x"), digits.strip_prefix("0b"), digits.strip_prefix('0')) {
            (Some(digits), _, _) => u128::from_str_radix(digits, 16).ok()?,
            (_, Some(digits), _) => u128::from_str_radix(digits, 2).ok()?,
            (_, _, Some(digits)) => u128::from_str_radix(digits, 8).ok()?,
            _ => digits.parse().ok()?,
        },
    };
    Some((number, rest))
}

/// The name with template arguments that are literals without their casts; as plain numbers, where `numbers` says so.
fn literals(name: &str, numbers: bool) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if out.trim_end_matches([' ', '-']).ends_with(['<', ',']) {
            let cast = if first == '(' { behind_bracket(rest).map(str::trim_start) } else { None };
            if let Some(after) =
                cast.filter(|after| after.starts_with(|c: char| c.is_ascii_digit() || "-'".contains(c)))
            {
                rest = after;
                continue;
            }
            if let Some((number, after)) = literal(rest).filter(|_| numbers) {
                out.push_str(&number.to_string());
                rest = after;
                continue;
            }
        }
        out.push(first);
        rest = rest.get(first.len_utf8()..).unwrap_or("");
    }
    out
}

/// The names of some entries.
pub struct Names {
    mangled: Vec<String>,
    /// Places by plain name, name with template arguments, and name with parameters.
    exact: BTreeMap<String, Vec<usize>>,
    /// Places by the longer names, with literals as plain numbers.
    loose: BTreeMap<String, Vec<usize>>,
}

/// With template arguments, and with parameters.
fn longer(mangled: &str) -> Vec<String> {
    [with_template(mangled), signature(mangled)].into_iter().flatten().collect()
}

impl Names {
    /// Those of entries with such mangled names.
    pub fn new<'a>(mangled: impl IntoIterator<Item = &'a str>) -> Self {
        let mangled: Vec<String> = mangled.into_iter().map(str::to_owned).collect();
        let (mut exact, mut loose) = (BTreeMap::<String, Vec<usize>>::new(), BTreeMap::<String, Vec<usize>>::new());
        for (place, name) in mangled.iter().enumerate() {
            exact.entry(plain_name(name)).or_default().push(place);
            for name in longer(name) {
                exact.entry(spelling(&name)).or_default().push(place);
                loose.entry(spelling(&literals(&name, true))).or_default().push(place);
            }
        }
        exact.values_mut().chain(loose.values_mut()).for_each(Vec::dedup);
        Self { mangled, exact, loose }
    }

    /// Places of the entries that a name may mean: mangled, alone, with template arguments, or with the types of the parameters.
    /// Literals among template arguments may leave out their casts.
    pub fn find(&self, name: &str) -> Vec<usize> {
        if let Some(same) = self.mangled.iter().position(|known| known == name) {
            return vec![same];
        }
        let found = match name.contains(['<', '(']) {
            true => {
                let loose = || self.loose.get(&spelling(&literals(name, true)));
                self.exact.get(&spelling(name)).or_else(loose)
            }
            false => self.exact.get(name),
        };
        found.cloned().unwrap_or_default()
    }

    /// The simplest name that means the entry at a place alone.
    pub fn simplest(&self, place: usize) -> String {
        let Some(mangled) = self.mangled.get(place) else { return String::new() };
        let longer = longer(mangled);
        let short = longer.iter().map(|name| literals(name, false));
        let mut all = std::iter::once(plain_name(mangled)).chain(short).chain(longer.iter().cloned());
        all.find(|name| self.find(name) == [place]).unwrap_or_else(|| mangled.clone())
    }
}

/// The name to show: plain, with its template arguments where it has some.
pub fn shown(name: &str) -> String {
    last_part(name).map_or_else(|| name.to_owned(), |name| literals(&name, false))
}

/// The name as people know it.
pub fn plain_name(name: &str) -> String {
    unmangled(name).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_called(mangled: &str, name: &str) -> bool {
        !Names::new([mangled]).find(name).is_empty()
    }

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
    fn literals_of_template_arguments_may_leave_out_their_casts() {
        for (mangled, name) in [
            ("_Z1rILj128ELb0EEvPi", "r<128, false>"),
            ("_Z1rILj128ELb0EEvPi", "r<(unsigned int)128, false>"),
            ("_Z1rILj128ELb0EEvPi", "r<(unsigned)128, 0>"),
            ("_Z1rILj128ELb0EEvPi", "r<128u,false>"),
            ("_Z1rILj128ELb0EEvPi", "r<0x80, false>(int *)"),
            ("_Z1sILc97ELy5EEvPi", "s<97, 5>"),
            ("_Z1sILc97ELy5EEvPi", "s<'a', 5ull>"),
            ("_Z1sILc10ELy5EEvPi", "s<'\\n', 5>"),
            ("_Z1sILc39ELy0EEvPi", "s<'\\'', 0>"),
            ("_Z1sILc0ELy5EEvPi", "s<'\\0', 5>"),
            ("_Z1sILc92ELy5EEvPi", "s<'\\\\', 5>"),
            ("_Z1sILc65ELy5EEvPi", "s<'\\x41', 05>"),
            ("_Z1sILcn1ELy5EEvPi", "s<-1, 5>"),
            ("_Z1uIL2Op1EEvPi", "u<1>"),
            ("_Z1uIL2Op1EEvPi", "u<(Op)1>"),
            ("_Z1uILN2ns2OpE1EEvPi", "u<1>"),
            ("_Z3mapI3BoxIfLj2EEEvT_", "map<Box<float, 2>>"),
        ] {
            assert!(is_called(mangled, name), "{name} is not {:?}", with_template(mangled));
        }
        for (mangled, name) in [
            ("_Z1rILj128ELb0EEvPi", "r<128, true>"),
            ("_Z1rILj128ELb0EEvPi", "r<64, false>"),
            ("_Z1rILj128ELb0EEvPi", "r<128>"),
            ("_Z1sILc97ELy5EEvPi", "s<'b', 5>"),
            ("_Z1sILc97ELy5EEvPi", "s<'', 5>"),
            ("_Z1sILc97ELy5EEvPi", "s<', 5>"),
            ("_Z1sILc97ELy5EEvPi", "s<((97, 5>"),
            ("_Z1sILc97ELy5EEvPi", "s<97, 0x>"),
        ] {
            assert!(!is_called(mangled, name), "{name} is {:?}", with_template(mangled));
        }
    }

    #[test]
    fn casts_tell_instances_apart_that_differ_in_them_alone() {
        let names = Names::new(["_Z1fILi1EEvPi", "_Z1fILj1EEvPi", "_Z1fILj2EEvPi", "_Z1gPi", "_Z1hPi", "_Z1hPf"]);
        // An `int` is written without a cast: this one is meant, as it always was.
        assert_eq!(names.find("f<1>"), [0]);
        assert_eq!(names.find("f<(unsigned)1>"), [1]);
        assert_eq!(names.find("f<2>"), [2]);
        assert_eq!(names.find("f"), [0, 1, 2]);
        let long = Names::new(["_Z1fILj1EEvPi", "_Z1fILm1EEvPi"]);
        assert_eq!(long.find("f<1>"), [0, 1]);
        assert_eq!(long.find("f<(unsigned long)1>"), [1]);
        let simplest: Vec<String> = (0..6).map(|place| names.simplest(place)).collect();
        assert_eq!(simplest, ["f<1>", "f<(unsigned int)1>", "f<2>", "g", "h(int*)", "h(float*)"]);
        assert_eq!([long.simplest(0), long.simplest(1)], ["f<(unsigned int)1>", "f<(unsigned long)1>"]);
        for (place, name) in simplest.iter().enumerate() {
            assert_eq!(names.find(name), [place]);
        }
        assert_eq!(Names::new(["blur", "_Z4blurPi"]).simplest(1), "blur(int*)");
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
