// Price of an arithmetic-average Asian call option by simulation: the average of the asset's price over 16 dates
// against the strike. There is no closed formula for it. First launch: each CTA sums its paths; second: one CTA adds
// the sums up. Random numbers are Philox4x32-10, so a path depends on its number and the seed alone.

#include "maths.cuh"
#include "philox.cuh"

constexpr int DATES = 16;
constexpr int THREADS = 256;

struct Option {
    float spot;
    float strike;
    float drift; // of the logarithm, per date: (rate - volatility² / 2) · dt
    float spread; // of the logarithm, per date: volatility · sqrt(dt)
};

struct Sums {
    double payoff;
    double square;
};

// Two independent normal numbers from two uniform ones (Box and Muller).
__device__ __forceinline__ float2 normal(unsigned int a, unsigned int b)
{
    float uniform = fmaf((float)(a >> 8), 0x1p-24f, 0x1p-25f); // in (0, 1]
    float radius = sqrtf(-2.0f * maths::logarithm(uniform));
    float sine, cosine;
    maths::sine_cosine(b, &sine, &cosine);
    return make_float2(radius * cosine, radius * sine);
}

__device__ __forceinline__ float payoff(const Option &option, unsigned int path, uint2 seed)
{
    float price = option.spot, total = 0.0f;
    for (unsigned int four = 0; four < DATES / 4; ++four) {
        uint4 random = philox(make_uint4(path, four, 0, 0), seed);
        float2 first = normal(random.x, random.y), second = normal(random.z, random.w);
        float step[4] = {first.x, first.y, second.x, second.y};
#pragma unroll
        for (int date = 0; date < 4; ++date) {
            price *= maths::exponential(fmaf(option.spread, step[date], option.drift));
            total += price;
        }
    }
    return fmaxf(total * (1.0f / DATES) - option.strike, 0.0f);
}

// Adds the sums of all threads up in a fixed tree.
__device__ __forceinline__ Sums reduce(Sums mine)
{
    __shared__ Sums sums[THREADS];
    sums[threadIdx.x] = mine;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            sums[threadIdx.x].payoff += sums[threadIdx.x + half].payoff;
            sums[threadIdx.x].square += sums[threadIdx.x + half].square;
        }
        __syncthreads();
    }
    return sums[0];
}

// block 256, grid: any; partial[CTA] = sums over its 256 · paths_per_thread paths
extern "C" __global__ void simulate(Sums *__restrict__ partial, Option option, uint2 seed, int paths_per_thread)
{
    Sums mine = {0.0, 0.0};
    unsigned int first = blockIdx.x * THREADS * paths_per_thread + threadIdx.x;
    for (int i = 0; i < paths_per_thread; ++i) {
        double value = payoff(option, first + i * THREADS, seed);
        mine.payoff += value;
        mine.square = fma(value, value, mine.square);
    }
    Sums all = reduce(mine);
    if (threadIdx.x == 0)
        partial[blockIdx.x] = all;
}

// block 256, grid 1; result[0] = price, result[1] = its standard error
extern "C" __global__ void average(const Sums *__restrict__ partial, int count, double *__restrict__ result,
                                   double discount, double paths)
{
    Sums mine = {0.0, 0.0};
    for (int i = threadIdx.x; i < count; i += THREADS) {
        mine.payoff += partial[i].payoff;
        mine.square += partial[i].square;
    }
    Sums all = reduce(mine);
    if (threadIdx.x == 0) {
        double mean = all.payoff / paths;
        double variance = all.square / paths - mean * mean;
        result[0] = discount * mean;
        result[1] = discount * sqrt(variance / paths);
    }
}
