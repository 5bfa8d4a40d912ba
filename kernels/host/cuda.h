// As much of CUDA C as the kernels use, on a CPU: each thread of a CTA is a coroutine, one CTA runs at a time. It knows
// nothing of PTX or of the engine, so it is an independent opinion on what a kernel computes.
#pragma once

#define ASSAY_MATH_NAMES

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>
#include <ucontext.h>

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __shared__ thread_local
#define __restrict__
#define __align__(n) alignas(n)
#define __launch_bounds__(...)
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))

template <typename T, int N, int A = sizeof(T) * N> struct alignas(A) vector;
template <typename T, int A> struct alignas(A) vector<T, 2, A> { T x, y; };
template <typename T, int A> struct alignas(A) vector<T, 4, A> { T x, y, z, w; };
#define VECTORS(name, T) \
    struct name##3 { T x, y, z; }; \
    using name##2 = vector<T, 2>; \
    using name##4 = vector<T, 4, (sizeof(T) * 4 > 16 ? 16 : sizeof(T) * 4)>; \
    inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
    inline name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; } \
    inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
VECTORS(char, signed char)
VECTORS(uchar, unsigned char)
VECTORS(short, short)
VECTORS(ushort, unsigned short)
VECTORS(int, int)
VECTORS(uint, unsigned int)
VECTORS(float, float)
VECTORS(double, double)
VECTORS(longlong, long long)
VECTORS(ulonglong, unsigned long long)

struct dim3 { unsigned int x, y, z; };
inline dim3 gridDim, blockDim, blockIdx, threadIdx;
constexpr int warpSize = 32;

// One CTA's threads.
namespace host {

struct Thread {
    ucontext_t context;
    std::vector<char> stack;
    dim3 index;
    bool done = false;
};

struct Meeting { // of the threads of one barrier
    unsigned int arrived = 0, round = 0;
};

inline std::vector<Thread> threads;
inline size_t current;
inline ucontext_t scheduler;
inline const std::function<void()> *body;
inline Meeting cta;
inline std::vector<Meeting> warps;
inline std::vector<uint64_t> slots;
inline size_t alive;

inline void yield() { swapcontext(&threads[current].context, &scheduler); }

// Waits until `count` threads have come.
inline void meet(Meeting &meeting, const std::function<unsigned int()> &count)
{
    unsigned int round = meeting.round;
    ++meeting.arrived;
    for (;;) {
        if (meeting.round != round)
            return;
        if (meeting.arrived >= count()) {
            meeting.arrived = 0;
            ++meeting.round;
            return;
        }
        yield();
    }
}

inline void trampoline()
{
    (*body)();
    threads[current].done = true;
    --alive;
    yield();
}

inline void run_cta(const std::function<void()> &kernel)
{
    size_t count = size_t(blockDim.x) * blockDim.y * blockDim.z;
#ifdef HOST_NO_BARRIERS
    // Threads that never wait for each other need no stacks of their own.
    for (threadIdx.z = 0; threadIdx.z < blockDim.z; ++threadIdx.z)
        for (threadIdx.y = 0; threadIdx.y < blockDim.y; ++threadIdx.y)
            for (threadIdx.x = 0; threadIdx.x < blockDim.x; ++threadIdx.x)
                kernel();
    return;
#endif
    if (threads.size() < count)
        threads.resize(count);
    body = &kernel;
    alive = count;
    cta = {};
    warps.assign((count + 31) / 32, {});
    slots.assign(count, 0);
    for (size_t i = 0; i < count; ++i) {
        Thread &thread = threads[i];
        thread.stack.resize(128 * 1024);
        thread.index = {unsigned(i % blockDim.x), unsigned(i / blockDim.x % blockDim.y), unsigned(i / blockDim.x / blockDim.y)};
        thread.done = false;
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.data();
        thread.context.uc_stack.ss_size = thread.stack.size();
        thread.context.uc_link = nullptr;
        makecontext(&thread.context, trampoline, 0);
    }
    while (alive > 0)
        for (current = 0; current < count; ++current)
            if (!threads[current].done) {
                threadIdx = threads[current].index;
                swapcontext(&scheduler, &threads[current].context);
            }
}

inline void meet_warp(unsigned int mask)
{
    meet(warps[current / 32], [=] { return (unsigned)__builtin_popcount(mask); });
}

inline unsigned int lane() { return current % 32; }

// Every thread of `mask` shows its value; `use` looks at those of the warp.
template <typename T, typename F> auto exchange(unsigned int mask, T value, F use)
{
    static_assert(sizeof(T) <= 8);
    std::memcpy(&slots[current], &value, sizeof(T));
    meet_warp(mask);
    size_t base = current / 32 * 32;
    auto at = [=](unsigned int lane) {
        T other;
        std::memcpy(&other, &slots[base + lane], sizeof(T));
        return other;
    };
    auto result = use(at);
    meet_warp(mask);
    return result;
}

} // namespace host

