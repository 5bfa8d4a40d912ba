// Elementary functions made only of operations whose result IEEE 754 fixes to the last bit: additions,
// multiplications, fused multiply-adds, divisions, square roots and conversions. `expf` and some others compile to
// instructions like ex2.approx, whose last bits the architecture is free to choose; these do not.
// Each is within 2 ulp of the true value over the range that it states.
#pragma once

namespace maths {

// e^x for x in [-87, 88]; results below the smallest normal number are not handled.
__device__ __forceinline__ float exponential(float x)
{
    float n = rintf(x * 1.44269504f);
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);
    float p = 1.9875691500e-4f;
    p = fmaf(p, r, 1.3981999507e-3f);
    p = fmaf(p, r, 8.3334519073e-3f);
    p = fmaf(p, r, 4.1665795894e-2f);
    p = fmaf(p, r, 1.6666665459e-1f);
    p = fmaf(p, r, 5.0000001201e-1f);
    p = fmaf(p, r * r, r) + 1.0f;
    return p * __int_as_float(((int)n + 127) << 23);
}

// Natural logarithm of a positive normal number.
__device__ __forceinline__ float logarithm(float x)
{
    // x = m * 2^e with m in [sqrt(1/2), sqrt(2))
    int bits = __float_as_int(x);
    int e = (bits - 0x3f3504f3) >> 23;
    float f = __int_as_float(bits - (e << 23)) - 1.0f;
    float p = 7.0376836292e-2f;
    p = fmaf(p, f, -1.1514610310e-1f);
    p = fmaf(p, f, 1.1676998740e-1f);
    p = fmaf(p, f, -1.2420140846e-1f);
    p = fmaf(p, f, 1.4249322787e-1f);
    p = fmaf(p, f, -1.6668057665e-1f);
    p = fmaf(p, f, 2.0000714765e-1f);
    p = fmaf(p, f, -2.4999993993e-1f);
    p = fmaf(p, f, 3.3333331174e-1f);
    float square = f * f;
    float low = fmaf(p * f, square, (float)e * -2.12194440e-4f);
    low = fmaf(-0.5f, square, low);
    return fmaf((float)e, 0.693359375f, f + low);
}

// Sine and cosine of a whole turn times angle / 2^32.
__device__ __forceinline__ void sine_cosine(unsigned int angle, float *sine, float *cosine)
{
    // The nearest quarter turn, and what is left: at most an eighth of a turn either way.
    unsigned int quarter = (angle + 0x20000000u) >> 30;
    float t = (float)(int)(angle - (quarter << 30)) * 1.46291807927e-9f; // pi / 2^31
    float z = t * t;
    float s = fmaf(fmaf(-1.9515295891e-4f, z, 8.3321608736e-3f), z, -1.6666654611e-1f);
    s = fmaf(s * z, t, t);
    float c = fmaf(fmaf(2.443315711809948e-5f, z, -1.388731625493765e-3f), z, 4.166664568298827e-2f);
    c = fmaf(c, z * z, fmaf(-0.5f, z, 1.0f));
    bool swap = quarter & 1u;
    float a = swap ? c : s;
    float b = swap ? s : c;
    *sine = quarter & 2u ? -a : a;
    *cosine = (quarter + 1u) & 2u ? -b : b;
}

} // namespace maths
