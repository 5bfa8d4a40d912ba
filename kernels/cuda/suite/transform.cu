// Fourier, number-theoretic, Walsh and cosine transforms.

// Complex transform of 512 points in shared memory, radix 2, one CTA a signal; twiddles[k] = exp(-2πik / 512). block 256
extern "C" __global__ void fft(const float2 *__restrict__ in, float2 *__restrict__ out, const float2 *__restrict__ twiddles)
{
    __shared__ float2 data[512];
    for (int i = threadIdx.x; i < 512; i += 256)
        data[__brev(i) >> 23] = in[blockIdx.x * 512 + i];
    for (int half = 1; half < 512; half *= 2) {
        __syncthreads();
        int k = threadIdx.x & (half - 1), i = 2 * threadIdx.x - k;
        float2 w = twiddles[k * (256 / half)], a = data[i], b = data[i + half];
        float2 t = make_float2(w.x * b.x - w.y * b.y, w.x * b.y + w.y * b.x);
        data[i] = make_float2(a.x + t.x, a.y + t.y);
        data[i + half] = make_float2(a.x - t.x, a.y - t.y);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < 512; i += 256)
        out[blockIdx.x * 512 + i] = data[i];
}

constexpr unsigned int PRIME = 998244353; // 119 · 2²³ + 1, with the primitive root 3

__device__ __forceinline__ unsigned int times(unsigned int a, unsigned int b)
{
    return (unsigned long long)a * b % PRIME;
}

__device__ unsigned int power(unsigned int base, unsigned int exponent)
{
    unsigned int result = 1;
    for (; exponent > 0; exponent >>= 1, base = times(base, base))
        if (exponent & 1)
            result = times(result, base);
    return result;
}

// Product of two polynomials of 128 coefficients each modulo PRIME: forward, pointwise, back. block 128, one CTA a pair
extern "C" __global__ void ntt_multiply(const unsigned int *__restrict__ a, const unsigned int *__restrict__ b,
                                        unsigned int *__restrict__ c)
{
    __shared__ unsigned int left[256], right[256];
    auto transform = [](unsigned int *data, unsigned int root) {
        for (int half = 1; half < 256; half *= 2) {
            __syncthreads();
            int k = threadIdx.x & (half - 1), i = 2 * threadIdx.x - k;
            unsigned int t = times(power(root, k * (128 / half)), data[i + half]), u = data[i];
            data[i] = u + t >= PRIME ? u + t - PRIME : u + t;
            data[i + half] = u >= t ? u - t : u + PRIME - t;
        }
        __syncthreads();
    };
    int i = threadIdx.x;
    left[__brev(i) >> 24] = a[blockIdx.x * 128 + i];
    left[__brev(i + 128) >> 24] = 0;
    right[__brev(i) >> 24] = b[blockIdx.x * 128 + i];
    right[__brev(i + 128) >> 24] = 0;
    unsigned int root = power(3, (PRIME - 1) / 256);
    transform(left, root);
    transform(right, root);
    unsigned int low = times(left[i], right[i]), high = times(left[i + 128], right[i + 128]);
    __syncthreads();
    left[__brev(i) >> 24] = low;
    left[__brev(i + 128) >> 24] = high;
    transform(left, power(root, PRIME - 2));
    unsigned int scale = power(256, PRIME - 2);
    c[blockIdx.x * 256 + i] = times(left[i], scale);
    c[blockIdx.x * 256 + i + 128] = times(left[i + 128], scale);
}

// Walsh and Hadamard over 1024 integers: one warp's part by shuffles, the rest through shared memory. block 1024
extern "C" __global__ void walsh(const int *__restrict__ in, int *__restrict__ out)
{
    __shared__ int data[1024];
    int i = threadIdx.x, v = in[blockIdx.x * 1024 + i];
    for (int mask = 1; mask < 32; mask *= 2) {
        int other = __shfl_xor_sync(0xffffffffu, v, mask);
        v = i & mask ? other - v : v + other;
    }
    for (int mask = 32; mask < 1024; mask *= 2) {
        data[i] = v;
        __syncthreads();
        int other = data[i ^ mask];
        v = i & mask ? other - v : v + other;
        __syncthreads();
    }
    out[blockIdx.x * 1024 + i] = v;
}

__constant__ short cosines[64] = {
    724, 724, 724, 724, 724, 724, 724, 724,
    1004, 851, 569, 200, -200, -569, -851, -1004,
    946, 392, -392, -946, -946, -392, 392, 946,
    851, -200, -1004, -569, 569, 1004, 200, -851,
    724, -724, -724, 724, 724, -724, -724, 724,
    569, -1004, 200, 851, -851, -200, 1004, -569,
    392, -946, 946, -392, -392, 946, -946, 392,
    200, -569, 851, -1004, 1004, -851, 569, -200,
};

// Cosine transform of 8 × 8 blocks in fixed point, as in JPEG: one CTA of 8 × 8 threads a block.
extern "C" __global__ void dct8(int width, const unsigned char *__restrict__ in, short *__restrict__ out)
{
    __shared__ int rows[8][8];
    int x = threadIdx.x, y = threadIdx.y;
    const unsigned char *line = in + (blockIdx.y * 8 + y) * width + blockIdx.x * 8;
    int sum = 0;
    for (int k = 0; k < 8; ++k)
        sum += cosines[x * 8 + k] * (line[k] - 128);
    rows[y][x] = sum;
    __syncthreads();
    sum = 1 << 15;
    for (int k = 0; k < 8; ++k)
        sum += cosines[y * 8 + k] * (rows[k][x] >> 6);
    out[(blockIdx.y * 8 + y) * width + blockIdx.x * 8 + x] = sum >> 16;
}
