#include "kernels/gemm.h"

#include <algorithm>
#include <climits>

#include "core/check.h"

// CMake defines PYNN_BLAS_NAME, and for OpenBLAS PYNN_OPENBLAS with the prefix its symbols carry.
#define PYNN_JOIN_(a, b) a##b
#define PYNN_JOIN(a, b) PYNN_JOIN_(a, b)
#define BLAS(name) PYNN_JOIN(PYNN_BLAS_PREFIX, name)

extern "C" {
void BLAS(cblas_sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                       const float* a, int lda, const float* b, int ldb, float beta, float* c,
                       int ldc);
void BLAS(cblas_dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                       const double* a, int lda, const double* b, int ldb, double beta, double* c,
                       int ldc);
#if defined(PYNN_OPENBLAS)
void BLAS(openblas_set_num_threads)(int threads);
int BLAS(openblas_get_num_threads)(void);
char* BLAS(openblas_get_config)(void);
#elif defined(PYNN_MKL)
int MKL_Set_Num_Threads_Local(int threads);
#endif
}

namespace pynn::kernels {
namespace {

constexpr int kRowMajor = 101, kAsIs = 111, kTransposed = 112;

// A library of its own threads would break both the split and the bits; another user of the same
// library (threadpoolctl, say) may have switched them on again.
void hold_to_one_thread() {
#if defined(PYNN_OPENBLAS)
  if (BLAS(openblas_get_num_threads)() != 1) BLAS(openblas_set_num_threads)(1);
#elif defined(PYNN_MKL)
  MKL_Set_Num_Threads_Local(1);
#endif
}

void cblas(float* c, int ldc, Factor<float> a, Factor<float> b, int m, int n, int k, float beta) {
  const auto order = [](bool transposed) { return transposed ? kTransposed : kAsIs; };
  BLAS(cblas_sgemm)(kRowMajor, order(a.transposed), order(b.transposed), m, n, k, 1, a.data,
                    static_cast<int>(a.ld), b.data, static_cast<int>(b.ld), beta, c, ldc);
}
void cblas(double* c, int ldc, Factor<double> a, Factor<double> b, int m, int n, int k,
           double beta) {
  const auto order = [](bool transposed) { return transposed ? kTransposed : kAsIs; };
  BLAS(cblas_dgemm)(kRowMajor, order(a.transposed), order(b.transposed), m, n, k, 1, a.data,
                    static_cast<int>(a.ld), b.data, static_cast<int>(b.ld), beta, c, ldc);
}

}  // namespace

// A BLAS copies both factors into an order of its own first. That pays when all three extents are
// large; else our own product is as fast or faster (measured with OpenBLAS).
template <class T>
void gemm(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n, isize k) {
  constexpr isize kLarge = 256, kWide = 512;
  if (m < kLarge || k < kLarge || n < kWide || a.rows) {
    return table<T>().product(c, ldc, first, a, b, m, n, k);
  }
  check(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && a.ld <= INT_MAX && b.ld <= INT_MAX,
        "gemm: the extents of a matrix must fit 32 bits. Received: m=", m, ", n=", n, ", k=", k,
        ".");
  hold_to_one_thread();
  for (isize i = 0; first.data && first.data != c && i < m; ++i) {
    std::copy_n(first.data + i * first.ld, n, c + i * ldc);
  }
  cblas(c, static_cast<int>(ldc), a, b, static_cast<int>(m), static_cast<int>(n),
        static_cast<int>(k), first.data ? T(1) : T(0));
}

template void gemm(float*, isize, Addend<float>, Factor<float>, Factor<float>, isize, isize, isize);
template void gemm(double*, isize, Addend<double>, Factor<double>, Factor<double>, isize, isize,
                   isize);

std::string blas_description() {
#if defined(PYNN_OPENBLAS)
  return std::string(PYNN_BLAS_NAME) + " (" + BLAS(openblas_get_config)() + ")";
#else
  return PYNN_BLAS_NAME;
#endif
}

}  // namespace pynn::kernels
