// Each element from its neighbours.

// Conway's game of life on a torus.
extern "C" __global__ void life(int width, int height, const unsigned char *__restrict__ from, unsigned char *__restrict__ to)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int around = 0;
    for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx)
            if (dx != 0 || dy != 0)
                around += from[(y + dy + height) % height * width + (x + dx + width) % width];
    to[y * width + x] = around == 3 || (around == 2 && from[y * width + x]);
}

// Strength of edges in a picture of bytes.
extern "C" __global__ void sobel(int width, int height, const unsigned char *__restrict__ in, unsigned char *__restrict__ out)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    auto at = [=](int dx, int dy) {
        return (int)in[min(max(y + dy, 0), height - 1) * width + min(max(x + dx, 0), width - 1)];
    };
    int across = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1);
    int down = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1);
    out[y * width + x] = min(255, (int)sqrtf((float)(across * across + down * down)));
}

// Median of 3 × 3 by a network of exchanges.
extern "C" __global__ void median(int width, int height, const float *__restrict__ in, float *__restrict__ out)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    float v[9];
    for (int i = 0; i < 9; ++i)
        v[i] = in[min(max(y + i / 3 - 1, 0), height - 1) * width + min(max(x + i % 3 - 1, 0), width - 1)];
    auto order = [&](int a, int b) {
        float low = fminf(v[a], v[b]);
        v[b] = fmaxf(v[a], v[b]);
        v[a] = low;
    };
    order(1, 2), order(4, 5), order(7, 8), order(0, 1), order(3, 4), order(6, 7), order(1, 2), order(4, 5), order(7, 8);
    order(0, 3), order(5, 8), order(4, 7), order(3, 6), order(1, 4), order(2, 5), order(4, 7), order(4, 2), order(6, 4);
    order(4, 2);
    out[y * width + x] = v[4];
}

// Seven points in three dimensions, double precision; each thread walks along z.
extern "C" __global__ void laplace3d(int nx, int ny, int nz, const double *__restrict__ in, double *__restrict__ out)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= nx || y >= ny)
        return;
    int plane = nx * ny, here = y * nx + x;
    double below = 0.0, middle = in[here];
    for (int z = 0; z < nz; ++z, here += plane) {
        double above = z + 1 < nz ? in[here + plane] : 0.0;
        double sum = below + above;
        sum += (x > 0 ? in[here - 1] : 0.0) + (x + 1 < nx ? in[here + 1] : 0.0);
        sum += (y > 0 ? in[here - nx] : 0.0) + (y + 1 < ny ? in[here + nx] : 0.0);
        out[here] = fma(-6.0, middle, sum);
        below = middle;
        middle = above;
    }
}

// The wave equation: the new height replaces the one before the last.
extern "C" __global__ void wave(int width, int height, const float *__restrict__ now, float *__restrict__ before, float c)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < 1 || y < 1 || x >= width - 1 || y >= height - 1)
        return;
    int i = y * width + x;
    float bend = now[i - 1] + now[i + 1] + now[i - width] + now[i + width] - 4.0f * now[i];
    before[i] = 2.0f * now[i] - before[i] + c * bend;
}
