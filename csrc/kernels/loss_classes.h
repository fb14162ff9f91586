// The loops of the losses of a distribution q over the classes of a row (losses.h).
//
// L = sum_j value(y_j, q_j, log q_j; k) and slope = q dvalue/dq, both 0 where y_j = 0.
//   from logits z:         q = softmax(z), log q = z - log sum exp z
//                          dL/dz_i = slope_i - q_i S
//   from probabilities p:  q = clip(p / sum p), slope = 0 where clipped
//                          dL/dp_i = (slope_i / q_i - S) / sum p
// with S = sum_j slope_j.
#pragma once

#include "kernels/apply.h"
#include "kernels/loss_loops.h"
#include "kernels/row_blocks.h"

namespace pynn::kernels::PYNN_ISA {

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

// 1 where the target names class j
template <class T>
PYNN_INLINE T is_class(T target, isize j) {
  return target >= static_cast<T>(j) && target < static_cast<T>(j + 1) ? T(1) : T(0);
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

template <bool kIndex, class T, class Value, class Slope>
PYNN_INLINE void logit_rows(const LossArgs<T>& args, Value l, Slope dl) {
  const isize cols = args.cols;
  const T on = 1 - args.smoothing, off = args.smoothing / static_cast<T>(cols);
  const Params<T> k = params_of(args);
  for (isize r = 0; r < args.rows; ++r) {
    const T *z = args.pred + r * cols, *target = args.target + (kIndex ? r : r * cols);
    double* value = args.value ? args.value + r : nullptr;
    const T top = max_of(z, cols);
    if (args.grad) {  // which holds exp(z - top) until it is needed for the gradient
      T* e = args.grad + r * cols;
      PYNN_SIMD
      for (isize j = 0; j < cols; ++j) e[j] = exp(z[j] - top);
      const T total = sum_of(e, cols);
      distribution_row<kIndex>(value, e, LogitRow<T, true>{z, e, top, log(total), 1 / total},
                               target, k, on, off, row_scale(args, r), cols, l, dl);
    } else {
      const T total = sum_of_exp(z, top, cols);
      distribution_row<kIndex, T>(value, nullptr,
                                  LogitRow<T, false>{z, nullptr, top, log(total), 1 / total},
                                  target, k, on, off, T(0), cols, l, dl);
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

// The same for few classes, in blocks of rows.
template <bool kLogits, bool kIndex, class T, class Value, class Slope>
PYNN_INLINE void blocks_of_rows(const LossArgs<T>& args, Value l, Slope dl) {
  constexpr isize kRows = kBlockRows<T>, kSize = kRows * kFewColumns;
  const isize cols = args.cols;
  const T on = 1 - args.smoothing, off = args.smoothing / static_cast<T>(cols);
  const Params<T> k = params_of(args);
  // Before they are clipped, q of probabilities tell where the slope is 0.
  const auto clipped = [](T q) PYNN_LAMBDA { return kLogits ? q : clip_probability(q); };
  const auto invalid = [=](T name) PYNN_LAMBDA { return kIndex && !(name >= 0 && name < T(cols)); };
  T y[kSize], q[kSize], log_q[kSize], sum[kRows], inverse[kRows], named[kRows];
  for (isize first = 0; first < args.rows; first += kRows) {
    const isize rows = args.rows - first < kRows ? args.rows - first : kRows;
    load_block<kRows>(log_q, args.pred + first * cols, rows, cols);
    if constexpr (kLogits) {
      exp_block<kRows>(q, sum, log_q, cols);
    } else {
      __builtin_memcpy(q, log_q, sizeof(T) * static_cast<std::size_t>(kRows * cols));
      sum_block<kRows>(sum, q, cols);
    }
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) {
      inverse[i] = 1 / sum[i];
      sum[i] = kLogits ? log(sum[i]) : T(0);
    }
    load_block<kRows>(kIndex ? named : y, args.target + first * (kIndex ? 1 : cols), rows,
                      kIndex ? 1 : cols);
    for (isize j = 0; j < cols; ++j) {
      PYNN_SIMD
      for (isize i = 0; i < kRows; ++i) {
        const isize at = j * kRows + i;
        q[at] *= inverse[i];
        log_q[at] = kLogits ? log_q[at] - sum[i] : log(clip_probability(q[at]));
        y[at] = on * (kIndex ? is_class(named[i], j) : y[at]) + off;
      }
    }
    if (args.value) {
      __builtin_memset(sum, 0, sizeof(sum));
      for (isize j = 0; j < cols; ++j) {
        PYNN_SIMD
        for (isize i = 0; i < kRows; ++i) {
          const isize at = j * kRows + i;
          sum[i] += l(y[at], clipped(q[at]), log_q[at], k);
        }
      }
      for (isize i = 0; i < rows; ++i) {
        args.value[first + i] = static_cast<double>(invalid(named[i]) ? Number<T>::nan : sum[i]);
      }
    }
    if (!args.grad) continue;
    for (isize j = 0; j < cols; ++j) {
      PYNN_SIMD
      for (isize i = 0; i < kRows; ++i) {
        const isize at = j * kRows + i;
        const T slope = dl(y[at], clipped(q[at]), log_q[at], k);
        y[at] = kLogits || inside_clip(q[at]) ? slope : T(0);
      }
    }
    sum_block<kRows>(sum, y, cols);
    T factor[kRows] = {};
    for (isize i = 0; i < rows; ++i) factor[i] = row_scale(args, first + i);
    for (isize j = 0; j < cols; ++j) {
      PYNN_SIMD
      for (isize i = 0; i < kRows; ++i) {
        const isize at = j * kRows + i;
        const T own = kLogits ? y[at] : y[at] / clipped(q[at]) * inverse[i];
        const T shared = (kLogits ? q[at] : inverse[i]) * sum[i];
        q[at] = invalid(named[i]) ? T(0) : factor[i] * (own - shared);
      }
    }
    store_block<kRows>(args.grad + first * cols, q, rows, cols);
  }
}

template <bool kLogits, bool kIndex, class Value, class Slope>
struct Distribution {
  Value value;
  Slope slope;
  template <class T>
  void operator()(const LossArgs<T>& args) const {
    if (args.cols <= kFewColumns) {
      blocks_of_rows<kLogits, kIndex>(args, value, slope);
    } else if constexpr (kLogits) {
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
