//! The engine against independent host arithmetic, its rules against kernels that break them and near misses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod control;
mod conversions;
mod copies;
mod digests;
mod floats;
mod foreign;
mod fragments;
mod instructions;
mod integers;
mod memory;
mod packed;
mod parsing;
mod parts;
mod pointers;
mod races;
mod rejections;
mod rules;
mod support;
mod undefined;
mod updates;
mod video;
mod warps;
