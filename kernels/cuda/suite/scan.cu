// Prefix sums and what is made of them.

// Inclusive, by Hillis and Steele, between two halves of shared memory. block 512
extern "C" __global__ void scan_doubling(const unsigned int *__restrict__ x, unsigned int *__restrict__ y)
{
    __shared__ unsigned int halves[2][512];
    int from = 0, i = threadIdx.x;
    halves[0][i] = x[blockIdx.x * 512 + i];
    __syncthreads();
    for (int by = 1; by < 512; by *= 2) {
        halves[1 - from][i] = halves[from][i] + (i >= by ? halves[from][i - by] : 0);
        from = 1 - from;
        __syncthreads();
    }
    y[blockIdx.x * 512 + i] = halves[from][i];
}

// Exclusive, by Blelloch: up and down a tree in dynamic shared memory; 2 · blockDim.x elements a CTA.
extern "C" __global__ void scan_tree(const unsigned int *__restrict__ x, unsigned int *__restrict__ y)
{
    extern __shared__ unsigned int tree[];
    int n = 2 * blockDim.x, i = threadIdx.x, offset = 1;
    tree[2 * i] = x[blockIdx.x * n + 2 * i];
    tree[2 * i + 1] = x[blockIdx.x * n + 2 * i + 1];
    for (int nodes = n / 2; nodes > 0; nodes /= 2, offset *= 2) {
        __syncthreads();
        if (i < nodes)
            tree[offset * (2 * i + 2) - 1] += tree[offset * (2 * i + 1) - 1];
    }
    if (i == 0)
        tree[n - 1] = 0;
    for (int nodes = 1; nodes < n; nodes *= 2) {
        offset /= 2;
        __syncthreads();
        if (i < nodes) {
            int left = offset * (2 * i + 1) - 1, right = offset * (2 * i + 2) - 1;
            unsigned int sum = tree[left];
            tree[left] = tree[right];
            tree[right] += sum;
        }
    }
    __syncthreads();
    y[blockIdx.x * n + 2 * i] = tree[2 * i];
    y[blockIdx.x * n + 2 * i + 1] = tree[2 * i + 1];
}

__device__ __forceinline__ unsigned int scan_warp(unsigned int value)
{
    for (int by = 1; by < 32; by *= 2) {
        unsigned int other = __shfl_up_sync(0xffffffffu, value, by);
        if (threadIdx.x % 32 >= by)
            value += other;
    }
    return value;
}

// Inclusive over the CTA; 256 threads.
__device__ __forceinline__ unsigned int scan_cta(unsigned int value)
{
    __shared__ unsigned int warps[8];
    value = scan_warp(value);
    if (threadIdx.x % 32 == 31)
        warps[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) {
        unsigned int sum = scan_warp(threadIdx.x < 8 ? warps[threadIdx.x] : 0);
        if (threadIdx.x < 8)
            warps[threadIdx.x] = sum;
    }
    __syncthreads();
    return value + (threadIdx.x >= 32 ? warps[threadIdx.x / 32 - 1] : 0);
}

// A scan of any length in three launches. First: within CTAs. block 256
extern "C" __global__ void scan_blocks(int n, const unsigned int *__restrict__ x, unsigned int *__restrict__ y,
                                       unsigned int *__restrict__ sums)
{
    int i = blockIdx.x * 256 + threadIdx.x;
    unsigned int sum = scan_cta(i < n ? x[i] : 0);
    if (i < n)
        y[i] = sum;
    if (threadIdx.x == 255)
        sums[blockIdx.x] = sum;
}

// Second: over the CTAs' sums, at most 256, in place.
extern "C" __global__ void scan_sums(int n, unsigned int *sums)
{
    unsigned int sum = scan_cta(threadIdx.x < n ? sums[threadIdx.x] : 0);
    if (threadIdx.x < n)
        sums[threadIdx.x] = sum;
}

// Third: adds what is before each CTA, in place.
extern "C" __global__ void scan_add(int n, unsigned int *__restrict__ y, const unsigned int *__restrict__ sums)
{
    int i = blockIdx.x * 256 + threadIdx.x;
    if (i < n && blockIdx.x > 0)
        y[i] += sums[blockIdx.x - 1];
}

// Keeps the odd elements of each CTA's 256, in order, and says how many. block 256
extern "C" __global__ void compact(const unsigned int *__restrict__ x, unsigned int *__restrict__ y,
                                   unsigned int *__restrict__ counts)
{
    __shared__ unsigned int warps[8];
    unsigned int value = x[blockIdx.x * 256 + threadIdx.x];
    unsigned int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    unsigned int votes = __ballot_sync(0xffffffffu, value & 1);
    if (lane == 0)
        warps[warp] = __popc(votes);
    __syncthreads();
    unsigned int before = 0, total = 0;
    for (int i = 0; i < 8; ++i) {
        before += i < warp ? warps[i] : 0;
        total += warps[i];
    }
    if (value & 1)
        y[blockIdx.x * 256 + before + __popc(votes & ((1u << lane) - 1))] = value;
    if (threadIdx.x == 0)
        counts[blockIdx.x] = total;
}
