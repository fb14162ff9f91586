// Activations of a whole row, over the last axis of x(rows, cols); the backward pass keeps y. A row
// of the table is the whole addition, as in activations.h. Rows have at least one column.
#pragma once

#include <array>
#include <tuple>
#include <utility>

#include "kernels/apply.h"
#include "kernels/loss_loops.h"
#include "kernels/row_blocks.h"
#include "kernels/row_text.h"

namespace pynn::kernels::PYNN_ISA {

template <class F, class D>
struct RowAct {
  RowText text;
  F forward;   // y(rows, cols) of x
  D backward;  // dx(rows, cols) of y and dy
};
template <class F, class D>
RowAct(RowText, F, D) -> RowAct<F, D>;

// ---- softmax -----------------------------------------------------------------------------------

template <isize kRows, class T>
PYNN_INLINE void softmax_block(T* y, const T* x, isize rows, isize cols) {
  T z[kRows * kFewColumns], e[kRows * kFewColumns], scale[kRows];
  load_block<kRows>(z, x, rows, cols);
  exp_block<kRows>(e, scale, z, cols);
  PYNN_SIMD
  for (isize i = 0; i < kRows; ++i) scale[i] = 1 / scale[i];
  for (isize j = 0; j < cols; ++j) {
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) e[j * kRows + i] *= scale[i];
  }
  store_block<kRows>(y, e, rows, cols);
}

inline constexpr auto softmax = []<class T>(T* y, const T* x, isize rows, isize cols) {
  if (cols <= kFewColumns) {
    for_blocks<T>(rows, [=]<isize kRows>(isize first, isize count) PYNN_LAMBDA {
      softmax_block<kRows>(y + first * cols, x + first * cols, count, cols);
    });
    return;
  }
  for (isize r = 0; r < rows; ++r, y += cols, x += cols) {
    const T top = max_of(x, cols);
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) y[j] = exp(x[j] - top);
    const T scale = 1 / sum_of(y, cols);
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) y[j] *= scale;
  }
};
inline constexpr auto softmax_backward = []<class T>(T* dx, const T* y, const T* dy, isize rows,
                                                     isize cols) {
  for (isize r = 0; r < rows; ++r, dx += cols, y += cols, dy += cols) {
    T mean = 0;
    PYNN_SIMD_SUM(mean)
    for (isize j = 0; j < cols; ++j) mean += y[j] * dy[j];
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) dx[j] = y[j] * (dy[j] - mean);
  }
};

// ---- log_softmax -------------------------------------------------------------------------------
template <isize kRows, class T>
PYNN_INLINE void log_softmax_block(T* y, const T* x, isize rows, isize cols) {
  T z[kRows * kFewColumns], e[kRows * kFewColumns], total[kRows];
  load_block<kRows>(z, x, rows, cols);
  exp_block<kRows>(e, total, z, cols);
  PYNN_SIMD
  for (isize i = 0; i < kRows; ++i) total[i] = log(total[i]);
  for (isize j = 0; j < cols; ++j) {
    PYNN_SIMD
    for (isize i = 0; i < kRows; ++i) z[j * kRows + i] -= total[i];
  }
  store_block<kRows>(y, z, rows, cols);
}

inline constexpr auto log_softmax = []<class T>(T* y, const T* x, isize rows, isize cols) {
  if (cols <= kFewColumns) {
    for_blocks<T>(rows, [=]<isize kRows>(isize first, isize count) PYNN_LAMBDA {
      log_softmax_block<kRows>(y + first * cols, x + first * cols, count, cols);
    });
    return;
  }
  for (isize r = 0; r < rows; ++r, y += cols, x += cols) {
    const T top = max_of(x, cols), log_sum = log(sum_of_exp(x, top, cols));
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) y[j] = (x[j] - top) - log_sum;
  }
};
inline constexpr auto log_softmax_backward = []<class T>(T* dx, const T* y, const T* dy, isize rows,
                                                         isize cols) {
  for (isize r = 0; r < rows; ++r, dx += cols, y += cols, dy += cols) {
    const T total = sum_of(dy, cols);
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) dx[j] = dy[j] - exp(y[j]) * total;
  }
};

