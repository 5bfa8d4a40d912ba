//! Lane-steps per second of the engine, beside the same arithmetic as a plain Rust loop in the same run:
//! `cargo run --release -p assay-engine --example speed`

use assay_engine::{AccessError, Argument, Geometry, Memory, Module, Outcome};
use std::{hint::black_box, time::Instant};

/// Thirteen instructions a turn: integer mixing, a shared load and store, a multiplication and an addition.
const MIXED: &str = "
    mad.lo.u32 %r1, %r1, 1664525, 1013904223;
    shr.u32 %r4, %r1, 13;
    xor.b32 %r1, %r1, %r4;
    shl.b32 %r4, %r1, 7;
    xor.b32 %r1, %r1, %r4;
    ld.shared.f32 %f1, [%r5];
    mul.rn.f32 %f2, %f1, %f3;
    add.rn.f32 %f2, %f2, %f4;
    st.shared.f32 [%r5], %f2;
    xor.b32 %r6, %r6, %r1;";

/// The same without memory.
const ARITHMETIC: &str = "
    mad.lo.u32 %r1, %r1, 1664525, 1013904223;
    shr.u32 %r4, %r1, 13;
    xor.b32 %r1, %r1, %r4;
    shl.b32 %r4, %r1, 7;
    xor.b32 %r1, %r1, %r4;
    add.rn.f32 %f1, %f1, %f4;
    mul.rn.f32 %f2, %f1, %f3;
    add.rn.f32 %f2, %f2, %f4;
    sub.u32 %r7, %r1, %r4;
    xor.b32 %r6, %r6, %r7;";

/// Fused multiply-adds.
const FUSED: &str = "
    fma.rn.f32 %f1, %f1, %f3, %f4;
    fma.rn.f32 %f2, %f2, %f3, %f1;
    fma.rn.f32 %f1, %f1, %f3, %f2;
    fma.rn.f32 %f2, %f2, %f3, %f1;
    fma.rn.f32 %f1, %f1, %f3, %f4;
    fma.rn.f32 %f2, %f2, %f3, %f1;
    fma.rn.f32 %f1, %f1, %f3, %f2;
    fma.rn.f32 %f2, %f2, %f3, %f1;
    fma.rn.f32 %f1, %f1, %f3, %f4;
    xor.b32 %r6, %r6, %r1;";

fn kernel(body: &str) -> String {
    format!(
        ".version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 k_out, .param .u32 k_turns)
{{
    .reg .b32 %r<20>;
    .reg .f32 %f<10>;
    .reg .b64 %rd<5>;
    .reg .pred %p<3>;
    .shared .align 4 .b8 s[4096];
    ld.param.u64 %rd1, [k_out];
    ld.param.u32 %r10, [k_turns];
    mov.u32 %r11, %tid.x;
    mov.u32 %r1, %r11;
    mov.u32 %r6, 0;
    shl.b32 %r12, %r11, 2;
    mov.u32 %r13, s;
    add.s32 %r5, %r13, %r12;
    mov.f32 %f1, 0f3F800000;
    mov.f32 %f2, 0f3F800000;
    mov.f32 %f3, 0f3F7FBE77;
    mov.f32 %f4, 0f3DCCCCCD;
    st.shared.f32 [%r5], %f3;
    mov.u32 %r14, 0;
LOOP:
{body}
    add.u32 %r14, %r14, 1;
    setp.lt.u32 %p1, %r14, %r10;
    @%p1 bra LOOP;
    mov.b32 %r15, %f2;
    xor.b32 %r6, %r6, %r15;
    mul.wide.u32 %rd2, %r11, 4;
    add.s64 %rd3, %rd1, %rd2;
    st.global.u32 [%rd3], %r6;
    ret;
}}"
    )
}

struct Bytes(Vec<u8>);

impl Memory for Bytes {
    fn load(&mut self, _: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let at = usize::try_from(offset).map_err(|_| AccessError::OutOfBounds)?;
        out.copy_from_slice(self.0.get(at..at.saturating_add(out.len())).ok_or(AccessError::OutOfBounds)?);
        Ok(())
    }

    fn store(&mut self, _: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let at = usize::try_from(offset).map_err(|_| AccessError::OutOfBounds)?;
        self.0.get_mut(at..at.saturating_add(bytes.len())).ok_or(AccessError::OutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// The mixed loop as a compiler would write it for one thread after another: operations per second.
fn plain(turns: u32) -> f64 {
    let mut shared = [0.999f32; 256];
    let began = Instant::now();
    for thread in 0..256usize {
        let (mut x, mut sum) = (black_box(thread as u32), 0u32);
        for _ in 0..turns {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            x ^= x >> 13;
            x ^= x << 7;
            shared[thread] = shared[thread] * 0.999 + 0.1;
            sum ^= x;
        }
        black_box((sum, shared[thread]));
    }
    13.0 * 256.0 * f64::from(turns) / began.elapsed().as_secs_f64()
}

fn measure(body: &str, threads: u32, turns: u32, key: Option<&[u8; 32]>) -> f64 {
    let Ok(module) = Module::parse(kernel(body).as_bytes()) else { return 0.0 };
    let Some(Ok(kernel)) = module.entry("k").map(|entry| entry.kernel.as_ref()) else { return 0.0 };
    let geometry = Geometry { grid: [1; 3], block: [threads, 1, 1], shared: 0 };
    let args = [Argument::Buffer { index: 0, offset: 0 }, Argument::Bytes(turns.to_le_bytes().to_vec())];
    let mut best = 0f64;
    for _ in 0..5 {
        let mut memory = Bytes(vec![0; 4096]);
        let began = Instant::now();
        if let Ok(Outcome::Done { lane_steps, .. }) = kernel.run(&geometry, &args, [0; 3], &mut memory, u64::MAX, key) {
            best = best.max(lane_steps as f64 / began.elapsed().as_secs_f64());
        }
    }
    best
}

fn main() {
    let turns = 20_000;
    let reference = (0..5).map(|_| plain(turns)).fold(0f64, f64::max);
    println!("{:44} {:>8.2}e9 steps/s", "plain Rust loop, mixed", reference / 1e9);
    let key = [7u8; 32];
    for (name, body) in [("mixed with shared memory", MIXED), ("arithmetic", ARITHMETIC), ("fma", FUSED)] {
        for (keyed, key) in [("", None), (", digest", Some(&key))] {
            for threads in [256, 32, 1] {
                let rate = measure(body, threads, if threads == 1 { turns } else { turns / 4 }, key);
                println!(
                    "{:44} {:>8.2}e9 lane-steps/s  {:>5.2} of plain",
                    format!("{name}{keyed}, {threads} threads"),
                    rate / 1e9,
                    rate / reference
                );
            }
        }
    }
}
