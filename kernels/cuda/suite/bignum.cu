// Whole numbers longer than a register, as cryptography uses them.

typedef unsigned __int128 Wide;
typedef unsigned long long Word;

// Product of 256-bit numbers: 512 bits. Numbers are four words, the lowest first.
extern "C" __global__ void multiply256(int count, const Word *__restrict__ a, const Word *__restrict__ b, Word *__restrict__ c)
{
    int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count)
        return;
    Word product[8] = {};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        Word carry = 0;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            Wide sum = (Wide)a[4 * n + i] * b[4 * n + j] + product[i + j] + carry;
            product[i + j] = (Word)sum;
            carry = (Word)(sum >> 64);
        }
        product[i + 4] = carry;
    }
    for (int i = 0; i < 8; ++i)
        c[8 * n + i] = product[i];
}

// Product modulo 2²⁵⁶ − 2³² − 977, the field of secp256k1; arguments below it.
extern "C" __global__ void field_multiply(int count, const Word *__restrict__ a, const Word *__restrict__ b, Word *__restrict__ c)
{
    const Word FOLD = 0x1000003d1ull;
    int n = blockIdx.x * blockDim.x + threadIdx.x;
    if (n >= count)
        return;
    Word product[8] = {};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        Word carry = 0;
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            Wide sum = (Wide)a[4 * n + i] * b[4 * n + j] + product[i + j] + carry;
            product[i + j] = (Word)sum;
            carry = (Word)(sum >> 64);
        }
        product[i + 4] = carry;
    }
    // The upper half counts FOLD times as much.
    Word r[4], carry = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        Wide sum = (Wide)product[i + 4] * FOLD + product[i] + carry;
        r[i] = (Word)sum;
        carry = (Word)(sum >> 64);
    }
    Wide sum = (Wide)carry * FOLD + r[0];
    r[0] = (Word)sum;
    carry = (Word)(sum >> 64);
#pragma unroll
    for (int i = 1; i < 4; ++i) {
        sum = (Wide)r[i] + carry;
        r[i] = (Word)sum;
        carry = (Word)(sum >> 64);
    }
    // At most once more than the modulus, or past 2²⁵⁶.
    Word t[4];
    Word more = FOLD;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        sum = (Wide)r[i] + more;
        t[i] = (Word)sum;
        more = (Word)(sum >> 64);
    }
    bool reduce = more | carry;
    for (int i = 0; i < 4; ++i)
        c[4 * n + i] = reduce ? t[i] : r[i];
}

// Montgomery's product of 64-bit numbers modulo an odd number.
__device__ __forceinline__ Word montgomery(Word a, Word b, Word modulus, Word inverse)
{
    Word low = a * b, high = __umul64hi(a, b);
    Word q = low * inverse, back = __umul64hi(q, modulus);
    return high >= back ? high - back : high + modulus - back;
}

// Whether odd numbers from `first` on are prime: Miller and Rabin with bases enough for 64 bits.
extern "C" __global__ void primes(Word first, unsigned char *__restrict__ prime)
{
    int index = blockIdx.x * blockDim.x + threadIdx.x;
    Word n = first + 2 * index;
    Word inverse = n; // of n modulo 2⁶⁴, by Newton
    for (int i = 0; i < 5; ++i)
        inverse *= 2 - n * inverse;
    Word one = -n % n, minus = n - one, square = one; // 2⁶⁴, its opposite, and 2¹²⁸ by doubling
    for (int i = 0; i < 64; ++i)
        square = square >= n - square ? square - (n - square) : square + square;
    int twos = __popcll((n - 1 & 1 - n) - 1);
    Word odd = n - 1 >> twos;
    const int bases[7] = {2, 325, 9375, 28178, 450775, 9780504, 1795265022};
    bool maybe = true;
    for (int k = 0; k < 7 && maybe; ++k) {
        Word base = bases[k] % n;
        if (base == 0)
            continue;
        base = montgomery(base, square, n, inverse);
        Word power = one;
        for (Word e = odd; e > 0; e >>= 1) {
            if (e & 1)
                power = montgomery(power, base, n, inverse);
            base = montgomery(base, base, n, inverse);
        }
        bool passes = power == one || power == minus;
        for (int i = 1; i < twos && !passes; ++i) {
            power = montgomery(power, power, n, inverse);
            passes = power == minus;
        }
        maybe = passes;
    }
    prime[index] = maybe;
}

// The factorial of `n` in decimal limbs of 9 digits, one CTA: each multiplication is a row of products, then a carry that
// thread 0 runs through. block 64
extern "C" __global__ void factorial(int n, unsigned int *__restrict__ limbs)
{
    __shared__ Word digits[64];
    int i = threadIdx.x;
    digits[i] = i == 0;
    for (int k = 2; k <= n; ++k) {
        __syncthreads();
        digits[i] *= k;
        __syncthreads();
        if (i == 0) {
            Word carry = 0;
            for (int j = 0; j < 64; ++j) {
                Word sum = digits[j] + carry;
                digits[j] = sum % 1000000000;
                carry = sum / 1000000000;
            }
        }
    }
    __syncthreads();
    limbs[i] = digits[i];
}
