//! The short forms of write maps as data: expanded to maps, written as TOML.

use std::fmt::Write;

use assay_primitives::{Axis, Dim, WriteMap};

use crate::job::{
    Problem,
    writes::{self, Flat, Target, Tile},
};

/// A write map as a job file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Form {
    AllByCta0 {
        base: u64,
        len: Option<u64>,
    },
    Range {
        base: u64,
        bytes: u64,
        len: Option<u64>,
        axis: Option<Axis>,
    },
    PerCta {
        base: u64,
        bytes: u64,
    },
    GridStride {
        base: u64,
        each: u64,
        count: u64,
        element: u64,
    },
    Tile {
        base: u64,
        tile: Vec<u64>,
        size: Vec<u64>,
        element: u64,
        pitch: Option<u64>,
        plane: Option<u64>,
        axes: Option<Vec<Axis>>,
    },
    Flat {
        base: u64,
        each: u64,
        shape: Vec<u64>,
        strides: Vec<i64>,
        element: u64,
    },
    Full {
        base: u64,
        run: u64,
        dims: Vec<Dim>,
    },
}

fn name(axis: Axis) -> &'static str {
    ["x", "y", "z"].get(axis.index()).copied().unwrap_or("x")
}

impl Form {
    fn base(&self) -> u64 {
        match self {
            Self::AllByCta0 { base, .. }
            | Self::Range { base, .. }
            | Self::PerCta { base, .. }
            | Self::GridStride { base, .. }
            | Self::Tile { base, .. }
            | Self::Flat { base, .. }
            | Self::Full { base, .. } => *base,
        }
    }

    /// The form with the length that it has without one, in a buffer of `len` bytes.
    pub fn with_length(&self, len: u64) -> Self {
        let mut form = self.clone();
        if let Self::Range { base, len: cut, .. } | Self::AllByCta0 { base, len: cut } = &mut form {
            cut.get_or_insert(len.saturating_sub(*base));
        }
        form
    }

    /// The form with the length that it needs for stores up to `end`.
    pub fn ending(&self, end: u64) -> Self {
        let mut form = self.clone();
        if let Self::Range { base, len, .. } | Self::AllByCta0 { base, len } = &mut form {
            *len = Some(end.saturating_sub(*base));
        }
        form
    }

    /// The numbers of a form whose kind and axes are alike in all rounds of a loop.
    pub fn numbers(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        self.clone().each_number(&mut |number| numbers.push(*number));
        numbers
    }

    /// The form with other numbers.
    pub fn with_numbers(&self, numbers: &[u64]) -> Self {
        let (mut form, mut numbers) = (self.clone(), numbers.iter());
        form.each_number(&mut |number| *number = numbers.next().copied().unwrap_or(*number));
        form
    }

    /// Whether nothing but numbers tells the forms apart.
    pub fn is_kind_of(&self, other: &Self) -> bool {
        let bare = |form: &Self| form.with_numbers(&vec![0; form.numbers().len()]);
        bare(self) == bare(other)
    }

    fn each_number(&mut self, each: &mut dyn FnMut(&mut u64)) {
        match self {
            Self::AllByCta0 { base, len } => [base].into_iter().chain(len).for_each(each),
            Self::Range { base, bytes, len, .. } => [base, bytes].into_iter().chain(len).for_each(each),
            Self::PerCta { base, bytes } => [base, bytes].into_iter().for_each(each),
            Self::GridStride { base, each: few, count, element } => {
                [base, few, count, element].into_iter().for_each(each)
            }
            Self::Tile { base, tile, size, element, pitch, plane, .. } => {
                [base, element].into_iter().chain(tile).chain(size).chain(pitch).chain(plane).for_each(each);
            }
            Self::Flat { base, each: few, shape, element, .. } => {
                [base, few, element].into_iter().chain(shape).for_each(each);
            }
            Self::Full { base, run, .. } => [base, run].into_iter().for_each(each),
        }
    }

    /// What a single CTA owns, in the form of a launch of several.
    pub fn like(self, several: Option<&Self>) -> Self {
        match (self, several) {
            (Self::AllByCta0 { base, len: Some(len) }, Some(Self::Range { bytes, axis, .. })) if len <= *bytes => {
                Self::Range { base, bytes: *bytes, len: Some(len), axis: *axis }
            }
            (Self::AllByCta0 { base, len: Some(len) }, Some(Self::PerCta { bytes, .. })) if len == *bytes => {
                Self::PerCta { base, bytes: len }
            }
            (form, _) => form,
        }
    }

