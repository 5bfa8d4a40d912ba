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
// Compiled as host C++ (g++ -ffp-contract=off) the file gives the same functions with the same bits, in namespace assay,
// and under CUDA's names where ASSAY_MATH_NAMES is defined.
#ifndef ASSAY_MATH_CUH
#define ASSAY_MATH_CUH

#if !defined(__CUDACC__) || defined(__CUDA_ARCH__) || defined(__CUDACC_RTC__)

// No internal linkage: it would put a number of the compiling machine's into the names.
#ifdef __CUDACC__
#define ASSAY_HOST_DEVICE __host__ __device__
#define ASSAY_APART __noinline__
#else
#include <cmath>
#include <cstring>
#define ASSAY_HOST_DEVICE
#define ASSAY_APART
#endif
#define ASSAY_INLINE inline ASSAY_HOST_DEVICE __attribute__((always_inline))
#define ASSAY_CALL inline ASSAY_HOST_DEVICE

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
        f32 z = a * a;
        f32 p = chain(z, 0.0023707657f, -0.008410071f, 0.021788321f, -0.053961553f, 0.13333313f, -0.33333334f);
        return signed_as(mad(p * z, a, a), x);
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

// ── single: logarithms' inverses and arcs ──

// log x to some 45 bits, for positive normal x
ASSAY_INLINE f64 log_rough(f64 x)
{
    i64 e = (i64)(bits(x) - 0x3fe6a09e00000000ull) >> 52;
    f64 m = double_of(bits(x) - ((u64)e << 52));
    f64 s = (m - 1.0) / (m + 1.0);
    f64 z = s * s;
    f64 p = chain(z, 0.23981025028672232, 0.2617071389586936, 0.32060814435522056, 0.41219851904194593,
                  0.577078016517617, 0.9617966939259093, 2.8853900817779268);
    return mad(s, p, (f64)(i32)e) * 0.6931471805599453;
}

ASSAY_CALL f32 asinh_f(f32 x)
{
    f64 a = size(x);
    if (a < 0.000244140625)
        return signed_as(mad(x * x, x * -0.16666667f, x), x);
    if (!(a < infinity_d()))
        return x;
    return signed_as((f32)log_rough(a + ::sqrt(mad(a, a, 1.0))), x);
}
ASSAY_CALL f32 acosh_f(f32 x)
{
    f64 a = x;
    if (!(a >= 1.0 && a < infinity_d()))
        return x > 1.0f ? x : nan_f();
    return (f32)log_rough(a + ::sqrt(mad(a, a, -1.0)));
}
ASSAY_CALL f32 atanh_f(f32 x)
{
    f64 a = size(x);
    if (a < 0.000244140625)
        return mad(x * x, x * 0.33333334f, x);
    if (!(a < 1.0))
        return a == 1.0 ? signed_as(infinity_f(), x) : nan_f();
    return signed_as((f32)(0.5 * log_rough((1.0 + a) / (1.0 - a))), x);
}

ASSAY_INLINE f32 atan_f(f32 x)
{
    f32 a = size(x);
    f32 t = a > 1.0f ? 1.0f / a : a;
    f32 z = t * t;
    f32 p = chain(z, -0.0023869972f, 0.013507771f, -0.03587154f, 0.06250169f, -0.0865688f, 0.110337645f, -0.14278568f,
                  0.1999974f, -0.3333333f);
    f32 y = mad(p * z, t, t);
    return signed_as(a > 1.0f ? 1.57079637f - (y + 4.37113883e-8f) : y, x);
}

// (asin(√z) − √z) / √z³
ASSAY_INLINE f32 arc(f32 z)
{
    return chain(z, 0.033690847f, 0.017149238f, 0.031100662f, 0.044599403f, 0.07500094f, 0.16666666f);
}
ASSAY_INLINE f32 asin_f(f32 x)
{
    f32 a = size(x);
    bool steep = a > 0.5f;
    f32 z = steep ? mad(a, -0.5f, 0.5f) : a * a;
    f32 s = steep ? ::sqrtf(z) : a;
    f32 y = mad(arc(z) * z, s, s);
    return signed_as(steep ? mad(-2.0f, y, 1.57079637f) - 4.37113883e-8f : y, x);
}
ASSAY_INLINE f32 acos_f(f32 x)
{
    f32 a = size(x);
    bool steep = a > 0.5f;
    f32 z = steep ? mad(a, -0.5f, 0.5f) : a * a;
    f32 s = steep ? ::sqrtf(z) : a;
    f32 y = mad(arc(z) * z, s, s);
    if (steep)
        return x > 0.0f ? 2.0f * y : mad(-2.0f, y, 3.14159274f) - 8.74227766e-8f;
    return 1.57079637f - (signed_as(y, x) + 4.37113883e-8f);
}

// The cube root of a positive normal number, to some 45 bits.
ASSAY_INLINE f64 cbrt_rough(f64 x)
{
    f64 t = double_of((u64)((u32)(bits(x) >> 32) / 3u + 715094163u) << 32);
    f64 c = t * t * t;
    t = t * (c + 2.0 * x) / (2.0 * c + x);
    c = t * t * t;
    return t * (c + 2.0 * x) / (2.0 * c + x);
}
ASSAY_CALL f32 cbrt_f(f32 x)
{
    f32 a = size(x);
    return a > 0.0f && a < infinity_f() ? signed_as((f32)cbrt_rough(a), x) : x + x;
}
ASSAY_CALL f32 rcbrt_f(f32 x)
{
    f32 a = size(x);
    return a > 0.0f && a < infinity_f() ? signed_as((f32)(1.0 / cbrt_rough(a)), x) : 1.0f / x;
}

ASSAY_INLINE f32 erf_f(f32 x)
{
    f32 a = size(x);
    if (a < 1.0f) {
        f32 z = x * x;
        f32 p = chain(z, -1.0216748e-05f, 0.00011451737f, -0.0008508545f, 0.005222611f, -0.026865946f, 0.1128379f,
                      -0.37612638f, 0.12837917f);
        return mad(p, x, x);
    }
    f32 b = a > 3.95f ? 3.95f : a;
    f32 q = chain(b, 6.8477064e-08f, -3.1605882e-06f, 6.076342e-05f, -0.00067750463f, 0.0050365916f, -0.027036872f,
                  0.11096526f, 0.63103336f, 1.1306344f, -0.00040743654f);
    return signed_as(1.0f - exp_f(-q), x);
}

