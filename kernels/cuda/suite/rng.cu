// Random number generators, each thread its own stream.

#include "philox.cuh"

// xorshift128+: `each` numbers per thread, thread after thread.
extern "C" __global__ void xorshift(int each, const ulonglong2 *__restrict__ seeds, unsigned long long *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    ulonglong2 s = seeds[i];
    for (int k = 0; k < each; ++k) {
        unsigned long long a = s.x, b = s.y;
        out[i * each + k] = a + b;
        a ^= a << 23;
        s = make_ulonglong2(b, a ^ b ^ a >> 17 ^ b >> 26);
    }
}

// PCG32 with one stream a thread.
extern "C" __global__ void pcg32(int each, unsigned long long seed, unsigned int *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned long long step = 2ull * i + 1, state = (seed + step) * 6364136223846793005ull + step;
    for (int k = 0; k < each; ++k) {
        unsigned long long old = state;
        state = old * 6364136223846793005ull + step;
        unsigned int mixed = (old >> 18 ^ old) >> 27;
        out[i * each + k] = __funnelshift_r(mixed, mixed, old >> 59);
    }
}

// The Mersenne twister: its 624 words in local memory, `each` numbers per thread.
extern "C" __global__ void mersenne(int each, unsigned int seed, unsigned int *__restrict__ out)
{
    int thread = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned int state[624];
    state[0] = seed + thread;
    for (int i = 1; i < 624; ++i)
        state[i] = 1812433253u * (state[i - 1] ^ state[i - 1] >> 30) + i;
    for (int k = 0; k < each; ++k) {
        int i = k % 624;
        unsigned int y = (state[i] & 0x80000000u) | (state[(i + 1) % 624] & 0x7fffffffu);
        y = state[i] = state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c5680u;
        y ^= y << 15 & 0xefc60000u;
        out[thread * each + k] = y ^ y >> 18;
    }
}

// One linear congruential sequence, each thread jumping to its place in logarithmic time.
extern "C" __global__ void lcg_jump(unsigned long long seed, unsigned int *__restrict__ out)
{
    unsigned long long steps = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned long long a = 2862933555777941757ull, c = 3037000493ull, times = 1, plus = 0;
    for (unsigned long long n = steps; n > 0; n >>= 1) {
        if (n & 1) {
            times *= a;
            plus = plus * a + c;
        }
        c *= a + 1;
        a *= a;
    }
    out[steps] = (seed * times + plus) >> 32;
}

// Sobol's sequence in one dimension, by Gray code: directions: 32 numbers.
extern "C" __global__ void sobol(int n, const unsigned int *__restrict__ directions, float *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    unsigned int gray = i ^ i >> 1, x = 0;
    for (int bit = 0; gray != 0; ++bit, gray >>= 1)
        if (gray & 1)
            x ^= directions[bit];
    out[i] = (float)(x >> 8) * 0x1p-24f;
}

// A shuffle of 0..256 per CTA: random keys, then each thread counts the smaller ones. block 256
extern "C" __global__ void shuffle(uint2 seed, unsigned char *__restrict__ out)
{
    __shared__ unsigned int keys[256];
    unsigned int mine = philox(make_uint4(threadIdx.x, blockIdx.x, 0, 0), seed).x;
    keys[threadIdx.x] = mine;
    __syncthreads();
    int place = 0;
    for (int i = 0; i < 256; ++i)
        place += keys[i] < mine || (keys[i] == mine && i < threadIdx.x);
    out[blockIdx.x * 256 + place] = threadIdx.x;
}
