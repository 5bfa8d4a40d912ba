// The functions of functions.cu as the compiler has them, approximate instructions and all: what `assay kernel exact` is
// for. Each in an entry of its own name.

#include "functions.cuh"

#include <cmath>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define ENTRY(entry, type, call) \
    extern "C" __global__ void entry(int n, const type *__restrict__ in, type *__restrict__ out) \
    { \
        int i = blockIdx.x * blockDim.x + threadIdx.x; \
        if (i < n) \
            out[i] = call; \
    }
#define FLOAT(name) ENTRY(of_##name, float, name(in[i]))
#define DOUBLE(name) ENTRY(of_##name, double, name(in[i]))
#define FLOATS(name) ENTRY(of_##name, float, name(in[2 * i], in[2 * i + 1]))
#define DOUBLES(name) ENTRY(of_##name, double, name(in[2 * i], in[2 * i + 1]))

FOR_FLOAT(FLOAT)
FOR_DOUBLE(DOUBLE)
FOR_FLOATS(FLOATS)
FOR_DOUBLES(DOUBLES)

#define FOR_INTRINSIC(FLOAT) \
    FLOAT(__expf) FLOAT(__exp10f) FLOAT(__logf) FLOAT(__log2f) FLOAT(__log10f) FLOAT(__sinf) FLOAT(__cosf) \
    FLOAT(__tanf) FLOAT(__tanhf)
FOR_INTRINSIC(FLOAT)
FLOATS(__powf)

// Of each number as a half and as a bfloat16, alone and in a pair.
#define NARROW(name) \
    extern "C" __global__ void of_h##name(int n, const float *__restrict__ in, float *__restrict__ out) \
    { \
        int i = blockIdx.x * blockDim.x + threadIdx.x; \
        if (i >= n) \
            return; \
        out[4 * i] = __half2float(h##name(__float2half(in[i]))); \
        out[4 * i + 1] = __bfloat162float(h##name(__float2bfloat16(in[i]))); \
        out[4 * i + 2] = __low2float(h2##name(__float2half2_rn(in[i]))); \
        out[4 * i + 3] = __high2float(h2##name(__float2bfloat162_rn(in[i]))); \
    }
NARROW(exp)
NARROW(exp2)
NARROW(exp10)
NARROW(log)
NARROW(log2)
NARROW(log10)
NARROW(sqrt)
NARROW(rsqrt)
NARROW(rcp)
NARROW(tanh)
NARROW(sin)
NARROW(cos)

// What the header leaves to the toolkit.
FLOAT(j0f)
FLOAT(j1f)
FLOAT(y0f)
FLOAT(y1f)
FLOAT(cyl_bessel_i0f)
FLOAT(cyl_bessel_i1f)
DOUBLE(j0)
DOUBLE(j1)
DOUBLE(y0)
DOUBLE(y1)
ENTRY(of_jnf, float, jnf(3, in[i]))
ENTRY(of_ynf, float, ynf(3, in[i]))
ENTRY(of_normf, float, normf(3, in + i))
ENTRY(of_rnormf, float, rnormf(3, in + i))
ENTRY(of_norm, double, norm(3, in + i))
ENTRY(of_rnorm, double, rnorm(3, in + i))