// ---- sparsemax ---------------------------------------------------------------------------------

// y = max(x - tau, 0) with sum(y) = 1. Michelot's iteration (1986, doi:10.1007/BF00938486): tau
// from the elements above the last tau, which only become fewer; exact once they stay the same.
inline constexpr auto sparsemax = []<class T>(T* y, const T* x, isize rows, isize cols) {
  for (isize r = 0; r < rows; ++r, y += cols, x += cols) {
    const T top = max_of(x, cols);
    T tau = -1, before = 0, inside = static_cast<T>(cols) + 1;
    do {
      before = inside;
      T sum = 0, count = 0;
      PYNN_SIMD_SUM(sum, count)
      for (isize j = 0; j < cols; ++j) {
        const T z = x[j] - top;
        sum += z > tau ? z : T(0);
        count += z > tau ? T(1) : T(0);
      }
      inside = count;
      tau = (sum - 1) / count;
    } while (inside < before);
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) y[j] = at_least(x[j] - top - tau, T(0));
  }
};
inline constexpr auto sparsemax_backward = []<class T>(T* dx, const T* y, const T* dy, isize rows,
                                                       isize cols) {
  for (isize r = 0; r < rows; ++r, dx += cols, y += cols, dy += cols) {
    T sum = 0, count = 0;
    PYNN_SIMD_SUM(sum, count)
    for (isize j = 0; j < cols; ++j) {
      sum += y[j] > 0 ? dy[j] : T(0);
      count += y[j] > 0 ? T(1) : T(0);
    }
    const T mean = sum / count;
    PYNN_SIMD
    for (isize j = 0; j < cols; ++j) dx[j] = y[j] > 0 ? dy[j] - mean : T(0);
  }
};

// ---- the table ---------------------------------------------------------------------------------
inline constexpr auto kRowActivations = std::tuple{
    RowAct{RowText{.name = "softmax",
                   .formula = "f(x)_j = exp(x_j) / sum_k exp(x_k)",
                   .doc = "Turns scores into probabilities that sum to 1.",
                   .reference = "Bridle (1990), doi:10.1007/978-3-642-76153-9_28"},
           softmax, softmax_backward},
    RowAct{RowText{.name = "log_softmax",
                   .formula = "f(x)_j = x_j - log(sum_k exp(x_k))",
                   .doc = "The logarithm of softmax."},
           log_softmax, log_softmax_backward},
    RowAct{RowText{.name = "sparsemax",
                   .formula = "f(x)_j = max(x_j - tau, 0), tau such that the sum is 1",
                   .doc = "The nearest probabilities to the scores; many are exactly 0.",
                   .reference = "Martins and Astudillo (2016), arXiv:1602.02068"},
           sparsemax, sparsemax_backward},
};
inline constexpr std::size_t kRowActivationCount = std::tuple_size_v<decltype(kRowActivations)>;

// ---- the kernels that follow from it -----------------------------------------------------------
template <class T, std::size_t Row>
void activate_rows(T* y, const T* x, isize rows, isize cols) {
  constexpr auto forward = std::get<Row>(kRowActivations).forward;
  forward(y, x, rows, cols);
}
template <class T, std::size_t Row>
void activate_rows_backward(T* dx, const T* y, const T* dy, isize rows, isize cols) {
  constexpr auto backward = std::get<Row>(kRowActivations).backward;
  backward(dx, y, dy, rows, cols);
}

template <class T, std::size_t... Row>
constexpr std::array<RowActivationKernels<T>, sizeof...(Row)> row_activation_kernels(
    std::index_sequence<Row...>) {
  return {{RowActivationKernels<T>{&activate_rows<T, Row>, &activate_rows_backward<T, Row>}...}};
}
template <class T>
inline constexpr auto kRowActivationKernels =
    row_activation_kernels<T>(std::make_index_sequence<kRowActivationCount>{});

}  // namespace pynn::kernels::PYNN_ISA
