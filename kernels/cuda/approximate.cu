// What `assay kernel exact` puts in place of the approximate instructions of PTX: a function for each, made only of
// operations whose result IEEE 754 fixes, within the errors that the PTX manual allows and with its special values.
// Halves stand in the low 16 bits. Each function also has an entry, for the tests.

#include "../include/assay_math.cuh"

using namespace assay;

#define EXACT(type, name) extern "C" __device__ __noinline__ type assay_exact_##name

// Subnormal numbers as zeros of their sign.
__device__ __forceinline__ f32 flushed(f32 x)
{
    f32 out;
    asm("mul.rn.ftz.f32 %0, %1, 0f3F800000;" : "=f"(out) : "f"(x));
    return out;
}

__device__ __forceinline__ f32 half_of(u32 x)
{
    f32 out;
    asm("{ .reg .b16 l, h; mov.b32 {l, h}, %1; cvt.f32.f16 %0, l; }" : "=f"(out) : "r"(x));
    return out;
}
__device__ __forceinline__ u32 as_half(f32 x)
{
    u32 out;
    asm("{ .reg .b16 l, h; cvt.rn.f16.f32 l, %1; mov.b16 h, 0; mov.b32 %0, {l, h}; }" : "=r"(out) : "f"(x));
    return out;
}
__device__ __forceinline__ u32 as_bfloat(f32 x)
{
    u32 out;
    asm("{ .reg .b16 l, h; cvt.rn.bf16.f32 l, %1; mov.b16 h, 0; mov.b32 %0, {l, h}; }" : "=r"(out) : "f"(x));
    return out;
}
__device__ __forceinline__ f32 bfloat_of(u32 x) { return float_of(x << 16); }

EXACT(f32, ex2_f32)(f32 x) { return exp2_f(x); }
EXACT(f32, ex2_ftz_f32)(f32 x) { return flushed(exp2_f(x)); }
EXACT(f32, lg2_f32)(f32 x) { return kit_log2(x); }
EXACT(f32, lg2_ftz_f32)(f32 x) { return kit_log2(flushed(x)); }
EXACT(f32, tanh_f32)(f32 x) { return tanh_f(x); }

// Sine of the angle and so many quarters of a turn.
__device__ __forceinline__ f32 sine(f32 x, i32 quarters)
{
    f32 a = size(x);
    f64 r;
    if (a < 1073741824.0f) {
        f64 shifted = mad((f64)x, 0.6366197723675814, 6755399441055744.0);
        f64 n = shifted - 6755399441055744.0;
        r = mad(n, -6.123233995736766e-17, mad(n, -1.5707963267948966, (f64)x));
        quarters += (i32)(u32)bits(shifted);
    } else {
        if (!(a < infinity_f()))
            return nan_f();
        angle turned = reduce_large(a);
        r = negative(x) ? -turned.r.h : turned.r.h;
        quarters += negative(x) ? -turned.quarter : turned.quarter;
    }
    f32 f = (f32)r, low = (f32)(r - (f64)f), z = f * f;
    f32 s = chain(z, 2.72493139e-06f, -0.000198400827f, 0.00833333191f, -0.166666672f);
    f32 c = chain(z, 2.45474366e-05f, -0.00138883002f, 0.0416666642f, -0.5f);
    f32 y = quarters & 1 ? 1.0f + mad(c, z, -f * low) : f + mad(s * z, f, low);
    return quarters & 2 ? -y : y;
}
EXACT(f32, sin_f32)(f32 x) { return x == 0.0f ? x : sine(x, 0); }
EXACT(f32, sin_ftz_f32)(f32 x)
{
    x = flushed(x);
    return x == 0.0f ? x : sine(x, 0);
}
EXACT(f32, cos_f32)(f32 x) { return sine(x, 1); }

// As the manual has them: of the upper half of the argument, and only an upper half of the result.
__device__ __forceinline__ f64 upper(f64 x) { return double_of(bits(x) & 0xffffffff00000000ull); }
__device__ __forceinline__ f64 flushed(f64 x)
{
    return size(x) < 2.2250738585072014e-308 ? double_of(bits(x) & 0x8000000000000000ull) : x;
}
EXACT(f64, rcp_ftz_f64)(f64 x) { return upper(flushed(1.0 / flushed(upper(x)))); }
EXACT(f64, rsqrt_ftz_f64)(f64 x) { return upper(1.0 / ::sqrt(flushed(upper(x)))); }

EXACT(u32, ex2_f16)(u32 x) { return as_half(exp2_f(half_of(x))); }
EXACT(u32, ex2_f16x2)(u32 x) { return as_half(exp2_f(half_of(x))) | as_half(exp2_f(half_of(x >> 16))) << 16; }
EXACT(u32, ex2_ftz_bf16)(u32 x) { return as_bfloat(flushed(exp2_f(bfloat_of(x)))); }
EXACT(u32, ex2_ftz_bf16x2)(u32 x)
{
    return as_bfloat(flushed(exp2_f(bfloat_of(x)))) | as_bfloat(flushed(exp2_f(bfloat_of(x >> 16)))) << 16;
}
EXACT(u32, tanh_f16)(u32 x) { return as_half(tanh_f(half_of(x))); }
EXACT(u32, tanh_f16x2)(u32 x) { return as_half(tanh_f(half_of(x))) | as_half(tanh_f(half_of(x >> 16))) << 16; }
EXACT(u32, tanh_bf16)(u32 x) { return as_bfloat(tanh_f(bfloat_of(x))); }
EXACT(u32, tanh_bf16x2)(u32 x)
{
    return as_bfloat(tanh_f(bfloat_of(x))) | as_bfloat(tanh_f(bfloat_of(x >> 16))) << 16;
}

#define ENTRY(type, name) \
    extern "C" __global__ void of_##name(int n, const type *__restrict__ in, type *__restrict__ out) \
    { \
        int i = blockIdx.x * blockDim.x + threadIdx.x; \
        if (i < n) \
            out[i] = assay_exact_##name(in[i]); \
    }
ENTRY(f32, ex2_f32)
ENTRY(f32, ex2_ftz_f32)
ENTRY(f32, lg2_f32)
ENTRY(f32, lg2_ftz_f32)
ENTRY(f32, tanh_f32)
ENTRY(f32, sin_f32)
ENTRY(f32, sin_ftz_f32)
ENTRY(f32, cos_f32)
ENTRY(f64, rcp_ftz_f64)
ENTRY(f64, rsqrt_ftz_f64)
ENTRY(u32, ex2_f16)
ENTRY(u32, ex2_f16x2)
ENTRY(u32, ex2_ftz_bf16)
ENTRY(u32, ex2_ftz_bf16x2)
ENTRY(u32, tanh_f16)
ENTRY(u32, tanh_f16x2)
ENTRY(u32, tanh_bf16)
ENTRY(u32, tanh_bf16x2)