// e^(x²) erfc(x) to some 30 bits, for x ≥ 0
ASSAY_INLINE f64 erfcx_rough(f64 x)
{
    f64 t = (x - 4.0) / (x + 4.0);
    f64 g = chain(t, 3.2421422701780612e-06, -9.600045996213345e-06, -2.0784215642683516e-05, 0.00014780836396869327,
                  -0.000202164581271282, -0.0007553330994075096, 0.005033294614172266, -0.016198891729773256,
                  0.037167184110216245, -0.06633006919539637, 0.09373287600452719, -0.10103910324946785,
                  0.06809705231227348, 0.01537965387790656, -0.13962111682540307, 1.232995118611678);
    return g / mad(2.0, x, 1.0);
}
ASSAY_INLINE f64 erfc_rough(f64 x) // for |x| < 26
{
    f64 a = size(x);
    f64 y = exp_rough(-a * a) * erfcx_rough(a);
    return x < 0.0 ? 2.0 - y : y;
}
ASSAY_CALL f32 erfc_f(f32 x)
{
    f64 y = x;
    return (f32)erfc_rough(y > 12.0 ? 12.0 : y < -12.0 ? -12.0 : y);
}
ASSAY_CALL f32 normcdf_f(f32 x)
{
    f64 y = x * -0.7071067811865476;
    return (f32)(0.5 * erfc_rough(y > 12.0 ? 12.0 : y < -12.0 ? -12.0 : y));
}
ASSAY_CALL f32 erfcx_f(f32 x)
{
    f64 a = size(x);
    a = a > 1e39 ? 1e39 : a;
    f64 y = erfcx_rough(a);
    if (x < 0.0f) {
        f64 b = a > 12.0 ? 12.0 : a;
        y = 2.0 * exp_rough(b * b) - y;
    }
    return x == infinity_f() ? 0.0f : (f32)y;
}

// ── tangents ──

// A quarter of turns and what is left, at most an eighth of a turn.
struct angle {
    pair r;
    i32 quarter;
};

// What is left of a float of 2^30 or more, from the bits of 2/π that matter.
ASSAY_CALL ASSAY_APART angle reduce_large(f32 a)
{
    i32 offset = (i32)(bits(a) >> 23) - 152;
    u32 m = (bits(a) & 0x7fffffu) | 0x800000u;
    i32 i = offset >> 5, s = offset & 31;
    u32 t0 = i == 0 ? 0xa2f9836eu : i == 1 ? 0x4e441529u : i == 2 ? 0xfc2757d1u : 0xf534ddc0u;
    u32 t1 = i == 0 ? 0x4e441529u : i == 1 ? 0xfc2757d1u : i == 2 ? 0xf534ddc0u : 0xdb629599u;
    u32 t2 = i == 0 ? 0xfc2757d1u : i == 1 ? 0xf534ddc0u : i == 2 ? 0xdb629599u : 0x3c439041u;
    u32 t3 = i == 0 ? 0xf534ddc0u : i == 1 ? 0xdb629599u : i == 2 ? 0x3c439041u : 0xfe5163abu;
    u64 high = ((u64)t0 << 32 | t1) << s | (s == 0 ? 0u : t2 >> (32 - s));
    u32 low = s == 0 ? t2 : t2 << s | t3 >> (32 - s);
    u64 p = high * m + ((u64)low * m >> 32);
    u64 quarter = (p + 0x2000000000000000ull) >> 62;
    angle out;
    out.r = as_pair((f64)(i64)(p - (quarter << 62)) * 3.4061215800304e-19, 0.0);
    out.quarter = (i32)quarter;
    return out;
}
// The same of a double of less than 2^20 (or a float of less than 2^30).
ASSAY_INLINE angle reduce(f64 x)
{
    f64 shifted = mad(x, 0.6366197723675814, 6755399441055744.0);
    f64 n = shifted - 6755399441055744.0;
    f64 r = mad(n, -1.5707963267948966, x);
    pair p = times(n, 6.123233995736766e-17);
    pair s = add(r, -p.h);
    angle out;
    out.r = add_ordered(s.h, s.l - mad(n, -1.4973849048591833e-33, p.l));
    out.quarter = (i32)(u32)bits(shifted);
    return out;
}
// (sin r − r) / r³ and (cos r − 1 + r²/2) / r⁴, z = r²
ASSAY_INLINE f64 sine_tail(f64 z)
{
    return chain(z, 2.79121158961776e-15, -7.646960696915157e-13, 1.6059042775952164e-10, -2.5052108382370227e-08,
                 2.755731922398106e-06, -0.00019841269841269839, 0.008333333333333333, -0.16666666666666666);
}
ASSAY_INLINE f64 cosine_tail(f64 z)
{
    return chain(z, 4.745817611007275e-14, -1.1470459965869794e-11, 2.0876755785260474e-09, -2.755731922138606e-07,
                 2.4801587301584625e-05, -0.0013888888888888887, 0.041666666666666664);
}
ASSAY_CALL f32 tan_f(f32 x)
{
    f32 a = size(x);
    if (!(a < infinity_f()))
        return nan_f();
    angle turned = a < 1073741824.0f ? reduce(a) : reduce_large(a);
    f64 r = turned.r.h, z = r * r;
    f64 s = mad(sine_tail(z) * z, r, r);
    f64 c = mad(z * z, cosine_tail(z), mad(-0.5, z, 1.0));
    f64 y = turned.quarter & 1 ? -c / s : s / c;
    return (f32)(negative(x) ? -y : y);
}
ASSAY_CALL f64 tan_d(f64 x)
{
    if (!(size(x) < 1048576.0)) {
        f64 s, c;
        ::sincos(x, &s, &c);
        return s / c;
    }
    if (x == 0.0)
        return x;
    angle turned = reduce(x);
    f64 r = turned.r.h, rest = turned.r.l, z = r * r;
    pair s = add_ordered(r, mad(sine_tail(z) * z, r, mad(-0.5 * z, rest, rest)));
    pair half = times(0.5 * r, r);
    pair c = add_ordered(1.0, -half.h);
    c = add_ordered(c.h, c.l + (mad(z * z, cosine_tail(z), -half.l) - r * rest));
    if (turned.quarter & 1) {
        c.h = -c.h;
        c.l = -c.l;
        return over(c, s).h;
    }
    return over(s, c).h;
}

// ── double: arcs and roots ──

