//! A job file from a kernel: buffers, launches and arguments as far as the PTX and C++ names tell them.
//!
//! ```text
//! uses   what an entry does with its parameters
//! names  what C++ and the source call them
//! file   the job file
//! ```

mod file;
mod names;
mod uses;

pub use file::{Draft, write};
pub use uses::{Entry, Kind, Parameter, entries};
