// Loops without a table of their own: scaling, bias, sums, penalties.
#pragma once

#include "kernels/simd.h"

namespace pynn::kernels::PYNN_ISA {

template <class T>
void multiply(T* y, const T* a, const T* b, isize n) {
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) y[i] = a[i] * b[i];
}

template <class T>
void affine(T* y, const T* x, T scale, T offset, isize n) {
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) y[i] = scale * x[i] + offset;
}

// y(rows, cols) += b(cols)
template <class T>
void add_bias(T* y, const T* b, isize rows, isize cols, isize ld) {
  for (isize r = 0; r < rows; ++r, y += ld) {
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) y[j] += b[j];
  }
}

// The sums of kVectors registers of columns, the last of which has `last` lanes.
template <class T, int kVectors>
void register_sums(T* db, const T* dy, isize rows, isize ld, isize last) {
  using S = Simd<T>;
  typename S::Register sum[kVectors] = {};
  for (isize r = 0; r < rows; ++r, dy += ld) {
    PYNN_UNROLL
    for (int v = 0; v + 1 < kVectors; ++v) sum[v] += S::load(dy + v * S::kLanes);
    sum[kVectors - 1] += typename S::Register(load_first(dy + (kVectors - 1) * S::kLanes, last));
  }
  PYNN_UNROLL
  for (int v = 0; v + 1 < kVectors; ++v) S::store(db + v * S::kLanes, sum[v]);
  store_first(db + (kVectors - 1) * S::kLanes, sum[kVectors - 1], last);
}

// db(cols) = sum over rows of dy(rows, cols), row by row: as many registers at a time as hide how
// long an addition takes
template <class T>
void column_sums(T* db, const T* dy, isize rows, isize cols, isize ld) {
  constexpr isize kLanes = Simd<T>::kLanes, kMany = 8;
  static constexpr void (*kSums[])(T*, const T*, isize, isize, isize) = {
      register_sums<T, 1>, register_sums<T, 2>, register_sums<T, 3>, register_sums<T, 4>,
      register_sums<T, 5>, register_sums<T, 6>, register_sums<T, 7>, register_sums<T, kMany>};
  for (isize j = 0; j < cols; j += kMany * kLanes) {
    const isize left = cols - j < kMany * kLanes ? cols - j : kMany * kLanes;
    const isize vectors = (left + kLanes - 1) / kLanes;
    kSums[vectors - 1](db + j, dy + j, rows, ld, left - (vectors - 1) * kLanes);
  }
}

// dw += l1 sign(w) + 2 l2 w, with sign(0) = 0
template <class T>
void add_penalty_gradient(T* dw, const T* w, T l1, T l2, isize n) {
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) {
    const T sign = w[i] > 0 ? T(1) : (w[i] < 0 ? T(-1) : T(0));
    dw[i] += l1 * sign + 2 * l2 * w[i];
  }
}

// l1 sum |w| + l2 sum w^2 of w(rows, cols): by columns, so that no `ld` changes the order.
template <class T>
double penalty(const T* w, double l1, double l2, isize rows, isize cols, isize ld) {
  constexpr isize kCols = 64;
  double total = 0;
  for (isize j = 0; j < cols; j += kCols) {
    const isize n = cols - j < kCols ? cols - j : kCols;
    double absolute[kCols] = {}, square[kCols] = {};
    for (isize r = 0; r < rows; ++r) {
      const T* row = w + r * ld + j;
      PYNN_SIMD
      for (isize i = 0; i < n; ++i) {
        const double v = static_cast<double>(row[i]);
        absolute[i] += v < 0 ? -v : v;
        square[i] += v * v;
      }
    }
    for (isize i = 0; i < n; ++i) total += l1 * absolute[i] + l2 * square[i];
  }
  return total;
}

template <class T>
double sum_of_squares(const T* x, isize n) {
  double sum = 0;
  PYNN_SIMD_SUM(sum)
  for (isize i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

// Whether no x is infinite or NaN: of these alone the product with zero is NaN, and so are sums
// with it.
template <class T>
bool all_finite(const T* x, isize n) {
  T sum = 0;
  PYNN_SIMD_SUM(sum)
  for (isize i = 0; i < n; ++i) sum += T(0) * x[i];
  return sum == 0;
}

// mean = keep mean + (1 - keep) x
template <class T>
void average(T* mean, const T* x, T keep, isize n) {
  const T share = 1 - keep;
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) mean[i] = keep * mean[i] + share * x[i];
}

}  // namespace pynn::kernels::PYNN_ISA
