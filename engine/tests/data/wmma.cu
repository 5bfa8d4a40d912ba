// Products of matrices of bytes. wmma.ptx: nvcc -ptx -arch=sm_80 --fmad=false wmma.cu
#include <mma.h>
using namespace nvcuda;
extern "C" __global__ void gemm(const signed char *a, const signed char *b, int *c, int n, int k) {
    int m0 = blockIdx.y * 16, n0 = blockIdx.x * 16;
    wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::col_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, int> fc;
    wmma::fill_fragment(fc, 0);
    for (int i = 0; i < k; i += 16) {
        wmma::load_matrix_sync(fa, a + m0 * k + i, k);
        wmma::load_matrix_sync(fb, b + n0 * k + i, k);
        wmma::mma_sync(fc, fa, fb, fc);
    }
    wmma::store_matrix_sync(c + m0 * n + n0, fc, n, wmma::mem_row_major);
}
extern "C" __global__ void scaled(const unsigned char *a, const unsigned char *b, int *c, int alpha, int beta) {
    wmma::fragment<wmma::matrix_a, 32, 8, 16, unsigned char, wmma::col_major> fa;
    wmma::fragment<wmma::matrix_b, 32, 8, 16, unsigned char, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, 32, 8, 16, int> fc, fd;
    wmma::load_matrix_sync(fa, a, 32);
    wmma::load_matrix_sync(fb, b, 16);
    wmma::load_matrix_sync(fc, c, 32, wmma::mem_col_major);
    wmma::fill_fragment(fd, 0);
    wmma::mma_sync(fd, fa, fb, fd);
    for (int t = 0; t < fc.num_elements; t++) fc.x[t] = alpha * fd.x[t] + beta * fc.x[t];
    wmma::store_matrix_sync(c, fc, 32, wmma::mem_col_major);
}
