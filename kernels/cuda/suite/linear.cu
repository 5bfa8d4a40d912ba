// Systems of equations, one CTA or one thread each.

// LU with partial pivoting of a 32 × 32 matrix in shared memory; block (32, 32)
extern "C" __global__ void lu(float *__restrict__ matrices, int *__restrict__ pivots)
{
    __shared__ float a[32][33];
    __shared__ int swap;
    int x = threadIdx.x, y = threadIdx.y;
    float *matrix = matrices + blockIdx.x * 1024;
    a[y][x] = matrix[y * 32 + x];
    for (int k = 0; k < 32; ++k) {
        __syncthreads();
        if (y == 0) {
            // The first warp looks for the largest element at or below the diagonal, the upper of equals.
            float best = x >= k ? fabsf(a[x][k]) : -1.0f;
            int row = x;
            for (int mask = 16; mask > 0; mask /= 2) {
                float other = __shfl_xor_sync(0xffffffffu, best, mask);
                int where = __shfl_xor_sync(0xffffffffu, row, mask);
                if (other > best || (other == best && where < row))
                    best = other, row = where;
            }
            if (x == 0)
                swap = row;
        }
        __syncthreads();
        int row = swap;
        if (y == 0 && row != k) {
            float held = a[k][x];
            a[k][x] = a[row][x];
            a[row][x] = held;
        }
        if (x == 0 && y == 0)
            pivots[blockIdx.x * 32 + k] = row;
        __syncthreads();
        if (x == k && y > k)
            a[y][k] /= a[k][k];
        __syncthreads();
        if (x > k && y > k)
            a[y][x] = fmaf(-a[y][k], a[k][x], a[y][x]);
    }
    __syncthreads();
    matrix[y * 32 + x] = a[y][x];
}

// Cholesky factors of many 6 × 6 matrices in double precision, one thread each, registers and local memory.
extern "C" __global__ void cholesky(int count, const double *__restrict__ matrices, double *__restrict__ factors)
{
    int m = blockIdx.x * blockDim.x + threadIdx.x;
    if (m >= count)
        return;
    double l[6][6];
    for (int i = 0; i < 6; ++i)
        for (int j = 0; j < 6; ++j) {
            if (j > i) {
                l[i][j] = 0.0;
                continue;
            }
            double sum = matrices[(i * 6 + j) * count + m];
            for (int k = 0; k < j; ++k)
                sum = fma(-l[i][k], l[j][k], sum);
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    for (int i = 0; i < 36; ++i)
        factors[i * count + m] = l[i / 6][i % 6];
}

// Tridiagonal systems by Thomas's algorithm, one thread each, the elements of all systems side by side; in place.
extern "C" __global__ void thomas(int n, int count, const float *__restrict__ lower, const float *__restrict__ diagonal,
                                  float *__restrict__ upper, float *__restrict__ right)
{
    int s = blockIdx.x * blockDim.x + threadIdx.x;
    if (s >= count)
        return;
    upper[s] /= diagonal[s];
    right[s] /= diagonal[s];
    for (int i = 1; i < n; ++i) {
        float scale = 1.0f / fmaf(-lower[i * count + s], upper[(i - 1) * count + s], diagonal[i * count + s]);
        upper[i * count + s] *= scale;
        right[i * count + s] = fmaf(-lower[i * count + s], right[(i - 1) * count + s], right[i * count + s]) * scale;
    }
    for (int i = n - 2; i >= 0; --i)
        right[i * count + s] = fmaf(-upper[i * count + s], right[(i + 1) * count + s], right[i * count + s]);
}

// Householder's QR of 16 × 16 matrices, one warp each, a column a lane. block 32; in place: R above, vectors at and below
extern "C" __global__ void householder(float *__restrict__ matrices, float *__restrict__ scales)
{
    __shared__ float a[16][17];
    int x = threadIdx.x;
    float *matrix = matrices + blockIdx.x * 256;
    if (x < 16)
        for (int y = 0; y < 16; ++y)
            a[y][x] = matrix[y * 16 + x];
    __syncwarp();
    for (int k = 0; k < 15; ++k) {
        float square = 0.0f;
        for (int y = k; y < 16; ++y)
            square = fmaf(a[y][k], a[y][k], square);
        float norm = a[k][k] > 0.0f ? -sqrtf(square) : sqrtf(square);
        float head = a[k][k] - norm;
        float twice = 2.0f / (square - a[k][k] * a[k][k] + head * head);
        __syncwarp();
        if (x > k && x < 16) {
            float along = head * a[k][x];
            for (int y = k + 1; y < 16; ++y)
                along = fmaf(a[y][k], a[y][x], along);
            along *= twice;
            a[k][x] = fmaf(-along, head, a[k][x]);
            for (int y = k + 1; y < 16; ++y)
                a[y][x] = fmaf(-along, a[y][k], a[y][x]);
        }
        if (x == 0)
            scales[blockIdx.x * 16 + k] = twice;
        __syncwarp();
        if (x == k)
            a[k][k] = norm;
        __syncwarp();
    }
    if (x < 16)
        for (int y = 0; y < 16; ++y)
            matrix[y * 16 + x] = a[y][x];
}

// Conjugate gradients for one small dense symmetric system per CTA: `steps` iterations. block 64: one thread a row
extern "C" __global__ void conjugate_gradient(int steps, const double *__restrict__ matrices, const double *__restrict__ right,
                                              double *__restrict__ solutions)
{
    __shared__ double direction[64], sums[64];
    int i = threadIdx.x;
    const double *row = matrices + (blockIdx.x * 64 + i) * 64;
    auto total = [&](double mine) {
        __syncthreads();
        sums[i] = mine;
        for (int half = 32; half > 0; half /= 2) {
            __syncthreads();
            if (i < half)
                sums[i] += sums[i + half];
        }
        __syncthreads();
        return sums[0];
    };
    double x = 0.0, residual = right[blockIdx.x * 64 + i];
    direction[i] = residual;
    double square = total(residual * residual);
    for (int step = 0; step < steps; ++step) {
        double image = 0.0;
        for (int j = 0; j < 64; ++j)
            image = fma(row[j], direction[j], image);
        double mine = direction[i];
        double length = square / total(mine * image);
        x = fma(length, mine, x);
        residual = fma(-length, image, residual);
        double next = total(residual * residual);
        direction[i] = fma(next / square, mine, residual);
        square = next;
        __syncthreads();
    }
    solutions[blockIdx.x * 64 + i] = x;
}
