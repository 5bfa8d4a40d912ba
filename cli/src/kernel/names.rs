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

/// The name as people know it.
pub fn plain_name(name: &str) -> &str {
    unmangled(name).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::unmangled;

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
}
