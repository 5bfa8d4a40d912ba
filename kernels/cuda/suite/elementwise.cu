// One thread, one element: the simplest kernels there are.

#include "maths.cuh"

// y = a · x + y, in place
extern "C" __global__ void saxpy(int n, float a, const float *__restrict__ x, float *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = fmaf(a, x[i], y[i]);
}

// A grid-stride loop: any grid does for any n.
extern "C" __global__ void leaky_relu(int n, float slope, const float *__restrict__ x, float *__restrict__ y)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        y[i] = x[i] > 0.0f ? x[i] : slope * x[i];
}

// Gaussian error linear unit, in the form with tanh that transformers use.
extern "C" __global__ void gelu(int n, const float *__restrict__ x, float *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float v = x[i];
    float inner = 0.79788456f * fmaf(0.044715f * v * v, v, v);
    y[i] = v / (1.0f + maths::exponential(-2.0f * inner));
}

// Floats to signed bytes, four a thread.
extern "C" __global__ void quantize(int n, float scale, const float4 *__restrict__ x, char4 *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float4 v = x[i];
    auto one = [=](float f) { return (signed char)max(-127, min(127, __float2int_rn(f * scale))); };
    y[i] = make_char4(one(v.x), one(v.y), one(v.z), one(v.w));
}

extern "C" __global__ void complex_multiply(int n, const float2 *__restrict__ a, const float2 *__restrict__ b,
                                            float2 *__restrict__ c)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float2 p = a[i], q = b[i];
    c[i] = make_float2(fmaf(p.x, q.x, -(p.y * q.y)), fmaf(p.x, q.y, p.y * q.x));
}

// Set bits, leading zeros, mirror image, place of the lowest set bit.
extern "C" __global__ void bit_tricks(int n, const unsigned int *__restrict__ x, uint4 *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = make_uint4(__popc(x[i]), __clz(x[i]), __brev(x[i]), __ffs(x[i]));
}

// Polynomial of degree 7 in double precision.
extern "C" __global__ void horner(int n, const double *__restrict__ x, double *__restrict__ y, const double *__restrict__ c)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    double sum = c[7];
    for (int k = 6; k >= 0; --k)
        sum = fma(sum, x[i], c[k]);
    y[i] = sum;
}

struct Particle {
    float position[3];
    float velocity[3];
    unsigned char kind;
};

// An array of structures of 28 bytes: only the positions of one kind move.
extern "C" __global__ void drift(int n, Particle *particles, float time, unsigned char kind)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && particles[i].kind == kind)
        for (int axis = 0; axis < 3; ++axis)
            particles[i].position[axis] = fmaf(time, particles[i].velocity[axis], particles[i].position[axis]);
}

// Mean of two pictures, rounded up, four bytes at a time.
extern "C" __global__ void blend(int n, const unsigned int *__restrict__ a, const unsigned int *__restrict__ b,
                                 unsigned int *__restrict__ c)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        c[i] = __vavgu4(a[i], b[i]);
}

// Integer and floating divisions of all widths.
extern "C" __global__ void divide(int n, const long long *__restrict__ a, const long long *__restrict__ b,
                                  long long *__restrict__ quotient, unsigned long long *__restrict__ remainder,
                                  double *__restrict__ ratio)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    quotient[i] = a[i] / b[i] + (int)a[i] / ((int)b[i] | 1);
    remainder[i] = (unsigned long long)a[i] % (unsigned long long)b[i];
    ratio[i] = (double)a[i] / (double)b[i] + sqrt(fabs((double)a[i]));
}
