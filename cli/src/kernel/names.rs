//! Names of C++ functions.

/// The function's own name in a mangled C++ name: `blur` of `_Z4blurPKhPhii`, `blur` of `_ZN2ns4blurEv`.
pub fn unmangled(name: &str) -> Option<&str> {
    let part = |text: &'_ str| -> Option<(usize, usize)> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        Some((digits, text.get(..digits)?.parse().ok()?))
    };
    let rest = name.strip_prefix("_Z")?;
    // What is `static` has an L before its name.
    let rest = rest.strip_prefix('L').unwrap_or(rest);
    let Some(mut rest) = rest.strip_prefix('N') else {
        let (digits, len) = part(rest)?;
        return rest.get(digits..digits.checked_add(len)?);
    };
    let mut last = None;
    loop {
        rest = rest.strip_prefix('L').unwrap_or(rest);
        let Some((digits, len)) = part(rest) else { break };
        let end = digits.checked_add(len)?;
        last = Some(rest.get(digits..end)?);
        rest = rest.get(end..)?;
    }
    last
}

/// The name with its template arguments, as in `reduce<float, 256>`; `None` where the name has none, or some of a kind that is
/// not known here.
pub fn with_template(name: &str) -> Option<String> {
    let mut text = Mangled(name.strip_prefix("_Z")?);
    text.eat("L");
    let found = if text.eat("N") { text.nested()? } else { text.named()? };
    found.ends_with('>').then_some(found)
}

/// Both names of a C++ function: alone, and with its template arguments.
pub fn is_called(mangled: &str, name: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    unmangled(mangled) == Some(name) || with_template(mangled).is_some_and(|known| bare(&known) == bare(name))
}

/// The name to show: plain, with its template arguments where it has some.
pub fn shown(name: &str) -> String {
    with_template(name).unwrap_or_else(|| plain_name(name).to_owned())
}

/// The rest of a mangled name.
struct Mangled<'a>(&'a str);

impl Mangled<'_> {
    fn eat(&mut self, prefix: &str) -> bool {
        match self.0.strip_prefix(prefix) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// The last part of a nested name.
    fn nested(&mut self) -> Option<String> {
        let mut last = None;
        while !self.eat("E") {
            self.eat("L");
            last = Some(self.named()?);
        }
        last
    }

    /// A length, a name and template arguments, if it has some.
    fn named(&mut self) -> Option<String> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let end = digits.checked_add(self.0.get(..digits)?.parse().ok()?)?;
        let mut name = self.0.get(digits..end)?.to_owned();
        self.0 = self.0.get(end..)?;
        if self.eat("I") {
            name.push_str(&format!("<{}>", self.arguments()?.join(", ")));
        }
        Some(name)
    }

    fn arguments(&mut self) -> Option<Vec<String>> {
        let mut all = Vec::new();
        while !self.eat("E") {
            if self.eat("J") {
                all.extend(self.arguments()?);
            } else if self.eat("L") {
                let kind = self.kind(0)?;
                let (value, rest) = self.0.split_once('E')?;
                self.0 = rest;
                all.push(match (kind.as_str(), value) {
                    ("bool", "0") => "false".to_owned(),
                    ("bool", _) => "true".to_owned(),
                    (_, value) => value.replacen('n', "-", 1),
                });
            } else {
                all.push(self.kind(0)?);
            }
        }
        Some(all)
    }

    fn kind(&mut self, depth: u32) -> Option<String> {
        const PLAIN: [(&str, &str); 15] = [
            ("b", "bool"),
            ("c", "char"),
            ("a", "signed char"),
            ("h", "unsigned char"),
            ("s", "short"),
            ("t", "unsigned short"),
            ("i", "int"),
            ("j", "unsigned int"),
            ("l", "long"),
            ("m", "unsigned long"),
            ("x", "long long"),
            ("y", "unsigned long long"),
            ("f", "float"),
            ("d", "double"),
            ("v", "void"),
        ];
        if depth > 8 {
            return None;
        }
        if let Some((_, word)) = PLAIN.into_iter().find(|(letter, _)| self.eat(letter)) {
            return Some(word.to_owned());
        }
        let deeper = depth.saturating_add(1);
        if self.eat("P") {
            return Some(format!("{}*", self.kind(deeper)?));
        }
        if self.eat("K") {
            return Some(format!("const {}", self.kind(deeper)?));
        }
        if self.eat("N") { self.nested() } else { self.named() }
    }
}

/// The name as people know it.
pub fn plain_name(name: &str) -> &str {
    unmangled(name).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mangled_names_are_known_by_their_plain_name() {
        assert_eq!(unmangled("_Z4blurPKhPhii"), Some("blur"));
        assert_eq!(unmangled("_ZN2ns4blurEPKh"), Some("blur"));
        assert_eq!(unmangled("_Z6reduceILi256EEvPf"), Some("reduce"));
        assert_eq!(unmangled("_ZL4blurPKh"), Some("blur"));
        assert_eq!(unmangled("_ZN2nsL4blurEPKh"), Some("blur"));
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
        assert_eq!(name("_Z3mapIPK6__halfJijEEvT_"), "map<const __half*, int, unsigned int>");
        assert_eq!(name("_Z3mapI3BoxIfLi2EEEvT_"), "map<Box<float, 2>>");
        assert_eq!(with_template("_Z4blurPKhPhii"), None);
        assert_eq!(with_template("_Z4blurIS_Evv"), None);
        assert_eq!(with_template("_Z4blurI"), None);
        assert!(is_called("_Z6reduceIfLi256EEvPKT_PS0_j", "reduce<float,256>"));
        assert!(is_called("_Z6reduceIfLi256EEvPKT_PS0_j", "reduce"));
        assert!(!is_called("_Z6reduceIfLi256EEvPKT_PS0_j", "reduce<float>"));
    }
}
