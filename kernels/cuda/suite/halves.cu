// Half precision: each operation is rounded correctly, one by one.

#include <cuda_fp16.h>
#include <cuda_bf16.h>

// y = a · x + y over pairs.
extern "C" __global__ void axpy_half(int n, __half2 a, const __half2 *__restrict__ x, __half2 *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = __hfma2(a, x[i], y[i]);
}

// Floats to halves and back, the difference, and the comparison that decides.
extern "C" __global__ void round_trip(int n, const float *__restrict__ x, __half *__restrict__ half,
                                      float *__restrict__ error, unsigned char *__restrict__ up)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    __half h = __float2half_rn(x[i]);
    half[i] = h;
    error[i] = __half2float(h) - x[i];
    up[i] = __hgt(h, __float2half_rz(x[i]));
}

// Sum of each row of 64 halves, in float; sums and products of halves on the way.
extern "C" __global__ void row_sums(int rows, const __half *__restrict__ x, float *__restrict__ sums)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    float sum = 0.0f;
    for (int i = 0; i < 64; i += 2) {
        __half a = x[row * 64 + i], b = x[row * 64 + i + 1];
        sum += __half2float(__hadd_rn(__hmul_rn(a, b), a));
    }
    sums[row] = sum;
}

// Floats to bfloat16, to the nearest.
extern "C" __global__ void brain(int n, const float *__restrict__ x, __nv_bfloat16 *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = __float2bfloat16_rn(x[i]);
}
