// Products of matrices and vectors. All by rows.

// Without any tiling, and without fused operations.
extern "C" __global__ void gemm_naive(int m, int n, int k, const float *__restrict__ a, const float *__restrict__ b,
                                      float *__restrict__ c)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= m || column >= n)
        return;
    float sum = 0.0f;
    for (int i = 0; i < k; ++i)
        sum += a[row * k + i] * b[i * n + column];
    c[row * n + column] = sum;
}

// c = alpha · a · b + beta · c in double precision, tiles of dynamic shared memory; block (16, 16)
extern "C" __global__ void gemm_double(int m, int n, int k, double alpha, const double *__restrict__ a,
                                       const double *__restrict__ b, double beta, double *__restrict__ c)
{
    extern __shared__ double tiles[];
    double *a_tile = tiles, *b_tile = tiles + 256;
    int column = blockIdx.x * 16 + threadIdx.x, row = blockIdx.y * 16 + threadIdx.y;
    double sum = 0.0;
    for (int start = 0; start < k; start += 16) {
        int i = start + threadIdx.x, j = start + threadIdx.y;
        a_tile[threadIdx.y * 16 + threadIdx.x] = row < m && i < k ? a[row * k + i] : 0.0;
        b_tile[threadIdx.y * 16 + threadIdx.x] = column < n && j < k ? b[j * n + column] : 0.0;
        __syncthreads();
        for (int i = 0; i < 16; ++i)
            sum = fma(a_tile[threadIdx.y * 16 + i], b_tile[i * 16 + threadIdx.x], sum);
        __syncthreads();
    }
    if (row < m && column < n)
        c[row * n + column] = alpha * sum + beta * c[row * n + column];
}

// Four columns a thread through 128-bit loads; n is a multiple of 4.
extern "C" __global__ void gemm_vector(int m, int n, int k, const float *__restrict__ a, const float4 *__restrict__ b,
                                       float4 *__restrict__ c)
{
    int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row >= m || column >= n / 4)
        return;
    float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for (int i = 0; i < k; ++i) {
        float left = a[row * k + i];
        float4 right = b[i * (n / 4) + column];
        sum.x = fmaf(left, right.x, sum.x);
        sum.y = fmaf(left, right.y, sum.y);
        sum.z = fmaf(left, right.z, sum.z);
        sum.w = fmaf(left, right.w, sum.w);
    }
    c[row * (n / 4) + column] = sum;
}

// A transpose through a tile with one spare column; block (32, 8)
extern "C" __global__ void transpose(int width, int height, const unsigned int *__restrict__ in,
                                     unsigned int *__restrict__ out)
{
    __shared__ unsigned int tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8)
        if (x < width && y + j < height)
            tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * width + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x;
    y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8)
        if (x < height && y + j < width)
            out[(y + j) * height + x] = tile[threadIdx.x][threadIdx.y + j];
}

// A matrix times a vector, one warp a row; block (32, 4)
extern "C" __global__ void gemv(int m, int n, const float *__restrict__ a, const float *__restrict__ x, float *__restrict__ y)
{
    int row = blockIdx.x * 4 + threadIdx.y;
    if (row >= m)
        return;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += 32)
        sum = fmaf(a[row * n + i], x[i], sum);
    for (int mask = 16; mask > 0; mask /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, mask);
    if (threadIdx.x == 0)
        y[row] = sum;
}

struct Matrix4 {
    float e[4][4];
};

// Many small products, one a thread.
extern "C" __global__ void gemm_batched(int count, const Matrix4 *__restrict__ a, const Matrix4 *__restrict__ b,
                                        Matrix4 *__restrict__ c)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count)
        return;
    Matrix4 p = a[i], q = b[i], r;
#pragma unroll
    for (int row = 0; row < 4; ++row)
#pragma unroll
        for (int column = 0; column < 4; ++column) {
            float sum = 0.0f;
#pragma unroll
            for (int k = 0; k < 4; ++k)
                sum = fmaf(p.e[row][k], q.e[k][column], sum);
            r.e[row][column] = sum;
        }
    c[i] = r;
}
