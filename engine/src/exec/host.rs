//! What the CPU offers: the loop is compiled once per instruction-set level, chosen at run time; every level computes the same bits.
#![allow(unsafe_code)] // Calls into what is compiled for what the CPU was seen to have.

use super::{Fault, Machine, Pause, Stop, step::interpret, warp::Warp};
use crate::{
    alu,
    ir::{Access, Ins},
    soft,
};

/// What the CPU offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Baseline,
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2,
    /// As the baseline, telling a tracer.
    #[cfg(feature = "trace")]
    Watched,
}

/// How units are run.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// With what this CPU has; kernels that run for long are compiled for it.
    Best,
    /// Interpreted as on a CPU without vector extensions.
    Baseline,
    /// Interpreted with what this CPU has.
    Interpreted,
    /// Compiled at once, on CPUs that it is for; elsewhere interpreted.
    Compiled,
}

#[cfg(feature = "std")]
std::thread_local! {
    static TIER: core::cell::Cell<Tier> = const { core::cell::Cell::new(Tier::Best) };
}

/// See [`crate::run_as`].
#[cfg(feature = "std")]
pub(crate) fn run_as(tier: Tier) {
    TIER.set(tier);
}

/// How units are run in this thread.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub(super) fn tier() -> Tier {
    TIER.get()
}

impl Level {
    pub(super) fn best() -> Self {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        if TIER.get() != Tier::Baseline {
            let avx2 = std::is_x86_feature_detected!("avx2")
                && std::is_x86_feature_detected!("fma")
                && std::is_x86_feature_detected!("bmi2")
                && std::is_x86_feature_detected!("popcnt")
                && std::is_x86_feature_detected!("lzcnt");
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }
}

/// Operations that hosts have in hardware or not at all.
pub(super) trait Host {
    /// A tracer is told of every instruction.
    #[cfg(feature = "trace")]
    const WATCHED: bool = false;

    fn fma(a: f32, b: f32, c: f32) -> f32;
    fn fma64(a: u64, b: u64, c: u64) -> u64;
    fn sqrt(a: u32) -> u32;
    fn sqrt64(a: u64) -> u64;
    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault>;
    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault>;
}

/// Integers only.
struct Plain;

impl Host for Plain {
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        soft::fma_f32(a, b, c)
    }

    #[inline(always)]
    fn fma64(a: u64, b: u64, c: u64) -> u64 {
        alu::rounded::Near::fma64(a, b, c)
    }

    #[inline(always)]
    fn sqrt(a: u32) -> u32 {
        #[cfg(feature = "std")]
        return alu::canon(f32::from_bits(a).sqrt());
        #[cfg(not(feature = "std"))]
        return alu::rounded::Near::sqrt(a);
    }

    #[inline(always)]
    fn sqrt64(a: u64) -> u64 {
        #[cfg(feature = "std")]
        return alu::canon64(f64::from_bits(a).sqrt(), [a, 0]);
        #[cfg(not(feature = "std"))]
        return alu::rounded::Near::sqrt64(a);
    }

    #[inline(never)]
    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        machine.load(warp, ins, access, mask)
    }

    #[inline(never)]
    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        machine.store(warp, ins, access, mask)
    }
}

/// As [`Plain`], and a tracer is told.
#[cfg(feature = "trace")]
struct Watched;

#[cfg(feature = "trace")]
impl Host for Watched {
    const WATCHED: bool = true;

    fn fma(a: f32, b: f32, c: f32) -> f32 {
        Plain::fma(a, b, c)
    }

    fn fma64(a: u64, b: u64, c: u64) -> u64 {
        Plain::fma64(a, b, c)
    }

    fn sqrt(a: u32) -> u32 {
        Plain::sqrt(a)
    }

    fn sqrt64(a: u64) -> u64 {
        Plain::sqrt64(a)
    }

    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        Plain::load(machine, warp, ins, access, mask)
    }

    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        Plain::store(machine, warp, ins, access, mask)
    }
}

/// With fused multiply-add instructions.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
struct Fused;

#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl Host for Fused {
    #[inline(always)]
    fn fma(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fma64(a: u64, b: u64, c: u64) -> u64 {
        let value = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
        alu::canon64_3(value, [a, b, c])
    }

    #[inline(always)]
    fn sqrt(a: u32) -> u32 {
        alu::canon(f32::from_bits(a).sqrt())
    }

    #[inline(always)]
    fn sqrt64(a: u64) -> u64 {
        alu::canon64(f64::from_bits(a).sqrt(), [a, 0])
    }

    #[inline(always)]
    fn load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        // SAFETY: only code that is itself compiled for these features uses this host.
        unsafe { avx2_load(machine, warp, ins, access, mask) }
    }

    #[inline(always)]
    fn store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        // SAFETY: as above.
        unsafe { avx2_store(machine, warp, ins, access, mask) }
    }
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
#[inline(never)]
fn avx2_load(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
    machine.load(warp, ins, access, mask)
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
#[inline(never)]
fn avx2_store(machine: &mut Machine<'_>, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
    machine.store(warp, ins, access, mask)
}

/// Runs a warp until it waits at a barrier of the block or has exited.
pub(super) fn run(machine: &mut Machine<'_>, warp: &mut Warp) -> Result<Pause, Stop> {
    match machine.level {
        Level::Baseline => interpret::<Plain>(machine, warp),
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        Level::Avx2 => {
            machine.promote();
            // SAFETY: the level is chosen by asking the CPU.
            unsafe { avx2(machine, warp) }
        }
        #[cfg(feature = "trace")]
        Level::Watched => interpret::<Watched>(machine, warp),
    }
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[target_feature(enable = "avx2,fma,bmi1,bmi2,popcnt,lzcnt")]
fn avx2(machine: &mut Machine<'_>, warp: &mut Warp) -> Result<Pause, Stop> {
    interpret::<Fused>(machine, warp)
}
