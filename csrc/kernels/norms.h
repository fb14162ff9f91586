// Batch normalization over columns (Ioffe and Szegedy 2015, arXiv:1502.03167).
#pragma once

#include "kernels/isa.h"

namespace pynn::kernels::PYNN_ISA {

// Column sums run in double over strips of this many columns, held on the stack.
inline constexpr isize kStrip = 64;

template <class Strip>
PYNN_INLINE void for_each_strip(isize cols, Strip strip) {
  for (isize j = 0; j < cols; j += kStrip) strip(j, cols - j < kStrip ? cols - j : kStrip);
}

// mean(cols) = sum x / rows, variance(cols) = sum (x - mean)^2 / rows, of x(rows, cols)
template <class T>
void column_moments(T* mean, T* variance, const T* x, isize rows, isize cols, isize ld) {
  for_each_strip(cols, [=](isize at, isize width) {
    double sum[kStrip] = {}, squares[kStrip] = {};
    const T* row = x + at;
    for (isize r = 0; r < rows; ++r, row += ld) {
      PYNN_SIMD
      for (isize j = 0; j < width; ++j) sum[j] += static_cast<double>(row[j]);
    }
    for (isize j = 0; j < width; ++j) sum[j] /= static_cast<double>(rows);
    row = x + at;
    for (isize r = 0; r < rows; ++r, row += ld) {
      PYNN_SIMD
      for (isize j = 0; j < width; ++j) {
        const double d = static_cast<double>(row[j]) - sum[j];
        squares[j] += d * d;
      }
    }
    for (isize j = 0; j < width; ++j) {
      mean[at + j] = static_cast<T>(sum[j]);
      variance[at + j] = static_cast<T>(squares[j] / static_cast<double>(rows));
    }
  });
}

// xhat = (x - mean) * inv_std; y = gamma * xhat + beta. xhat may be null, or the same memory as y.
template <class T>
void normalize(T* y, T* xhat, const T* x, const T* mean, const T* inv_std, const T* gamma,
               const T* beta, isize rows, isize cols, isize ld) {
  for_each_strip(cols, [=](isize at, isize width) {
    T g[kStrip], b[kStrip];
    for (isize j = 0; j < width; ++j) {
      g[j] = gamma ? gamma[at + j] : T(1);
      b[j] = beta ? beta[at + j] : T(0);
    }
    for (isize r = 0; r < rows; ++r) {
      const isize row = r * ld + at;
      if (xhat) {
        PYNN_SIMD
        for (isize j = 0; j < width; ++j) {
          const T h = (x[row + j] - mean[at + j]) * inv_std[at + j];
          xhat[row + j] = h;
          y[row + j] = g[j] * h + b[j];
        }
      } else {
        PYNN_SIMD
        for (isize j = 0; j < width; ++j) {
          const T h = (x[row + j] - mean[at + j]) * inv_std[at + j];
          y[row + j] = g[j] * h + b[j];
        }
      }
    }
  });
}

// dbeta = sum dy; dgamma = sum dy xhat; dx = gamma inv_std (dy - dbeta / rows - xhat dgamma /
// rows). dgamma and dbeta may be null (not wanted); dx may be the same memory as dy.
template <class T>
void normalize_backward(T* dx, T* dgamma, T* dbeta, const T* xhat, const T* inv_std, const T* dy,
                        const T* gamma, isize rows, isize cols, isize ld) {
  for_each_strip(cols, [=](isize at, isize width) {
    double sum[kStrip] = {}, product[kStrip] = {};
    for (isize r = 0; r < rows; ++r) {
      const isize row = r * ld + at;
      PYNN_SIMD
      for (isize j = 0; j < width; ++j) {
        const double d = static_cast<double>(dy[row + j]);
        sum[j] += d;
        product[j] += d * static_cast<double>(xhat[row + j]);
      }
    }
    T mean_dy[kStrip], mean_product[kStrip], factor[kStrip];
    for (isize j = 0; j < width; ++j) {
      if (dgamma) dgamma[at + j] = static_cast<T>(product[j]);
      if (dbeta) dbeta[at + j] = static_cast<T>(sum[j]);
      mean_dy[j] = static_cast<T>(sum[j] / static_cast<double>(rows));
      mean_product[j] = static_cast<T>(product[j] / static_cast<double>(rows));
      factor[j] = inv_std[at + j] * (gamma ? gamma[at + j] : T(1));
    }
    if (!dx) return;
    for (isize r = 0; r < rows; ++r) {
      const isize row = r * ld + at;
      PYNN_SIMD
      for (isize j = 0; j < width; ++j) {
        dx[row + j] = factor[j] * (dy[row + j] - mean_dy[j] - xhat[row + j] * mean_product[j]);
      }
    }
  });
}

}  // namespace pynn::kernels::PYNN_ISA
