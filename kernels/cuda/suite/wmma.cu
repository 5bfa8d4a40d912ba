// Integer matrix products on tensor cores in C++: fragments of `nvcuda::wmma`, filled from tiles in shared memory.

#include <mma.h>

using namespace nvcuda;

// a is m × k signed bytes by rows, b is n × k (one row per column of the product), c is m × n 32-bit integers: c += a b.
// Four warps make a tile of 32 × 32, each a quarter.
// block 128, grid (n / 32, m / 32); k is a multiple of 32
extern "C" __global__ void wmma_int8(int n, int k, const signed char *__restrict__ a, const signed char *__restrict__ b, int *__restrict__ c)
{
    // A slab for each step: fragments begin at multiples of 32 bytes.
    __shared__ __align__(32) signed char left[2][32][16];
    __shared__ __align__(32) signed char right[2][32][16];
    int warp = threadIdx.x / 32, row = 16 * (warp / 2), column = 16 * (warp % 2);
    int *out = c + (blockIdx.y * 32 + row) * n + blockIdx.x * 32 + column;
    wmma::fragment<wmma::accumulator, 16, 16, 16, int> sum;
    wmma::load_matrix_sync(sum, out, n, wmma::mem_row_major);
    for (int start = 0; start < k; start += 32) {
        for (int word = threadIdx.x; word < 256; word += blockDim.x) {
            int line = word / 8, at = word % 8 * 4;
            *(int *)&left[at / 16][line][at % 16] = *(const int *)&a[(blockIdx.y * 32 + line) * k + start + at];
            *(int *)&right[at / 16][line][at % 16] = *(const int *)&b[(blockIdx.x * 32 + line) * k + start + at];
        }
        __syncthreads();
        for (int step = 0; step < 2; step++) {
            wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> x;
            wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::col_major> y;
            wmma::load_matrix_sync(x, left[step][row], 16);
            wmma::load_matrix_sync(y, right[step][column], 16);
            wmma::mma_sync(sum, x, y, sum);
        }
        __syncthreads();
    }
    wmma::store_matrix_sync(out, sum, n, wmma::mem_row_major);
}

// A layer of a quantised network: a (k × m) and b (k × n) are unsigned bytes by rows, so a is read by columns. The sums
// lie in shared memory by columns; with a bias of their column, shifted and clamped, they are bytes again.
// block 64, grid (n / 64, m / 8): two warps, one for each 32 columns; k is a multiple of 16
extern "C" __global__ void wmma_layer(int m, int n, int k, const unsigned char *__restrict__ a, const unsigned char *__restrict__ b, const int *__restrict__ bias, int shift, unsigned char *__restrict__ c)
{
    // Columns of eight, each at a multiple of 16 bytes.
    __shared__ __align__(32) unsigned char left[16][16];
    __shared__ __align__(32) unsigned char right[2][16][32];
    __shared__ __align__(32) int sums[64][8];
    int warp = threadIdx.x / 32;
    wmma::fragment<wmma::accumulator, 8, 32, 16, int> sum;
    wmma::fill_fragment(sum, 0);
    for (int start = 0; start < k; start += 16) {
        for (int at = threadIdx.x; at < 16 * 8; at += blockDim.x)
            left[at / 8][at % 8] = a[(start + at / 8) * m + blockIdx.y * 8 + at % 8];
        for (int at = threadIdx.x; at < 16 * 64; at += blockDim.x)
            right[at % 64 / 32][at / 64][at % 32] = b[(start + at / 64) * n + blockIdx.x * 64 + at % 64];
        __syncthreads();
        wmma::fragment<wmma::matrix_a, 8, 32, 16, unsigned char, wmma::col_major> x;
        wmma::fragment<wmma::matrix_b, 8, 32, 16, unsigned char, wmma::row_major> y;
        wmma::load_matrix_sync(x, left[0], 16);
        wmma::load_matrix_sync(y, right[warp][0], 32);
        wmma::mma_sync(sum, x, y, sum);
        __syncthreads();
    }
    wmma::store_matrix_sync(sums[32 * warp], sum, 8, wmma::mem_col_major);
    __syncthreads();
    for (int at = threadIdx.x; at < 8 * 64; at += blockDim.x) {
        int row = at / 64, column = blockIdx.x * 64 + at % 64;
        int value = (sums[at % 64][row] + bias[column]) >> shift;
        c[(blockIdx.y * 8 + row) * n + column] = min(max(value, 0), 255);
    }
}
