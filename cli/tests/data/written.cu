// Partial sums and a total that stay in variables of the module from launch to launch.
__device__ unsigned partial[64];
static __device__ unsigned total[2];
__device__ unsigned long long calls;

__global__ void sums(const unsigned *in)
{
    __shared__ unsigned sum;
    if (threadIdx.x == 0) sum = 0;
    __syncthreads();
    atomicAdd(&sum, in[blockIdx.x * blockDim.x + threadIdx.x]);
    __syncthreads();
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void combine(unsigned *out, int n)
{
    __shared__ unsigned held[64];
    held[threadIdx.x] = threadIdx.x < n ? partial[threadIdx.x] : 0;
    __syncthreads();
    for (int half = 32; half > 0; half /= 2) {
        if (threadIdx.x < half) held[threadIdx.x] += held[threadIdx.x + half];
        __syncthreads();
    }
    atomicAdd(&calls, 1ull);
    if (threadIdx.x == 0) {
        total[1] += held[0];
        out[0] = total[1];
    }
}