inline void __syncthreads() { host::meet(host::cta, [] { return (unsigned)host::alive; }); }
inline void __syncwarp(unsigned int mask = ~0u) { host::meet_warp(mask); }

template <typename T> T __shfl_sync(unsigned int mask, T value, int from, int width = 32)
{
    return host::exchange(mask, value, [=](auto at) { return at((host::lane() & ~(width - 1)) | (from & (width - 1))); });
}
template <typename T> T __shfl_xor_sync(unsigned int mask, T value, int with, int width = 32)
{
    return host::exchange(mask, value, [=](auto at) {
        unsigned int other = host::lane() ^ with;
        return at(other / width > host::lane() / width ? host::lane() : other);
    });
}
template <typename T> T __shfl_up_sync(unsigned int mask, T value, unsigned int by, int width = 32)
{
    return host::exchange(mask, value, [=](auto at) {
        return at(host::lane() % width < by ? host::lane() : host::lane() - by);
    });
}
template <typename T> T __shfl_down_sync(unsigned int mask, T value, unsigned int by, int width = 32)
{
    return host::exchange(mask, value, [=](auto at) {
        return at(host::lane() % width + by >= unsigned(width) ? host::lane() : host::lane() + by);
    });
}
inline unsigned int __ballot_sync(unsigned int mask, int predicate)
{
    return host::exchange(mask, predicate != 0, [=](auto at) {
        unsigned int votes = 0;
        for (unsigned int lane = 0; lane < 32; ++lane)
            if (mask >> lane & 1)
                votes |= unsigned(at(lane)) << lane;
        return votes;
    });
}
inline int __any_sync(unsigned int mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned int mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }
template <typename T> unsigned int __match_any_sync(unsigned int mask, T value)
{
    return host::exchange(mask, value, [=](auto at) {
        unsigned int same = 0;
        for (unsigned int lane = 0; lane < 32; ++lane)
            if (mask >> lane & 1 && at(lane) == value)
                same |= 1u << lane;
        return same;
    });
}
template <typename T, typename F> T warp_fold(unsigned int mask, T value, F fold)
{
    return host::exchange(mask, value, [=](auto at) {
        bool first = true;
        T sum = value;
        for (unsigned int lane = 0; lane < 32; ++lane)
            if (mask >> lane & 1) {
                sum = first ? at(lane) : fold(sum, at(lane));
                first = false;
            }
        return sum;
    });
}
template <typename T> T __reduce_add_sync(unsigned int mask, T value) { return warp_fold(mask, value, [](T a, T b) { return a + b; }); }
template <typename T> T __reduce_min_sync(unsigned int mask, T value) { return warp_fold(mask, value, [](T a, T b) { return a < b ? a : b; }); }
template <typename T> T __reduce_max_sync(unsigned int mask, T value) { return warp_fold(mask, value, [](T a, T b) { return a > b ? a : b; }); }
inline unsigned int __reduce_or_sync(unsigned int mask, unsigned int value) { return warp_fold(mask, value, [](unsigned a, unsigned b) { return a | b; }); }
inline unsigned int __reduce_xor_sync(unsigned int mask, unsigned int value) { return warp_fold(mask, value, [](unsigned a, unsigned b) { return a ^ b; }); }
inline int __syncthreads_count(int predicate)
{
    static int count;
    __syncthreads();
    count = 0;
    __syncthreads();
    count += predicate != 0;
    __syncthreads();
    return count;
}
inline int __syncthreads_or(int predicate) { return __syncthreads_count(predicate) > 0; }
inline int __syncthreads_and(int predicate) { return __syncthreads_count(!predicate) == 0; }

template <typename T, typename U> T atomicAdd(T *at, U value) { T old = *at; *at = old + value; return old; }
template <typename T, typename U> T atomicMin(T *at, U value) { T old = *at; *at = old < (T)value ? old : (T)value; return old; }
template <typename T, typename U> T atomicMax(T *at, U value) { T old = *at; *at = old > (T)value ? old : (T)value; return old; }
template <typename T, typename U> T atomicOr(T *at, U value) { T old = *at; *at = old | value; return old; }
template <typename T, typename U> T atomicAnd(T *at, U value) { T old = *at; *at = old & value; return old; }
template <typename T, typename U> T atomicXor(T *at, U value) { T old = *at; *at = old ^ value; return old; }

template <typename T, typename U> auto min(T a, U b) { using C = std::common_type_t<T, U>; return (C)a < (C)b ? (C)a : (C)b; }
template <typename T, typename U> auto max(T a, U b) { using C = std::common_type_t<T, U>; return (C)a > (C)b ? (C)a : (C)b; }

