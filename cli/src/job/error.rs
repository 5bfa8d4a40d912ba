//! What can be wrong with a job file: each error names the file, the line and the field.

use std::{fmt, path::PathBuf};

use assay_primitives::{check::ProgramError, write_map::MapError};

use super::{bind, expr::ExprError};
use crate::kernel::BuildError;

/// A job file that cannot become a program.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct JobError {
    /// Where.
    pub place: Place,
    /// What.
    #[source]
    pub problem: Box<Problem>,
}

/// Where in which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The job file, or a file it names.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Path of the value, such as `launch[0].args[2]`; empty for the whole file.
    pub field: String,
    /// Variables of the `for`s around it in this round, the outermost first.
    pub vars: Vec<(String, i128)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        Ok(())
    }
}

impl Place {
    /// The place with a problem.
    pub fn error(self, problem: Problem) -> JobError {
        JobError { place: self, problem: Box::new(problem) }
    }
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key that means nothing here.
    #[error("unknown key `{key}`; known here: {known}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Those that are known.
        known: String,
    },
    /// A key that must stand here.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A value of another kind.
    #[error("expected {expected}, found {found}")]
    Type {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: &'static str,
    },
    /// A value that is not among those allowed.
    #[error("`{found}` is not one of {allowed}")]
    Choice {
        /// What stands here.
        found: String,
        /// What may.
        allowed: &'static str,
    },
    /// An expression that has no value.
    #[error("{0}")]
    Expression(ExprError),
    /// A number outside its range.
    #[error("{value} is not in {low}..={high}")]
    Range {
        /// The number.
        value: i128,
        /// The least allowed.
        low: i128,
        /// The greatest allowed.
        high: i128,
    },
    /// More of something than fits.
    #[error("{count} {what}: at most {most} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many may be.
        most: u32,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A picture that cannot be used.
    #[error("{}: {reason}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// PTX that cannot be read.
    #[error("{}:{line}: {reason}", path.display())]
    Ptx {
        /// The file.
        path: PathBuf,
        /// Line of the PTX, from 1.
        line: u32,
        /// Why.
        reason: String,
    },
    /// CUDA C that cannot be compiled.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A name that nothing has.
    #[error("no {what} is called `{name}`{hint}")]
    NoSuch {
        /// What it should be.
        what: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        hint: String,
    },
    /// Two of one name.
    #[error("a second {what} called `{name}`")]
    Twice {
        /// What.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Several answers, and the file does not say which.
    #[error("{0}")]
    Ambiguous(String),
    /// An entry that the engine does not accept.
    #[error("entry `{entry}` is not accepted: {reason} ({}:{line})", path.display())]
    Rejected {
        /// The entry.
        entry: String,
        /// Why.
        reason: String,
        /// The PTX.
        path: PathBuf,
        /// Line of the PTX, from 1.
        line: u32,
    },
    /// Two lengths that should be equal.
    #[error("{what} has {found} bytes, {expected} expected")]
    Length {
        /// Of what.
        what: String,
        /// Bytes there are.
        found: u64,
        /// Bytes there should be.
        expected: u64,
    },
    /// An argument that does not fit its parameter.
    #[error("{argument} has {found} bytes, parameter {position} of `{entry}` has {expected}")]
    Argument {
        /// What the argument is.
        argument: &'static str,
        /// Its bytes.
        found: usize,
        /// The parameter's place, from 0.
        position: usize,
        /// The entry.
        entry: String,
        /// The parameter's bytes.
        expected: u32,
    },
    /// Another number of arguments than parameters.
    #[error("{found} arguments, but `{entry}` has {expected} parameters")]
    ArgumentCount {
        /// Arguments.
        found: usize,
        /// The entry.
        entry: String,
        /// Parameters.
        expected: usize,
    },
    /// A write map that does not hold.
    #[error("{}", describe_map(*.0))]
    WriteMap(MapError),
    /// A variable that cannot be in a buffer.
    #[error(transparent)]
    Unbound(bind::Unbound),
    /// A short form that cannot say this.
    #[error("{0}")]
    Form(&'static str),
    /// The program does not pass the check that the chain makes.
    #[error("{}", describe_program(.0))]
    Program(ProgramError),
}

/// A sentence for each thing that can be wrong with a write map.
pub fn describe_map(error: MapError) -> &'static str {
    match error {
        MapError::NoBuffer => "the write map names no buffer of the program",
        MapError::Empty => {
            "the write map owns nothing: a size, a tile or the bytes of a CTA are 0, or no CTA is at that place"
        }
        MapError::OutOfBounds => "the write map reaches outside its buffer",
        MapError::Overlap => {
            "two coordinates of the write map are the same byte: a stride is shorter than what it steps over"
        }
        MapError::SharedByCtas => {
            "two CTAs would own the same bytes: every axis of the grid that is longer than 1 must appear exactly once"
        }
        MapError::OverlapsOther => "the write map may overlap an earlier one of the same buffer",
        MapError::TooMuch => "one CTA would own more than a witness can prove: give each CTA less to write",
    }
}

/// A sentence for each thing that can be wrong with a program.
pub fn describe_program(error: &ProgramError) -> String {
    use assay_primitives::program as limits;
    match error {
        ProgramError::NoLaunch => "nothing to do: no launch, or a repeat of nothing".into(),
        ProgramError::TooLarge => format!(
            "the program is too large: at most {} launches with repeats counted out, and {} bytes encoded",
            limits::MAX_LAUNCHES,
            limits::MAX_PROGRAM_BYTES
        ),
        ProgramError::BufferLength(_) => format!("a buffer has 1 to {} bytes", limits::MAX_BUFFER_LEN),
        ProgramError::NoOutput => "no buffer has `output`: there would be nothing to download".into(),
        ProgramError::NoKernel(_) => "the launch names no kernel".into(),
        ProgramError::NoEntry(_) => "the launch names no accepted entry".into(),
        ProgramError::ArgumentCount(_) => "another number of arguments than parameters".into(),
        ProgramError::Argument { argument, .. } => format!("argument {argument} does not fit its parameter"),
        ProgramError::Grid(_) => format!(
            "each axis of the grid is at least 1, y and z at most 65535, all together at most {} CTAs",
            limits::MAX_CTAS
        ),
        ProgramError::Block(_) => format!(
            "each axis of the block is at least 1, z at most 64, all together at most {} threads (or what the entry's .maxntid says)",
            limits::MAX_THREADS
        ),
        ProgramError::Shared(_) => {
            format!("static and dynamic shared memory together exceed {} bytes", limits::MAX_SHARED)
        }
        ProgramError::WriteMap { error, .. } => describe_map(*error).into(),
    }
}
