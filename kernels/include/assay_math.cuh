// SPDX-License-Identifier: Apache-2.0
//
// Exact maths for CUDA C++: every function that nvcc compiles to approximate instructions (ex2.approx, rcp.approx,
// rsqrt.approx, …) again, made only of operations whose result IEEE 754 fixes to the last bit: additions,
// multiplications, fused multiply-adds, divisions, square roots, conversions and integers. The last bits of a
// kernel's results then no longer depend on the machine.
//
//     nvcc -ptx -arch=sm_80 --fmad=false -include assay_math.cuh kernel.cu
//
// The source stays as it is: `expf(x)`, `std::exp(x)`, `::exp(x)` and `__expf(x)` all mean the versions below. Without
// --fmad=false, or with --use_fast_math, the compiler is free again and the result is not exact.
//
// Compiled as host C++ (g++ -ffp-contract=off) the file gives the same functions in namespace assay, with the same bits.
#ifndef ASSAY_MATH_CUH
#define ASSAY_MATH_CUH

#if !defined(__CUDACC__) || defined(__CUDA_ARCH__) || defined(__CUDACC_RTC__)

#ifdef __CUDACC__
#define ASSAY_INLINE static __inline__ __host__ __device__ __attribute__((always_inline))
#define ASSAY_CALL static __inline__ __host__ __device__
#else
#include <cmath>
#include <cstring>
#define ASSAY_INLINE static inline __attribute__((always_inline))
#define ASSAY_CALL static inline
#endif