ASSAY_CALL f64 atan_d(f64 x)
{
    f64 a = size(x);
    if (a < 7.450580596923828e-09 || x != x)
        return x;
    // artan of the nearest of 0, 1/2, 1, 3/2 and ∞, and of what is between
    f64 c = a < 0.4375 ? 0.0 : a < 0.6875 ? 0.5 : a < 1.1875 ? 1.0 : 1.5;
    f64 h = a < 0.4375 ? 0.0 : a < 0.6875 ? 0.4636476090008061 : a < 1.1875 ? 0.7853981633974483 : 0.982793723247329;
    f64 l = a < 0.4375   ? 0.0
            : a < 0.6875 ? 2.2698777452961687e-17
            : a < 1.1875 ? 3.061616997868383e-17
                         : 1.3903311031230998e-17;
    f64 up = a - c, down = mad(a, c, 1.0);
    if (a > 2.4375) {
        up = -1.0;
        down = a;
        h = 1.5707963267948966;
        l = 6.123233995736766e-17;
    }
    f64 t = up / down;
    f64 z = t * t;
    f64 p = chain(z, 0.01476642155379467, -0.033121323310643644, 0.044919637149159995, -0.05216607416783708,
                  0.0587693549653035, -0.06666240859375808, 0.0769228548876496, -0.09090908353049669,
                  0.11111111096587765, -0.1428571428556615, 0.19999999999999407, -0.3333333333333333);
    f64 y = h + (t + mad(p * z, t, l));
    return signed_as(h == 0.0 ? mad(p * z, t, t) : y, x);
}

// (asin(√z) − √z) / √z³
ASSAY_INLINE f64 arc(f64 z)
{
    return chain(z, 0.02961201126495512, -0.01924167174674304, 0.019554513336123378, 0.0030448799094556773,
                 0.009319560794767446, 0.009621842970100282, 0.011566459612121669, 0.01396378001220357,
                 0.017352816540325496, 0.02237215744350722, 0.03038194447553234, 0.044642857142551895,
                 0.07500000000000118, 0.16666666666666666);
}
// asin(√z) where z is (1 − a) / 2, as a pair
ASSAY_INLINE pair arc_steep(f64 a)
{
    f64 z = mad(a, -0.5, 0.5);
    f64 s = ::sqrt(z);
    f64 rest = z == 0.0 ? 0.0 : mad(-s, s, z) * (0.5 / s);
    return add_ordered(s, mad(arc(z) * z, s, rest));
}
ASSAY_CALL f64 asin_d(f64 x)
{
    f64 a = size(x);
    if (!(a > 0.5))
        return mad(arc(x * x) * (x * x), x, x);
    if (a > 1.0)
        return nan_d();
    pair y = arc_steep(a);
    pair sum = add_ordered(1.5707963267948966, -2.0 * y.h);
    return signed_as(sum.h + (sum.l + mad(-2.0, y.l, 6.123233995736766e-17)), x);
}
ASSAY_CALL f64 acos_d(f64 x)
{
    f64 a = size(x);
    if (!(a > 0.5)) {
        pair sum = add_ordered(1.5707963267948966, -x);
        return sum.h + (sum.l - mad(arc(x * x) * (x * x), x, -6.123233995736766e-17));
    }
    if (a > 1.0)
        return nan_d();
    pair y = arc_steep(a);
    if (x > 0.0)
        return 2.0 * y.h;
    pair sum = add_ordered(3.141592653589793, -2.0 * y.h);
    return sum.h + (sum.l + mad(-2.0, y.l, 1.2246467991473532e-16));
}

ASSAY_CALL f64 asinh_d(f64 x)
{
    f64 a = size(x);
    if (a < 1.4901161193847656e-08)
        return x;
    if (!(a < infinity_d()))
        return x;
    if (a > 268435456.0)
        return signed_as(log_pair(as_pair(a, 0.0), -1).h, x);
    pair s = root(add(times(a, a), 1.0));
    return signed_as(log_pair(add(s, a), 0).h, x);
}
ASSAY_CALL f64 acosh_d(f64 x)
{
    if (!(x >= 1.0 && x < infinity_d()))
        return x > 1.0 ? x : nan_d();
    if (x == 1.0)
        return 0.0;
    if (x > 268435456.0)
        return log_pair(as_pair(x, 0.0), -1).h;
    pair s = root(add(times(x, x), -1.0));
    return log_pair(add(s, x), 0).h;
}
ASSAY_CALL f64 atanh_d(f64 x)
{
    f64 a = size(x);
    if (a < 7.450580596923828e-09)
        return x;
    if (!(a < 1.0))
        return a == 1.0 ? signed_as(infinity_d(), x) : nan_d();
    if (a < 0.17)
        return 0.5 * artanh_twice(as_pair(x, 0.0)).h;
    return signed_as(0.5 * log_pair(over(add_ordered(1.0, a), add_ordered(1.0, -a)), 0).h, x);
}

// The cube root of a positive finite number.
ASSAY_INLINE pair cbrt_pair(f64 x)
{
    f64 unit = 1.0;
    if (x < 2.2250738585072014e-308) {
        x = x * 18014398509481984.0;
        unit = 3.814697265625e-06;
    }
    // A multiple of three off the exponent, so that cubes neither overflow nor vanish.
    i32 e = ((i32)(bits(x) >> 52) - 1023) / 3;
    x = x * power_d(-e) * power_d(-e) * power_d(-e);
    f64 t = cbrt_rough(x);
    pair square = times(t, t);
    pair cube = times(square, t);
    unit = unit * power_d(e);
    f64 rest = ((x - cube.h) - cube.l) / (3.0 * square.h);
    return add_ordered(t * unit, rest * unit);
}
ASSAY_CALL f64 cbrt_d(f64 x)
{
    f64 a = size(x);
    return ordinary(a) ? signed_as(cbrt_pair(a).h, x) : x + x;
}
ASSAY_CALL f64 rcbrt_d(f64 x)
{
    f64 a = size(x);
    return ordinary(a) ? signed_as(over(as_pair(1.0, 0.0), cbrt_pair(a)).h, x) : 1.0 / x;
}

