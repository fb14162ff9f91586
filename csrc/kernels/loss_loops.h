// The loops of the elementwise losses (losses.h), and what all loops of losses share.
#pragma once

#include "kernels/isa.h"
#include "kernels/row_blocks.h"
#include "kernels/table.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

template <class T>
struct Params {
  T a, b, c;
};
template <class T>
Params(T, T, T) -> Params<T>;
template <class Args>
PYNN_INLINE auto params_of(const Args& args) {
  return Params{args.p[0], args.p[1], args.p[2]};
}

// Probabilities stay this far from 0 and 1 before a logarithm, as in Keras.
template <class T>
inline constexpr T kEpsilon = T(1e-7);

template <class T>
PYNN_INLINE T clip_probability(T p) {
  return clamp(p, kEpsilon<T>, T(1) - kEpsilon<T>);
}
template <class T>
PYNN_INLINE bool inside_clip(T p) {
  return p >= kEpsilon<T> && p <= T(1) - kEpsilon<T>;
}

template <class T>
PYNN_INLINE T sum_of(const T* v, isize n) {
  T sum = 0;
  if (n < 8) {  // a vector's worth of set-up would cost more
    for (isize i = 0; i < n; ++i) sum += v[i];
    return sum;
  }
  PYNN_SIMD_SUM(sum)
  for (isize i = 0; i < n; ++i) sum += v[i];
  return sum;
}
template <class T>
PYNN_INLINE T max_of(const T* v, isize n) {
  T top = v[0];
  PYNN_PRAGMA(omp simd reduction(max : top))
  for (isize i = 0; i < n; ++i) top = v[i] > top ? v[i] : top;
  return top;
}
// sum of exp(v - top)
template <class T>
PYNN_INLINE T sum_of_exp(const T* v, T top, isize n) {
  T sum = 0;
  PYNN_SIMD_SUM(sum)
  for (isize i = 0; i < n; ++i) sum += exp(v[i] - top);
  return sum;
}

// The factor of row r of the gradient.
template <class T>
PYNN_INLINE T row_scale(const LossArgs<T>& args, isize r) {
  return args.weight ? args.scale * args.weight[r] : args.scale;
}

// ---- elementwise: L = sum or mean over j of value(y_j, p_j; k) ----------------------------------
// Elements of many short rows run through one flat loop; their values wait in a buffer to be summed
// by row. A row's additions depend on the row alone, not on how many rows came with it.
inline constexpr isize kPiece = 1024;

// value(n) = l(y, p), grad(n) = factor * dl/dp with y = keep * target + offset
template <bool kGrad, class T, class Value, class Slope>
PYNN_INLINE void loss_piece(T* __restrict value, T* __restrict grad, const T* __restrict target,
                            const T* __restrict pred, Params<T> k, T keep, T offset, T factor,
                            isize n, Value l, Slope dl) {
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) {
    const T p = pred[i], y = keep * target[i] + offset;
    value[i] = l(y, p, k);
    if constexpr (kGrad) grad[i] = factor * dl(y, p, k);
  }
}

// value[i] = share * sum of row i of x(rows, cols)
template <class T>
PYNN_INLINE void row_sums(double* value, const T* x, double share, isize rows, isize cols) {
  if (cols > kFewColumns) {
    for (isize i = 0; i < rows; ++i) {
      value[i] = share * static_cast<double>(sum_of(x + i * cols, cols));
    }
    return;
  }
  constexpr isize kRows = kBlockRows<T>;
  T block[kRows * kFewColumns], sum[kRows];
  for (isize first = 0; first < rows; first += kRows) {
    const isize count = rows - first < kRows ? rows - first : kRows;
    load_block<kRows>(block, x + first * cols, count, cols);
    sum_block<kRows>(sum, block, cols);
    for (isize i = 0; i < count; ++i) value[first + i] = share * static_cast<double>(sum[i]);
  }
}

template <bool kGrad, class T, class Value, class Slope>
PYNN_INLINE void elementwise_rows(const LossArgs<T>& args, T keep, T offset, bool mean, Value l,
                                  Slope dl) {
  const isize cols = args.cols, group = cols <= kPiece ? kPiece / cols : 1;
  const double share = mean ? 1.0 / static_cast<double>(cols) : 1.0;
  const T factor = args.scale * static_cast<T>(share);
  const Params<T> k = params_of(args);
  T buffer[kPiece];
  for (isize r = 0; r < args.rows; r += group) {
    const isize rows = args.rows - r < group ? args.rows - r : group, n = rows * cols;
    double long_row = 0;
    for (isize at = 0; at < n; at += kPiece) {  // more than one piece only when a row is longer
      const isize m = n - at < kPiece ? n - at : kPiece, i = r * cols + at;
      loss_piece<kGrad>(buffer, kGrad ? args.grad + i : nullptr, args.target + i, args.pred + i, k,
                        keep, offset, factor, m, l, dl);
      if (cols > kPiece) long_row += static_cast<double>(sum_of(buffer, m));
    }
    if (args.value) {
      double* value = args.value + r;
      if (cols > kPiece) {
        value[0] = share * long_row;
      } else {
        row_sums(value, buffer, share, rows, cols);
      }
    }
    if (kGrad && args.weight) {
      for (isize i = 0; i < rows; ++i) {
        T* __restrict grad = args.grad + (r + i) * cols;
        const T w = args.weight[r + i];
        PYNN_SIMD
        for (isize j = 0; j < cols; ++j) grad[j] *= w;
      }
    }
  }
}

// What label smoothing mixes in: nothing, or an even share of two classes or of all columns.
enum class Smoothing { none, binary, classes };

template <bool kMean, Smoothing kSmoothing, class Value, class Slope>
struct Elementwise {
  Value value;
  Slope slope;
  template <class T>
  void operator()(const LossArgs<T>& args) const {
    const T s = kSmoothing == Smoothing::none ? T(0) : args.smoothing;
    if (args.grad) {
      elementwise_rows<true>(args, 1 - s, s / 2, kMean, value, slope);
    } else {
      elementwise_rows<false>(args, 1 - s, s / 2, kMean, value, slope);
    }
  }
};
template <Smoothing kSmoothing = Smoothing::none, class Value, class Slope>
constexpr auto mean_of(Value value, Slope slope) {
  return Elementwise<true, kSmoothing, Value, Slope>{value, slope};
}
template <class Value, class Slope>
constexpr auto sum_over(Value value, Slope slope) {
  return Elementwise<false, Smoothing::none, Value, Slope>{value, slope};
}

}  // namespace pynn::kernels::PYNN_ISA
