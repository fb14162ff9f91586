// The one door to matrix products.
#pragma once

#include <string>

#include "core/span.h"

namespace pynn::kernels {

// A factor of a product, taken as it is or transposed.
template <class T>
struct Factor {
  const T* data;
  isize ld;
  bool transposed = false;
};

// c(m, n) = a(m, k) b(k, n) + beta c, on the calling thread: pynn splits the work, not BLAS.
void gemm(float* c, isize ldc, Factor<float> a, Factor<float> b, isize m, isize n, isize k,
          float beta);
void gemm(double* c, isize ldc, Factor<double> a, Factor<double> b, isize m, isize n, isize k,
          double beta);

// The same by the textbook loop: what the tests compare with.
template <class T>
void gemm_reference(T* c, isize ldc, Factor<T> a, Factor<T> b, isize m, isize n, isize k, T beta) {
  for (isize i = 0; i < m; ++i) {
    for (isize j = 0; j < n; ++j) {
      double sum = beta == 0 ? 0 : static_cast<double>(beta) * static_cast<double>(c[i * ldc + j]);
      for (isize p = 0; p < k; ++p) {
        const T left = a.transposed ? a.data[p * a.ld + i] : a.data[i * a.ld + p];
        const T right = b.transposed ? b.data[j * b.ld + p] : b.data[p * b.ld + j];
        sum += static_cast<double>(left) * static_cast<double>(right);
      }
      c[i * ldc + j] = static_cast<T>(sum);
    }
  }
}

std::string blas_description();

}  // namespace pynn::kernels
