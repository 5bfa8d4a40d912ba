// Layers of transformers, with exact elementary functions.

#include "maths.cuh"

// Adds up, or takes the greatest, over a CTA of 128 threads; the result is every thread's.
template <typename F> __device__ __forceinline__ float fold(float value, float *scratch, F join)
{
    for (int mask = 16; mask > 0; mask /= 2)
        value = join(value, __shfl_xor_sync(0xffffffffu, value, mask));
    __syncthreads();
    if (threadIdx.x % 32 == 0)
        scratch[threadIdx.x / 32] = value;
    __syncthreads();
    return join(join(scratch[0], scratch[1]), join(scratch[2], scratch[3]));
}

__device__ __forceinline__ float total(float value, float *scratch)
{
    return fold(value, scratch, [](float a, float b) { return a + b; });
}

__device__ __forceinline__ float greatest(float value, float *scratch)
{
    return fold(value, scratch, [](float a, float b) { return fmaxf(a, b); });
}

// block 128, one CTA a row
extern "C" __global__ void softmax(int n, const float *__restrict__ x, float *__restrict__ y)
{
    __shared__ float scratch[4];
    x += blockIdx.x * n;
    y += blockIdx.x * n;
    float top = -3.0e38f;
    for (int i = threadIdx.x; i < n; i += 128)
        top = fmaxf(top, x[i]);
    top = greatest(top, scratch);
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += 128) {
        float e = maths::exponential(x[i] - top);
        y[i] = e;
        sum += e;
    }
    sum = total(sum, scratch);
    for (int i = threadIdx.x; i < n; i += 128)
        y[i] /= sum;
}

// block 128, one CTA a row
extern "C" __global__ void layer_norm(int n, const float *__restrict__ x, const float *__restrict__ gain,
                                      const float *__restrict__ bias, float *__restrict__ y)
{
    __shared__ float scratch[4];
    x += blockIdx.x * n;
    y += blockIdx.x * n;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += 128)
        sum += x[i];
    float mean = total(sum, scratch) / n;
    float square = 0.0f;
    for (int i = threadIdx.x; i < n; i += 128)
        square = fmaf(x[i] - mean, x[i] - mean, square);
    float scale = 1.0f / sqrtf(total(square, scratch) / n + 1e-5f);
    for (int i = threadIdx.x; i < n; i += 128)
        y[i] = fmaf((x[i] - mean) * scale, gain[i], bias[i]);
}

// In place. block 128, one CTA a row
extern "C" __global__ void rms_norm(int n, float *__restrict__ x, const float *__restrict__ gain)
{
    __shared__ float scratch[4];
    x += blockIdx.x * n;
    float square = 0.0f;
    for (int i = threadIdx.x; i < n; i += 128)
        square = fmaf(x[i], x[i], square);
    float scale = 1.0f / sqrtf(total(square, scratch) / n + 1e-6f);
    for (int i = threadIdx.x; i < n; i += 128)
        x[i] = x[i] * scale * gain[i];
}

// One head of causal attention. One CTA a query; block 128 is at least the head's size, shared memory holds a score per key.
extern "C" __global__ void attention(int length, int size, const float *__restrict__ q, const float *__restrict__ k,
                                     const float *__restrict__ v, float *__restrict__ out)
{
    extern __shared__ float scores[];
    __shared__ float scratch[4];
    int query = blockIdx.x;
    float scale = 1.0f / sqrtf((float)size), top = -3.0e38f;
    for (int key = threadIdx.x; key <= query; key += 128) {
        float sum = 0.0f;
        for (int i = 0; i < size; ++i)
            sum = fmaf(q[query * size + i], k[key * size + i], sum);
        scores[key] = sum * scale;
        top = fmaxf(top, scores[key]);
    }
    top = greatest(top, scratch);
    float sum = 0.0f;
    for (int key = threadIdx.x; key <= query; key += 128) {
        scores[key] = maths::exponential(scores[key] - top);
        sum += scores[key];
    }
    sum = total(sum, scratch);
    if (threadIdx.x < size) {
        float mix = 0.0f;
        for (int key = 0; key <= query; ++key)
            mix = fmaf(scores[key], v[key * size + threadIdx.x], mix);
        out[query * size + threadIdx.x] = mix / sum;
    }
}

// Rows of a table by index; block (32, 4)
extern "C" __global__ void embedding(int count, int size, const int *__restrict__ tokens, const float4 *__restrict__ table,
                                     float4 *__restrict__ out)
{
    int i = blockIdx.x * 4 + threadIdx.y;
    if (i < count)
        for (int j = threadIdx.x; j < size; j += 32)
            out[i * size + j] = table[tokens[i] * size + j];
}

// Rotary position: turns each pair by an angle that grows with the position. In place.
extern "C" __global__ void rotary(int count, int pairs, float2 *x, const unsigned int *__restrict__ turns)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count * pairs)
        return;
    float sine, cosine;
    maths::sine_cosine(turns[i % pairs] * (i / pairs), &sine, &cosine);
    float2 v = x[i];
    x[i] = make_float2(fmaf(v.x, cosine, -(v.y * sine)), fmaf(v.x, sine, v.y * cosine));
}

// One step of Adam; three arrays in place.
extern "C" __global__ void adam(int n, float *__restrict__ weight, float *__restrict__ mean, float *__restrict__ square,
                                const float *__restrict__ gradient, float rate, float mean_bias, float square_bias)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float g = gradient[i];
    float m = fmaf(0.9f, mean[i], 0.1f * g), s = fmaf(0.999f, square[i], 0.001f * g * g);
    mean[i] = m;
    square[i] = s;
    weight[i] -= rate * (m / mean_bias) / (sqrtf(s / square_bias) + 1e-8f);
}

// Cross entropy of each row against its label, and its gradient. block 128, one CTA a row
extern "C" __global__ void cross_entropy(int n, const float *__restrict__ x, const int *__restrict__ label,
                                         float *__restrict__ loss, float *__restrict__ gradient)
{
    __shared__ float scratch[4];
    x += blockIdx.x * n;
    gradient += blockIdx.x * n;
    float top = -3.0e38f;
    for (int i = threadIdx.x; i < n; i += 128)
        top = fmaxf(top, x[i]);
    top = greatest(top, scratch);
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += 128)
        sum += maths::exponential(x[i] - top);
    sum = total(sum, scratch);
    int right = label[blockIdx.x];
    for (int i = threadIdx.x; i < n; i += 128)
        gradient[i] = maths::exponential(x[i] - top) / sum - (i == right ? 1.0f : 0.0f);
    if (threadIdx.x == 0)
        loss[blockIdx.x] = maths::logarithm(sum) + top - x[right];
}
