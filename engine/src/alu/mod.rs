//! What each instruction computes, one lane at a time. 16-bit values stand zero-extended in 32 bits.

mod float;
mod integer;
mod short;

pub(crate) use float::*;
pub(crate) use integer::*;
pub(crate) use short::*;
