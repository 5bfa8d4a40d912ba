// Heat flow on a square plate: one step of Jacobi's method on a grid with a fixed border. A job repeats two launches,
// from `from` to `to` and back.

constexpr int TILE = 16;

// block (16, 16), grid (ceil(width / 16), ceil(height / 16)); rate: at most 1/4
extern "C" __global__ void heat(const float *__restrict__ from, float *__restrict__ to, int width, int height,
                                float rate)
{
    __shared__ float plate[TILE + 2][TILE + 2];

    int left = blockIdx.x * TILE, top = blockIdx.y * TILE;
    for (int i = threadIdx.y * TILE + threadIdx.x; i < (TILE + 2) * (TILE + 2); i += TILE * TILE) {
        int x = left + i % (TILE + 2) - 1, y = top + i / (TILE + 2) - 1;
        plate[i / (TILE + 2)][i % (TILE + 2)] = x >= 0 && x < width && y >= 0 && y < height ? from[y * width + x] : 0.0f;
    }
    __syncthreads();

    int x = left + threadIdx.x, y = top + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int i = threadIdx.x + 1, j = threadIdx.y + 1;
    float here = plate[j][i];
    if (x > 0 && x < width - 1 && y > 0 && y < height - 1) {
        float around = (plate[j][i - 1] + plate[j][i + 1]) + (plate[j - 1][i] + plate[j + 1][i]);
        here = fmaf(rate, fmaf(-4.0f, here, around), here);
    }
    to[y * width + x] = here;
}