    /// What a job file with this form would get.
    pub fn maps(&self, target: &Target) -> Result<Vec<WriteMap>, Problem> {
        let target = Target { base: self.base(), ..*target };
        match self {
            Self::AllByCta0 { len, .. } => writes::all_by_cta0(&target, len.unwrap_or(target.rest())),
            Self::Range { bytes, len, axis, .. } => writes::range(&target, *bytes, len.unwrap_or(target.rest()), *axis),
            Self::PerCta { bytes, .. } => writes::per_cta(&target, *bytes),
            Self::GridStride { each, count, element, .. } => writes::grid_stride(&target, *each, *count, *element),
            Self::Tile { tile, size, element, pitch, plane, axes, .. } => {
                let form = Tile {
                    tile: tile.clone(),
                    size: size.clone(),
                    element: *element,
                    pitch: *pitch,
                    plane: *plane,
                    axes: axes.clone().unwrap_or(writes::AXES.to_vec()),
                };
                writes::tile(&target, &form)
            }
            Self::Flat { each, shape, strides, element, .. } => {
                let form = Flat { each: *each, shape: shape.clone(), strides: strides.clone(), element: *element };
                writes::flat(&target, &form, None)
            }
            Self::Full { run, dims, .. } => {
                let dims = dims.clone().try_into().map_err(|_| Problem::Form("too many dimensions"))?;
                Ok(vec![WriteMap { buffer: target.buffer, base: target.base, dims, run: *run }])
            }
        }
    }

    /// The form as an entry of `writes`.
    pub fn toml(&self, buffer: &str, block: [u32; 3]) -> String {
        let mut out = format!("{{ buffer = \"{buffer}\"");
        if self.base() != 0 {
            let _ = write!(out, ", base = {}", self.base());
        }
        let list =
            |numbers: &[u64]| format!("[{}]", numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        let of_block = |number: u64| match number.checked_div(block[0].into()) {
            Some(times) if block[0] > 1 && number.checked_rem(block[0].into()) == Some(0) && times <= 16 => match times
            {
                1 => "\"block.x\"".to_owned(),
                times => format!("\"block.x * {times}\""),
            },
            _ => number.to_string(),
        };
        let _ = match self {
            Self::AllByCta0 { len, .. } => {
                out.push_str(", all-by-cta0 = true");
                len.map_or(Ok(()), |len| write!(out, ", len = {len}"))
            }
            Self::Range { bytes, len, axis, .. } => {
                let _ = write!(out, ", range = {}", of_block(*bytes));
                if let Some(len) = len {
                    let _ = write!(out, ", len = {len}");
                }
                axis.map_or(Ok(()), |axis| write!(out, ", axis = \"{}\"", name(axis)))
            }
            Self::PerCta { bytes, .. } => write!(out, ", per-cta = {bytes}"),
            Self::GridStride { each, count, element, .. } => {
                write!(out, ", grid-stride = {}, count = {count}, element = {element}", of_block(*each))
            }
            Self::Tile { tile, size, element, pitch, plane, axes, .. } => {
                let _ = write!(out, ", tile = {}, size = {}, element = {element}", list(tile), list(size));
                if let Some(pitch) = pitch {
                    let _ = write!(out, ", pitch = {pitch}");
                }
                if let Some(plane) = plane {
                    let _ = write!(out, ", plane = {plane}");
                }
                let names = |axes: &Vec<Axis>| {
                    axes.iter().map(|axis| format!("\"{}\"", name(*axis))).collect::<Vec<_>>().join(", ")
                };
                axes.as_ref().map_or(Ok(()), |axes| write!(out, ", axes = [{}]", names(axes)))
            }
            Self::Flat { each, shape, strides, element, .. } => {
                let strides: Vec<String> = strides.iter().map(ToString::to_string).collect();
                let (shape, strides) = (list(shape), strides.join(", "));
                write!(out, ", flat = {}, shape = {shape}, strides = [{strides}], element = {element}", of_block(*each))
            }
            Self::Full { run, dims, .. } => {
                let dims: Vec<String> = dims
                    .iter()
                    .map(|dim| match dim {
                        Dim::At { axis, index } => format!("{{ axis = \"{}\", at = {index} }}", name(*axis)),
                        Dim::Digit { stride, extent, axis, tile, per, of } => format!(
                            "{{ stride = {stride}, extent = {extent}, axis = \"{}\", tile = {tile}, per = {per}, of = {of} }}",
                            name(*axis)
                        ),
                        Dim::Element { stride, extent, axis, tile, per, of } => format!(
                            "{{ stride = {stride}, extent = {extent}, axis = \"{}\", elements = {}, per = {per}, of = {of} }}",
                            name(*axis),
                            of_block(*tile)
                        ),
                        Dim::Span { stride, extent, axis, tile } => {
                            let axis = axis.map(|axis| match tile {
                                1 => format!(", axis = \"{}\"", name(axis)),
                                tile => format!(", axis = \"{}\", tile = {tile}", name(axis)),
                            });
                            format!("{{ stride = {stride}, extent = {extent}{} }}", axis.unwrap_or_default())
                        }
                    })
                    .collect();
                match dims.as_slice() {
                    [] => write!(out, ", run = {run}"),
                    dims => write!(out, ", run = {run}, dims = [{}]", dims.join(", ")),
                }
            }
        };
        out.push_str(" }");
        out
    }
}