// √(a² + b² + c² + d²) or one divided by it
ASSAY_CALL f64 norm_d(f64 a, f64 b, f64 c, f64 d, bool inverse)
{
    a = size(a), b = size(b), c = size(c), d = size(d);
    f64 top = a > b ? a : b;
    top = top > c ? top : c;
    top = top > d ? top : d;
    if (a == infinity_d() || b == infinity_d() || c == infinity_d() || d == infinity_d())
        return inverse ? 0.0 : infinity_d();
    if (!(a + b + c + d > 0.0))
        return inverse ? 1.0 / (a + b + c + d) : a + b + c + d;
    i32 e = top < 1e-300 ? -1000 : (i32)(bits(top) >> 52) - 1023;
    i32 half = e / 2;
    f64 unit = power_d(-half);
    f64 rest = power_d(-(e - half));
    a = a * unit * rest, b = b * unit * rest, c = c * unit * rest, d = d * unit * rest;
    pair sum = add(add(times(a, a), times(b, b)), add(times(c, c), times(d, d)));
    pair y = root(sum);
    if (inverse)
        return over(as_pair(1.0, 0.0), y).h * unit * rest;
    return y.h * power_d(half) * power_d(e - half);
}
ASSAY_INLINE f64 hypot_d(f64 x, f64 y) { return norm_d(x, y, 0.0, 0.0, false); }
ASSAY_INLINE f64 hypot_d(f64 x, f64 y, f64 z) { return norm_d(x, y, z, 0.0, false); }
ASSAY_INLINE f64 rhypot_d(f64 x, f64 y) { return norm_d(x, y, 0.0, 0.0, true); }
ASSAY_INLINE f64 rnorm3d_d(f64 x, f64 y, f64 z) { return norm_d(x, y, z, 0.0, true); }
ASSAY_INLINE f64 rnorm4d_d(f64 x, f64 y, f64 z, f64 w) { return norm_d(x, y, z, w, true); }
ASSAY_INLINE f32 rnorm4d_f(f32 x, f32 y, f32 z, f32 w)
{
    if (size(x) == infinity_f() || size(y) == infinity_f() || size(z) == infinity_f() || size(w) == infinity_f())
        return 0.0f;
    f64 sum = mad((f64)x, (f64)x, (f64)y * y) + mad((f64)z, (f64)z, (f64)w * w);
    return (f32)(1.0 / ::sqrt(sum));
}
ASSAY_INLINE f32 hypot_f(f32 x, f32 y, f32 z)
{
    if (size(x) == infinity_f() || size(y) == infinity_f() || size(z) == infinity_f())
        return infinity_f();
    return (f32)::sqrt(mad((f64)x, (f64)x, mad((f64)y, (f64)y, (f64)z * z)));
}
ASSAY_INLINE f32 rhypot_f(f32 x, f32 y) { return rnorm4d_f(x, y, 0.0f, 0.0f); }
ASSAY_INLINE f32 rnorm3d_f(f32 x, f32 y, f32 z) { return rnorm4d_f(x, y, z, 0.0f); }

// Exact as the toolkit has them, but overloads of names that are not.
ASSAY_INLINE f32 kit_hypot(f32 x, f32 y) { return ::hypotf(x, y); }
ASSAY_INLINE f64 kit_fmod(f64 x, f64 y) { return ::fmod(x, y); }
ASSAY_INLINE f64 kit_remainder(f64 x, f64 y) { return ::remainder(x, y); }

// ── remainders: of floats, exact in double ──

ASSAY_CALL f32 fmod_f(f32 x, f32 y)
{
    f64 q = (f64)x / (f64)y;
    if (size(q) < 268435456.0 && size(y) < infinity_f())
        return signed_as((f32)mad(-::trunc(q), (f64)y, (f64)x), x);
    return (f32)::fmod((f64)x, (f64)y);
}
ASSAY_INLINE f32 remainder_f(f32 x, f32 y) { return (f32)::remainder((f64)x, (f64)y); }
ASSAY_INLINE f32 remquo_f(f32 x, f32 y, int *quotient) { return (f32)::remquo((f64)x, (f64)y, quotient); }

// ── the error function and its kin ──

// erf for |x| ≤ 1
ASSAY_INLINE pair erf_small(f64 x)
{
    f64 z = x * x;
    f64 p = chain(z, 2.895998335856489e-13, -6.25814465939488e-12, 9.342544765021714e-11, -1.2281123990301673e-09,
                  1.4806425307596068e-08, -1.6365800670626893e-07, 1.64621125825314e-06, -1.4925650307970883e-05,
                  0.00012055332980820326, -0.0008548327023438772, 0.005223977625442098, -0.02686617064513125,
                  0.11283791670955126, -0.37612638903183754, 0.1283791670955126);
    return add_ordered(x, x * p);
}
// e^(x²) erfc(x) for x ≥ 0.4
ASSAY_INLINE pair erfcx_pair(f64 x)
{
    f64 t = (x - 4.0) / (x + 4.0);
    f64 p = chain(t, -2.764120233734578e-10, 9.297625263709659e-10, 3.2323973445082033e-09, -1.2338731403798444e-08,
                  -2.0725802488181963e-08, 1.0631817593818149e-07, 7.771943241086912e-08, -8.210647933297337e-07,
                  2.9173425573089733e-07, 5.70657829924074e-06, -1.1221135665965907e-05, -2.4397731143023292e-05,
                  0.00015062142608651945, -0.0001992571524726518, -0.0007577732435942576, 0.005031970069102256,
                  -0.01619773406293477, 0.037167515526338006, -0.06633036581186058, 0.09373283499911264,
                  -0.10103906603631811, 0.06809705425466839, 0.015379652102619974, -0.13962111684056228);
    pair g = add_ordered(1.2329951186255526, t * p);
    g.l = g.l - 4.625318921008717e-17;
    return over(g, add(1.0, 2.0 * x));
}
// erfc of a pair of at least 0.4
ASSAY_INLINE exponential erfc_parts(pair x)
{
    pair square = times(x.h, x.h);
    square.l = mad(2.0 * x.h, x.l, square.l);
    exponential e = exp_parts(-square.h, -square.l);
    e.p = times(e.p, erfcx_pair(x.h));
    return e;
}
ASSAY_INLINE f64 erfc_near(f64 x) // |x| ≤ 1
{
    pair y = erf_small(x);
    pair rest = add(1.0, -y.h);
    return rest.h + (rest.l - y.l);
}
ASSAY_CALL f64 erfc_d(f64 x)
{
    if (x != x)
        return x;
    if (x > -1.0 && x < 0.5)
        return erfc_near(x);
    if (x > 28.0 || x < -6.0)
        return x < 0.0 ? 2.0 : 0.0;
    exponential e = erfc_parts(as_pair(size(x), 0.0));
    f64 y = scaled(e.p.h, e.n);
    return x < 0.0 ? 2.0 - y : y;
}
ASSAY_CALL f64 erf_d(f64 x)
{
    f64 a = size(x);
    if (!(a > 1.0))
        return x == 0.0 ? x : erf_small(x).h;
    if (a > 6.0)
        return signed_as(1.0, x);
    exponential e = erfc_parts(as_pair(a, 0.0));
    return signed_as(1.0 - scaled(e.p.h, e.n), x);
}
ASSAY_CALL f64 erfcx_d(f64 x)
{
    if (x >= 0.4)
        return x > 1e8 ? 0.5641895835477563 / x : erfcx_pair(x).h;
    f64 a = size(x) > 27.0 ? 27.0 : size(x);
    pair square = times(a, a);
    exponential e = exp_parts(square.h, square.l);
    if (a > 1.0)
        return scaled(e.p.h, e.n + 1) - erfcx_pair(a).h;
    pair y = erf_small(x);
    y.h = -y.h;
    y.l = -y.l;
    return scaled(times(e.p, add(y, 1.0)).h, e.n);
}
ASSAY_CALL f64 normcdf_d(f64 x)
{
    pair y = times(as_pair(0.7071067811865476, -4.833646656726457e-17), x < -40.0 ? 40.0 : x > 40.0 ? -40.0 : -x);
    if (y.h > -1.0 && y.h < 0.5)
        return 0.5 * erfc_near(y.h);
    if (y.h < -6.0 || x != x)
        return x != x ? x : 1.0;
    if (y.h > 0.0) {
        exponential e = erfc_parts(y);
        return scaled(e.p.h, e.n - 1);
    }
    exponential e = erfc_parts(as_pair(-y.h, 0.0));
    return 1.0 - scaled(e.p.h, e.n - 1);
}

