// The loops of the loss table (losses.h): elementwise losses, losses of a distribution over
// classes.
#pragma once

#include "kernels/isa.h"
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
        for (isize i = 0; i < rows; ++i) {
          value[i] = share * static_cast<double>(sum_of(buffer + i * cols, cols));
        }
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

// ---- losses of a distribution q over the classes of a row ---------------------------------------
// L = sum_j value(y_j, q_j, log q_j; k) and slope = q dvalue/dq, both 0 where y_j = 0.
//   from logits z:         q = softmax(z), log q = z - log sum exp z    dL/dz_i = slope_i - q_i S
//   from probabilities p:  q = clip(p / sum p), slope = 0 where clipped  dL/dp_i = (slope_i / q_i -
//   S) / sum p
// with S = sum_j slope_j.
template <class T, bool kStored>
struct LogitRow {
  const T* z;
  const T* e;                        // kStored: exp(z - peak)
  T peak, log_total, inverse_total;  // of the exp(z - peak)
  PYNN_INLINE T log_q(isize j) const { return (z[j] - peak) - log_total; }
  PYNN_INLINE T q(isize j) const {
    if constexpr (kStored) return e[j] * inverse_total;
    return exp(log_q(j));
  }
  PYNN_INLINE bool counts(isize) const { return true; }
  PYNN_INLINE T own_gradient(isize, T slope) const { return slope; }
  PYNN_INLINE T shared_gradient(isize j, T slope_sum) const { return q(j) * slope_sum; }
};
template <class T>
struct ProbabilityRow {
  const T* p;
  T inverse_total;
  PYNN_INLINE T q(isize j) const { return clip_probability(p[j] * inverse_total); }
  PYNN_INLINE T log_q(isize j) const { return log(q(j)); }
  PYNN_INLINE bool counts(isize j) const { return inside_clip(p[j] * inverse_total); }
  PYNN_INLINE T own_gradient(isize j, T slope) const { return slope / q(j) * inverse_total; }
  PYNN_INLINE T shared_gradient(isize, T slope_sum) const { return slope_sum * inverse_total; }
};

// The class a target names, or -1: out of range, or not a number.
template <class T>
PYNN_INLINE isize class_index(T target, isize cols) {
  return target >= 0 && target < static_cast<T>(cols) ? static_cast<isize>(target) : -1;
}

// One row. target(cols), or with kIndex target(1): the class that has all the mass, of which
// smoothing leaves `off` to every class. grad may be the memory of row.e: each element is read,
// then written.
template <bool kIndex, class T, class Row, class Value, class Slope>
PYNN_INLINE void distribution_row(double* value, T* grad, const Row row, const T* target,
                                  Params<T> k, T on, T off, T factor, isize cols, Value l,
                                  Slope dl) {
  const auto loss = [=](isize j, T y) PYNN_LAMBDA { return l(y, row.q(j), row.log_q(j), k); };
  const auto slope = [=](isize j, T y) PYNN_LAMBDA {
    return row.counts(j) ? dl(y, row.q(j), row.log_q(j), k) : T(0);
  };
  const isize hit = kIndex ? class_index(target[0], cols) : 0;
  if (kIndex && hit < 0) {
    if (value) *value = static_cast<double>(__builtin_nanf(""));
    for (isize j = 0; grad && j < cols; ++j) grad[j] = 0;
    return;
  }
  const bool dense = !kIndex || off != 0;  // else only the class that was hit counts
  if (value) {
    T sum = kIndex ? loss(hit, on + off) - loss(hit, off) : T(0);
    if (dense) {
      PYNN_SIMD_SUM(sum)
      for (isize j = 0; j < cols; ++j) sum += loss(j, kIndex ? off : on * target[j] + off);
    }
    *value = static_cast<double>(sum);
  }
  if (!grad) return;
  const T extra = kIndex ? slope(hit, on + off) - slope(hit, off) : T(0);
  const T extra_gradient = kIndex ? row.own_gradient(hit, extra) : T(0);
  T slope_sum = extra;
  if (dense) {
    PYNN_SIMD_SUM(slope_sum)
    for (isize j = 0; j < cols; ++j) slope_sum += slope(j, kIndex ? off : on * target[j] + off);
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) {
      const T own = row.own_gradient(j, slope(j, kIndex ? off : on * target[j] + off));
      grad[j] = factor * (own - row.shared_gradient(j, slope_sum));
    }
  } else {
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) grad[j] = -factor * row.shared_gradient(j, slope_sum);
  }
  if (kIndex) grad[hit] += factor * extra_gradient;
}

