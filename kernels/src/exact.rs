//! Functions of `include/assay_math.cuh`, operation by operation.

// The constants are those of the CUDA source, digit by digit.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

fn chain(x: f32, coefficients: &[f32]) -> f32 {
    coefficients.iter().copied().reduce(|sum, coefficient| sum.mul_add(x, coefficient)).unwrap_or(0.0)
}

fn chain_f64(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().copied().reduce(|sum, coefficient| sum.mul_add(x, coefficient)).unwrap_or(0.0)
}

fn power(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32).wrapping_shl(23))
}

fn power_f64(n: i32) -> f64 {
    f64::from_bits((i64::from(n).wrapping_add(1023) as u64).wrapping_shl(52))
}

/// e^x.
pub fn exp(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let z = x.mul_add(1.442_695_02, 12_582_912.0);
    let n = z - 12_582_912.0;
    let r = n.mul_add(1.904_654_21e-9, n.mul_add(-0.693_147_182, x));
    let p = chain(r, &[0.000_198_910_1, 0.001_393_366_7, 0.008_333_310_5, 0.041_666_463, 0.166_666_67, 0.5]);
    let p = p.mul_add(r * r, r) + 1.0;
    let n = z.to_bits().wrapping_sub(0x4b40_0000) as i32;
    p * power(n >> 1) * power(n.wrapping_sub(n >> 1))
}

/// Natural logarithm of a positive normal number.
pub fn log(x: f32) -> f32 {
    let e = (x.to_bits().wrapping_sub(0x3f35_04f3) as i32) >> 23;
    let f = f32::from_bits(x.to_bits().wrapping_sub((e as u32).wrapping_shl(23))) - 1.0;
    let n = e as f32;
    let p = chain(
        f,
        &[
            0.069_716_12,
            -0.114_797_34,
            0.116_854_2,
            -0.124_256_87,
            0.142_490_58,
            -0.166_678_03,
            0.200_007_16,
            -0.249_999_97,
            0.333_333_3,
        ],
    );
    let square = f * f;
    let low = (p * f).mul_add(square, n * -1.904_654_21e-9);
    let low = (-0.5f32).mul_add(square, low);
    n.mul_add(0.693_147_182, f + low)
}

/// Hyperbolic tangent.
pub fn tanh(x: f32) -> f32 {
    let a = x.abs();
    if a < 0.6 {
        let z = a * a;
        let p =
            chain(z, &[0.002_370_765_7, -0.008_410_071, 0.021_788_321, -0.053_961_553, 0.133_333_13, -0.333_333_34]);
        return (p * z).mul_add(a, a).copysign(x);
    }
    (1.0 - 2.0 / (exp(2.0 * a) + 1.0)).copysign(x)
}

/// 1 / √x.
pub fn rsqrt(x: f32) -> f32 {
    1.0 / x.sqrt()
}

/// x^y for positive finite x and finite y.
pub fn pow(x: f32, y: f32) -> f32 {
    let b = f64::from(x).to_bits();
    let e = (b.wrapping_sub(0x3fe6_a09e_0000_0000) as i64) >> 52;
    let m = f64::from_bits(b.wrapping_sub((e as u64).wrapping_shl(52)));
    let s = (m - 1.0) / (m + 1.0);
    let p = chain_f64(
        s * s,
        &[
            0.239_810_250_286_722_32,
            0.261_707_138_958_693_6,
            0.320_608_144_355_220_56,
            0.412_198_519_041_945_93,
            0.577_078_016_517_617,
            0.961_796_693_925_909_3,
            2.885_390_081_777_926_8,
        ],
    );
    let w = (f64::from(y) * s.mul_add(p, e as f64)).clamp(-200.0, 200.0);
    let shifted = w + 6_755_399_441_055_744.0;
    let r = w - (shifted - 6_755_399_441_055_744.0);
    let q = chain_f64(
        r,
        &[
            1.020_033_724_876_011_2e-7,
            1.325_080_551_750_225e-6,
            1.525_269_902_512_189_4e-5,
            0.000_154_034_751_865_307_86,
            0.001_333_355_816_382_017_2,
            0.009_618_129_123_536_14,
            0.055_504_108_664_807_99,
            0.240_226_506_958_885_03,
            0.693_147_180_559_945_3,
        ],
    );
    let factor = if y == 0.0 { 1.0 } else { q.mul_add(r, 1.0) * power_f64(shifted.to_bits() as u32 as i32) };
    factor as f32
}