namespace assay {

typedef float f32;
typedef double f64;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

// The sum of its parts, the second below the last bit of the first.
struct pair {
    f64 h, l;
};

ASSAY_INLINE u32 bits(f32 x)
{
    u32 out;
    memcpy(&out, &x, 4);
    return out;
}
ASSAY_INLINE u64 bits(f64 x)
{
    u64 out;
    memcpy(&out, &x, 8);
    return out;
}
ASSAY_INLINE f32 float_of(u32 x)
{
    f32 out;
    memcpy(&out, &x, 4);
    return out;
}
ASSAY_INLINE f64 double_of(u64 x)
{
    f64 out;
    memcpy(&out, &x, 8);
    return out;
}
ASSAY_INLINE f32 mad(f32 a, f32 b, f32 c) { return ::fmaf(a, b, c); }
ASSAY_INLINE f64 mad(f64 a, f64 b, f64 c) { return ::fma(a, b, c); }
ASSAY_INLINE f32 infinity_f() { return float_of(0x7f800000u); }
ASSAY_INLINE f32 nan_f() { return float_of(0x7fffffffu); }
ASSAY_INLINE f64 infinity_d() { return double_of(0x7ff0000000000000ull); }
ASSAY_INLINE f64 nan_d() { return double_of(0x7fffffffffffffffull); }
ASSAY_INLINE f32 size(f32 x) { return float_of(bits(x) & 0x7fffffffu); }
ASSAY_INLINE f64 size(f64 x) { return double_of(bits(x) & 0x7fffffffffffffffull); }
ASSAY_INLINE bool negative(f32 x) { return (i32)bits(x) < 0; }
ASSAY_INLINE bool negative(f64 x) { return (i64)bits(x) < 0; }
ASSAY_INLINE f32 signed_as(f32 x, f32 sign) { return float_of((bits(x) & 0x7fffffffu) | (bits(sign) & 0x80000000u)); }
ASSAY_INLINE f64 signed_as(f64 x, f64 sign)
{
    return double_of((bits(x) & 0x7fffffffffffffffull) | (bits(sign) & 0x8000000000000000ull));
}
// 2^n of a normal number
ASSAY_INLINE f32 power_f(i32 n) { return float_of((u32)(n + 127) << 23); }
ASSAY_INLINE f64 power_d(i32 n) { return double_of((u64)(i64)(n + 1023) << 52); }
// x 2^n, rounded once, for x near 1
ASSAY_INLINE f32 scaled(f32 x, i32 n) { return x * power_f(n >> 1) * power_f(n - (n >> 1)); }
ASSAY_INLINE f64 scaled(f64 x, i32 n) { return x * power_d(n >> 1) * power_d(n - (n >> 1)); }

// Horner's rule, the highest coefficient first.
template <typename T> ASSAY_INLINE T chain(T, T sum) { return sum; }
template <typename T, typename... R> ASSAY_INLINE T chain(T x, T sum, T next, R... rest)
{
    return chain(x, mad(sum, x, next), rest...);
}

// ── pairs ──

ASSAY_INLINE pair add_ordered(f64 a, f64 b) // |a| ≥ |b|
{
    pair out;
    out.h = a + b;
    out.l = b - (out.h - a);
    return out;
}
ASSAY_INLINE pair add(f64 a, f64 b)
{
    pair out;
    out.h = a + b;
    f64 t = out.h - a;
    out.l = (a - (out.h - t)) + (b - t);
    return out;
}
ASSAY_INLINE pair add(pair a, pair b)
{
    pair s = add(a.h, b.h);
    return add_ordered(s.h, s.l + (a.l + b.l));
}
ASSAY_INLINE pair add(pair a, f64 b)
{
    pair s = add(a.h, b);
    return add_ordered(s.h, s.l + a.l);
}
ASSAY_INLINE pair times(f64 a, f64 b)
{
    pair out;
    out.h = a * b;
    out.l = mad(a, b, -out.h);
    return out;
}
ASSAY_INLINE pair times(pair a, f64 b)
{
    pair p = times(a.h, b);
    return add_ordered(p.h, mad(a.l, b, p.l));
}
ASSAY_INLINE pair times(pair a, pair b)
{
    pair p = times(a.h, b.h);
    return add_ordered(p.h, p.l + mad(a.h, b.l, a.l * b.h));
}
ASSAY_INLINE pair over(pair a, pair b)
{
    f64 inverse = 1.0 / b.h;
    f64 q = a.h * inverse;
    f64 rest = mad(-q, b.h, a.h) + mad(-q, b.l, a.l);
    return add_ordered(q, rest * inverse);
}
ASSAY_INLINE pair root(pair a) // a > 0
{
    f64 s = ::sqrt(a.h);
    return add_ordered(s, (mad(-s, s, a.h) + a.l) * (0.5 / s));
}
ASSAY_INLINE pair as_pair(f64 h, f64 l)
{
    pair out;
    out.h = h;
    out.l = l;
    return out;
}

// ── exponentials ──

ASSAY_INLINE f32 exp_f(f32 x)
{
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    f32 z = mad(x, 1.44269502f, 12582912.0f);
    f32 n = z - 12582912.0f;
    f32 r = mad(n, 1.90465421e-9f, mad(n, -0.693147182f, x));
    f32 p = chain(r, 0.0001989101f, 0.0013933667f, 0.0083333105f, 0.041666463f, 0.16666667f, 0.5f);
    p = mad(p, r * r, r) + 1.0f;
    return scaled(p, (i32)(bits(z) - 0x4b400000u));
}

ASSAY_INLINE f32 exp2_f(f32 x)
{
    x = x > 129.0f ? 129.0f : x;
    x = x < -151.0f ? -151.0f : x;
    f32 z = x + 12582912.0f;
    f32 r = x - (z - 12582912.0f);
    f32 p = chain(r, 1.5297324e-05f, 0.00015461445f, 0.0013333502f, 0.009618057f, 0.05550411f, 0.2402265f, 0.6931472f);
    return scaled(mad(p, r, 1.0f), (i32)(bits(z) - 0x4b400000u));
}

ASSAY_INLINE f32 exp10_f(f32 x)
{
    x = x > 39.0f ? 39.0f : x;
    x = x < -46.0f ? -46.0f : x;
    f32 z = mad(x, 3.32192802f, 12582912.0f);
    f32 n = z - 12582912.0f;
    f32 r = mad(n, 1.4320989e-8f, mad(n, -0.301030010f, x));
    f32 p = chain(r, 0.06828865f, 0.207775f, 0.53938067f, 1.1712463f, 2.0346787f, 2.650949f, 2.3025851f);
    return scaled(mad(p, r, 1.0f), (i32)(bits(z) - 0x4b400000u));
}

ASSAY_INLINE f32 log_f(f32 x)
{
    f32 shift = x < 1.17549435e-38f ? 25.0f : 0.0f;
    u32 b = bits(x < 1.17549435e-38f ? x * 33554432.0f : x);
    i32 e = (i32)(b - 0x3f3504f3u) >> 23;
    f32 f = float_of(b - ((u32)e << 23)) - 1.0f;
    f32 n = (f32)e - shift;
    f32 p = chain(f, 0.06971612f, -0.11479734f, 0.1168542f, -0.12425687f, 0.14249058f, -0.16667803f, 0.20000716f,
                  -0.24999997f, 0.3333333f);
    f32 square = f * f;
    f32 low = mad(p * f, square, n * -1.90465421e-9f);
    low = mad(-0.5f, square, low);
    f32 y = mad(n, 0.693147182f, f + low);
    return x > 0.0f && x < infinity_f() ? y : x == 0.0f ? -infinity_f() : x > 0.0f || x != x ? x + x : nan_f();
}

// e^x to some 45 bits, for |x| < 700: for results that are rounded to 24.
ASSAY_INLINE f64 exp_rough(f64 x)
{
    f64 z = mad(x, 1.4426950408889634, 6755399441055744.0);
    f64 n = z - 6755399441055744.0;
    f64 r = mad(n, -2.3190468138462996e-17, mad(n, -0.6931471805599453, x));
    f64 p = chain(r, 2.761759959412538e-06, 2.486790848350535e-05, 0.00019841224547381293, 0.0013888839053048077,
                  0.008333333344221821, 0.04166666678647306, 0.16666666666662577, 0.49999999999955);
    return (mad(p, r * r, r) + 1.0) * power_d((i32)(u32)bits(z));
}

ASSAY_INLINE f32 expm1_f(f32 x)
{
    x = x > 89.0f ? 89.0f : x;
    x = x < -30.0f ? -30.0f : x;
    f64 z = mad((f64)x, 1.4426950408889634, 6755399441055744.0);
    f64 n = z - 6755399441055744.0;
    f64 r = mad(n, -0.6931471805599453, (f64)x);
    f64 p = chain(r, 2.761759959412538e-06, 2.486790848350535e-05, 0.00019841224547381293, 0.0013888839053048077,
                  0.008333333344221821, 0.04166666678647306, 0.16666666666662577, 0.49999999999955);
    f64 power = power_d((i32)(u32)bits(z));
    // The sum would lose the sign of zero.
    return x == 0.0f ? x : (f32)mad(power, mad(p, r * r, r), power - 1.0);
}

ASSAY_INLINE f32 tanh_f(f32 x)
{
    f32 a = size(x);
    if (a < 0.6f) {
        f32 z = x * x;
        f32 p = chain(z, 0.0023707657f, -0.008410071f, 0.021788321f, -0.053961553f, 0.13333313f, -0.33333334f);
        return mad(p * z, x, x);
    }
    return signed_as(1.0f - 2.0f / (exp_f(2.0f * a) + 1.0f), x);
}

ASSAY_INLINE f32 sinh_f(f32 x)
{
    f64 a = size(x);
    if (a < 0.5) {
        f64 z = a * a;
        f64 p = chain(z, 2.755731922398589e-06, 0.0001984126984126984, 0.008333333333333333, 0.16666666666666666);
        return (f32)mad(p * z, (f64)x, (f64)x);
    }
    f64 e = exp_rough(a > 100.0 ? 100.0 : a);
    return signed_as((f32)(0.5 * e - 0.5 / e), x);
}

ASSAY_INLINE f32 cosh_f(f32 x)
{
    f64 a = size(x);
    f64 e = exp_rough(a > 100.0 ? 100.0 : a);
    return (f32)(0.5 * e + 0.5 / e);
}

// ── powers and roots ──

// What x^y is when a factor is 0, infinite or not a number, or x is negative; `power` is |x|^|y| otherwise.
template <typename T> ASSAY_INLINE bool integral(T y, T *odd)
{
    T half = y * (T)0.5;
    bool whole = sizeof(T) == 4 ? (T)::truncf((f32)y) == y : (T)::trunc((f64)y) == y;
    *odd = whole && (sizeof(T) == 4 ? (T)::truncf((f32)half) != half : (T)::trunc((f64)half) != half) ? (T)1 : (T)0;
    return whole;
}
template <typename T> ASSAY_INLINE T power_signed(T x, T y, T power, T infinity, T nan)
{
    T a = size(x), odd;
    bool whole = integral(y, &odd);
    if (size(y) == infinity)
        power = a == (T)1 ? (T)1 : (a > (T)1) == (y > (T)0) ? infinity : (T)0;
    else if (a == (T)0 || a == infinity)
        power = (a == (T)0) == (y > (T)0) ? (T)0 : infinity;
    else if (x < (T)0 && !whole)
        power = nan;
    if (negative(x) && odd != (T)0)
        power = -power;
    if (x != x || y != y)
        power = x + y;
    return x == (T)1 || y == (T)0 ? (T)1 : power;
}

ASSAY_CALL f32 pow_f(f32 x, f32 y)
{
    u64 b = bits((f64)size(x));
    i64 e = (i64)(b - 0x3fe6a09e00000000ull) >> 52;
    f64 m = double_of(b - ((u64)e << 52));
    f64 s = (m - 1.0) / (m + 1.0);
    f64 z = s * s;
    f64 p = chain(z, 0.23981025028672232, 0.2617071389586936, 0.32060814435522056, 0.41219851904194593,
                  0.577078016517617, 0.9617966939259093, 2.8853900817779268);
    f64 w = (f64)y * mad(s, p, (f64)(i32)e);
    w = w > 200.0 ? 200.0 : w;
    w = w < -200.0 ? -200.0 : w;
    f64 shifted = w + 6755399441055744.0;
    f64 r = w - (shifted - 6755399441055744.0);
    f64 q = chain(r, 1.0200337248760112e-07, 1.325080551750225e-06, 1.5252699025121894e-05, 0.00015403475186530786,
                  0.0013333558163820172, 0.00961812913523614, 0.05550410866480799, 0.24022650695888503,
                  0.6931471805599453);
    f32 power = (f32)(mad(q, r, 1.0) * power_d((i32)(u32)bits(shifted)));
    return power_signed(x, y, power, infinity_f(), nan_f());
}

ASSAY_INLINE f32 rsqrt_f(f32 x) { return 1.0f / ::sqrtf(x); }
// Rounded to nearest: the double in between has no result of a float near enough to a tie.
ASSAY_INLINE f32 rsqrt_rounded_f(f32 x) { return (f32)(1.0 / ::sqrt((f64)x)); }
ASSAY_INLINE f32 divide_f(f32 x, f32 y) { return x / y; }

// ── double: exponentials and logarithms ──

// e^(x + low) = (h + l) 2^n
struct exponential {
    pair p;
    i32 n;
};

ASSAY_INLINE exponential exp_parts(f64 x, f64 low)
{
    x = x > 720.0 ? 720.0 : x;
    x = x < -760.0 ? -760.0 : x;
    f64 z = mad(x, 1.4426950408889634, 6755399441055744.0);
    f64 n = z - 6755399441055744.0;
    pair reduced = add_ordered(mad(n, -0.6931471805599453, x), mad(n, -2.3190468138462996e-17, low));
    f64 r = reduced.h, rest = reduced.l;
    f64 q = chain(r, 1.6086638366705033e-10, 2.0918153355978567e-09, 2.5052071066149638e-08, 2.7557263236863376e-07,
                  2.755731924724503e-06, 2.48015873364817e-05, 0.0001984126984126329, 0.001388888888887906,
                  0.008333333333333333, 0.04166666666666668, 0.16666666666666666);
    // 1 + r + r²/2 + r³ q
    pair half = times(r, 0.5 * r);
    f64 tail = mad(q * r, r * r, half.l) + mad(rest, r, rest);
    pair sum = add_ordered(1.0, r);
    pair both = add_ordered(sum.h, half.h);
    exponential out;
    out.p = add_ordered(both.h, (both.l + sum.l) + tail);
    out.n = (i32)(u32)bits(z);
    return out;
}
ASSAY_INLINE f64 exp_d(f64 x, f64 low)
{
    exponential e = exp_parts(x, low);
    return scaled(e.p.h, e.n);
}
// e^x − 1, for |x| < 700
ASSAY_INLINE pair expm1_pair(f64 x)
{
    f64 z = mad(x, 1.4426950408889634, 6755399441055744.0);
    f64 n = z - 6755399441055744.0;
    pair reduced = add_ordered(mad(n, -0.6931471805599453, x), n * -2.3190468138462996e-17);
    f64 r = reduced.h, rest = reduced.l;
    f64 q = chain(r, 1.6086638366705033e-10, 2.0918153355978567e-09, 2.5052071066149638e-08, 2.7557263236863376e-07,
                  2.755731924724503e-06, 2.48015873364817e-05, 0.0001984126984126329, 0.001388888888887906,
                  0.008333333333333333, 0.04166666666666668, 0.16666666666666666);
    pair half = times(r, 0.5 * r);
    pair sum = add_ordered(r, half.h);
    sum = add_ordered(sum.h, sum.l + (mad(q * r, r * r, half.l) + mad(rest, r, rest)));
    f64 power = power_d((i32)(u32)bits(z));
    sum.h = sum.h * power;
    sum.l = sum.l * power;
    return add(sum, power - 1.0);
}

// 2 artanh(s): the logarithm of (1 + s) / (1 − s), for |s| ≤ 0.1716
ASSAY_INLINE pair artanh_twice(pair s)
{
    f64 z = s.h * s.h;
    f64 zl = mad(s.h, s.h, -z) + 2.0 * s.h * s.l;
    f64 q = z * chain(z, 0.10762867423643212, 0.10456278375778207, 0.11766815303406082, 0.13333296483973292,
                      0.1538461576181261, 0.18181818179652515, 0.22222222222228444, 0.28571428571428564, 0.4);
    pair c = add_ordered(0.6666666666666666, q);
    c.l = c.l + 3.700743415417188e-17;
    pair p = times(z, c.h);
    p.l = p.l + mad(z, c.l, zl * c.h);
    pair t = times(s.h, p.h);
    t.l = t.l + mad(s.h, p.l, s.l * p.h);
    pair sum = add_ordered(2.0 * s.h, t.h);
    return add_ordered(sum.h, sum.l + mad(2.0, s.l, t.l));
}

// The natural logarithm of a positive finite x, some 64 bits of it; 2^shift is taken off first.
ASSAY_INLINE pair log_pair(pair x, i32 shift)
{
    if (x.h < 2.2250738585072014e-308) {
        x.h = x.h * 18014398509481984.0;
        x.l = x.l * 18014398509481984.0;
        shift = shift + 54;
    }
    i64 e = (i64)(bits(x.h) - 0x3fe6a09e667f3bcdull) >> 52;
    f64 h = double_of(bits(x.h) - ((u64)e << 52));
    f64 power = power_d((i32)(-e >> 1));
    f64 l = x.l * power * power_d((i32)(-e - (-e >> 1)));
    pair up = add(h - 1.0, l), down = add_ordered(h + 1.0, (h - ((h + 1.0) - 1.0)) + l);
    pair y = artanh_twice(over(up, down));
    f64 n = (f64)((i32)e - shift);
    // The high part has 32 bits, so that the product is exact.
    pair sum = add(n * 0.6931471803691238, y.h);
    return add_ordered(sum.h, sum.l + mad(n, 1.9082149292705877e-10, y.l));
}

// log of what is no positive finite number
ASSAY_INLINE f64 log_edge(f64 x)
{
    return x == 0.0 ? -infinity_d() : x > 0.0 || x != x ? x + x : nan_d();
}
ASSAY_INLINE bool ordinary(f64 x) { return x > 0.0 && x < infinity_d(); }

ASSAY_CALL f64 log_d(f64 x)
{
    return ordinary(x) ? log_pair(as_pair(x, 0.0), 0).h : log_edge(x);
}
ASSAY_CALL f64 log2_d(f64 x)
{
    if (!ordinary(x))
        return log_edge(x);
    return times(log_pair(as_pair(x, 0.0), 0), as_pair(1.4426950408889634, 2.0355273740931033e-17)).h;
}
ASSAY_CALL f64 log10_d(f64 x)
{
    if (!ordinary(x))
        return log_edge(x);
    return times(log_pair(as_pair(x, 0.0), 0), as_pair(0.4342944819032518, 1.098319650216765e-17)).h;
}
ASSAY_CALL f64 log1p_d(f64 x)
{
    if (size(x) < 1.1102230246251565e-16)
        return x;
    if (!(x > -1.0 && x < infinity_d()))
        return log_edge(x + 1.0);
    return log_pair(add(1.0, x), 0).h;
}

ASSAY_CALL f64 pow_d(f64 x, f64 y)
{
    f64 a = size(x);
    f64 power = a;
    if (a > 0.0 && a < infinity_d() && size(y) < infinity_d()) {
        // Beyond, the power overflows or vanishes or is 1.
        f64 b = y > 1e20 ? 1e20 : y < -1e20 ? -1e20 : y;
        pair w = times(log_pair(as_pair(a, 0.0), 0), b);
        power = exp_d(w.h, size(w.h) < 1000.0 ? w.l : 0.0);
    }
    return power_signed(x, y, power, infinity_d(), nan_d());
}

ASSAY_CALL f64 tanh_d(f64 x)
{
    f64 a = size(x);
    if (a < 7.450580596923828e-09)
        return x;
    if (!(a < 20.0))
        return x != x ? x : signed_as(1.0, x);
    pair t = expm1_pair(2.0 * a);
    return signed_as(over(t, add(t, 2.0)).h, x);
}
ASSAY_CALL f64 cosh_d(f64 x)
{
    exponential e = exp_parts(size(x), 0.0);
    f64 inverse = e.n < 60 ? 0.5 / scaled(e.p.h, e.n) : 0.0;
    return scaled(e.p.h, e.n - 1) + inverse;
}
ASSAY_CALL f64 rsqrt_d(f64 x)
{
    f64 y = 1.0 / ::sqrt(x);
    if (!ordinary(x))
        return y;
    // One step of Newton's, with the residual to the last bit.
    pair s = times(x, y);
    f64 rest = mad(-s.h, y, 1.0) - s.l * y;
    return mad(0.5 * y, rest, y);
}

ASSAY_CALL f64 exp_d(f64 x) { return exp_d(x, 0.0); }
ASSAY_CALL f64 exp2_d(f64 x)
{
    pair y = times(as_pair(0.6931471805599453, 2.3190468138462996e-17), x > 1100.0 ? 1100.0 : x < -1100.0 ? -1100.0 : x);
    return exp_d(y.h, y.l);
}
ASSAY_CALL f64 exp10_d(f64 x)
{
    pair y = times(as_pair(2.302585092994046, -2.1707562233822494e-16), x > 400.0 ? 400.0 : x < -400.0 ? -400.0 : x);
    return exp_d(y.h, y.l);
}
ASSAY_CALL f64 expm1_d(f64 x)
{
    if (size(x) < 5.551115123125783e-17)
        return x;
    return x < 60.0 ? expm1_pair(x < -60.0 ? -60.0 : x).h : exp_d(x);
}
ASSAY_CALL f64 sinh_d(f64 x)
{
    f64 a = size(x);
    if (a < 7.450580596923828e-09)
        return x;
    if (a < 40.0) {
        // (t + t / (t + 1)) / 2 with t = e^a − 1
        pair t = expm1_pair(a);
        pair y = add(t, over(t, add(t, 1.0)));
        return signed_as(0.5 * y.h, x);
    }
    exponential e = exp_parts(a, 0.0);
    return signed_as(scaled(e.p.h, e.n - 1), x);
}

// Exact as the toolkit has them, but overloads of names that are not.
ASSAY_INLINE f32 kit_log2(f32 x) { return ::log2f(x); }
ASSAY_INLINE f32 kit_log10(f32 x) { return ::log10f(x); }
ASSAY_INLINE f32 kit_log1p(f32 x) { return ::log1pf(x); }

// @@more

} // namespace assay

