// Functions that take many numbers to one, for sums over axes: total = f(total, x).
#pragma once

#include <array>

#include "kernels/loss_loops.h"

namespace pynn::kernels::PYNN_ISA {

// total[i] = f(total[i], x[i]), or total[0] = f(... f(total[0], x[0]) ...) with stride 0
template <class T, class F>
PYNN_INLINE void fold(T* total, isize stride, const T* x, isize n, F f) {
  if (stride) {
    PYNN_SIMD
    for (isize i = 0; i < n; ++i) total[i] = f(total[i], x[i]);
  } else {
    T one = *total;
    for (isize i = 0; i < n; ++i) one = f(one, x[i]);
    *total = one;
  }
}

template <class T>
void fold_sum(T* total, isize stride, const T* x, isize n) {
  if (stride) {
    PYNN_SIMD
    for (isize i = 0; i < n; ++i) total[i] += x[i];
  } else {
    double sum = 0;  // of the sums of pieces: float would lose the small ones of millions
    for (isize at = 0; at < n; at += kPiece) {
      sum += static_cast<double>(sum_of(x + at, n - at < kPiece ? n - at : kPiece));
    }
    *total += static_cast<T>(sum);
  }
}

// In the order of kernels::Reduction. NaN stays NaN.
template <class T>
inline constexpr std::array<ReductionKernels<T>, 6> kReductionKernels = {{
    {T(0), &fold_sum<T>},
    {-Number<T>::infinity,
     [](T* total, isize stride, const T* x, isize n) {
       fold(total, stride, x, n, [](T t, T v) PYNN_LAMBDA { return v > t || v != v ? v : t; });
     }},
    {Number<T>::infinity,
     [](T* total, isize stride, const T* x, isize n) {
       fold(total, stride, x, n, [](T t, T v) PYNN_LAMBDA { return v < t || v != v ? v : t; });
     }},
    {T(1), [](T* total, isize stride, const T* x,
              isize n) { fold(total, stride, x, n, [](T t, T v) PYNN_LAMBDA { return t * v; }); }},
    {T(0),
     [](T* total, isize stride, const T* x, isize n) {
       fold(total, stride, x, n, [](T t, T v) PYNN_LAMBDA { return v != 0 ? T(1) : t; });
     }},
    {T(1),
     [](T* total, isize stride, const T* x, isize n) {
       fold(total, stride, x, n, [](T t, T v) PYNN_LAMBDA { return v == 0 ? T(0) : t; });
     }},
}};

}  // namespace pynn::kernels::PYNN_ISA
