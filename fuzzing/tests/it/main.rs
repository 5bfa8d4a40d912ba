//! Seeded runs of the fuzz targets, and their promises about memory and time.
#![allow(clippy::unwrap_used, clippy::panic)]

mod hostile;
mod linear;
mod meter;
mod seeded;
mod work;