inline constexpr isize kRowBlock = 64;

template <bool kIndex, class T, class Value, class Slope>
PYNN_INLINE void logit_rows(const LossArgs<T>& args, Value l, Slope dl) {
  const isize cols = args.cols;
  const T on = 1 - args.smoothing, off = args.smoothing / static_cast<T>(cols);
  const Params<T> k = params_of(args);
  // exp(z - peak) goes where the gradient will be, else into a buffer if rows are short enough.
  T buffer[kPiece];
  const bool stored = args.grad || cols <= kPiece;
  const isize fit = args.grad || !stored ? kRowBlock : kPiece / cols;
  const isize block = fit < kRowBlock ? fit : kRowBlock;
  for (isize first = 0; first < args.rows; first += block) {
    const isize rows = args.rows - first < block ? args.rows - first : block;
    const T* z = args.pred + first * cols;
    T* e = args.grad ? args.grad + first * cols : buffer;
    T peak[kRowBlock], total[kRowBlock], log_total[kRowBlock];
    for (isize i = 0; i < rows; ++i) {
      const T* row = z + i * cols;
      const T top = peak[i] = max_of(row, cols);
      if (stored) {
        PYNN_SIMD
        for (isize j = 0; j < cols; ++j) e[i * cols + j] = row[j] - top;
      } else {
        T sum = 0;
        PYNN_SIMD_SUM(sum)
        for (isize j = 0; j < cols; ++j) sum += exp(row[j] - top);
        total[i] = sum;
      }
    }
    if (stored) {  // all rows in one flat loop: a row of a few classes would not fill a register
      PYNN_SIMD
      for (isize i = 0; i < rows * cols; ++i) e[i] = exp(e[i]);
      for (isize i = 0; i < rows; ++i) total[i] = sum_of(e + i * cols, cols);
    }
    PYNN_SIMD
    for (isize i = 0; i < rows; ++i) log_total[i] = log(total[i]);
    for (isize i = 0; i < rows; ++i) {
      const isize r = first + i;
      const T* zi = z + i * cols;
      const T* target = args.target + (kIndex ? r : r * cols);
      double* value = args.value ? args.value + r : nullptr;
      if (stored) {
        const LogitRow<T, true> row{zi, e + i * cols, peak[i], log_total[i], 1 / total[i]};
        distribution_row<kIndex>(value, args.grad ? e + i * cols : nullptr, row, target, k, on, off,
                                 row_scale(args, r), cols, l, dl);
      } else {
        const LogitRow<T, false> row{zi, nullptr, peak[i], log_total[i], 1 / total[i]};
        distribution_row<kIndex, T>(value, nullptr, row, target, k, on, off, T(0), cols, l, dl);
      }
    }
  }
}

template <bool kIndex, class T, class Value, class Slope>
PYNN_INLINE void probability_rows(const LossArgs<T>& args, Value l, Slope dl) {
  const isize cols = args.cols;
  const T on = 1 - args.smoothing, off = args.smoothing / static_cast<T>(cols);
  for (isize r = 0; r < args.rows; ++r) {
    const T* p = args.pred + r * cols;
    distribution_row<kIndex>(
        args.value ? args.value + r : nullptr, args.grad ? args.grad + r * cols : nullptr,
        ProbabilityRow<T>{p, 1 / sum_of(p, cols)}, args.target + (kIndex ? r : r * cols),
        params_of(args), on, off, row_scale(args, r), cols, l, dl);
  }
}

template <bool kLogits, bool kIndex, class Value, class Slope>
struct Distribution {
  Value value;
  Slope slope;
  template <class T>
  void operator()(const LossArgs<T>& args) const {
    if constexpr (kLogits) {
      logit_rows<kIndex>(args, value, slope);
    } else {
      probability_rows<kIndex>(args, value, slope);
    }
  }
};
template <bool kIndex, class Value, class Slope>
constexpr auto of_probabilities(Value value, Slope slope) {
  return Distribution<false, kIndex, Value, Slope>{value, slope};
}
template <bool kIndex, class Value, class Slope>
constexpr auto of_logits(Value value, Slope slope) {
  return Distribution<true, kIndex, Value, Slope>{value, slope};
}

}  // namespace pynn::kernels::PYNN_ISA
