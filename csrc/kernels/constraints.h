// What weights are held to after each update.
#pragma once

#include "kernels/norms.h"
#include "kernels/table.h"

namespace pynn::kernels::PYNN_ISA {

// w = max(w, 0); NaN stays, so that it is seen
template <class T>
void non_negative(T* w, isize n) {
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) w[i] = w[i] < 0 ? T(0) : w[i];
}

// w[:,j] *= bounded(norm_j) / (epsilon + norm_j), norm_j = sqrt(sum_r w[r,j]^2)
template <class T>
void bound_norms(T* w, isize rows, isize cols, isize ld, const NormBounds& bounds) {
  for_each_strip(cols, [=](isize at, isize width) {
    double squares[kStrip] = {};
    T factor[kStrip];
    T* row = w + at;
    for (isize r = 0; r < rows; ++r, row += ld) {
      PYNN_SIMD
      for (isize j = 0; j < width; ++j) {
        squares[j] += static_cast<double>(row[j]) * static_cast<double>(row[j]);
      }
    }
    for (isize j = 0; j < width; ++j) {
      const double norm = __builtin_sqrt(squares[j]);
      const double low = norm < bounds.low ? bounds.low : norm;
      const double inside = low > bounds.high ? bounds.high : low;
      const double wanted = bounds.rate * inside + (1 - bounds.rate) * norm;
      factor[j] = static_cast<T>(wanted / (bounds.epsilon + norm));
    }
    row = w + at;
    for (isize r = 0; r < rows; ++r, row += ld) {
      PYNN_SIMD
      for (isize j = 0; j < width; ++j) row[j] *= factor[j];
    }
  });
}

}  // namespace pynn::kernels::PYNN_ISA
