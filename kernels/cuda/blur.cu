// Gaussian blur of an RGBA picture, radius 8. Each CTA reads its tile with a border of 8 pixels into shared memory,
// blurs rows, then columns. Integer weights, so there is nothing to round differently.

constexpr int TILE_X = 32;
constexpr int TILE_Y = 16;
constexpr int RADIUS = 8;
constexpr int WIDE = TILE_X + 2 * RADIUS;
constexpr int TALL = TILE_Y + 2 * RADIUS;

// A Gaussian of standard deviation 4, in 1/65536; the sum is 65536.
__constant__ unsigned int weights[2 * RADIUS + 1] = {
    915, 1462, 2195, 3095, 4100, 5103, 5966, 6552, 6760, 6552, 5966, 5103, 4100, 3095, 2195, 1462, 915,
};

__device__ __forceinline__ int clamp(int value, int last)
{
    return min(max(value, 0), last);
}

// block (32, 16), grid (ceil(width / 32), ceil(height / 16)); pixels outside the picture are those of its edge.
extern "C" __global__ void blur(const uchar4 *__restrict__ picture, uchar4 *__restrict__ out, int width, int height)
{
    __shared__ uchar4 pixels[TALL][WIDE];
    __shared__ uint4 rows[TALL][TILE_X];

    int left = blockIdx.x * TILE_X, top = blockIdx.y * TILE_Y;
    for (int y = threadIdx.y; y < TALL; y += TILE_Y)
        for (int x = threadIdx.x; x < WIDE; x += TILE_X)
            pixels[y][x] = picture[clamp(top + y - RADIUS, height - 1) * width + clamp(left + x - RADIUS, width - 1)];
    __syncthreads();

    for (int y = threadIdx.y; y < TALL; y += TILE_Y) {
        uint4 sum = make_uint4(0, 0, 0, 0);
        for (int k = 0; k <= 2 * RADIUS; ++k) {
            uchar4 pixel = pixels[y][threadIdx.x + k];
            unsigned int weight = weights[k];
            sum.x += weight * pixel.x;
            sum.y += weight * pixel.y;
            sum.z += weight * pixel.z;
            sum.w += weight * pixel.w;
        }
        // 8 bits and 8 bits of fraction: leaves room for the second pass in 32 bits.
        rows[y][threadIdx.x] = make_uint4(sum.x >> 8, sum.y >> 8, sum.z >> 8, sum.w >> 8);
    }
    __syncthreads();

    int x = left + threadIdx.x, y = top + threadIdx.y;
    if (x >= width || y >= height)
        return;
    uint4 sum = make_uint4(1u << 23, 1u << 23, 1u << 23, 1u << 23);
    for (int k = 0; k <= 2 * RADIUS; ++k) {
        uint4 row = rows[threadIdx.y + k][threadIdx.x];
        unsigned int weight = weights[k];
        sum.x += weight * row.x;
        sum.y += weight * row.y;
        sum.z += weight * row.z;
        sum.w += weight * row.w;
    }
    out[y * width + x] = make_uchar4(sum.x >> 24, sum.y >> 24, sum.z >> 24, sum.w >> 24);
}
