//! Seeded runs of the fuzz targets, and their promises about memory.
#![allow(clippy::unwrap_used, clippy::panic)]

mod linear;
mod meter;
mod seeded;
mod work;
