//! Steps of a unit as lines for people: one for each PTX instruction of a warp.

use assay_engine::trace::{AccessKind, Event, Place, Space, Values, locate};

use super::lanes;

/// One PTX instruction of one warp.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where.
    pub place: Place,
    /// What it wrote to registers, or stored, in the order of its parts.
    pub results: Vec<Values>,
    /// What it touched: kind, bytes of a lane, addresses by lane.
    pub access: Option<(AccessKind, u32, [Option<(Space, u64)>; 32])>,
}

/// Puts the parts of instructions together and hands on whole ones.
pub struct Printer<F> {
    pending: Option<Line>,
    sink: F,
}

impl<F: FnMut(&Line)> Printer<F> {
    /// Lines go to `sink`.
    pub fn new(sink: F) -> Self {
        Self { pending: None, sink }
    }

    /// Something happened.
    pub fn event(&mut self, event: Event) {
        match event {
            Event::Access { place, kind, bytes, addresses } => {
                self.at(place).access = Some((kind, bytes, addresses));
            }
            Event::Step { place, results } => self.at(place).results.extend(results.into_iter().flatten()),
            Event::Barrier | Event::WarpBarrier { .. } => {}
        }
    }

    fn at(&mut self, place: Place) -> &mut Line {
        let same = |line: &Line| (line.place.line, line.place.warp) == (place.line, place.warp);
        if !self.pending.as_ref().is_some_and(same) {
            self.flush();
        }
        self.pending.get_or_insert_with(|| Line { place, results: Vec::new(), access: None })
    }

    /// Hands on what is pending.
    pub fn flush(&mut self) {
        if let Some(line) = self.pending.take() {
            (self.sink)(&line);
        }
    }
}

/// How to show values and addresses.
pub struct Shown<'a> {
    /// Names of the buffers.
    pub buffers: Vec<&'a str>,
}

impl Shown<'_> {
    /// A place in memory: `out+1024`, `shared+64`.
    pub fn address(&self, space: Space, offset: u64) -> String {
        let name = match space {
            Space::Shared => "shared",
            Space::Local => "local",
            Space::Param => "param",
            Space::Table => "table",
            Space::Buffer(buffer) => self.buffers.get(usize::from(buffer)).copied().unwrap_or("?"),
        };
        // Pointers below their buffer are far above it as unsigned numbers.
        match offset.cast_signed() {
            offset if offset < 0 => format!("{name}{offset}"),
            offset => format!("{name}+{offset}"),
        }
    }

    /// What an instruction did in some lanes, `instruction` being its text.
    pub fn effects(&self, line: &Line, instruction: &str, wanted: u32) -> String {
        let opcode = opcode(instruction);
        let shown = lanes(line.place.lanes & wanted);
        let mut cells = Vec::new();
        for lane in shown {
            let place = line.access.and_then(|(_, _, addresses)| addresses.get(lane).copied().flatten());
            let place = place.filter(|(space, _)| *space != Space::Param);
            let values: Vec<String> =
                self.results(line, instruction).iter().map(|value| self.value(value, opcode, lane)).collect();
            let place = place.map(|(space, offset)| format!("[{}]", self.address(space, offset)));
            let values = match values.as_slice() {
                [] => None,
                [one] => Some(one.clone()),
                several => Some(format!("{{{}}}", several.join(", "))),
            };
            cells.push(place.into_iter().chain(values).collect::<Vec<_>>().join(" "));
        }
        cells.retain(|cell| !cell.is_empty());
        match cells.as_slice() {
            [first, _, ..] if cells.iter().all(|cell| cell == first) => format!("all {first}"),
            _ => cells.join("  "),
        }
    }

    /// Those results that the instruction names: the last, but for vectors and pairs.
    fn results<'l>(&self, line: &'l Line, instruction: &str) -> &'l [Values] {
        let stores = matches!(line.access, Some((AccessKind::Store, ..)));
        let several = match stores {
            true => instruction.contains('{'),
            false => instruction.split(',').next().is_some_and(|first| first.contains(['{', '|'])),
        };
        let from = if several { 0 } else { line.results.len().saturating_sub(1) };
        line.results.get(from..).unwrap_or_default()
    }

    fn value(&self, values: &Values, opcode: &str, lane: usize) -> String {
        let kind = opcode.split('.').skip(1).find(|word| is_type(word)).unwrap_or("b32");
        match values {
            Values::Bits(bits) => if bits >> (lane & 31) & 1 == 1 { "true" } else { "false" }.to_owned(),
            Values::Words(words) => {
                let word = words.get(lane).copied().unwrap_or(0);
                match kind {
                    "f32" => {
                        float(f64::from(f32::from_bits(word)), &format!("{:?}", f32::from_bits(word)), word.into())
                    }
                    // Of a register that is wider, what is stored.
                    "u8" => (word & 0xff).to_string(),
                    "u16" => (word & 0xffff).to_string(),
                    "b8" => format!("{:#x}", word & 0xff),
                    "b16" => format!("{:#x}", word & 0xffff),
                    "s8" => ((word << 24).cast_signed() >> 24).to_string(),
                    "s16" => ((word << 16).cast_signed() >> 16).to_string(),
                    "s32" => word.cast_signed().to_string(),
                    kind if kind.starts_with('b') || kind.starts_with('f') => format!("{word:#x}"),
                    _ => word.to_string(),
                }
            }
            Values::Doubles(doubles) => {
                let double = doubles.get(lane).copied().unwrap_or(0);
                match (kind, locate(double)) {
                    ("f64", _) => float(f64::from_bits(double), &format!("{:?}", f64::from_bits(double)), double),
                    (_, Some((space, offset))) => self.address(space, offset),
                    ("s64" | "s32", None) => double.cast_signed().to_string(),
                    (kind, None) if kind.starts_with('b') => format!("{double:#x}"),
                    _ => double.to_string(),
                }
            }
        }
    }
}