#ifdef __CUDACC__
// ── the names ──
//
// Each name of CUDA's becomes a macro for a function of the same overloads here, in the global namespace and in std, so
// that every spelling finds it. A variable, member or function of the user's that has such a name is renamed with all
// its uses.

namespace assay {

template <typename T> struct whole {};
template <> struct whole<bool> { typedef f64 type; };
template <> struct whole<char> { typedef f64 type; };
template <> struct whole<signed char> { typedef f64 type; };
template <> struct whole<unsigned char> { typedef f64 type; };
template <> struct whole<short> { typedef f64 type; };
template <> struct whole<unsigned short> { typedef f64 type; };
template <> struct whole<int> { typedef f64 type; };
template <> struct whole<unsigned int> { typedef f64 type; };
template <> struct whole<long> { typedef f64 type; };
template <> struct whole<unsigned long> { typedef f64 type; };
template <> struct whole<long long> { typedef f64 type; };
template <> struct whole<unsigned long long> { typedef f64 type; };

// Pairs of arguments that are computed in double: all but two floats and two doubles.
template <typename T> struct number : whole<T> {};
template <> struct number<float> { typedef f64 type; };
template <> struct number<double> { typedef f64 type; };
template <typename T, typename U, typename V = typename number<T>::type> struct mixed : number<U> {};
template <> struct mixed<float, float, f64> {};
template <> struct mixed<double, double, f64> {};

} // namespace assay

