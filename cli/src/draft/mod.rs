//! A job file from a kernel: buffers, launches and arguments as far as the PTX and C++ names tell them.
//!
//! ```text
//! uses   what an entry does with its parameters
//! names  what C++ and the source call them
//! file   the job file
//! trial  what running it says of the guesses
//! ```

mod file;
mod names;
mod trial;
mod uses;

pub use file::{Changes, Draft, Shape, Written, write};
pub use trial::Trial;
pub use uses::{Entry, Kind, Parameter, entries, name};