template <typename To, typename From> To bits(From value)
{
    static_assert(sizeof(To) == sizeof(From));
    To out;
    std::memcpy(&out, &value, sizeof(To));
    return out;
}
inline float __int_as_float(int x) { return bits<float>(x); }
inline float __uint_as_float(unsigned int x) { return bits<float>(x); }
inline int __float_as_int(float x) { return bits<int>(x); }
inline unsigned int __float_as_uint(float x) { return bits<unsigned int>(x); }
inline double __longlong_as_double(long long x) { return bits<double>(x); }
inline long long __double_as_longlong(double x) { return bits<long long>(x); }

inline unsigned int __umulhi(unsigned int a, unsigned int b) { return (uint64_t)a * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }
inline int __mulhi(int a, int b) { return (int64_t)a * b >> 32; }
inline int __popc(unsigned int x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(unsigned int x) { return x ? __builtin_clz(x) : 32; }
inline int __clzll(unsigned long long x) { return x ? __builtin_clzll(x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned int __brev(unsigned int x)
{
    unsigned int y = 0;
    for (int i = 0; i < 32; ++i)
        y |= (x >> i & 1) << (31 - i);
    return y;
}
inline unsigned int __funnelshift_r(unsigned int low, unsigned int high, unsigned int by)
{
    return ((uint64_t)high << 32 | low) >> (by & 31);
}
inline unsigned int __funnelshift_l(unsigned int low, unsigned int high, unsigned int by)
{
    return ((uint64_t)high << 32 | low) << (by & 31) >> 32;
}
inline unsigned int __byte_perm(unsigned int a, unsigned int b, unsigned int selector)
{
    uint64_t both = (uint64_t)b << 32 | a;
    unsigned int out = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned int which = selector >> 4 * i & 15;
        unsigned int byte = both >> 8 * (which & 7) & 255;
        out |= (which & 8 ? (byte & 128 ? 255u : 0u) : byte) << 8 * i;
    }
    return out;
}
inline int __dp4a(int a, int b, int c)
{
    for (int i = 0; i < 4; ++i)
        c += (int8_t)(a >> 8 * i) * (int8_t)(b >> 8 * i);
    return c;
}
inline unsigned int __dp4a(unsigned int a, unsigned int b, unsigned int c)
{
    for (int i = 0; i < 4; ++i)
        c += (uint8_t)(a >> 8 * i) * (uint8_t)(b >> 8 * i);
    return c;
}
template <typename F> unsigned int bytewise(unsigned int a, unsigned int b, F f)
{
    unsigned int out = 0;
    for (int i = 0; i < 4; ++i)
        out |= (f(a >> 8 * i & 255, b >> 8 * i & 255) & 255) << 8 * i;
    return out;
}
inline unsigned int __vabsdiffu4(unsigned int a, unsigned int b) { return bytewise(a, b, [](int x, int y) { return unsigned(x > y ? x - y : y - x); }); }
inline unsigned int __vaddus4(unsigned int a, unsigned int b) { return bytewise(a, b, [](int x, int y) { return unsigned(x + y > 255 ? 255 : x + y); }); }
inline unsigned int __vavgu4(unsigned int a, unsigned int b) { return bytewise(a, b, [](int x, int y) { return unsigned((x + y + 1) / 2); }); }
inline unsigned int __vmaxu4(unsigned int a, unsigned int b) { return bytewise(a, b, [](int x, int y) { return unsigned(x > y ? x : y); }); }
inline unsigned int __sad(int a, int b, unsigned int c) { return c + (a > b ? (unsigned)a - b : (unsigned)b - a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __saturatef(float x) { return x > 0.0f ? x < 1.0f ? x : 1.0f : 0.0f; }
inline int __float2int_rn(float x) { return (int)rintf(x); }
inline int __float2int_rz(float x) { return (int)x; }
inline int __float2int_rd(float x) { return (int)floorf(x); }
template <typename T> T __ldg(const T *at) { return *at; }

// Calling a kernel with arguments that were read from a file.
namespace host {

struct Argument {
    bool pointer;
    std::vector<uint8_t> bytes;
    uint8_t *address;
};

template <typename T> std::remove_const_t<T> take(const Argument &argument)
{
    if constexpr (std::is_pointer_v<T>) {
        return (T)argument.address;
    } else {
        std::remove_const_t<T> value{};
        std::memcpy(&value, argument.bytes.data(), std::min(sizeof(T), argument.bytes.size()));
        return value;
    }
}

template <typename... P, size_t... I>
void call(void (*kernel)(P...), const std::vector<Argument> &arguments, std::index_sequence<I...>)
{
    kernel(take<P>(arguments[I])...);
}

using Entry = std::function<void(const std::vector<Argument> &)>;

template <typename... P> Entry entry(void (*kernel)(P...))
{
    return [=](const std::vector<Argument> &arguments) {
        if (arguments.size() != sizeof...(P))
            throw "another number of arguments";
        call(kernel, arguments, std::index_sequence_for<P...>{});
    };
}

} // namespace host
