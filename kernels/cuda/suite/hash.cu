// Hashes, checksums and ciphers: one thread a message or a block, as miners and checkers of many files do it.

__device__ __forceinline__ unsigned int right(unsigned int x, int by)
{
    return __funnelshift_r(x, x, by);
}

__constant__ unsigned int IV[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
__constant__ unsigned char ORDER[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1}, {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4}, {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

// BLAKE3 of many messages of 1 to 1024 bytes each: `length` bytes of every `pitch`. digests: 32 bytes each
extern "C" __global__ void blake3(int count, int pitch, int length, const unsigned char *__restrict__ bytes,
                                  unsigned int *__restrict__ digests)
{
    int message = blockIdx.x * blockDim.x + threadIdx.x;
    if (message >= count)
        return;
    bytes += (size_t)message * pitch;
    unsigned int chain[8];
    for (int i = 0; i < 8; ++i)
        chain[i] = IV[i];
    int blocks = (length + 63) / 64;
    for (int block = 0; block < blocks; ++block) {
        unsigned int m[16], v[16];
        int size = min(64, length - 64 * block);
        for (int i = 0; i < 16; ++i) {
            m[i] = 0;
            for (int j = 0; j < 4; ++j)
                if (4 * i + j < size)
                    m[i] |= (unsigned int)bytes[64 * block + 4 * i + j] << 8 * j;
        }
        for (int i = 0; i < 8; ++i) {
            v[i] = chain[i];
            v[8 + i] = i < 4 ? IV[i] : 0;
        }
        v[14] = size;
        v[15] = (block == 0 ? 1 : 0) | (block == blocks - 1 ? 2 | 8 : 0); // chunk start; chunk end, root
        for (int round = 0; round < 7; ++round) {
            const unsigned char *order = ORDER[round];
            auto mix = [&](int a, int b, int c, int d, int i) {
                v[a] += v[b] + m[order[i]];
                v[d] = right(v[d] ^ v[a], 16);
                v[c] += v[d];
                v[b] = right(v[b] ^ v[c], 12);
                v[a] += v[b] + m[order[i + 1]];
                v[d] = right(v[d] ^ v[a], 8);
                v[c] += v[d];
                v[b] = right(v[b] ^ v[c], 7);
            };
            mix(0, 4, 8, 12, 0), mix(1, 5, 9, 13, 2), mix(2, 6, 10, 14, 4), mix(3, 7, 11, 15, 6);
            mix(0, 5, 10, 15, 8), mix(1, 6, 11, 12, 10), mix(2, 7, 8, 13, 12), mix(3, 4, 9, 14, 14);
        }
        for (int i = 0; i < 8; ++i)
            chain[i] = v[i] ^ v[i + 8];
    }
    for (int i = 0; i < 8; ++i)
        digests[8 * message + i] = chain[i];
}

__constant__ unsigned long long ROUNDS[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};
__constant__ int TURNS[24] = {1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44};
__constant__ int LANES[24] = {10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1};

__device__ __noinline__ void permute(unsigned long long state[25])
{
    for (int round = 0; round < 24; ++round) {
        unsigned long long c[5];
        for (int x = 0; x < 5; ++x)
            c[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
        for (int x = 0; x < 5; ++x) {
            unsigned long long next = c[(x + 1) % 5], d = c[(x + 4) % 5] ^ (next << 1 | next >> 63);
            for (int y = 0; y < 25; y += 5)
                state[x + y] ^= d;
        }
        unsigned long long held = state[1];
        for (int i = 0; i < 24; ++i) {
            unsigned long long other = state[LANES[i]];
            state[LANES[i]] = held << TURNS[i] | held >> (64 - TURNS[i]);
            held = other;
        }
        for (int y = 0; y < 25; y += 5) {
            for (int x = 0; x < 5; ++x)
                c[x] = state[x + y];
            for (int x = 0; x < 5; ++x)
                state[x + y] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
        }
        state[0] ^= ROUNDS[round];
    }
}

// Keccak-256, as Ethereum hashes, of `words` 64-bit words each (at most 16: one block).
extern "C" __global__ void keccak256(int count, int words, const unsigned long long *__restrict__ messages,
                                     unsigned long long *__restrict__ digests)
{
    int message = blockIdx.x * blockDim.x + threadIdx.x;
    if (message >= count)
        return;
    unsigned long long state[25];
    for (int i = 0; i < 25; ++i)
        state[i] = i < words ? messages[message * words + i] : 0;
    state[words] ^= 1;
    state[16] ^= 1ull << 63;
    permute(state);
    for (int i = 0; i < 4; ++i)
        digests[4 * message + i] = state[i];
}

// CRC-32 of `length` bytes each, by a table that the CTA makes in shared memory; block 256
extern "C" __global__ void crc32(int count, int length, const unsigned char *__restrict__ bytes,
                                 unsigned int *__restrict__ sums)
{
    __shared__ unsigned int table[256];
    unsigned int entry = threadIdx.x;
    for (int bit = 0; bit < 8; ++bit)
        entry = entry >> 1 ^ (entry & 1 ? 0xedb88320u : 0);
    table[threadIdx.x] = entry;
    __syncthreads();
    int message = blockIdx.x * 256 + threadIdx.x;
    if (message >= count)
        return;
    unsigned int sum = 0xffffffffu;
    for (int i = 0; i < length; ++i)
        sum = sum >> 8 ^ table[(sum ^ bytes[(size_t)message * length + i]) & 255];
    sums[message] = ~sum;
}

// SipHash-2-4 of `words` 64-bit words each, under a key.
extern "C" __global__ void siphash(int count, int words, ulonglong2 key, const unsigned long long *__restrict__ messages,
                                   unsigned long long *__restrict__ tags)
{
    int message = blockIdx.x * blockDim.x + threadIdx.x;
    if (message >= count)
        return;
    unsigned long long v0 = key.x ^ 0x736f6d6570736575, v1 = key.y ^ 0x646f72616e646f6d;
    unsigned long long v2 = key.x ^ 0x6c7967656e657261, v3 = key.y ^ 0x7465646279746573;
    auto left = [](unsigned long long x, int by) { return x << by | x >> (64 - by); };
    auto rounds = [&](int n) {
        for (; n > 0; --n) {
            v0 += v1, v1 = left(v1, 13) ^ v0, v0 = left(v0, 32);
            v2 += v3, v3 = left(v3, 16) ^ v2;
            v0 += v3, v3 = left(v3, 21) ^ v0;
            v2 += v1, v1 = left(v1, 17) ^ v2, v2 = left(v2, 32);
        }
    };
    for (int i = 0; i <= words; ++i) {
        unsigned long long m = i < words ? messages[message * words + i] : (unsigned long long)(words * 8) << 56;
        v3 ^= m;
        rounds(2);
        v0 ^= m;
    }
    v2 ^= 0xff;
    rounds(4);
    tags[message] = v0 ^ v1 ^ v2 ^ v3;
}

// ChaCha20: one thread a block of 64 bytes of the key stream, added to the text.
extern "C" __global__ void chacha20(int blocks, const unsigned int *__restrict__ key, uint3 nonce,
                                    const uint4 *__restrict__ text, uint4 *__restrict__ out)
{
    int block = blockIdx.x * blockDim.x + threadIdx.x;
    if (block >= blocks)
        return;
    unsigned int start[16] = {
        0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1], key[2], key[3],
        key[4], key[5], key[6], key[7], (unsigned int)block, nonce.x, nonce.y, nonce.z,
    };
    unsigned int s[16];
    for (int i = 0; i < 16; ++i)
        s[i] = start[i];
    auto quarter = [&](int a, int b, int c, int d) {
        s[a] += s[b], s[d] = right(s[d] ^ s[a], 16);
        s[c] += s[d], s[b] = right(s[b] ^ s[c], 20);
        s[a] += s[b], s[d] = right(s[d] ^ s[a], 24);
        s[c] += s[d], s[b] = right(s[b] ^ s[c], 25);
    };
    for (int round = 0; round < 10; ++round) {
        quarter(0, 4, 8, 12), quarter(1, 5, 9, 13), quarter(2, 6, 10, 14), quarter(3, 7, 11, 15);
        quarter(0, 5, 10, 15), quarter(1, 6, 11, 12), quarter(2, 7, 8, 13), quarter(3, 4, 9, 14);
    }
    for (int i = 0; i < 4; ++i) {
        uint4 t = text[4 * block + i];
        out[4 * block + i] = make_uint4(t.x ^ (s[4 * i] + start[4 * i]), t.y ^ (s[4 * i + 1] + start[4 * i + 1]),
                                        t.z ^ (s[4 * i + 2] + start[4 * i + 2]), t.w ^ (s[4 * i + 3] + start[4 * i + 3]));
    }
}

__device__ __forceinline__ unsigned char twice(unsigned char x)
{
    return x << 1 ^ (x & 0x80 ? 0x1b : 0);
}

// AES-128 of many blocks in counter mode; the S-box is computed by the CTA; keys: the 176 expanded bytes. block 256
extern "C" __global__ void aes128(int blocks, const unsigned char *__restrict__ keys, const unsigned char *__restrict__ text,
                                  unsigned char *__restrict__ out)
{
    __shared__ unsigned char box[256];
    // The inverse in GF(2⁸) is the 254th power.
    unsigned char inverse = 1, base = threadIdx.x;
    for (int exponent = 254; exponent > 0; exponent >>= 1) {
        auto product = [](unsigned char a, unsigned char b) {
            unsigned char p = 0;
            for (int i = 0; i < 8; ++i) {
                if (b & 1)
                    p ^= a;
                a = twice(a);
                b >>= 1;
            }
            return p;
        };
        if (exponent & 1)
            inverse = product(inverse, base);
        base = product(base, base);
    }
    unsigned int turned = inverse * 0x0101u;
    box[threadIdx.x] = 0x63 ^ inverse ^ turned >> 7 ^ turned >> 6 ^ turned >> 5 ^ turned >> 4;
    __syncthreads();

    int block = blockIdx.x * 256 + threadIdx.x;
    if (block >= blocks)
        return;
    unsigned char s[16];
    for (int i = 0; i < 16; ++i)
        s[i] = (i < 12 ? 0 : block >> 8 * (15 - i) & 255) ^ keys[i];
    for (int round = 1; round <= 10; ++round) {
        unsigned char t[16];
        for (int i = 0; i < 16; ++i)
            t[i] = box[s[(i + i % 4 * 4) % 16]];
        for (int column = 0; column < 16; column += 4) {
            unsigned char all = t[column] ^ t[column + 1] ^ t[column + 2] ^ t[column + 3];
            for (int i = 0; i < 4; ++i) {
                unsigned char mixed = t[column + i] ^ all ^ twice(t[column + i] ^ t[column + (i + 1) % 4]);
                s[column + i] = (round < 10 ? mixed : t[column + i]) ^ keys[16 * round + column + i];
            }
        }
    }
    for (int i = 0; i < 16; ++i)
        out[16 * block + i] = text[16 * block + i] ^ s[i];
}

// MurmurHash3 (32 bits) of `words` words each.
extern "C" __global__ void murmur3(int count, int words, unsigned int seed, const unsigned int *__restrict__ messages,
                                   unsigned int *__restrict__ hashes)
{
    int message = blockIdx.x * blockDim.x + threadIdx.x;
    if (message >= count)
        return;
    unsigned int h = seed;
    for (int i = 0; i < words; ++i) {
        h ^= right(messages[message * words + i] * 0xcc9e2d51u, 17) * 0x1b873593u;
        h = right(h, 19) * 5 + 0xe6546b64u;
    }
    h ^= 4 * words;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    hashes[message] = h ^ h >> 16;
}