/// e^x to some 45 bits.
fn exp_rough(x: f64) -> f64 {
    let z = x.mul_add(1.442_695_040_888_963_4, 6_755_399_441_055_744.0);
    let n = z - 6_755_399_441_055_744.0;
    let r = n.mul_add(-2.319_046_813_846_299_6e-17, n.mul_add(-0.693_147_180_559_945_3, x));
    let p = chain_f64(
        r,
        &[
            2.761_759_959_412_538e-6,
            2.486_790_848_350_535e-5,
            0.000_198_412_245_473_812_93,
            0.001_388_883_905_304_807_7,
            0.008_333_333_344_221_821,
            0.041_666_666_786_473_06,
            0.166_666_666_666_625_77,
            0.499_999_999_999_55,
        ],
    );
    (p.mul_add(r * r, r) + 1.0) * power_f64(z.to_bits() as u32 as i32)
}

/// Complementary error function.
pub fn erfc(x: f32) -> f32 {
    let x = f64::from(x).clamp(-12.0, 12.0);
    let a = x.abs();
    let t = (a - 4.0) / (a + 4.0);
    let g = chain_f64(
        t,
        &[
            3.242_142_270_178_061_2e-6,
            -9.600_045_996_213_345e-6,
            -2.078_421_564_268_351_6e-5,
            0.000_147_808_363_968_693_27,
            -0.000_202_164_581_271_282,
            -0.000_755_333_099_407_509_6,
            0.005_033_294_614_172_266,
            -0.016_198_891_729_773_256,
            0.037_167_184_110_216_245,
            -0.066_330_069_195_396_37,
            0.093_732_876_004_527_19,
            -0.101_039_103_249_467_85,
            0.068_097_052_312_273_48,
            0.015_379_653_877_906_56,
            -0.139_621_116_825_403_07,
            1.232_995_118_611_678,
        ],
    );
    let y = exp_rough(-a * a) * (g / 2.0f64.mul_add(a, 1.0));
    (if x < 0.0 { 2.0 - y } else { y }) as f32
}

type Pair = (f64, f64);

fn add_ordered(a: f64, b: f64) -> Pair {
    let h = a + b;
    (h, b - (h - a))
}

fn add(a: f64, b: f64) -> Pair {
    let h = a + b;
    let t = h - a;
    (h, (a - (h - t)) + (b - t))
}

fn times(a: f64, b: f64) -> Pair {
    let h = a * b;
    (h, a.mul_add(b, -h))
}

fn artanh_twice(s: Pair) -> Pair {
    let z = s.0 * s.0;
    let zl = s.0.mul_add(s.0, -z) + 2.0 * s.0 * s.1;
    let q = z * chain_f64(
        z,
        &[
            0.107_628_674_236_432_12,
            0.104_562_783_757_782_07,
            0.117_668_153_034_060_82,
            0.133_332_964_839_732_92,
            0.153_846_157_618_126_1,
            0.181_818_181_796_525_15,
            0.222_222_222_222_284_44,
            0.285_714_285_714_285_64,
            0.4,
        ],
    );
    let (ch, cl) = add_ordered(0.666_666_666_666_666_6, q);
    let cl = cl + 3.700_743_415_417_188e-17;
    let (ph, pl) = times(z, ch);
    let pl = pl + z.mul_add(cl, zl * ch);
    let (th, tl) = times(s.0, ph);
    let tl = tl + s.0.mul_add(pl, s.1 * ph);
    let (h, l) = add_ordered(2.0 * s.0, th);
    add_ordered(h, l + 2.0f64.mul_add(s.1, tl))
}

