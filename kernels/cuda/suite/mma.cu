// Integer matrix products on tensor cores: one warp multiplies 16 × 32 by 32 × 8 bytes an instruction, exactly.

// a is m × k signed bytes by rows, b is n × k (one row per column of the product), c is m × n 32-bit integers.
// block 32, grid (n / 8, m / 16); k is a multiple of 32
extern "C" __global__ void mma_int8(int n, int k, const int *__restrict__ a, const int *__restrict__ b, int *__restrict__ c)
{
    int group = threadIdx.x / 4, within = threadIdx.x % 4, words = k / 4;
    const int *upper = a + (blockIdx.y * 16 + group) * words + within;
    const int *lower = upper + 8 * words;
    const int *right = b + (blockIdx.x * 8 + group) * words + within;
    int sum[4] = {0, 0, 0, 0};
    for (int i = 0; i < words; i += 8) {
        asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
            : "r"(upper[i]), "r"(lower[i]), "r"(upper[i + 4]), "r"(lower[i + 4]), "r"(right[i]), "r"(right[i + 4]));
    }
    int *out = c + (blockIdx.y * 16 + group) * n + blockIdx.x * 8 + 2 * within;
    out[0] = sum[0];
    out[1] = sum[1];
    out[8 * n] = sum[2];
    out[8 * n + 1] = sum[3];
}

// As above with the smaller shape of sm_75, unsigned by signed bytes.
// block 32, grid (n / 8, m / 8); k is a multiple of 16
extern "C" __global__ void mma_mixed(int n, int k, const int *__restrict__ a, const int *__restrict__ b, int *__restrict__ c)
{
    int group = threadIdx.x / 4, within = threadIdx.x % 4, words = k / 4;
    const int *left = a + (blockIdx.y * 8 + group) * words + within;
    const int *right = b + (blockIdx.x * 8 + group) * words + within;
    int sum[2] = {0x7fff0000, 1};
    for (int i = 0; i < words; i += 4)
        asm("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
            : "+r"(sum[0]), "+r"(sum[1])
            : "r"(left[i]), "r"(right[i]));
    int *out = c + (blockIdx.y * 8 + group) * n + blockIdx.x * 8 + 2 * within;
    out[0] = sum[0];
    out[1] = sum[1];
}
