// Histograms, clusters and neighbours.

// Counts of bytes, in a copy per CTA that threads add to with shared atomics whose old value nobody uses. block 256
extern "C" __global__ void histogram(int n, const unsigned char *__restrict__ x, unsigned int *__restrict__ partial)
{
    __shared__ unsigned int counts[256];
    counts[threadIdx.x] = 0;
    __syncthreads();
    for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256)
        atomicAdd(&counts[x[i]], 1u);
    __syncthreads();
    partial[blockIdx.x * 256 + threadIdx.x] = counts[threadIdx.x];
}

// The copies added up. block 64
extern "C" __global__ void merge_counts(int copies, const unsigned int *__restrict__ partial, unsigned int *__restrict__ counts)
{
    int i = blockIdx.x * 64 + threadIdx.x;
    unsigned int sum = 0;
    for (int copy = 0; copy < copies; ++copy)
        sum += partial[copy * 256 + i];
    counts[i] = sum;
}

// Least, greatest and all bits of each CTA's integers by shared atomics. block 128
extern "C" __global__ void extremes(int n, const int *__restrict__ x, int4 *__restrict__ out)
{
    __shared__ int least, greatest;
    __shared__ unsigned int any, odd;
    if (threadIdx.x == 0)
        least = 0x7fffffff, greatest = -0x7fffffff - 1, any = 0, odd = 0;
    __syncthreads();
    for (int i = blockIdx.x * n + threadIdx.x; i < (blockIdx.x + 1) * n; i += 128) {
        atomicMin(&least, x[i]);
        atomicMax(&greatest, x[i]);
        atomicOr(&any, x[i]);
        atomicXor(&odd, x[i]);
    }
    __syncthreads();
    if (threadIdx.x == 0)
        out[blockIdx.x] = make_int4(least, greatest, any, odd);
}

// Without atomics: each thread counts into a column of 8-bit counters of its own, as for few bins. block 64
extern "C" __global__ void histogram_columns(int n, const unsigned int *__restrict__ x, unsigned int *__restrict__ partial)
{
    __shared__ unsigned char counts[16][64];
    for (int bin = 0; bin < 16; ++bin)
        counts[bin][threadIdx.x] = 0;
    for (int i = threadIdx.x; i < n; i += 64)
        ++counts[x[blockIdx.x * n + i] >> 28][threadIdx.x];
    __syncthreads();
    if (threadIdx.x < 16) {
        unsigned int sum = 0;
        for (int i = 0; i < 64; ++i)
            sum += counts[threadIdx.x][i];
        partial[blockIdx.x * 16 + threadIdx.x] = sum;
    }
}

// k-means, first half: the nearest centre of each point, the first of equals. points: all x, then all y, then all z
extern "C" __global__ void assign(int n, int k, const float *__restrict__ points, const float *__restrict__ centres,
                                  int *__restrict__ nearest)
{
    extern __shared__ float shared_centres[];
    for (int i = threadIdx.x; i < 3 * k; i += blockDim.x)
        shared_centres[i] = centres[i];
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float best = 3.0e38f;
    int which = 0;
    for (int c = 0; c < k; ++c) {
        float dx = points[i] - shared_centres[3 * c], dy = points[n + i] - shared_centres[3 * c + 1];
        float dz = points[2 * n + i] - shared_centres[3 * c + 2];
        float square = dx * dx + dy * dy + dz * dz;
        if (square < best)
            best = square, which = c;
    }
    nearest[i] = which;
}

// Second half: the mean of each centre's points; one CTA a centre, block 64
extern "C" __global__ void update(int n, const float *__restrict__ points, const int *__restrict__ nearest,
                                  float *__restrict__ centres)
{
    __shared__ float4 sums[64];
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for (int i = threadIdx.x; i < n; i += 64)
        if (nearest[i] == blockIdx.x) {
            sum.x += points[i];
            sum.y += points[n + i];
            sum.z += points[2 * n + i];
            sum.w += 1.0f;
        }
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = 32; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            float4 a = sums[threadIdx.x], b = sums[threadIdx.x + half];
            sums[threadIdx.x] = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
        }
        __syncthreads(); // after the last step too: the compiler lets all threads read sums[0] below
    }
    if (threadIdx.x == 0 && sums[0].w > 0.0f) {
        centres[3 * blockIdx.x] = sums[0].x / sums[0].w;
        centres[3 * blockIdx.x + 1] = sums[0].y / sums[0].w;
        centres[3 * blockIdx.x + 2] = sums[0].z / sums[0].w;
    }
}

// The four nearest of `n` points to each query, kept sorted by insertion; 8 dimensions.
extern "C" __global__ void nearest_four(int n, int queries, const float *__restrict__ points, const float *__restrict__ query,
                                        int4 *__restrict__ which)
{
    int q = blockIdx.x * blockDim.x + threadIdx.x;
    if (q >= queries)
        return;
    float best[4] = {3.0e38f, 3.0e38f, 3.0e38f, 3.0e38f};
    int place[4] = {-1, -1, -1, -1};
    for (int i = 0; i < n; ++i) {
        float square = 0.0f;
        for (int d = 0; d < 8; ++d) {
            float difference = points[i * 8 + d] - query[q * 8 + d];
            square = fmaf(difference, difference, square);
        }
        if (square >= best[3])
            continue;
        int k = 3;
        for (; k > 0 && best[k - 1] > square; --k)
            best[k] = best[k - 1], place[k] = place[k - 1];
        best[k] = square;
        place[k] = i;
    }
    which[q] = make_int4(place[0], place[1], place[2], place[3]);
}

// Means and covariances of the columns of a matrix: CTA (x, y) has the pair of columns x and y. block 32
extern "C" __global__ void covariance(int rows, int columns, const double *__restrict__ data, double *__restrict__ out)
{
    int a = blockIdx.x, b = blockIdx.y;
    double sum_a = 0.0, sum_b = 0.0, product = 0.0;
    for (int i = threadIdx.x; i < rows; i += 32) {
        double x = data[i * columns + a], y = data[i * columns + b];
        sum_a += x;
        sum_b += y;
        product = fma(x, y, product);
    }
    for (int mask = 16; mask > 0; mask /= 2) {
        sum_a += __shfl_xor_sync(0xffffffffu, sum_a, mask);
        sum_b += __shfl_xor_sync(0xffffffffu, sum_b, mask);
        product += __shfl_xor_sync(0xffffffffu, product, mask);
    }
    if (threadIdx.x == 0)
        out[a * columns + b] = (product - sum_a * sum_b / rows) / (rows - 1);
}
