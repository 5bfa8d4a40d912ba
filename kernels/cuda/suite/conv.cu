// Convolutions and what stands around them in networks.

// 3 × 3 over several channels, with padding: out[o][y][x] = bias[o] + Σ in[c][y+dy][x+dx] · weight[o][c][dy][dx].
// grid (ceil(width / 16), ceil(height / 8), outputs), block (16, 8)
extern "C" __global__ void conv3x3(int width, int height, int channels, const float *__restrict__ in,
                                   const float *__restrict__ weight, const float *__restrict__ bias, float *__restrict__ out)
{
    int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y, o = blockIdx.z;
    if (x >= width || y >= height)
        return;
    float sum = bias[o];
    for (int c = 0; c < channels; ++c)
        for (int dy = -1; dy <= 1; ++dy)
            for (int dx = -1; dx <= 1; ++dx)
                if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height)
                    sum = fmaf(in[(c * height + y + dy) * width + x + dx],
                               weight[((o * channels + c) * 3 + dy + 1) * 3 + dx + 1], sum);
    out[(o * height + y) * width + x] = fmaxf(sum, 0.0f);
}

// Each channel by itself, signed bytes, requantised by a multiplier and a shift with rounding.
// out[y][x][channel]; block (32, 4): channels along x. grid (channels / 32, ceil(width / 4), height)
extern "C" __global__ void depthwise(int width, int height, int channels, const signed char *__restrict__ in,
                                     const signed char *__restrict__ weight, int multiplier, int shift,
                                     signed char *__restrict__ out)
{
    int channel = blockIdx.x * 32 + threadIdx.x, x = blockIdx.y * 4 + threadIdx.y, y = blockIdx.z;
    if (channel >= channels || x >= width)
        return;
    int sum = 0;
    for (int k = 0; k < 9; ++k) {
        int column = x + k % 3 - 1, row = y + k / 3 - 1;
        if ((unsigned)column < (unsigned)width && (unsigned)row < (unsigned)height)
            sum += in[(row * width + column) * channels + channel] * weight[k * channels + channel];
    }
    long long scaled = ((long long)sum * multiplier + (1ll << (shift - 1))) >> shift;
    out[(y * width + x) * channels + channel] = (signed char)(scaled < -128 ? -128 : scaled > 127 ? 127 : scaled);
}

__constant__ float taps[16] = {
    0.0078125f, 0.015625f, 0.03125f, 0.0546875f, 0.078125f, 0.09375f, 0.109375f, 0.109375f,
    0.109375f, 0.109375f, 0.09375f, 0.078125f, 0.0546875f, 0.03125f, 0.015625f, 0.0078125f,
};

// A filter of 16 taps over a signal; the CTA's piece and what is before it in shared memory. block 128
extern "C" __global__ void fir(int n, const float *__restrict__ in, float *__restrict__ out)
{
    __shared__ float piece[128 + 15];
    for (int i = threadIdx.x; i < 128 + 15; i += 128) {
        int at = blockIdx.x * 128 + i - 15;
        piece[i] = at >= 0 && at < n ? in[at] : 0.0f;
    }
    __syncthreads();
    int at = blockIdx.x * 128 + threadIdx.x;
    if (at >= n)
        return;
    float sum = 0.0f;
#pragma unroll
    for (int tap = 0; tap < 16; ++tap)
        sum += taps[tap] * piece[threadIdx.x + 15 - tap];
    out[at] = sum;
}

// 2 × 2 maximum and which of the four it was.
extern "C" __global__ void max_pool(int width, int height, const float *__restrict__ in, float *__restrict__ out,
                                    unsigned char *__restrict__ which)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width / 2 || y >= height / 2)
        return;
    float best = in[2 * y * width + 2 * x];
    int place = 0;
    for (int k = 1; k < 4; ++k) {
        float v = in[(2 * y + k / 2) * width + 2 * x + k % 2];
        if (v > best)
            best = v, place = k;
    }
    out[y * (width / 2) + x] = best;
    which[y * (width / 2) + x] = place;
}

// Twice the size by linear interpolation in fixed point, one channel of 16 bits.
extern "C" __global__ void upsample(int width, int height, const unsigned short *__restrict__ in,
                                    unsigned short *__restrict__ out)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= 2 * width || y >= 2 * height)
        return;
    int left = max((x - 1) >> 1, 0), right = min((x + 1) >> 1, width - 1);
    int top = max((y - 1) >> 1, 0), bottom = min((y + 1) >> 1, height - 1);
    unsigned int across = x & 1 ? 1 : 3, down = y & 1 ? 1 : 3;
    unsigned int upper = (4 - across) * in[top * width + left] + across * in[top * width + right];
    unsigned int lower = (4 - across) * in[bottom * width + left] + across * in[bottom * width + right];
    out[y * 2 * width + x] = ((4 - down) * upper + down * lower + 8) >> 4;
}
