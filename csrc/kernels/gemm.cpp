#include "kernels/gemm.h"

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

template <class T, class Cblas>
void call(Cblas cblas, T* c, isize ldc, Factor<T> a, Factor<T> b, isize m, isize n, isize k,
          T beta) {
  if (m == 0 || n == 0) return;
  if (k == 0) {  // CBLAS leaves c alone here, and lets beta = 0 keep a NaN
    for (isize i = 0; i < m; ++i) {
      for (isize j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? T(0) : beta * c[i * ldc + j];
    }
    return;
  }
  check(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX && a.ld <= INT_MAX && b.ld <= INT_MAX,
        "gemm: the extents of a matrix must fit 32 bits. Received: m=", m, ", n=", n, ", k=", k,
        ".");
  const auto order = [](bool transposed) { return transposed ? kTransposed : kAsIs; };
  hold_to_one_thread();
  cblas(kRowMajor, order(a.transposed), order(b.transposed), static_cast<int>(m),
        static_cast<int>(n), static_cast<int>(k), T(1), a.data, static_cast<int>(a.ld), b.data,
        static_cast<int>(b.ld), beta, c, static_cast<int>(ldc));
}

}  // namespace

void gemm(float* c, isize ldc, Factor<float> a, Factor<float> b, isize m, isize n, isize k,
          float beta) {
  call(BLAS(cblas_sgemm), c, ldc, a, b, m, n, k, beta);
}

void gemm(double* c, isize ldc, Factor<double> a, Factor<double> b, isize m, isize n, isize k,
          double beta) {
  call(BLAS(cblas_dgemm), c, ldc, a, b, m, n, k, beta);
}

std::string blas_description() {
#if defined(PYNN_OPENBLAS)
  return std::string(PYNN_BLAS_NAME) + " (" + BLAS(openblas_get_config)() + ")";
#else
  return PYNN_BLAS_NAME;
#endif
}

}  // namespace pynn::kernels
