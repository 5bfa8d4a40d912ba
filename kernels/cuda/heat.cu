// Heat flow on a plate by Jacobi's method. `ignite` sets the start, a job repeats two launches of `heat`, from one grid
// to the other and back, and `paint` makes a picture.

constexpr int TILE = 16;

// Cold at 0, a hot disc at 1 left of the middle, and an upper border that is held at 1.
// block (16, 16), grid (ceil(width / 16), ceil(height / 16)), as for the other two
extern "C" __global__ void ignite(float *__restrict__ plate, int width, int height)
{
    int x = blockIdx.x * TILE + threadIdx.x, y = blockIdx.y * TILE + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int right = x - width / 3, down = y - height / 2, radius = height / 5;
    bool hot = y == 0 || right * right + down * down < radius * radius;
    plate[y * width + x] = hot ? 1.0f : 0.0f;
}

// One step with a fixed border; rate: at most 1/4.
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

// Black, red, yellow, white.
extern "C" __global__ void paint(const float *__restrict__ plate, uchar4 *__restrict__ picture, int width, int height)
{
    int x = blockIdx.x * TILE + threadIdx.x, y = blockIdx.y * TILE + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int shade = (int)(plate[y * width + x] * 765.0f + 0.5f);
    picture[y * width + x] = make_uchar4(min(shade, 255), min(max(shade - 255, 0), 255), min(max(shade - 510, 0), 255), 255);
}