// What erf maps to a, some 20 bits of it, for w = −log(1 − a²): a times the first where w < 5, else the second.
ASSAY_INLINE f64 erfinv_middle(f64 w)
{
    return chain(w, 2.2605977741170975e-08, -1.098948458299626e-07, -5.48766581695036e-06, 7.257810853178963e-05,
                 -0.0001761591830400175, -0.0022867828511138845, 0.011525431199929647, 0.2320181828567194,
                 0.8862267858628946);
}
ASSAY_INLINE f64 erfinv_far(f64 w)
{
    f64 s = ::sqrt(w);
    if (s < 6.1)
        return chain(s, -1.7091232689777348e-07, 7.646355721594942e-06, -0.00015231061792242643, 0.001775794610443463,
                     -0.013381951307918513, 0.06776197259606596, -0.23120390286608541, 0.5135609751629934,
                     -0.6713219300725217, 1.3868333834081181, -0.15991176390687667);
    return chain(s, -1.0654067606411633e-17, 2.5220583358383865e-15, -2.724128178686885e-13, 1.7773842598628624e-11,
                 -7.815351102152097e-10, 2.4458917585431445e-08, -5.606550183826575e-07, 9.53438187105783e-06,
                 -0.00012033026245779203, 0.0011125388332958962, -0.0072902480543567336, 0.031277194383793144,
                 0.9338211342245966, -0.12253673143236295);
}
// The root of erfc(x) = q for 0 < q < 1/2
ASSAY_CALL ASSAY_APART f64 erfcinv_small(f64 q)
{
    f64 w = -log_pair(as_pair(q, 0.0), 0).h - log_rough(2.0 - q);
    f64 x = w < 5.0 ? (1.0 - q) * erfinv_middle(w) : erfinv_far(w);
    pair square = times(x, x);
    exponential e = exp_parts(square.h, square.l);
    pair up = times(e.p, q), g = erfcx_pair(x);
    f64 one = power_d(e.n >> 1), two = power_d(e.n - (e.n >> 1));
    // One step of Halley's
    f64 f = ((up.h * one * two - g.h) + (up.l * one * two - g.l)) * 0.886226925452758;
    return x - f / mad(x, f, 1.0);
}
// The root of erf(x) = a for |a| ≤ 1/2
ASSAY_INLINE f64 erfinv_small(f64 a)
{
    f64 w = size(a) < 1e-4 ? a * a : -log_rough(mad(-a, a, 1.0));
    f64 x = a * erfinv_middle(w);
    pair y = erf_small(x);
    f64 f = ((y.h - a) + y.l) * 0.886226925452758 * exp_rough(x * x);
    return x - f / mad(x, f, 1.0);
}
ASSAY_CALL f64 erfinv_d(f64 a)
{
    f64 b = size(a);
    if (!(b < 1.0))
        return b == 1.0 ? signed_as(infinity_d(), a) : nan_d();
    if (b <= 0.5)
        return a == 0.0 ? a : erfinv_small(a);
    return signed_as(erfcinv_small(1.0 - b), a);
}
ASSAY_CALL f64 erfcinv_d(f64 q)
{
    if (!(q > 0.0 && q < 2.0))
        return q == 0.0 ? infinity_d() : q == 2.0 ? -infinity_d() : nan_d();
    if (q >= 0.5 && q <= 1.5)
        return erfinv_small(1.0 - q);
    return q < 0.5 ? erfcinv_small(q) : -erfcinv_small(2.0 - q);
}
ASSAY_CALL f64 normcdfinv_d(f64 p)
{
    f64 x = -erfcinv_d(2.0 * p);
    return size(x) < 100.0 ? times(as_pair(1.4142135623730951, -9.667293313452913e-17), x).h : x;
}
ASSAY_CALL f32 erfinv_f(f32 x) { return (f32)erfinv_d((f64)x); }
ASSAY_CALL f32 erfcinv_f(f32 x) { return (f32)erfcinv_d((f64)x); }
ASSAY_CALL f32 normcdfinv_f(f32 x) { return (f32)normcdfinv_d((f64)x); }

// ── the gamma function ──

