// Each function of include/assay_math.cuh in an entry of its own name, and every spelling that C++ has for one.

#include "../include/assay_math.cuh"
#include "functions.cuh"

#include <cmath>

// `in` holds one argument a thread, or two.
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

// What else is called like the functions.
struct Sample {
    float exp, log;
    __device__ float pow(float x) const { return x * exp + log; }
};

namespace own {
__device__ float tanh(float x) { return x / (1.0f + fabsf(x)); }
template <typename T> __device__ T erf(T x) { return std::erf(x); }
} // namespace own

template <typename T> __device__ T spelled(T x, Sample sample)
{
    using std::log;
    T exp = std::exp(x) + ::exp(x);
    auto root = [](T y) { return rsqrt(y) + std::cbrt(y); };
    return exp + log(x) + std::log1p(x) + root(x) + std::pow(x, 2) + pow(x, T(0.5)) + own::erf(x) + std::tanh(x) +
           T(sample.exp + sample.log + sample.pow(3.0f) + own::tanh(float(x))) + std::hypot(x, T(1)) + std::fmod(x, T(0.7));
}

extern "C" __global__ void spellings(int n, const float *__restrict__ in, float *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    Sample sample = {in[i], 2.0f};
    float sine, cosine;
    __sincosf(in[i], &sine, &cosine);
    out[i] = spelled(in[i], sample) + float(spelled(double(in[i]), sample)) + __expf(in[i]) + __logf(in[i]) +
             __powf(in[i], 1.5f) + __exp10f(in[i]) + __log2f(in[i]) + __log10f(in[i]) + __sinf(in[i]) +
             __cosf(in[i]) + __tanf(in[i]) + __fdividef(in[i], 3.0f) + sine * cosine + std::expf(in[i]) +
             float(exp(i) + pow(2, i) + pow(in[i], 2.0)) + rnorm3df(in[i], 1.0f, 2.0f) + log2f(in[i]) + log1pf(in[i]);
}

// Of each number as a half and as a bfloat16: an exponential, a quotient, a hyperbolic tangent and one over a root.
extern "C" __global__ void halves(int n, const float *__restrict__ in, float *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    __half h = __float2half(in[i]);
    __nv_bfloat16 b = __float2bfloat16(in[i]);
    __half2 pair = h2rsqrt(__halves2half2(h, h * h));
    out += 8 * i;
    out[0] = __half2float(hexp(h));
    out[1] = __half2float(h / __float2half(3.0f));
    out[2] = __half2float(htanh(h));
    out[3] = __low2float(pair);
    out[4] = __bfloat162float(hexp(b));
    out[5] = __bfloat162float(b / __float2bfloat16(3.0f));
    out[6] = __bfloat162float(htanh(b));
    out[7] = __bfloat162float(hrsqrt(b));
}
