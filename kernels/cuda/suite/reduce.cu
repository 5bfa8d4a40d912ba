// Reductions: many numbers to one, in an order that does not depend on who runs when.

// The tree of every textbook. partial[CTA] = sum of 2 · 256 elements
extern "C" __global__ void sum_tree(int n, const int *__restrict__ x, int *__restrict__ partial)
{
    __shared__ int sums[256];
    int i = blockIdx.x * 512 + threadIdx.x;
    sums[threadIdx.x] = (i < n ? x[i] : 0) + (i + 256 < n ? x[i + 256] : 0);
    __syncthreads();
    for (int half = 128; half > 0; half >>= 1) {
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sums[0];
}

__device__ __forceinline__ float warp_sum(float value)
{
    for (int by = 16; by > 0; by /= 2)
        value += __shfl_down_sync(0xffffffffu, value, by);
    return value;
}

// Warps by shuffles, then the warps' sums. block 256
extern "C" __global__ void sum_shuffle(int n, const float *__restrict__ x, float *__restrict__ partial)
{
    __shared__ float sums[8];
    float sum = 0.0f;
    for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256)
        sum += x[i];
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        sums[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x < 32) {
        sum = warp_sum(threadIdx.x < 8 ? sums[threadIdx.x] : 0.0f);
        if (threadIdx.x == 0)
            partial[blockIdx.x] = sum;
    }
}

// Scalar product in double precision, each thread a chain of fused multiply-adds. block 128
extern "C" __global__ void dot(int n, const double *__restrict__ x, const double *__restrict__ y,
                               double *__restrict__ partial)
{
    __shared__ double sums[128];
    double sum = 0.0;
    for (int i = blockIdx.x * 128 + threadIdx.x; i < n; i += gridDim.x * 128)
        sum = fma(x[i], y[i], sum);
    sums[threadIdx.x] = sum;
    for (int half = 64; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    if (threadIdx.x == 0)
        partial[blockIdx.x] = sums[0];
}

// The largest element and the first place where it is. block 128
extern "C" __global__ void argmax(int n, const float *__restrict__ x, float *__restrict__ value, int *__restrict__ place)
{
    __shared__ float values[4];
    __shared__ int places[4];
    float best = x[blockIdx.x * n];
    int where = 0;
    for (int i = threadIdx.x; i < n; i += 128)
        if (float v = x[blockIdx.x * n + i]; v > best || (v == best && i < where))
            best = v, where = i;
    auto join = [&](float v, int i) {
        if (v > best || (v == best && i < where))
            best = v, where = i;
    };
    for (int mask = 16; mask > 0; mask /= 2)
        join(__shfl_xor_sync(0xffffffffu, best, mask), __shfl_xor_sync(0xffffffffu, where, mask));
    if (threadIdx.x % 32 == 0)
        values[threadIdx.x / 32] = best, places[threadIdx.x / 32] = where;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int warp = 1; warp < 4; ++warp)
            join(values[warp], places[warp]);
        value[blockIdx.x] = best;
        place[blockIdx.x] = where;
    }
}

// Least, greatest, or and exclusive or of 1024 integers, by the warps' reduction instruction. block 1024
extern "C" __global__ void redux(const int *__restrict__ x, int4 *__restrict__ y)
{
    __shared__ int4 warps[32];
    int v = x[blockIdx.x * 1024 + threadIdx.x];
    auto all = [](int least, int greatest, unsigned int any, unsigned int odd) {
        return make_int4(__reduce_min_sync(0xffffffffu, least), __reduce_max_sync(0xffffffffu, greatest),
                         __reduce_or_sync(0xffffffffu, any), __reduce_xor_sync(0xffffffffu, odd));
    };
    int4 mine = all(v, v, v, v);
    if (threadIdx.x % 32 == 0)
        warps[threadIdx.x / 32] = mine;
    __syncthreads();
    if (threadIdx.x < 32) {
        mine = warps[threadIdx.x];
        mine = all(mine.x, mine.y, mine.z, mine.w);
        if (threadIdx.x == 0)
            y[blockIdx.x] = mine;
    }
}

// How many of a row's elements lie above a threshold, by votes. block 256
extern "C" __global__ void count_above(int n, float threshold, const float *__restrict__ x, unsigned int *__restrict__ count,
                                       unsigned int *__restrict__ mask)
{
    int total = 0;
    for (int start = 0; start < n; start += 256) {
        int i = start + threadIdx.x;
        bool above = i < n && x[blockIdx.x * n + i] > threshold;
        unsigned int votes = __ballot_sync(0xffffffffu, above);
        if (threadIdx.x % 32 == 0 && i < n)
            mask[blockIdx.x * ((n + 31) / 32) + i / 32] = votes;
        total += __syncthreads_count(above);
    }
    if (threadIdx.x == 0)
        count[blockIdx.x] = total;
}
