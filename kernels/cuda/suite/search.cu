// Dynamic programming and searches.

// 0/1 knapsack, an item a launch: the item is the round of the repeat. block 128
extern "C" __global__ void knapsack(int capacity, const int *__restrict__ weights, const int *__restrict__ values, int item,
                                    const int *__restrict__ from, int *__restrict__ to)
{
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c > capacity)
        return;
    int best = from[c];
    if (c >= weights[item])
        best = max(best, from[c - weights[item]] + values[item]);
    to[c] = best;
}

// Solutions of the queens' problem below each placement of the first two rows, with a stack of its own. block 64
extern "C" __global__ void queens(int n, unsigned int *__restrict__ count)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n * n)
        return;
    unsigned int all = (1u << n) - 1, found = 0;
    unsigned int first = 1u << i / n, second = 1u << i % n;
    if (!(second & (first | first << 1 | first >> 1))) {
        unsigned int columns[16], rising[16], falling[16], free[16];
        int row = 2;
        columns[2] = first | second;
        rising[2] = (first << 2 | second << 1) & all;
        falling[2] = first >> 2 | second >> 1;
        free[2] = all & ~(columns[2] | rising[2] | falling[2]);
        while (row >= 2) {
            if (free[row] == 0) {
                --row;
                continue;
            }
            unsigned int place = free[row] & -free[row];
            free[row] ^= place;
            if (row == n - 1) {
                ++found;
                continue;
            }
            columns[row + 1] = columns[row] | place;
            rising[row + 1] = (rising[row] | place) << 1 & all;
            falling[row + 1] = (falling[row] | place) >> 1;
            ++row;
            free[row] = all & ~(columns[row] | rising[row] | falling[row]);
        }
    }
    count[i] = found;
}

// Steps of Collatz's walk to 1, the longest in each warp and who has it.
extern "C" __global__ void collatz(unsigned long long first, unsigned short *__restrict__ steps, uint2 *__restrict__ longest)
{
    unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned long long n = first + i;
    unsigned int count = 0;
    for (; n != 1; ++count)
        n = n & 1 ? 3 * n + 1 : n >> 1;
    steps[i] = count;
    unsigned int most = __reduce_max_sync(0xffffffffu, count);
    unsigned int who = __ballot_sync(0xffffffffu, count == most);
    if (threadIdx.x % 32 == 0)
        longest[i / 32] = make_uint2(most, __ffs(who) - 1);
}

// The lowest index of a sorted array whose element is not below the key.
extern "C" __global__ void lower_bound(int n, const unsigned long long *__restrict__ sorted, int keys,
                                       const unsigned long long *__restrict__ key, int *__restrict__ place)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= keys)
        return;
    int low = 0, high = n;
    while (low < high) {
        int middle = (low + high) >> 1;
        if (sorted[middle] < key[i])
            low = middle + 1;
        else
            high = middle;
    }
    place[i] = low;
}

// Longest common subsequence by bits: 64 columns a word, additions that carry. One thread a pair; a is 64 bytes.
extern "C" __global__ void common(int pairs, int length, const unsigned char *__restrict__ a, const unsigned char *__restrict__ b,
                                  int *__restrict__ out)
{
    int p = blockIdx.x * blockDim.x + threadIdx.x;
    if (p >= pairs)
        return;
    unsigned long long row = ~0ull;
    for (int i = 0; i < length; ++i) {
        unsigned long long same = 0;
        for (int j = 0; j < 64; ++j)
            same |= (unsigned long long)(a[p * 64 + j] == b[p * length + i]) << j;
        unsigned long long hit = row & same;
        row = (row + hit) | (row - hit);
    }
    out[p] = 64 - __popcll(row);
}

// Prices of an American put by backward induction on a binomial tree, one CTA an option. block 128 is the number of steps
extern "C" __global__ void binomial(const float4 *__restrict__ options, float *__restrict__ price)
{
    __shared__ float values[129];
    float4 option = options[blockIdx.x]; // price now, strike, factor up, discounted probability of it
    float down = 1.0f / option.z, discount = 0.9995f;
    int i = threadIdx.x;
    float here = option.x;
    for (int step = 0; step < 128; ++step)
        here *= step < i ? option.z : down;
    values[i] = fmaxf(option.y - here, 0.0f);
    if (i == 127) {
        float top = here * option.z * option.z;
        values[128] = fmaxf(option.y - top, 0.0f);
    }
    for (int step = 127; step >= 0; --step) {
        __syncthreads();
        float kept = 0.0f;
        if (i <= step) {
            here *= option.z; // one step less down
            kept = fmaxf(fmaf(option.w, values[i + 1], (discount - option.w) * values[i]), option.y - here);
        }
        __syncthreads();
        if (i <= step)
            values[i] = kept;
    }
    if (i == 0)
        price[blockIdx.x] = values[0];
}