fn float(value: f64, text: &str, bits: u64) -> String {
    if value.is_nan() { format!("NaN({bits:#x})") } else { text.to_owned() }
}

fn is_type(word: &str) -> bool {
    let digits = word.trim_start_matches(['s', 'u', 'b', 'f']);
    digits.len() < word.len() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The opcode of an instruction, its guard left out.
fn opcode(instruction: &str) -> &str {
    let mut words = instruction.split_whitespace();
    match words.next() {
        Some(word) if word.starts_with('@') => words.next().unwrap_or_default(),
        word => word.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(results: Vec<Values>) -> Line {
        Line { place: Place { line: 1, warp: 0, lanes: 0b11 }, results, access: None }
    }

    #[test]
    fn values_are_shown_by_the_type_of_their_instruction() {
        let shown = Shown { buffers: vec!["in", "out"] };
        let mut words = [0u32; 32];
        words[0] = 1.5f32.to_bits();
        words[1] = f32::NAN.to_bits();
        let floats = line(vec![Values::Words([7; 32]), Values::Words(words)]);
        assert_eq!(shown.effects(&floats, "add.f32 %f1, %f2, %f3;", u32::MAX), "1.5  NaN(0x7fc00000)");
        assert_eq!(shown.effects(&floats, "@%p1 add.f32 %f1, %f2, %f3;", 1), "1.5");
        let signed = line(vec![Values::Words([u32::MAX; 32])]);
        assert_eq!(shown.effects(&signed, "sub.s32 %r1, %r2, 1;", 1), "-1");
        assert_eq!(shown.effects(&line(vec![Values::Bits(2)]), "setp.lt.s32 %p1, %r1, %r2;", 3), "false  true");
        let vector = line(vec![Values::Words([1; 32]), Values::Words([2; 32])]);
        assert_eq!(shown.effects(&vector, "ld.global.v2.u32 {%r1, %r2}, [%rd1];", 1), "{1, 2}");
    }

    #[test]
    fn stores_show_where_and_what() {
        let shown = Shown { buffers: vec!["out"] };
        let mut stored = line(vec![Values::Words([0x1ff; 32]), Values::Words([7; 32])]);
        stored.access = Some((AccessKind::Store, 8, [Some((Space::Buffer(0), 16)); 32]));
        assert_eq!(shown.effects(&stored, "st.global.v2.u32 [%rd1], {%r1, %r2};", 1), "[out+16] {511, 7}");
        stored.results.truncate(1);
        assert_eq!(shown.effects(&stored, "@%p1 st.global.u8 [%rd1], %r1;", 1), "[out+16] 255");
        assert_eq!(shown.effects(&stored, "st.global.s8 [%rd1], %r1;", 1), "[out+16] -1");
    }

    #[test]
    fn addresses_name_their_buffer_and_may_lie_below_it() {
        let shown = Shown { buffers: vec!["in", "out"] };
        assert_eq!(shown.address(Space::Buffer(1), 16), "out+16");
        assert_eq!(shown.address(Space::Buffer(0), 4u64.wrapping_neg()), "in-4");
        assert_eq!(shown.address(Space::Shared, 0), "shared+0");
    }

    #[test]
    fn the_parts_of_an_instruction_come_as_one_line() {
        let mut seen = Vec::new();
        let mut printer = Printer::new(|line: &Line| seen.push((line.place.line, line.results.len())));
        for at in [3, 3, 4, 3] {
            let place = Place { line: at, warp: 0, lanes: 1 };
            printer.event(Event::Step { place, results: [Some(Values::Bits(0)), None, None, None] });
        }
        printer.flush();
        drop(printer);
        assert_eq!(seen, [(3, 2), (4, 1), (3, 1)]);
    }
}
