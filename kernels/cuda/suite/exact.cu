// Kernels as people write them, with the functions of CUDA's own names: include/assay_math.cuh makes them exact.

#include "../include/assay_math.cuh"

constexpr int ROW = 16;

// A thread a row.
extern "C" __global__ void softmax_rows(int rows, const float *__restrict__ x, float *__restrict__ y)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    x += row * ROW;
    y += row * ROW;
    float top = x[0];
    for (int i = 1; i < ROW; ++i)
        top = fmaxf(top, x[i]);
    float e[ROW], sum = 0.0f;
    for (int i = 0; i < ROW; ++i) {
        e[i] = expf(x[i] - top);
        sum += e[i];
    }
    for (int i = 0; i < ROW; ++i)
        y[i] = __fdividef(e[i], sum);
}

template <typename T> __device__ T gelu_of(T x)
{
    return T(0.5) * x * (T(1) + std::tanh(T(0.7978845608) * (x + T(0.044715) * x * x * x)));
}

extern "C" __global__ void gelu_tanh(int n, const float *__restrict__ x, float *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = gelu_of(x[i]);
}

// A thread a row.
extern "C" __global__ void rms_rows(int rows, const float *__restrict__ x, float *__restrict__ y)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    float sum = 0.0f;
    for (int i = 0; i < ROW; ++i)
        sum += x[row * ROW + i] * x[row * ROW + i];
    float factor = rsqrtf(sum / ROW + 1e-5f);
    for (int i = 0; i < ROW; ++i)
        y[row * ROW + i] = x[row * ROW + i] * factor;
}

// Linear light to an 8-bit screen.
extern "C" __global__ void gamma_correct(int n, float exponent, const float *__restrict__ x, unsigned char *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = (unsigned char)(255.0f * powf(x[i], exponent) + 0.5f);
}

// x log x and a power of a power, in double.
extern "C" __global__ void entropy(int n, const double *__restrict__ x, double *__restrict__ y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = x[i] > 0.0 ? -x[i] * log(x[i]) * pow(x[i], 0.3) : 0.0;
}

// European calls: the price of the underlying, the strike, and years.
extern "C" __global__ void black_scholes(int n, float rate, float volatility, const float *__restrict__ spot,
                                         const float *__restrict__ strike, const float *__restrict__ years,
                                         float *__restrict__ price)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float root = volatility * sqrtf(years[i]);
    float d1 = (logf(spot[i] / strike[i]) + (rate + 0.5f * volatility * volatility) * years[i]) / root;
    float d2 = d1 - root;
    float n1 = 0.5f * erfcf(-0.70710678f * d1);
    float n2 = 0.5f * erfcf(-0.70710678f * d2);
    price[i] = spot[i] * n1 - strike[i] * expf(-rate * years[i]) * n2;
}
