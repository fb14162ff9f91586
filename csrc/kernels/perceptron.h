// The perceptron (Rosenblatt 1958) with penalties, one row after another. Shrinking by L2 changes
// the scale alone (Bottou 2012, doi:10.1007/978-3-642-35289-8_25); L1 is paid when a weight is used
// next (Tsuruoka, Tsujii and Ananiadou 2009, aclanthology.org/P09-1054).
//
// A row near the boundary is decided by the last bits of its product, so products are added in the
// order of the columns, in double, and give scikit-learn's bits.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "kernels/table.h"

namespace pynn::kernels::PYNN_ISA {

// Each addition of a product waits for the one before. Those of some rows wait at the same time.
inline constexpr isize kRowsAhead = 4;

template <bool kSparse, class T>
struct Row {
  const T* x;
  const std::int32_t* columns;
  isize size;

  PYNN_INLINE Row() = default;
  PYNN_INLINE Row(const TableRows<T>& rows, isize r) {
    const isize start = kSparse ? rows.starts[r] : r * rows.cols;
    x = rows.values + start;
    columns = kSparse ? rows.columns + start : nullptr;
    size = kSparse ? rows.starts[r + 1] - start : rows.cols;
  }
  PYNN_INLINE isize column(isize j) const { return kSparse ? columns[j] : j; }
};

template <int kRows, bool kSparse, class T>
PYNN_INLINE void multiply_rows(double* y, const TableRows<T>& rows, const std::int32_t* order,
                               const T* w) {
  Row<kSparse, T> row[kRows];
  double sum[kRows] = {};
  for (int r = 0; r < kRows; ++r) row[r] = {rows, order[r]};
  isize common = row[0].size;
  for (int r = 1; r < kRows; ++r) common = row[r].size < common ? row[r].size : common;
  for (isize j = 0; j < common; ++j) {
    for (int r = 0; r < kRows; ++r) {
      sum[r] += static_cast<double>(w[row[r].column(j)] * row[r].x[j]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (isize j = common; j < row[r].size; ++j) {
      sum[r] += static_cast<double>(w[row[r].column(j)] * row[r].x[j]);
    }
    y[r] = sum[r];
  }
}

// y[i] = row order[i] times w
template <bool kSparse, class T>
PYNN_INLINE void multiply_all(double* y, const TableRows<T>& rows, const std::int32_t* order,
                              isize n, const T* w) {
  isize i = 0;
  for (; i + kRowsAhead <= n; i += kRowsAhead) {
    multiply_rows<kRowsAhead, kSparse>(y + i, rows, order + i, w);
  }
  for (; i < n; ++i) multiply_rows<1, kSparse>(y + i, rows, order + i, w);
}

template <class T>
void row_products(double* y, const TableRows<T>& rows, const std::int32_t* order, isize n,
                  const T* w) {
  rows.starts ? multiply_all<true>(y, rows, order, n, w)
              : multiply_all<false>(y, rows, order, n, w);
}

// weights += c * row. The norms then count the columns of this row alone, which for sparse rows are
// not all: so does scikit-learn's stopping rule.
template <bool kSparse, class T>
PYNN_INLINE void add_row(PerceptronState<T>& state, const Row<kSparse, T>& row, T c, bool norms) {
  T* w = state.w;
  const T scale = static_cast<T>(state.scale);
  const double factor = static_cast<double>(c / scale);
  const auto add = [=](isize j) PYNN_LAMBDA {
    const isize k = row.column(j);
    const double moved = static_cast<double>(w[k]) + static_cast<double>(row.x[j]) * factor;
    w[k] = static_cast<T>(moved);
  };
  if constexpr (kSparse) {  // a column may come twice
    for (isize j = 0; j < row.size; ++j) add(j);
  } else {
    PYNN_SIMD
    for (isize j = 0; j < row.size; ++j) add(j);
  }
  if (!norms) return;
  double squares = 0, absolutes = 0;
  PYNN_SIMD_SUM(squares, absolutes)
  for (isize j = 0; j < row.size; ++j) {
    const double v = static_cast<double>(w[row.column(j)]);
    squares += v * v;
    absolutes += __builtin_fabs(v);
  }
  state.squares = squares * static_cast<double>(scale * scale);
  state.absolutes = absolutes * static_cast<double>(scale);
}

// Takes from the weights of a row's columns what they owe by now, and never past zero.
template <bool kSparse, class T>
PYNN_INLINE void pay_l1(const PerceptronState<T>& state, const Row<kSparse, T>& row) {
  T *w = state.w, *paid = state.paid;
  const double owed = state.owed, scale = state.scale;
  const auto pay = [=](isize j) PYNN_LAMBDA {
    const isize k = row.column(j);
    const double before = static_cast<double>(w[k]), had = static_cast<double>(paid[k]);
    const double due = (before > 0 ? owed + had : owed - had) / scale;
    double after = before > 0 ? before - due : before + due;
    after = (before > 0) == (after > 0) && before != 0 ? after : 0;
    w[k] = static_cast<T>(after);
    paid[k] = static_cast<T>(had + scale * (static_cast<double>(w[k]) - before));
  };
  if constexpr (kSparse) {
    for (isize j = 0; j < row.size; ++j) {
      if (w[row.column(j)] != 0) pay(j);
    }
  } else {
    PYNN_SIMD
    for (isize j = 0; j < row.size; ++j) pay(j);
  }
}

template <class T>
void fold_scale(PerceptronState<T>* state, isize cols) {
  const T scale = static_cast<T>(state->scale);
  T* w = state->w;
  PYNN_SIMD
  for (isize j = 0; j < cols; ++j) w[j] *= scale;
  state->scale = 1;
}

template <bool kSparse, class T>
PYNN_INLINE void train_rows(PerceptronState<T>& state, const TableRows<T>& rows,
                            const PerceptronTargets<T>& targets, const std::int32_t* order, isize n,
                            const PerceptronRule& rule) {
  constexpr double kSmallestScale = sizeof(T) == 4 ? 1e-6 : 1e-9;
  const T keep = static_cast<T>(rule.keep);
  const bool pays = rule.l1_step > 0;  // then every row changes weights
  const isize most = pays ? 1 : kRowsAhead;
  double products[kRowsAhead];
  isize first = 0, end = 0;  // the products of [first, end) are known
  for (isize i = 0; i < n; ++i) {
    if (i == end) {
      first = i;
      end = n - i < most ? n : i + most;
      multiply_all<kSparse>(products, rows, order + first, end - first, state.w);
    }
    const Row<kSparse, T> row(rows, order[i]);
    const double decision =
        static_cast<double>(static_cast<T>(products[i - first] * state.scale)) + state.intercept;
    const bool positive = targets.label[order[i]] == rule.positive;
    const double y = positive ? 1 : -1;
    const bool wrong = decision * y <= 0;
    if (rule.measures) {
      if (wrong) state.loss -= decision * y;
      state.penalty += rule.alpha * ((1 - rule.l1_ratio) * 0.5 * state.squares +
                                     rule.l1_ratio * state.absolutes);
    }
    if (keep != 1) {
      state.scale *= static_cast<double>(keep);
      state.squares *= static_cast<double>(keep * keep);
      state.absolutes *= static_cast<double>(keep);
      if (state.scale < kSmallestScale) {
        fold_scale(&state, rows.cols);
        end = i + 1;
      }
    }
    const T weight = static_cast<T>(positive ? rule.weight_positive : rule.weight_negative) *
                     targets.weight[order[i]];
    const double update = wrong ? y * rule.eta0 * static_cast<double>(weight) : 0;
    if (update != 0) {
      add_row(state, row, static_cast<T>(update), rule.norms);
      state.intercept += update * rule.intercept_rate;
      end = i + 1;
    }
    if (pays) {
      state.owed += rule.l1_step;
      pay_l1(state, row);
    }
  }
}

template <class T>
void train_perceptron(PerceptronState<T>* state, const TableRows<T>& rows,
                      const PerceptronTargets<T>& targets, const std::int32_t* order, isize n,
                      const PerceptronRule& rule) {
  rows.starts ? train_rows<true>(*state, rows, targets, order, n, rule)
              : train_rows<false>(*state, rows, targets, order, n, rule);
}

}  // namespace pynn::kernels::PYNN_ISA
