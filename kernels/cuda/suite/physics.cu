// Particles and fields.

// Forces of all bodies on each, the bodies in tiles of shared memory, then half a step of velocity and a step of position.
// block 64; from: x, y, z, mass
extern "C" __global__ void nbody(int n, const float4 *__restrict__ from, float4 *__restrict__ to,
                                 float4 *__restrict__ velocity, float time)
{
    __shared__ float4 tile[64];
    int i = blockIdx.x * 64 + threadIdx.x;
    float4 me = i < n ? from[i] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float ax = 0.0f, ay = 0.0f, az = 0.0f;
    for (int start = 0; start < n; start += 64) {
        tile[threadIdx.x] = start + threadIdx.x < n ? from[start + threadIdx.x] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        __syncthreads();
        for (int j = 0; j < 64; ++j) {
            float4 other = tile[j];
            float dx = other.x - me.x, dy = other.y - me.y, dz = other.z - me.z;
            float square = fmaf(dx, dx, fmaf(dy, dy, fmaf(dz, dz, 0.01f)));
            float force = other.w / (square * sqrtf(square));
            ax = fmaf(dx, force, ax);
            ay = fmaf(dy, force, ay);
            az = fmaf(dz, force, az);
        }
        __syncthreads();
    }
    if (i >= n)
        return;
    float4 v = velocity[i];
    v.x = fmaf(ax, time, v.x);
    v.y = fmaf(ay, time, v.y);
    v.z = fmaf(az, time, v.z);
    velocity[i] = v;
    to[i] = make_float4(fmaf(v.x, time, me.x), fmaf(v.y, time, me.y), fmaf(v.z, time, me.z), me.w);
}

// Lennard-Jones energy of each atom within a cut-off, in double precision, over a list of neighbours.
extern "C" __global__ void lennard_jones(int n, int most, const double *__restrict__ x, const double *__restrict__ y,
                                         const double *__restrict__ z, const int *__restrict__ neighbours,
                                         double *__restrict__ energy)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    double sum = 0.0;
    for (int k = 0; k < most; ++k) {
        int j = neighbours[k * n + i];
        if (j < 0)
            break;
        double dx = x[j] - x[i], dy = y[j] - y[i], dz = z[j] - z[i];
        double square = dx * dx + dy * dy + dz * dz;
        if (square < 0.25) {
            double inverse = 0.0016 / square, sixth = inverse * inverse * inverse;
            sum += 4.0 * sixth * (sixth - 1.0);
        }
    }
    energy[i] = sum;
}

__constant__ int step_x[9] = {0, 1, 0, -1, 0, 1, -1, -1, 1};
__constant__ int step_y[9] = {0, 0, 1, 0, -1, 1, 1, -1, -1};
__constant__ float share[9] = {
    0.44444445f, 0.11111111f, 0.11111111f, 0.11111111f, 0.11111111f, 0.027777778f, 0.027777778f, 0.027777778f, 0.027777778f,
};

// A step of the lattice Boltzmann method with nine directions on a torus; one plane per direction.
extern "C" __global__ void lattice_boltzmann(int width, int height, float omega, const float *__restrict__ from,
                                             float *__restrict__ to)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height)
        return;
    float f[9], density = 0.0f, vx = 0.0f, vy = 0.0f;
#pragma unroll
    for (int i = 0; i < 9; ++i) {
        int column = (x - step_x[i] + width) % width, row = (y - step_y[i] + height) % height;
        f[i] = from[(i * height + row) * width + column];
        density += f[i];
        vx += step_x[i] * f[i];
        vy += step_y[i] * f[i];
    }
    vx /= density;
    vy /= density;
    float square = 1.5f * (vx * vx + vy * vy);
#pragma unroll
    for (int i = 0; i < 9; ++i) {
        float along = 3.0f * (step_x[i] * vx + step_y[i] * vy);
        float rest = share[i] * density * (1.0f + along + 0.5f * along * along - square);
        to[(i * height + y) * width + x] = f[i] + omega * (rest - f[i]);
    }
}

// Ising spins on a torus, the squares of one colour at a time: a spin flips when a random number allows it.
// Black and white squares lie in arrays of their own; a CTA owns its piece of the one that is updated.
extern "C" __global__ void ising(int half, int height, int colour, const signed char *__restrict__ others,
                                 signed char *__restrict__ spins, const unsigned int *__restrict__ thresholds, unsigned int round)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= half || y >= height)
        return;
    int side = (y + colour) % 2 ? (x + 1) % half : (x + half - 1) % half;
    int sum = others[(y + 1) % height * half + x] + others[(y + height - 1) % height * half + x]
        + others[y * half + x] + others[y * half + side];
    int index = y * half + x;
    unsigned int random = (index * 2654435761u ^ round * 2246822519u) * 3266489917u;
    random = (random ^ random >> 15) * 668265263u;
    random ^= random >> 13;
    int gain = spins[index] * sum; // -4 to 4
    if (random < thresholds[(gain + 4) / 2])
        spins[index] = -spins[index];
}
