//! The functions of `cuda/maths.cuh`, operation by operation.

// The constants are those of the CUDA source, digit by digit.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

fn chain(x: f32, coefficients: &[f32]) -> f32 {
    coefficients.iter().copied().reduce(|sum, coefficient| sum.mul_add(x, coefficient)).unwrap_or(0.0)
}

/// e^x for x in [-87, 88].
pub fn exponential(x: f32) -> f32 {
    let n = (x * 1.442_695_04).round_ties_even();
    let r = n.mul_add(-0.693_359_375, x);
    let r = n.mul_add(2.121_944_40e-4, r);
    let p = chain(
        r,
        &[
            1.987_569_150_0e-4,
            1.398_199_950_7e-3,
            8.333_451_907_3e-3,
            4.166_579_589_4e-2,
            1.666_666_545_9e-1,
            5.000_000_120_1e-1,
        ],
    );
    let p = p.mul_add(r * r, r) + 1.0;
    p * f32::from_bits((n as i32).wrapping_add(127).wrapping_shl(23) as u32)
}

/// Natural logarithm of a positive normal number.
pub fn logarithm(x: f32) -> f32 {
    let bits = x.to_bits() as i32;
    let e = bits.wrapping_sub(0x3f35_04f3) >> 23;
    let f = f32::from_bits(bits.wrapping_sub(e << 23) as u32) - 1.0;
    let e = e as f32;
    let p = chain(
        f,
        &[
            7.037_683_629_2e-2,
            -1.151_461_031_0e-1,
            1.167_699_874_0e-1,
            -1.242_014_084_6e-1,
            1.424_932_278_7e-1,
            -1.666_805_766_5e-1,
            2.000_071_476_5e-1,
            -2.499_999_399_3e-1,
            3.333_333_117_4e-1,
        ],
    );
    let square = f * f;
    let low = (p * f).mul_add(square, e * -2.121_944_40e-4);
    let low = (-0.5f32).mul_add(square, low);
    e.mul_add(0.693_359_375, f + low)
}

/// Sine and cosine of a whole turn times `angle` / 2³².
pub fn sine_cosine(angle: u32) -> (f32, f32) {
    let quarter = angle.wrapping_add(0x2000_0000) >> 30;
    let t = (angle.wrapping_sub(quarter << 30) as i32) as f32 * 1.462_918_079_27e-9;
    let z = t * t;
    let s = chain(z, &[-1.951_529_589_1e-4, 8.332_160_873_6e-3, -1.666_665_461_1e-1]);
    let s = (s * z).mul_add(t, t);
    let c = chain(z, &[2.443_315_711_809_948e-5, -1.388_731_625_493_765e-3, 4.166_664_568_298_827e-2]);
    let c = c.mul_add(z * z, (-0.5f32).mul_add(z, 1.0));
    let (a, b) = if quarter & 1 == 1 { (c, s) } else { (s, c) };
    (if quarter & 2 != 0 { -a } else { a }, if quarter.wrapping_add(1) & 2 != 0 { -b } else { b })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(got: f32, exact: f64) -> f64 {
        let near = exact as f32;
        let ulp = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
        (f64::from(got) - exact).abs() / ulp
    }

    #[test]
    fn exponential_is_within_two_ulp() {
        let worst = (0..1_000_000)
            .map(|i| -87.0 + i as f32 * (175.0 / 1_000_000.0))
            .map(|x| ulps(exponential(x), f64::from(x).exp()))
            .fold(0.0, f64::max);
        assert!(worst < 2.0, "{worst}");
    }

    #[test]
    fn logarithm_is_within_two_ulp() {
        let worst = (0x0080_0000u32..0x7f80_0000)
            .step_by(1999)
            .map(f32::from_bits)
            .filter(|x| *x != 1.0)
            .map(|x| ulps(logarithm(x), f64::from(x).ln()))
            .fold(0.0, f64::max);
        assert!(worst < 2.0, "{worst}");
        assert_eq!(logarithm(1.0), 0.0);
    }

    #[test]
    fn sine_and_cosine_are_within_1e_7() {
        let worst = (0..u32::MAX)
            .step_by(4001)
            .map(|angle| {
                let (sine, cosine) = sine_cosine(angle);
                let (s, c) = (f64::from(angle) / 4_294_967_296.0 * std::f64::consts::TAU).sin_cos();
                (f64::from(sine) - s).abs().max((f64::from(cosine) - c).abs())
            })
            .fold(0.0, f64::max);
        assert!(worst < 1.2e-7, "{worst}");
    }
}
