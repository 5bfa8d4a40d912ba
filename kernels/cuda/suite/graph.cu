// Sparse matrices and graphs, in compressed rows: row r's entries are starts[r] .. starts[r + 1].

// One thread a row.
extern "C" __global__ void spmv_scalar(int rows, const int *__restrict__ starts, const int *__restrict__ columns,
                                       const double *__restrict__ values, const double *__restrict__ x, double *__restrict__ y)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    double sum = 0.0;
    for (int i = starts[row]; i < starts[row + 1]; ++i)
        sum = fma(values[i], x[columns[i]], sum);
    y[row] = sum;
}

// One warp a row; block 128
extern "C" __global__ void spmv_vector(int rows, const int *__restrict__ starts, const int *__restrict__ columns,
                                       const float *__restrict__ values, const float *__restrict__ x, float *__restrict__ y)
{
    int row = blockIdx.x * 4 + threadIdx.x / 32, lane = threadIdx.x % 32;
    if (row >= rows)
        return;
    float sum = 0.0f;
    for (int i = starts[row] + lane; i < starts[row + 1]; i += 32)
        sum = fmaf(values[i], x[columns[i]], sum);
    for (int by = 16; by > 0; by /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, by);
    if (lane == 0)
        y[row] = sum;
}

// Rows of equal length side by side, as ELLPACK keeps them; -1 ends a row.
extern "C" __global__ void spmv_ell(int rows, int width, const int *__restrict__ columns, const float *__restrict__ values,
                                    const float *__restrict__ x, float *__restrict__ y)
{
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    float sum = 0.0f;
    for (int k = 0; k < width; ++k) {
        int column = columns[k * rows + row];
        if (column < 0)
            break;
        sum += values[k * rows + row] * x[column];
    }
    y[row] = sum;
}

// A level of breadth-first search: an unreached vertex asks its neighbours. In place, by reading the last levels only.
extern "C" __global__ void bfs(int n, const int *__restrict__ starts, const int *__restrict__ neighbours,
                               const int *__restrict__ from, int *__restrict__ to, int round)
{
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= n)
        return;
    int level = from[v];
    if (level < 0)
        for (int i = starts[v]; i < starts[v + 1]; ++i)
            if (from[neighbours[i]] == round) {
                level = round + 1;
                break;
            }
    to[v] = level;
}

// A round of Bellman and Ford over incoming edges.
extern "C" __global__ void relax(int n, const int *__restrict__ starts, const int *__restrict__ neighbours,
                                 const unsigned int *__restrict__ lengths, const unsigned int *__restrict__ from,
                                 unsigned int *__restrict__ to)
{
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= n)
        return;
    unsigned int best = from[v];
    for (int i = starts[v]; i < starts[v + 1]; ++i) {
        unsigned int far = from[neighbours[i]];
        if (far != 0xffffffffu)
            best = min(best, far + lengths[i]);
    }
    to[v] = best;
}

// A round of PageRank; degree: edges that leave a vertex.
extern "C" __global__ void page_rank(int n, const int *__restrict__ starts, const int *__restrict__ neighbours,
                                     const int *__restrict__ degree, const double *__restrict__ from, double *__restrict__ to)
{
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= n)
        return;
    double sum = 0.0;
    for (int i = starts[v]; i < starts[v + 1]; ++i)
        sum += from[neighbours[i]] / degree[neighbours[i]];
    to[v] = 0.15 / n + 0.85 * sum;
}

// A step of Floyd and Warshall through vertex 2 · round + odd; block (16, 16)
extern "C" __global__ void floyd_warshall(int n, const int *__restrict__ from, int *__restrict__ to, int round, int odd)
{
    int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 16 + threadIdx.y, k = 2 * round + odd;
    if (x < n && y < n)
        to[y * n + x] = min(from[y * n + x], from[y * n + k] + from[k * n + x]);
}

// Triangles at each vertex: common neighbours of it and of its neighbours, by merging sorted lists.
extern "C" __global__ void triangles(int n, const int *__restrict__ starts, const int *__restrict__ neighbours,
                                     unsigned int *__restrict__ count)
{
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= n)
        return;
    unsigned int found = 0;
    for (int k = starts[v]; k < starts[v + 1]; ++k) {
        int u = neighbours[k];
        int i = starts[v], j = starts[u];
        while (i < starts[v + 1] && j < starts[u + 1]) {
            int a = neighbours[i], b = neighbours[j];
            found += a == b;
            i += a <= b;
            j += b <= a;
        }
    }
    count[v] = found / 2;
}