// log Γ(x) + log p for positive x, where p is the product by which x was moved up to 8
ASSAY_CALL ASSAY_APART pair stirling(pair x, pair *product)
{
    *product = as_pair(1.0, 0.0);
    while (x.h < 8.0) {
        *product = times(*product, x);
        x = add(x, 1.0);
    }
    pair w = over(as_pair(1.0, 0.0), x);
    f64 z = w.h * w.h;
    f64 tail = chain(z, 0.11001554697563673, -0.027742741357277903, 0.006383322059276921, -0.001917287055870562,
                     0.000841749570829054, -0.0005952380914267929, 0.0007936507936450394, -0.0027777777777777744);
    // 1/12 as a pair, the rest as one number
    pair series = times(w, as_pair(0.08333333333333333, 4.625929269271486e-18));
    series = add(series, tail * z * w.h);
    pair half = add(x, -0.5);
    pair y = times(log_pair(x, 0), half);
    x.h = -x.h;
    x.l = -x.l;
    return add(add(add(y, x), as_pair(0.9189385332046728, -3.8782941580672414e-17)), series);
}
// sin(πx)
ASSAY_INLINE pair sine_of_turns(f64 x)
{
    f64 n = ::rint(x);
    f64 r = x - n;
    f64 a = size(r);
    bool steep = a > 0.25;
    pair t = times(as_pair(3.141592653589793, 1.2246467991473532e-16), steep ? 0.5 - a : a);
    f64 z = t.h * t.h;
    pair y = add_ordered(t.h, mad(sine_tail(z) * z, t.h, t.l));
    if (steep) {
        pair square = times(t, t);
        y = add(add(as_pair(-0.5 * square.h, -0.5 * square.l), z * z * cosine_tail(z)), 1.0);
    }
    f64 half = 0.5 * n;
    bool odd = ::trunc(half) != half;
    return (r < 0.0) != odd ? as_pair(-y.h, -y.l) : y;
}
ASSAY_CALL ASSAY_APART f64 lgamma_positive(f64 x)
{
    if (x > 1e20)
        return x * (log_d(x) - 1.0);
    if (x == 1.0 || x == 2.0)
        return 0.0;
    f64 d = x - 1.0;
    if (size(d) <= 0.3)
        return d * chain(d, 0.07268167498032406, -0.07600273363139916, 0.043665665211288326, -0.04602998186490638,
                         0.05635331086091577, -0.05965507192637423, 0.06243966154967276, -0.066604838694609,
                         0.07143594613692499, -0.07693564205745931, 0.0833537467393686, -0.09095391940836263,
                         0.10009945933537119, -0.11133426776848108, 0.12550966950413472, -0.1440498967473751,
                         0.16955717699752748, -0.20738555102879827, 0.27058080842778426, -0.40068563438653115,
                         0.8224670334241132, -0.5772156649015329);
    d = x - 2.0;
    if (size(d) <= 0.35)
        return d * chain(d, -5.053598514038176e-07, 1.0735832958928969e-06, -2.0269098355181883e-06,
                         4.348894830602701e-06, -9.440903627747431e-06, 2.051019973939639e-05, -4.492614446389738e-05,
                         9.945731805251914e-05, -0.00022315476185792322, 0.0005096695319271908,
                         -0.0011927539116367535, 0.002890510330601175, -0.007385551028674568, 0.020580808427785778,
                         -0.06735230105319809, 0.3224670334241132, 0.42278433509846713);
    pair product;
    pair y = stirling(as_pair(x, 0.0), &product);
    if (product.h == 1.0)
        return y.h;
    product = log_pair(product, 0);
    product.h = -product.h;
    product.l = -product.l;
    return add(y, product).h;
}
ASSAY_CALL f64 lgamma_d(f64 x)
{
    if (x != x || size(x) == infinity_d())
        return x * x;
    if (x >= 0.5)
        return lgamma_positive(x);
    f64 a = size(x);
    if (a < 1e-20)
        return -log_d(a);
    if (x > 0.0)
        return lgamma_positive(1.0 + x) - log_d(x);
    f64 s = size(sine_of_turns(a).h);
    if (s == 0.0)
        return infinity_d();
    return log_d(3.141592653589793 / (a * s)) - lgamma_positive(a);
}
ASSAY_CALL f64 tgamma_d(f64 x)
{
    if (x == 0.0)
        return 1.0 / x;
    if (x != x || x == infinity_d())
        return x;
    bool whole = ::trunc(x) == x;
    if (x < 0.0 && (whole || x == -infinity_d()))
        return nan_d();
    if (x > 172.0)
        return infinity_d();
    bool low = x < 0.5;
    pair sine = low ? sine_of_turns(x) : as_pair(0.0, 0.0);
    if (x < -186.0)
        return signed_as(0.0, sine.h);
    if (size(x) < 1e-17)
        return 1.0 / x;
    pair product;
    pair y = stirling(low ? add(1.0, -x) : as_pair(x, 0.0), &product);
    if (!low) {
        exponential e = exp_parts(y.h, y.l);
        return scaled(over(e.p, product).h, e.n);
    }
    // π / (sin(πx) Γ(1 − x))
    exponential e = exp_parts(-y.h, -y.l);
    pair up = times(times(e.p, product), as_pair(3.141592653589793, 1.2246467991473532e-16));
    return scaled(over(up, sine).h, e.n);
}
ASSAY_CALL f32 lgamma_f(f32 x) { return (f32)lgamma_d((f64)x); }
ASSAY_CALL f32 tgamma_f(f32 x) { return (f32)tgamma_d((f64)x); }

} // namespace assay

// ── half precision ──
//
// The toolkit's own functions and its operator / are inline assembly with approximate instructions. Its switches leave
// the operators out, which are given again here.

#if defined(__CUDACC__) && defined(__has_include)
#if __has_include(<cuda_bf16.h>) && __has_include(<cuda_fp16.h>)
#define ASSAY_MATH_HALVES
#endif
#endif

#ifdef ASSAY_MATH_HALVES

#ifndef __CUDA_NO_HALF_OPERATORS__
#define __CUDA_NO_HALF_OPERATORS__
#define ASSAY_HALF_OPERATORS
#endif
#ifndef __CUDA_NO_HALF2_OPERATORS__
#define __CUDA_NO_HALF2_OPERATORS__
#define ASSAY_HALF2_OPERATORS
#endif
#ifndef __CUDA_NO_BFLOAT16_OPERATORS__
#define __CUDA_NO_BFLOAT16_OPERATORS__
#define ASSAY_BFLOAT16_OPERATORS
#endif
#ifndef __CUDA_NO_BFLOAT162_OPERATORS__
#define __CUDA_NO_BFLOAT162_OPERATORS__
#define ASSAY_BFLOAT162_OPERATORS
#endif
#include <cuda_fp16.h>
#include <cuda_bf16.h>

#define ASSAY_API inline __host__ __device__

namespace assay {
ASSAY_API f32 widened(__half x) { return __half2float(x); }
ASSAY_API f32 widened(__nv_bfloat16 x) { return __bfloat162float(x); }
ASSAY_API void narrow(f32 x, __half *out) { *out = __float2half(x); }
ASSAY_API void narrow(f32 x, __nv_bfloat16 *out) { *out = __float2bfloat16(x); }
} // namespace assay

#define ASSAY_NARROW(type, name, function) \
    ASSAY_API type assay_h##name(type x) \
    { \
        type out; \
        assay::narrow(function(assay::widened(x)), &out); \
        return out; \
    } \
    ASSAY_API type##2 assay_h2##name(type##2 x) \
    { \
        x.x = assay_h##name(x.x); \
        x.y = assay_h##name(x.y); \
        return x; \
    }
#define ASSAY_NARROWS(type, pairs) \
    ASSAY_NARROW(type, exp, assay::exp_f) \
    ASSAY_NARROW(type, exp2, assay::exp2_f) \
    ASSAY_NARROW(type, exp10, assay::exp10_f) \
    ASSAY_NARROW(type, log, assay::log_f) \
    ASSAY_NARROW(type, log2, ::log2f) \
    ASSAY_NARROW(type, log10, ::log10f) \
    ASSAY_NARROW(type, sqrt, ::sqrtf) \
    ASSAY_NARROW(type, rsqrt, assay::rsqrt_f) \
    ASSAY_NARROW(type, rcp, 1.0f /) \
    ASSAY_NARROW(type, tanh, assay::tanh_f) \
    ASSAY_NARROW(type, sin, ::sinf) \
    ASSAY_NARROW(type, cos, ::cosf) \
    ASSAY_API type assay_hdiv(type x, type y) \
    { \
        type out; \
        assay::narrow(assay::widened(x) / assay::widened(y), &out); \
        return out; \
    } \
    ASSAY_API pairs assay_h2div(pairs x, pairs y) \
    { \
        x.x = assay_hdiv(x.x, y.x); \
        x.y = assay_hdiv(x.y, y.y); \
        return x; \
    }
