// Text.

// A bit for each place where the pattern begins. block 128: four words of 32 places
extern "C" __global__ void find(int n, const char *__restrict__ text, int length, const char *__restrict__ pattern,
                                unsigned int *__restrict__ places)
{
    int at = blockIdx.x * 128 + threadIdx.x;
    bool same = at + length <= n;
    for (int i = 0; same && i < length; ++i)
        same = text[at + i] == pattern[i];
    unsigned int word = __ballot_sync(0xffffffffu, same);
    if (threadIdx.x % 32 == 0)
        places[at / 32] = word;
}

// Edit distance of a pair of strings of `length` bytes, diagonal by diagonal: one CTA a pair, one thread a column. block 128
extern "C" __global__ void levenshtein(int length, const char *__restrict__ a, const char *__restrict__ b,
                                       int *__restrict__ distance)
{
    __shared__ int diagonals[3][129];
    a += blockIdx.x * length;
    b += blockIdx.x * length;
    for (int sum = 0; sum <= 2 * length; ++sum) {
        int *now = diagonals[sum % 3], *last = diagonals[(sum + 2) % 3], *before = diagonals[(sum + 1) % 3];
        for (int i = threadIdx.x; i <= length; i += 128) {
            int j = sum - i;
            if (j < 0 || j > length)
                continue;
            if (i == 0 || j == 0)
                now[i] = i + j;
            else
                now[i] = min(min(last[i], last[i - 1]) + 1, before[i - 1] + (a[i - 1] != b[j - 1]));
        }
        __syncthreads();
    }
    if (threadIdx.x == 0)
        distance[blockIdx.x] = diagonals[2 * length % 3][length];
}

// Smith and Waterman's local alignment of one query with many subjects, one thread each, a column in local memory.
extern "C" __global__ void smith_waterman(int count, int query_length, int subject_length, const char *__restrict__ query,
                                          const char *__restrict__ subjects, int *__restrict__ best)
{
    int subject = blockIdx.x * blockDim.x + threadIdx.x;
    if (subject >= count)
        return;
    short score[65], gap[65];
    for (int i = 0; i <= query_length; ++i)
        score[i] = 0, gap[i] = -100;
    int top = 0;
    for (int j = 0; j < subject_length; ++j) {
        char letter = subjects[j * count + subject]; // one letter of all subjects side by side
        int diagonal = 0, across = -100;
        for (int i = 1; i <= query_length; ++i) {
            int match = diagonal + (query[i - 1] == letter ? 5 : -4);
            diagonal = score[i];
            gap[i] = max(gap[i] - 1, score[i] - 8);
            across = max(across - 1, score[i - 1] - 8);
            int value = max(max(match, 0), max((int)gap[i], across));
            score[i] = value;
            top = max(top, value);
        }
    }
    best[subject] = top;
}

__constant__ char ALPHABET[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Base64: three bytes to four letters a thread, padded at the end.
extern "C" __global__ void base64(int n, const unsigned char *__restrict__ in, char4 *__restrict__ out)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (3 * i >= n)
        return;
    int left = n - 3 * i;
    unsigned int bits = in[3 * i] << 16 | (left > 1 ? in[3 * i + 1] << 8 : 0) | (left > 2 ? in[3 * i + 2] : 0);
    out[i] = make_char4(ALPHABET[bits >> 18], ALPHABET[bits >> 12 & 63], left > 1 ? ALPHABET[bits >> 6 & 63] : '=',
                        left > 2 ? ALPHABET[bits & 63] : '=');
}

// Upper case, and how many letters that changed, per CTA. block 256
extern "C" __global__ void upper_case(int n, char *__restrict__ text, unsigned int *__restrict__ changed)
{
    int i = blockIdx.x * 256 + threadIdx.x;
    bool lower = i < n && text[i] >= 'a' && text[i] <= 'z';
    if (lower)
        text[i] -= 'a' - 'A';
    int count = __syncthreads_count(lower);
    if (threadIdx.x == 0)
        changed[blockIdx.x] = count;
}
