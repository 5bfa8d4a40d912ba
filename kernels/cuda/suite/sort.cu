// Sorting by networks, by counting and by merging.

// Bitonic network over 512 keys in shared memory. block 256
extern "C" __global__ void bitonic(const unsigned int *__restrict__ x, unsigned int *__restrict__ y)
{
    __shared__ unsigned int keys[512];
    for (int i = threadIdx.x; i < 512; i += 256)
        keys[i] = x[blockIdx.x * 512 + i];
    for (int size = 2; size <= 512; size *= 2)
        for (int stride = size / 2; stride > 0; stride /= 2) {
            __syncthreads();
            int i = 2 * threadIdx.x - (threadIdx.x & (stride - 1));
            bool down = i & size;
            unsigned int a = keys[i], b = keys[i + stride];
            if ((a > b) != down) {
                keys[i] = b;
                keys[i + stride] = a;
            }
        }
    __syncthreads();
    for (int i = threadIdx.x; i < 512; i += 256)
        y[blockIdx.x * 512 + i] = keys[i];
}

// Bubble sort in parallel: neighbours swap in turns. block 64, 128 keys
extern "C" __global__ void odd_even(const int *__restrict__ x, int *__restrict__ y)
{
    __shared__ int keys[128];
    keys[threadIdx.x] = x[blockIdx.x * 128 + threadIdx.x];
    keys[threadIdx.x + 64] = x[blockIdx.x * 128 + threadIdx.x + 64];
    for (int turn = 0; turn < 128; ++turn) {
        __syncthreads();
        int i = 2 * threadIdx.x + turn % 2;
        if (i + 1 < 128 && keys[i] > keys[i + 1]) {
            int key = keys[i];
            keys[i] = keys[i + 1];
            keys[i + 1] = key;
        }
    }
    __syncthreads();
    y[blockIdx.x * 128 + threadIdx.x] = keys[threadIdx.x];
    y[blockIdx.x * 128 + threadIdx.x + 64] = keys[threadIdx.x + 64];
}

// Each key counts the keys before it. block 256
extern "C" __global__ void rank_sort(const float *__restrict__ x, float *__restrict__ y)
{
    __shared__ float keys[256];
    float mine = x[blockIdx.x * 256 + threadIdx.x];
    keys[threadIdx.x] = mine;
    __syncthreads();
    int rank = 0;
    for (int i = 0; i < 256; ++i)
        rank += keys[i] < mine || (keys[i] == mine && i < threadIdx.x);
    y[blockIdx.x * 256 + rank] = mine;
}

// 256 keys of 16 bits with a payload, one bit at a time, stable. block 256
extern "C" __global__ void radix_sort(const uint2 *__restrict__ x, uint2 *__restrict__ y)
{
    __shared__ uint2 pairs[256];
    __shared__ unsigned int zeros[8];
    unsigned int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    uint2 mine = x[blockIdx.x * 256 + threadIdx.x];
    for (int bit = 0; bit < 16; ++bit) {
        bool one = mine.x >> bit & 1;
        unsigned int votes = __ballot_sync(0xffffffffu, !one);
        if (lane == 0)
            zeros[warp] = __popc(votes);
        __syncthreads();
        unsigned int before = 0, all = 0;
        for (int i = 0; i < 8; ++i) {
            before += i < warp ? zeros[i] : 0;
            all += zeros[i];
        }
        before += __popc(votes & ((1u << lane) - 1));
        pairs[one ? all + threadIdx.x - before : before] = mine;
        __syncthreads();
        mine = pairs[threadIdx.x];
    }
    y[blockIdx.x * 256 + threadIdx.x] = mine;
}

// Merges two sorted arrays: each thread finds its piece of the output by a binary search along a diagonal.
extern "C" __global__ void merge_path(const int *__restrict__ a, int na, const int *__restrict__ b, int nb, int each,
                                      int *__restrict__ out)
{
    int diagonal = (blockIdx.x * blockDim.x + threadIdx.x) * each;
    int low = max(0, diagonal - nb), high = min(diagonal, na);
    while (low < high) {
        int middle = (low + high) / 2;
        if (a[middle] <= b[diagonal - 1 - middle])
            low = middle + 1;
        else
            high = middle;
    }
    int i = low, j = diagonal - low;
    for (int k = diagonal; k < min(diagonal + each, na + nb); ++k)
        out[k] = j >= nb || (i < na && a[i] <= b[j]) ? a[i++] : b[j++];
}
