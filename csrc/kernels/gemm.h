// The one door to matrix products.
#pragma once

#include <string>

#include "kernels/table.h"

namespace pynn::kernels {

// c(m, n) = first(m, n) + a(m, k) b(k, n), on the calling thread: pynn splits the work, not BLAS.
template <class T>
void gemm(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n, isize k);

// The same by the textbook loop: what the tests compare with.
template <class T>
void gemm_reference(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
                    isize k) {
  for (isize i = 0; i < m; ++i) {
    for (isize j = 0; j < n; ++j) {
      double sum = first.data ? static_cast<double>(first.data[i * first.ld + j]) : 0;
      for (isize p = 0; p < k; ++p) {
        const T left = a.transposed ? a.row(p)[i] : a.row(i)[p];
        const T right = b.transposed ? b.data[j * b.ld + p] : b.data[p * b.ld + j];
        sum += static_cast<double>(left) * static_cast<double>(right);
      }
      c[i * ldc + j] = static_cast<T>(sum);
    }
  }
}

std::string blas_description();

}  // namespace pynn::kernels