ASSAY_NARROWS(__half, __half2)
ASSAY_NARROWS(__nv_bfloat16, __nv_bfloat162)

#define ASSAY_OPERATOR(type, sign, function) \
    ASSAY_API type operator sign(const type &x, const type &y) { return function(x, y); } \
    ASSAY_API type &operator sign##=(type &x, const type &y) { return x = function(x, y); }
#define ASSAY_COMPARISON(type, sign, function) \
    ASSAY_API bool operator sign(const type &x, const type &y) { return function(x, y); }
#define ASSAY_OPERATORS(type, two, b, one) \
    ASSAY_OPERATOR(type, +, __hadd##two##_rn) \
    ASSAY_OPERATOR(type, -, __hsub##two##_rn) \
    ASSAY_OPERATOR(type, *, __hmul##two##_rn) \
    ASSAY_API type operator+(const type &x) { return x; } \
    ASSAY_API type operator-(const type &x) { return __hneg##two(x); } \
    ASSAY_API type &operator++(type &x) { return x = __hadd##two##_rn(x, one); } \
    ASSAY_API type &operator--(type &x) { return x = __hsub##two##_rn(x, one); } \
    ASSAY_API type operator++(type &x, int) \
    { \
        type old = x; \
        ++x; \
        return old; \
    } \
    ASSAY_API type operator--(type &x, int) \
    { \
        type old = x; \
        --x; \
        return old; \
    } \
    ASSAY_COMPARISON(type, ==, __h##b##eq##two) \
    ASSAY_COMPARISON(type, !=, __h##b##neu##two) \
    ASSAY_COMPARISON(type, >, __h##b##gt##two) \
    ASSAY_COMPARISON(type, <, __h##b##lt##two) \
    ASSAY_COMPARISON(type, >=, __h##b##ge##two) \
    ASSAY_COMPARISON(type, <=, __h##b##le##two)
#ifdef ASSAY_HALF_OPERATORS
ASSAY_OPERATORS(__half, , , __float2half(1.0f))
ASSAY_OPERATOR(__half, /, assay_hdiv)
#undef __CUDA_NO_HALF_OPERATORS__
#undef ASSAY_HALF_OPERATORS
#endif
#ifdef ASSAY_HALF2_OPERATORS
ASSAY_OPERATORS(__half2, 2, b, __float2half2_rn(1.0f))
ASSAY_OPERATOR(__half2, /, assay_h2div)
#undef __CUDA_NO_HALF2_OPERATORS__
#undef ASSAY_HALF2_OPERATORS
#endif
#ifdef ASSAY_BFLOAT16_OPERATORS
ASSAY_OPERATORS(__nv_bfloat16, , , __float2bfloat16(1.0f))
ASSAY_OPERATOR(__nv_bfloat16, /, assay_hdiv)
#undef __CUDA_NO_BFLOAT16_OPERATORS__
#undef ASSAY_BFLOAT16_OPERATORS
#endif
#ifdef ASSAY_BFLOAT162_OPERATORS
ASSAY_OPERATORS(__nv_bfloat162, 2, b, __float2bfloat162_rn(1.0f))
ASSAY_OPERATOR(__nv_bfloat162, /, assay_h2div)
#undef __CUDA_NO_BFLOAT162_OPERATORS__
#undef ASSAY_BFLOAT162_OPERATORS
#endif

// The name is also that of the mean of two integers.
ASSAY_API __half assay_hadd(__half x, __half y) { return __hadd_rn(x, y); }
ASSAY_API __nv_bfloat16 assay_hadd(__nv_bfloat16 x, __nv_bfloat16 y) { return __hadd_rn(x, y); }
inline __device__ int assay_hadd(int x, int y) { return __hadd(x, y); }

#undef ASSAY_API
#undef ASSAY_NARROW
#undef ASSAY_NARROWS
#undef ASSAY_OPERATOR
#undef ASSAY_COMPARISON
#undef ASSAY_OPERATORS

// Without _rn the assembler may contract them.
#define __hadd assay_hadd
#define __hsub __hsub_rn
#define __hmul __hmul_rn
#define __hadd2 __hadd2_rn
#define __hsub2 __hsub2_rn
#define __hmul2 __hmul2_rn
#define __hdiv assay_hdiv
#define __h2div assay_h2div
#define hexp assay_hexp
#define h2exp assay_h2exp
#define hexp2 assay_hexp2
#define h2exp2 assay_h2exp2
#define hexp10 assay_hexp10
#define h2exp10 assay_h2exp10
#define hlog assay_hlog
#define h2log assay_h2log
#define hlog2 assay_hlog2
#define h2log2 assay_h2log2
#define hlog10 assay_hlog10
#define h2log10 assay_h2log10
#define hsqrt assay_hsqrt
#define h2sqrt assay_h2sqrt
#define hrsqrt assay_hrsqrt
#define h2rsqrt assay_h2rsqrt
#define hrcp assay_hrcp
#define h2rcp assay_h2rcp
#define htanh assay_htanh
#define h2tanh assay_h2tanh
#define hsin assay_hsin
#define h2sin assay_h2sin
#define hcos assay_hcos
#define h2cos assay_h2cos
#define htanh_approx assay_htanh
#define h2tanh_approx assay_h2tanh

#endif

#if defined(__CUDACC__) || defined(ASSAY_MATH_NAMES)
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

#define ASSAY_API inline ASSAY_HOST_DEVICE
#define ASSAY_OF_ONE(type, name, function) ASSAY_API type assay_##name(type x) { return assay::function(x); }
#define ASSAY_OF_TWO(type, name, function) ASSAY_API type assay_##name(type x, type y) { return assay::function(x, y); }
#define ASSAY_STD(name) namespace std { using ::assay_##name; }
#ifdef __CUDACC__
#define ASSAY_HOST __host__
#else
#define ASSAY_HOST
#endif
#ifdef __CUDACC_RTC__
#define ASSAY_WIDE_ONE(name, function)
#define ASSAY_WIDE_TWO(name, function)
#else
// For host code alone: it has to compile, and is not run.
#define ASSAY_WIDE_ONE(name, function) \
    inline ASSAY_HOST long double assay_##name(long double x) { return assay::function((double)x); }
#define ASSAY_WIDE_TWO(name, function) \
    inline ASSAY_HOST long double assay_##name(long double x, long double y) \
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
ASSAY_ONE(asinh, asinh_f, asinh_d)
ASSAY_ONE(acosh, acosh_f, acosh_d)
ASSAY_ONE(atanh, atanh_f, atanh_d)
ASSAY_ONE(atan, atan_f, atan_d)
ASSAY_ONE(asin, asin_f, asin_d)
ASSAY_ONE(acos, acos_f, acos_d)
ASSAY_ONE(tan, tan_f, tan_d)
ASSAY_ONE(cbrt, cbrt_f, cbrt_d)
ASSAY_ONE(rcbrt, rcbrt_f, rcbrt_d)
ASSAY_ONE(erf, erf_f, erf_d)
ASSAY_ONE(erfc, erfc_f, erfc_d)
ASSAY_ONE(erfcx, erfcx_f, erfcx_d)
ASSAY_ONE(normcdf, normcdf_f, normcdf_d)
ASSAY_ONE(erfinv, erfinv_f, erfinv_d)
ASSAY_ONE(erfcinv, erfcinv_f, erfcinv_d)
ASSAY_ONE(normcdfinv, normcdfinv_f, normcdfinv_d)
ASSAY_ONE(lgamma, lgamma_f, lgamma_d)
ASSAY_ONE(tgamma, tgamma_f, tgamma_d)
ASSAY_TWO(fmod, fmod_f, kit_fmod)
ASSAY_TWO(remainder, remainder_f, kit_remainder)
ASSAY_TWO(hypot, kit_hypot, hypot_d)
ASSAY_TWO(rhypot, rhypot_f, rhypot_d)
ASSAY_API float assay_remquof(float x, float y, int *quotient) { return assay::remquo_f(x, y, quotient); }
ASSAY_API float assay_remquo(float x, float y, int *quotient) { return assay::remquo_f(x, y, quotient); }
ASSAY_API double assay_remquo(double x, double y, int *quotient) { return ::remquo(x, y, quotient); }
ASSAY_STD(remquof)
ASSAY_STD(remquo)
ASSAY_API float assay_hypot(float x, float y, float z) { return assay::hypot_f(x, y, z); }
ASSAY_API double assay_hypot(double x, double y, double z) { return assay::hypot_d(x, y, z); }
ASSAY_API float assay_rnorm3df(float x, float y, float z) { return assay::rnorm3d_f(x, y, z); }
ASSAY_API double assay_rnorm3d(double x, double y, double z) { return assay::rnorm3d_d(x, y, z); }
ASSAY_API float assay_rnorm4df(float x, float y, float z, float w) { return assay::rnorm4d_f(x, y, z, w); }
ASSAY_API double assay_rnorm4d(double x, double y, double z, double w) { return assay::rnorm4d_d(x, y, z, w); }
ASSAY_OF_TWO(float, fdividef, divide_f)
ASSAY_OF_ONE(float, frsqrt_rn, rsqrt_rounded_f)

#undef ASSAY_API
#undef ASSAY_HOST
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
#define asinh assay_asinh
#define asinhf assay_asinhf
#define acosh assay_acosh
#define acoshf assay_acoshf
#define atanh assay_atanh
#define atanhf assay_atanhf
#define atan assay_atan
#define atanf assay_atanf
#define asin assay_asin
#define asinf assay_asinf
#define acos assay_acos
#define acosf assay_acosf
#define tan assay_tan
#define tanf assay_tanf
#define cbrt assay_cbrt
#define cbrtf assay_cbrtf
#define rcbrt assay_rcbrt
#define rcbrtf assay_rcbrtf
#define erf assay_erf
#define erff assay_erff
#define erfc assay_erfc
#define erfcf assay_erfcf
#define erfcx assay_erfcx
#define erfcxf assay_erfcxf
#define normcdf assay_normcdf
#define normcdff assay_normcdff
#define erfinv assay_erfinv
#define erfinvf assay_erfinvf
#define erfcinv assay_erfcinv
#define erfcinvf assay_erfcinvf
#define normcdfinv assay_normcdfinv
#define normcdfinvf assay_normcdfinvf
#define lgamma assay_lgamma
#define lgammaf assay_lgammaf
#define tgamma assay_tgamma
#define tgammaf assay_tgammaf
#define fmod assay_fmod
#define fmodf assay_fmodf
#define remainder assay_remainder
#define remainderf assay_remainderf
#define remquo assay_remquo
#define remquof assay_remquof
#define hypot assay_hypot
#define hypotf assay_hypotf
#define rhypot assay_rhypot
#define rhypotf assay_rhypotf
#define rnorm3d assay_rnorm3d
#define rnorm3df assay_rnorm3df
#define rnorm4d assay_rnorm4d
#define rnorm4df assay_rnorm4df
#define __tanf assay_tanf
#define __builtin_exp assay_exp
#define __builtin_expf assay_expf
#define __builtin_exp2 assay_exp2
#define __builtin_exp2f assay_exp2f
#define __builtin_exp10 assay_exp10
#define __builtin_exp10f assay_exp10f
#define __builtin_expm1 assay_expm1
#define __builtin_expm1f assay_expm1f
#define __builtin_log assay_log
#define __builtin_logf assay_logf
#define __builtin_log2 assay_log2
#define __builtin_log2f assay_log2f
#define __builtin_log10 assay_log10
#define __builtin_log10f assay_log10f
#define __builtin_log1p assay_log1p
#define __builtin_log1pf assay_log1pf
#define __builtin_sinh assay_sinh
#define __builtin_sinhf assay_sinhf
#define __builtin_cosh assay_cosh
#define __builtin_coshf assay_coshf
#define __builtin_tanh assay_tanh
#define __builtin_tanhf assay_tanhf
#define __builtin_pow assay_pow
#define __builtin_powf assay_powf
#define __builtin_asinh assay_asinh
#define __builtin_asinhf assay_asinhf
#define __builtin_acosh assay_acosh
#define __builtin_acoshf assay_acoshf
#define __builtin_atanh assay_atanh
#define __builtin_atanhf assay_atanhf
#define __builtin_atan assay_atan
#define __builtin_atanf assay_atanf
#define __builtin_asin assay_asin
#define __builtin_asinf assay_asinf
#define __builtin_acos assay_acos
#define __builtin_acosf assay_acosf
#define __builtin_tan assay_tan
#define __builtin_tanf assay_tanf
#define __builtin_cbrt assay_cbrt
#define __builtin_cbrtf assay_cbrtf
#define __builtin_erf assay_erf
#define __builtin_erff assay_erff
#define __builtin_erfc assay_erfc
#define __builtin_erfcf assay_erfcf
#define __builtin_lgamma assay_lgamma
#define __builtin_lgammaf assay_lgammaf
#define __builtin_tgamma assay_tgamma
#define __builtin_tgammaf assay_tgammaf
#define __builtin_fmod assay_fmod
#define __builtin_fmodf assay_fmodf
#define __builtin_remainder assay_remainder
#define __builtin_remainderf assay_remainderf
#define __builtin_remquo assay_remquo
#define __builtin_remquof assay_remquof
#define __builtin_hypot assay_hypot
#define __builtin_hypotf assay_hypotf
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
#undef ASSAY_APART
#undef ASSAY_HOST_DEVICE

#endif
#endif