#define ASSAY_API static __inline__ __host__ __device__ __attribute__((unused))
#define ASSAY_OF_ONE(type, name, function) ASSAY_API type assay_##name(type x) { return assay::function(x); }
#define ASSAY_OF_TWO(type, name, function) ASSAY_API type assay_##name(type x, type y) { return assay::function(x, y); }
#define ASSAY_STD(name) namespace std { using ::assay_##name; }
#ifdef __CUDACC_RTC__
#define ASSAY_WIDE_ONE(name, function)
#define ASSAY_WIDE_TWO(name, function)
#else
// For host code alone: it has to compile, and is not run.
#define ASSAY_WIDE_ONE(name, function) \
    static __inline__ __host__ __attribute__((unused)) long double assay_##name(long double x) { return assay::function((double)x); }
#define ASSAY_WIDE_TWO(name, function) \
    static __inline__ __host__ __attribute__((unused)) long double assay_##name(long double x, long double y) \
    { \
        return assay::function((double)x, (double)y); \
    }
#endif
// name(float), name(double), name(integer) and namef(float)
#define ASSAY_ONE(name, single, twice) \
    ASSAY_OF_ONE(float, name##f, single) \
    ASSAY_OF_ONE(float, name, single) \
    ASSAY_OF_ONE(double, name, twice) \
    ASSAY_WIDE_ONE(name, twice) \
    template <typename T> ASSAY_API typename assay::whole<T>::type assay_##name(T x) { return assay::twice((double)x); } \
    ASSAY_STD(name) ASSAY_STD(name##f)
#define ASSAY_TWO(name, single, twice) \
    ASSAY_OF_TWO(float, name##f, single) \
    ASSAY_OF_TWO(float, name, single) \
    ASSAY_OF_TWO(double, name, twice) \
    ASSAY_WIDE_TWO(name, twice) \
    template <typename T, typename U> ASSAY_API typename assay::mixed<T, U>::type assay_##name(T x, U y) \
    { \
        return assay::twice((double)x, (double)y); \
    } \
    ASSAY_STD(name) ASSAY_STD(name##f)

ASSAY_ONE(exp, exp_f, exp_d)
ASSAY_ONE(exp2, exp2_f, exp2_d)
ASSAY_ONE(exp10, exp10_f, exp10_d)
ASSAY_ONE(expm1, expm1_f, expm1_d)
ASSAY_ONE(log, log_f, log_d)
ASSAY_ONE(log2, kit_log2, log2_d)
ASSAY_ONE(log10, kit_log10, log10_d)
ASSAY_ONE(log1p, kit_log1p, log1p_d)
ASSAY_ONE(sinh, sinh_f, sinh_d)
ASSAY_ONE(cosh, cosh_f, cosh_d)
ASSAY_ONE(tanh, tanh_f, tanh_d)
ASSAY_TWO(pow, pow_f, pow_d)
ASSAY_ONE(rsqrt, rsqrt_f, rsqrt_d)
// @@list
ASSAY_OF_TWO(float, fdividef, divide_f)
ASSAY_OF_ONE(float, frsqrt_rn, rsqrt_rounded_f)

#undef ASSAY_API
#undef ASSAY_OF_ONE
#undef ASSAY_OF_TWO
#undef ASSAY_STD
#undef ASSAY_WIDE_ONE
#undef ASSAY_WIDE_TWO
#undef ASSAY_ONE
#undef ASSAY_TWO

#define exp assay_exp
#define expf assay_expf
#define exp2 assay_exp2
#define exp2f assay_exp2f
#define exp10 assay_exp10
#define exp10f assay_exp10f
#define expm1 assay_expm1
#define expm1f assay_expm1f
#define log assay_log
#define logf assay_logf
#define log2 assay_log2
#define log2f assay_log2f
#define log10 assay_log10
#define log10f assay_log10f
#define log1p assay_log1p
#define log1pf assay_log1pf
#define sinh assay_sinh
#define sinhf assay_sinhf
#define cosh assay_cosh
#define coshf assay_coshf
#define tanh assay_tanh
#define tanhf assay_tanhf
#define pow assay_pow
#define powf assay_powf
#define rsqrt assay_rsqrt
#define rsqrtf assay_rsqrtf
// @@macros
#define __expf assay_expf
#define __exp10f assay_exp10f
#define __logf assay_logf
#define __log2f assay_log2f
#define __log10f assay_log10f
#define __powf assay_powf
#define __tanhf assay_tanhf
#define __sinf sinf
#define __cosf cosf
#define __sincosf sincosf
#define __fdividef assay_fdividef
#define __frsqrt_rn assay_frsqrt_rn
#endif

#undef ASSAY_INLINE
#undef ASSAY_CALL

#endif
#endif
