// Compression and its opposite, each CTA or thread its own block.

// Run-length coding of 256 bytes: pairs of value and length, and how many. block 256
extern "C" __global__ void run_lengths(const unsigned char *__restrict__ in, uchar2 *__restrict__ out,
                                       unsigned int *__restrict__ counts)
{
    __shared__ unsigned int starts[257];
    __shared__ unsigned int warps[8];
    int i = threadIdx.x, lane = i % 32, warp = i / 32;
    in += blockIdx.x * 256;
    unsigned char mine = in[i];
    bool head = i == 0 || in[i - 1] != mine;
    unsigned int votes = __ballot_sync(0xffffffffu, head);
    if (lane == 0)
        warps[warp] = __popc(votes);
    __syncthreads();
    unsigned int before = 0, all = 0;
    for (int w = 0; w < 8; ++w) {
        before += w < warp ? warps[w] : 0;
        all += warps[w];
    }
    before += __popc(votes & ((1u << lane) - 1));
    if (head)
        starts[before] = i;
    if (i == 0)
        starts[all] = 256;
    __syncthreads();
    if (head)
        out[blockIdx.x * 256 + before] = make_uchar2(mine, starts[before + 1] - i - 1); // one less: 256 fits
    if (i == 0)
        counts[blockIdx.x] = all;
}

// Differences of 128 integers in as few bits as the largest needs: the words, and how many bits. block 128
extern "C" __global__ void bit_pack(const int *__restrict__ in, unsigned int *__restrict__ out, unsigned int *__restrict__ widths)
{
    __shared__ unsigned int codes[128];
    __shared__ unsigned int warps[4];
    int i = threadIdx.x;
    in += blockIdx.x * 128;
    int difference = i == 0 ? in[0] : in[i] - in[i - 1];
    unsigned int code = difference << 1 ^ difference >> 31; // small numbers of either sign to small codes
    codes[i] = code;
    unsigned int any = __reduce_or_sync(0xffffffffu, code);
    if (i % 32 == 0)
        warps[i / 32] = any;
    __syncthreads();
    int width = 32 - __clz(warps[0] | warps[1] | warps[2] | warps[3]);
    if (i == 0)
        widths[blockIdx.x] = width;
    // Word i holds bits 32 i and on; each thread gathers its own.
    if (i >= 4 * width)
        return;
    unsigned int word = 0;
    for (int k = 32 * i / width; k < 128 && k * width < 32 * i + 32; ++k) {
        int shift = k * width - 32 * i;
        word |= shift >= 0 ? codes[k] << shift : codes[k] >> -shift;
    }
    out[blockIdx.x * 128 + i] = word;
}

// A simple LZ77 decoder, one thread a block: a byte under 128 brings that many and one more literals, any other copies
// (byte - 125) bytes from `distance` back, the next byte.
extern "C" __global__ void lz_decode(int count, const int *__restrict__ starts, const unsigned char *__restrict__ in, int size,
                                     unsigned char *__restrict__ out)
{
    int block = blockIdx.x * blockDim.x + threadIdx.x;
    if (block >= count)
        return;
    out += block * size;
    int at = starts[block], done = 0;
    while (done < size) {
        int code = in[at++];
        if (code < 128) {
            for (int i = 0; i <= code; ++i)
                out[done++] = in[at++];
        } else {
            int distance = in[at++];
            for (int i = 0; i < code - 125; ++i, ++done)
                out[done] = out[done - distance];
        }
    }
}

// A canonical Huffman decoder, one thread a stream; `first` and `place` by length of the code, up to 12 bits.
extern "C" __global__ void huffman(int streams, int symbols, int words, const unsigned int *__restrict__ bits,
                                   const int *__restrict__ first, const int *__restrict__ place,
                                   const unsigned char *__restrict__ alphabet, unsigned char *__restrict__ out)
{
    int stream = blockIdx.x * blockDim.x + threadIdx.x;
    if (stream >= streams)
        return;
    unsigned int at = 0;
    for (int i = 0; i < symbols; ++i) {
        int code = 0;
        for (int length = 1; length <= 12; ++length) {
            unsigned int word = bits[stream * words + at / 32];
            code = code << 1 | (word >> (31 - at % 32) & 1);
            ++at;
            int index = code - first[length];
            if (index >= 0 && place[length] + index < place[length + 1]) {
                out[stream * symbols + i] = alphabet[place[length] + index];
                break;
            }
        }
    }
}
