// Pictures.

#include "maths.cuh"

// Escape time of z² + c in double precision; a warp's threads leave the loop one by one.
extern "C" __global__ void mandelbrot(int width, int height, double left, double top, double step, int most,
                                      unsigned short *__restrict__ out)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    double cx = left + x * step, cy = top - y * step, zx = 0.0, zy = 0.0;
    int i = 0;
    for (; i < most && zx * zx + zy * zy <= 4.0; ++i) {
        double next = zx * zx - zy * zy + cx;
        zy = 2.0 * zx * zy + cy;
        zx = next;
    }
    out[y * width + x] = i;
}

struct Vector {
    float x, y, z;
};

__device__ __forceinline__ Vector operator+(Vector a, Vector b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
__device__ __forceinline__ Vector operator-(Vector a, Vector b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
__device__ __forceinline__ Vector operator*(Vector a, float s) { return {a.x * s, a.y * s, a.z * s}; }
__device__ __forceinline__ float dot(Vector a, Vector b) { return fmaf(a.x, b.x, fmaf(a.y, b.y, a.z * b.z)); }
__device__ __forceinline__ Vector unit(Vector a) { return a * (1.0f / sqrtf(dot(a, a))); }

// Distance to the nearest thing: a floor, a ball, a torus, melted together at their seams.
__device__ float scene(Vector p)
{
    float floor = p.y + 1.0f;
    Vector ball = p - Vector{-1.1f, 0.0f, 0.3f};
    float first = sqrtf(dot(ball, ball)) - 0.9f;
    Vector ring = p - Vector{0.9f, -0.2f, 0.0f};
    float around = sqrtf(fmaf(ring.x, ring.x, ring.z * ring.z)) - 0.8f;
    float second = sqrtf(fmaf(around, around, ring.y * ring.y)) - 0.35f;
    float h = fminf(fmaxf(0.5f + 0.5f * (second - first) / 0.4f, 0.0f), 1.0f);
    float melted = fmaf(h, first - second, second) - 0.4f * h * (1.0f - h);
    return fminf(floor, melted);
}

__device__ Vector slope(Vector p)
{
    float e = 0.001f;
    return unit({scene(p + Vector{e, 0, 0}) - scene(p - Vector{e, 0, 0}), scene(p + Vector{0, e, 0}) - scene(p - Vector{0, e, 0}),
                 scene(p + Vector{0, 0, e}) - scene(p - Vector{0, 0, e})});
}

// Ray marching with soft shadows. block (16, 8)
extern "C" __global__ void raymarch(int width, int height, uchar4 *__restrict__ out)
{
    int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 8 + threadIdx.y;
    if (x >= width || y >= height)
        return;
    Vector eye = {0.0f, 0.9f, -4.0f}, light = unit({0.6f, 0.9f, -0.5f});
    Vector ray = unit({(x - 0.5f * width) / height, (0.5f * height - y) / height - 0.15f, 1.2f});
    float far = 0.0f;
    int steps = 0;
    for (; steps < 96 && far < 20.0f; ++steps) {
        float near = scene(eye + ray * far);
        if (near < 0.001f)
            break;
        far += near;
    }
    Vector colour = Vector{0.55f, 0.7f, 0.9f} * (1.0f - 0.5f * ray.y);
    if (steps < 96 && far < 20.0f) {
        Vector p = eye + ray * far, n = slope(p);
        float shadow = 1.0f;
        for (float along = 0.02f; along < 6.0f && shadow > 0.0f;) {
            float near = scene(p + light * along);
            shadow = fminf(shadow, 8.0f * near / along);
            along += fmaxf(near, 0.02f);
        }
        float bright = fmaxf(dot(n, light), 0.0f) * fmaxf(shadow, 0.0f);
        bool square = ((int)floorf(p.x) + (int)floorf(p.z)) & 1;
        Vector own = p.y < -0.99f ? Vector{0.5f, 0.5f, 0.5f} * (square ? 1.0f : 0.4f) : Vector{0.9f, 0.45f, 0.2f};
        // Things far away fade into the sky.
        float fade = maths::exponential(-0.01f * far * far);
        colour = own * (0.2f + 0.8f * bright) * fade + colour * (1.0f - fade);
    }
    auto byte = [](float c) { return (unsigned char)(fminf(fmaxf(c, 0.0f), 1.0f) * 255.0f + 0.5f); };
    out[y * width + x] = make_uchar4(byte(colour.x), byte(colour.y), byte(colour.z), 255);
}

// Grey of a picture by fixed-point luma, and the picture's mean per tile of 16 × 16. block (16, 16)
extern "C" __global__ void luma(int width, int height, const uchar4 *__restrict__ in, unsigned char *__restrict__ grey,
                                unsigned int *__restrict__ sums)
{
    __shared__ unsigned int warps[8];
    int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 16 + threadIdx.y, i = threadIdx.y * 16 + threadIdx.x;
    unsigned int value = 0;
    if (x < width && y < height) {
        uchar4 p = in[y * width + x];
        value = (77 * p.x + 150 * p.y + 29 * p.z + 128) >> 8;
        grey[y * width + x] = value;
    }
    value = __reduce_add_sync(0xffffffffu, value);
    if (i % 32 == 0)
        warps[i / 32] = value;
    __syncthreads();
    if (i == 0) {
        for (int w = 1; w < 8; ++w)
            value += warps[w];
        sums[blockIdx.y * gridDim.x + blockIdx.x] = value;
    }
}
