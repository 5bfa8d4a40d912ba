// Matrix product in single precision. Each thread keeps a 4 × 4 block of the result in registers; each element is one
// chain of fused multiply-adds over k in ascending order, so the last bit does not depend on how the work is split.
// a is m × k, b is k × n, c is m × n, all by rows.

constexpr int TILE = 64; // rows and columns of the result per CTA
constexpr int DEPTH = 16; // columns of a, and rows of b, in shared memory at a time
constexpr int EACH = 4; // rows and columns of the result per thread

// block (16, 16), grid (ceil(n / 64), ceil(m / 64))
extern "C" __global__ void matmul_f32(const float *__restrict__ a, const float *__restrict__ b, float *__restrict__ c,
                                      int m, int n, int k)
{
    __shared__ float a_tile[TILE][DEPTH + 1];
    __shared__ float b_tile[DEPTH][TILE];

    int top = blockIdx.y * TILE, left = blockIdx.x * TILE;
    int thread = threadIdx.y * blockDim.x + threadIdx.x;
    float sum[EACH][EACH] = {};
    for (int start = 0; start < k; start += DEPTH) {
        for (int i = thread; i < TILE * DEPTH; i += 256) {
            int row = top + i / DEPTH, column = start + i % DEPTH;
            a_tile[i / DEPTH][i % DEPTH] = row < m && column < k ? a[row * k + column] : 0.0f;
            row = start + i / TILE;
            column = left + i % TILE;
            b_tile[i / TILE][i % TILE] = row < k && column < n ? b[row * n + column] : 0.0f;
        }
        __syncthreads();
        int depth = min(DEPTH, k - start);
        for (int i = 0; i < depth; ++i)
#pragma unroll
            for (int y = 0; y < EACH; ++y)
#pragma unroll
                for (int x = 0; x < EACH; ++x)
                    sum[y][x] = fmaf(a_tile[threadIdx.y + 16 * y][i], b_tile[i][threadIdx.x + 16 * x], sum[y][x]);
        __syncthreads();
    }
#pragma unroll
    for (int y = 0; y < EACH; ++y)
#pragma unroll
        for (int x = 0; x < EACH; ++x) {
            int row = top + threadIdx.y + 16 * y, column = left + threadIdx.x + 16 * x;
            if (row < m && column < n)
                c[row * n + column] = sum[y][x];
        }
}
