// Matrix product of signed bytes with 32-bit sums, four products an instruction (dp4a): the inner loop of quantised
// inference. a is m × k, b is n × k (one row per output, as weights are stored), c = a · bᵀ is m × n, all by rows.
// k is a multiple of 4.

constexpr int TILE = 16;

// block (16, 16), grid (ceil(n / 16), ceil(m / 16))
extern "C" __global__ void matmul_int8(const int *__restrict__ a, const int *__restrict__ b, int *__restrict__ c,
                                       int m, int n, int k)
{
    __shared__ int a_tile[TILE][TILE];
    __shared__ int b_tile[TILE][TILE + 1]; // one more: threads of a warp read a column, which then lies in 16 banks

    int row = blockIdx.y * TILE + threadIdx.y;
    int column = blockIdx.x * TILE + threadIdx.x;
    int b_row = blockIdx.x * TILE + threadIdx.y;
    int words = k / 4;
    int sum = 0;
    for (int start = 0; start < words; start += TILE) {
        int word = start + threadIdx.x;
        a_tile[threadIdx.y][threadIdx.x] = row < m && word < words ? a[row * words + word] : 0;
        b_tile[threadIdx.y][threadIdx.x] = b_row < n && word < words ? b[b_row * words + word] : 0;
        __syncthreads();
#pragma unroll
        for (int i = 0; i < TILE; ++i)
            sum = __dp4a(a_tile[threadIdx.y][i], b_tile[threadIdx.x][i], sum);
        __syncthreads();
    }
    if (row < m && column < n)
        c[row * n + column] = sum;
}