/// Natural logarithm of a positive normal number, and what is missing from it.
fn log_pair(x: f64) -> Pair {
    let e = (x.to_bits().wrapping_sub(0x3fe6_a09e_667f_3bcd) as i64) >> 52;
    let h = f64::from_bits(x.to_bits().wrapping_sub((e as u64).wrapping_shl(52)));
    let up = add(h - 1.0, 0.0);
    let down = add_ordered(h + 1.0, h - ((h + 1.0) - 1.0));
    let inverse = 1.0 / down.0;
    let q = up.0 * inverse;
    let rest = (-q).mul_add(down.0, up.0) + (-q).mul_add(down.1, up.1);
    let y = artanh_twice(add_ordered(q, rest * inverse));
    let n = e as f64;
    let (h, l) = add(n * 0.693_147_180_369_123_8, y.0);
    add_ordered(h, l + n.mul_add(1.908_214_929_270_587_7e-10, y.1))
}

/// Natural logarithm of a positive normal number.
pub fn log_f64(x: f64) -> f64 {
    log_pair(x).0
}

/// x^y for positive normal x and finite y, where the power is normal.
pub fn pow_f64(x: f64, y: f64) -> f64 {
    let log = log_pair(x);
    let p = times(log.0, y);
    let (x, low) = add_ordered(p.0, log.1.mul_add(y, p.1));
    let z = x.mul_add(1.442_695_040_888_963_4, 6_755_399_441_055_744.0);
    let n = z - 6_755_399_441_055_744.0;
    let (r, rest) = add_ordered(n.mul_add(-0.693_147_180_559_945_3, x), n.mul_add(-2.319_046_813_846_299_6e-17, low));
    let q = chain_f64(
        r,
        &[
            1.608_663_836_670_503_3e-10,
            2.091_815_335_597_856_7e-9,
            2.505_207_106_614_963_8e-8,
            2.755_726_323_686_337_6e-7,
            2.755_731_924_724_503e-6,
            2.480_158_733_648_17e-5,
            0.000_198_412_698_412_632_9,
            0.001_388_888_888_887_906,
            0.008_333_333_333_333_333,
            0.041_666_666_666_666_68,
            0.166_666_666_666_666_66,
        ],
    );
    let half = times(r, 0.5 * r);
    let tail = (q * r).mul_add(r * r, half.1) + rest.mul_add(r, rest);
    let sum = add_ordered(1.0, r);
    let both = add_ordered(sum.0, half.0);
    let p = add_ordered(both.0, (both.1 + sum.1) + tail).0;
    let n = z.to_bits() as u32 as i32;
    p * power_f64(n >> 1) * power_f64(n.wrapping_sub(n >> 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(got: f32, exact: f64) -> f64 {
        let near = exact as f32;
        let ulp = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
        (f64::from(got) - exact).abs() / ulp
    }

    fn worst(from: f32, to: f32, function: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let xs = (0..200_000).map(|i| from + i as f32 * ((to - from) / 200_000.0));
        xs.map(|x| ulps(function(x), exact(f64::from(x)))).fold(0.0, f64::max)
    }

    #[test]
    fn the_functions_are_within_two_ulp() {
        assert!(worst(-87.0, 88.0, exp, f64::exp) < 1.0);
        assert!(worst(1e-6, 20.0, log, f64::ln) < 1.0);
        assert!(worst(-10.0, 10.0, tanh, f64::tanh) < 1.5);
        assert!(worst(1e-6, 20.0, rsqrt, |x| 1.0 / x.sqrt()) < 1.5);
        assert!(worst(1e-6, 20.0, |x| pow(x, -4.3), |x| x.powf(f64::from(-4.3f32))) < 0.51);
    }
}
