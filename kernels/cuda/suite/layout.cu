// Ways in which kernels say where their data is, and in which CTAs share it out.

// A lattice as a structure by value, pointers and all.
struct Weights { float centre, side; };
struct Lattice {
    const float *before;
    float *after;
    float *density;
    int width, height;
    char flip;
    Weights weights;
    float rates[2];
};

extern "C" __global__ void relax(Lattice at)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= at.width || y >= at.height)
        return;
    int cells = at.width * at.height, cell = y * at.width + x;
    float sum = 0.0f;
    for (int k = 0; k < 5; ++k)
        sum += at.before[k * cells + cell];
    at.density[cell] = sum;
    for (int k = 0; k < 5; ++k) {
        float now = at.before[k * cells + cell];
        float rest = (k == 0 ? at.weights.centre : at.weights.side) * sum;
        at.after[(at.flip ? 4 - k : k) * cells + cell] = now - at.rates[k & 1] * (now - rest);
    }
}

// Planes of pictures: blockIdx.z counts tiles of a plane, row by row.
extern "C" __global__ void tiles_in_z(const int *in, int *out, int planes, int width, int height, int tiles_across)
{
    int x = blockIdx.z % tiles_across * blockDim.x + threadIdx.x;
    int y = blockIdx.z / tiles_across * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    int plane = (blockIdx.x * planes + blockIdx.y) * width * height;
    int right = x + 1 < width ? in[plane + y * width + x + 1] : 0;
    int below = y + 1 < height ? in[plane + (y + 1) * width + x] : 0;
    out[plane + y * width + x] = in[plane + y * width + x] * 5 - right - below;
}

// One sum for each channel of each picture, written by channel and then by picture.
extern "C" __global__ void sum_channels(const unsigned int *in, unsigned int *out, int channels, int count)
{
    __shared__ unsigned int part[64];
    int picture = blockIdx.x / channels, channel = blockIdx.x % channels;
    unsigned int sum = 0;
    for (int i = threadIdx.x; i < count; i += 64)
        sum += in[blockIdx.x * count + i];
    part[threadIdx.x] = sum;
    __syncthreads();
    for (int step = 32; step > 0; step /= 2) {
        if (threadIdx.x < step)
            part[threadIdx.x] += part[threadIdx.x + step];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        out[channel * (gridDim.x / channels) + picture] = part[0];
}

// A grid of two axes that counts on in one line, and ends in the middle of a row.
extern "C" __global__ void count_on(const float2 *at, float *out, int count, float2 from)
{
    int i = blockDim.x * (gridDim.x * blockIdx.y + blockIdx.x) + threadIdx.x;
    if (i < count) {
        float dx = at[i].x - from.x, dy = at[i].y - from.y;
        out[i] = sqrtf(dx * dx + dy * dy);
    }
}

// Weights of a layer in place, with a row of biases above them that only the first CTA changes.
extern "C" __global__ void adjust(const float *delta, const float *inputs, float *weights, int width)
{
    int row = blockIdx.x * blockDim.y + threadIdx.y + 1, column = threadIdx.x;
    weights[row * width + column] += 0.25f * delta[column] * inputs[row];
    __syncthreads();
    if (blockIdx.x == 0 && threadIdx.y == 0)
        weights[column] += 0.25f * delta[column];
}
