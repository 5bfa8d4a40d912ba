// What the engine refuses, and why: the result would depend on the architecture, on timing, or on nothing at all.

#include <cstdio>

// exp by the special function unit: its last bits are the architecture's choice.
extern "C" __global__ void approximate(float *x)
{
    x[threadIdx.x] = __expf(x[threadIdx.x]);
}

// The order of additions decides about the last bits.
extern "C" __global__ void float_atomic(float *sum, const float *x)
{
    atomicAdd(sum, x[threadIdx.x]);
}

// Which thread gets which ticket depends on timing.
extern "C" __global__ void ticket(int *out)
{
    __shared__ int next;
    if (threadIdx.x == 0)
        next = 0;
    __syncthreads();
    out[threadIdx.x] = atomicAdd(&next, 1);
}

extern "C" __global__ void timing(long long *out)
{
    out[threadIdx.x] = clock64();
}

extern "C" __global__ void processor(unsigned int *out)
{
    asm volatile("mov.u32 %0, %%smid;" : "=r"(out[threadIdx.x]));
}

extern "C" __global__ void print(int *out, int x)
{
    *out = printf("%d\n", x);
}

__device__ __noinline__ int ackermann(int m, int n)
{
    if (m == 0)
        return n + 1;
    if (n == 0)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

extern "C" __global__ void recursion(int *out)
{
    out[threadIdx.x] = ackermann(threadIdx.x % 3, 2);
}

// The order in which a tensor core adds up is not stated, and differs between architectures.
extern "C" __global__ void half_tensor(float *c, const unsigned int *a, const unsigned int *b)
{
    float d[4] = {0, 0, 0, 0};
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[threadIdx.x]), "r"(a[threadIdx.x + 32]), "r"(b[threadIdx.x]));
    c[threadIdx.x] = d[0] + d[1] + d[2] + d[3];
}

extern "C" __global__ void active(unsigned int *out)
{
    if (threadIdx.x % 3 == 0)
        out[threadIdx.x] = __activemask();
}
