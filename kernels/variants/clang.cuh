// What CUDA's headers declare, for a clang that is older than the toolkit.
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
typedef unsigned long size_t;
struct Place { unsigned x, y, z; };
#define threadIdx (Place{__nvvm_read_ptx_sreg_tid_x(), __nvvm_read_ptx_sreg_tid_y(), __nvvm_read_ptx_sreg_tid_z()})
#define blockIdx (Place{__nvvm_read_ptx_sreg_ctaid_x(), __nvvm_read_ptx_sreg_ctaid_y(), __nvvm_read_ptx_sreg_ctaid_z()})
#define blockDim (Place{__nvvm_read_ptx_sreg_ntid_x(), __nvvm_read_ptx_sreg_ntid_y(), __nvvm_read_ptx_sreg_ntid_z()})
#define gridDim (Place{__nvvm_read_ptx_sreg_nctaid_x(), __nvvm_read_ptx_sreg_nctaid_y(), __nvvm_read_ptx_sreg_nctaid_z()})
#define __syncthreads() __nvvm_bar_sync(0)
#define __syncwarp() __nvvm_bar_warp_sync(0xffffffffu)
struct __attribute__((aligned(4))) uchar4 { unsigned char x, y, z, w; };
struct uchar3 { unsigned char x, y, z; };
struct __attribute__((aligned(8))) uint2 { unsigned x, y; };
struct __attribute__((aligned(8))) float2 { float x, y; };
struct __attribute__((aligned(16))) uint4 { unsigned x, y, z, w; };
struct __attribute__((aligned(16))) int4 { int x, y, z, w; };
struct __attribute__((aligned(16))) float4 { float x, y, z, w; };
static __device__ __forceinline__ uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) { return {x, y, z, w}; }
static __device__ __forceinline__ float2 make_float2(float x, float y) { return {x, y}; }
static __device__ __forceinline__ int min(int a, int b) { return a < b ? a : b; }
static __device__ __forceinline__ int max(int a, int b) { return a > b ? a : b; }
static __device__ __forceinline__ unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
static __device__ __forceinline__ unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
static __device__ __forceinline__ float fmaf(float a, float b, float c) { return __nvvm_fma_rn_f(a, b, c); }
static __device__ __forceinline__ float fminf(float a, float b) { return __nvvm_fmin_f(a, b); }
static __device__ __forceinline__ float fmaxf(float a, float b) { return __nvvm_fmax_f(a, b); }
static __device__ __forceinline__ float fabsf(float a) { return __nvvm_fabs_f(a); }
static __device__ __forceinline__ double fma(double a, double b, double c) { return __nvvm_fma_rn_d(a, b, c); }
static __device__ __forceinline__ unsigned __shfl_xor_sync(unsigned m, unsigned v, int l) { return __nvvm_shfl_sync_bfly_i32(m, v, l, 31); }
static __device__ __forceinline__ int __shfl_up_sync(unsigned m, int v, int l) { return __nvvm_shfl_sync_up_i32(m, v, l, 0); }
static __device__ __forceinline__ unsigned __shfl_up_sync(unsigned m, unsigned v, int l) { return __nvvm_shfl_sync_up_i32(m, v, l, 0); }
static __device__ __forceinline__ int __popc(unsigned v) { return __builtin_popcount(v); }
static __device__ __forceinline__ unsigned __ballot_sync(unsigned m, int p) { return __nvvm_vote_ballot_sync(m, p); }
static __device__ __forceinline__ unsigned __funnelshift_l(unsigned l, unsigned h, unsigned s) { s &= 31; return s ? h << s | l >> (32 - s) : h; }
static __device__ __forceinline__ unsigned __funnelshift_r(unsigned l, unsigned h, unsigned s) { s &= 31; return s ? l >> s | h << (32 - s) : l; }
static __device__ __forceinline__ unsigned __byte_perm(unsigned a, unsigned b, unsigned s) { return __nvvm_prmt(a, b, s); }
