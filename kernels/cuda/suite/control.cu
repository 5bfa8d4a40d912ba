// Calls, tables of jumps, structures by value, local arrays: what a compiler makes of ordinary control flow.

// A stack machine: one thread a program input, the same bytecode for all.
extern "C" __global__ void interpreter(int count, const unsigned char *__restrict__ code, const int *__restrict__ inputs,
                                       int *__restrict__ outputs)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count)
        return;
    int stack[16], top = 0, at = 0, steps = 0;
    stack[0] = inputs[i];
    while (steps++ < 500) {
        switch (code[at++]) {
        case 0: // end
            outputs[i] = stack[top];
            return;
        case 1: // number
            stack[++top] = (signed char)code[at++];
            break;
        case 2:
            --top;
            stack[top] += stack[top + 1];
            break;
        case 3:
            --top;
            stack[top] -= stack[top + 1];
            break;
        case 4:
            --top;
            stack[top] *= stack[top + 1];
            break;
        case 5: // copy
            ++top;
            stack[top] = stack[top - 1];
            break;
        case 6: { // swap
            int held = stack[top];
            stack[top] = stack[top - 1];
            stack[top - 1] = held;
            break;
        }
        case 7: // jump back if not zero
            if (stack[top--] != 0)
                at -= code[at];
            ++at;
            break;
        case 8:
            stack[top] >>= 1;
            break;
        case 9:
            stack[top] &= 1;
            break;
        case 10: // copy the third
            ++top;
            stack[top] = stack[top - 3];
            break;
        case 11:
            --top;
            stack[top] ^= stack[top + 1];
            break;
        case 12: // drop
            --top;
            break;
        default:
            outputs[i] = -1;
            return;
        }
    }
    outputs[i] = -2;
}

struct Fraction {
    long long top, bottom;
};

__device__ __noinline__ long long divisor(long long a, long long b)
{
    while (b != 0) {
        long long rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

__device__ __noinline__ Fraction sum(Fraction a, Fraction b)
{
    long long top = a.top * b.bottom + b.top * a.bottom, bottom = a.bottom * b.bottom;
    long long common = divisor(top, bottom);
    return {top / common, bottom / common};
}

// Sums of fractions by functions that are called, with structures by value.
extern "C" __global__ void fractions(int each, const Fraction *__restrict__ in, Fraction *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    Fraction total = {0, 1};
    for (int k = 0; k < each; ++k)
        total = sum(total, in[i * each + k]);
    out[i] = total;
}

// Nested loops that break, continue and jump.
extern "C" __global__ void tangled(int n, const unsigned int *__restrict__ in, unsigned int *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    unsigned int x = in[i], sum = 0;
    for (int outer = 0; outer < 20; ++outer) {
        if (x % 7 == 3) {
            x /= 3;
            continue;
        }
        int inner = 0;
        do {
            if (x == 0)
                goto done;
            x = x & 1 ? x * 5 + 1 : x >> 2;
            sum += x ^ inner;
            if (sum % 11 == 4)
                break;
        } while (++inner < (outer & 3) + 2);
        if (sum > 0xf0000000u)
            goto done;
        sum = sum * 31 + outer;
    }
    sum ^= 0x5555;
done:
    out[i] = sum;
}

__device__ unsigned int table[64] = {
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131,
    137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271,
    277, 281, 283, 293, 307, 311,
};

// Smallest prime divisor below 312, or zero; warps vote to leave early. block 64
extern "C" __global__ void sieve(int n, unsigned int *__restrict__ out)
{
    int i = blockIdx.x * 64 + threadIdx.x;
    unsigned int number = 2 * i + 3, found = 0;
    for (int k = 0; k < 64; ++k) {
        if (found == 0 && number % table[k] == 0)
            found = table[k];
        if (__all_sync(0xffffffffu, found != 0))
            break;
    }
    if (i < n)
        out[i] = found;
}

typedef unsigned int (*Step)(unsigned int, unsigned int);

static __device__ unsigned int step_add(unsigned int x, unsigned int by) { return x + by; }
static __device__ unsigned int step_times(unsigned int x, unsigned int by) { return x * (by | 1); }
static __device__ unsigned int step_turn(unsigned int x, unsigned int by) { return x << (by & 31) | x >> (-by & 31); }
static __device__ unsigned int step_divide(unsigned int x, unsigned int by) { return by == 0 ? x : x / by; }

__device__ Step steps[4] = {step_add, step_times, step_turn, step_divide};

struct Rule {
    unsigned int state;
    __device__ Rule(unsigned int state) : state(state) {}
    __device__ virtual unsigned int next(unsigned int by) = 0;
};

struct Table : Rule {
    __device__ Table(unsigned int state) : Rule(state) {}
    __device__ unsigned int next(unsigned int by) override { return state = steps[by >> 30](state, by & 0xff); }
};

struct Lagged : Rule {
    unsigned int last;
    __device__ Lagged(unsigned int state) : Rule(state), last(~state) {}
    __device__ unsigned int next(unsigned int by) override
    {
        unsigned int held = state;
        state = last ^ by;
        return last = held;
    }
};

// Calls through pointers: a rule of either kind for each thread, and functions by the upper bits of each word.
extern "C" __global__ void rules(int count, int length, const unsigned int *__restrict__ words, unsigned int *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count)
        return;
    Table table(i);
    Lagged lagged(i);
    Rule *rule = words[i] % 3 == 0 ? (Rule *)&lagged : (Rule *)&table;
    unsigned int sum = 0;
    for (int k = 0; k < length; ++k)
        sum = sum * 31 + rule->next(words[i + k]);
    out[i] = sum;
}
