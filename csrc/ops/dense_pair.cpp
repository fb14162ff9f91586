// Two dense layers after each other, h = f(x W + b) and y = g(h V + c), as one piece of work: a
// task has a panel of h from beginning to end, that is some columns of W and the same rows of V.
// Both layers' weights then stay with the thread that has the panel; between threads go only the
// sums that make y and, on the way back, the gradient of y. What tensor parallelism does between
// accelerators (Shoeybi et al. 2019, arXiv:1909.08053), between cores.
//
// h lies panel after panel, and so does its gradient.
#include <algorithm>

#include "ops/dense.h"

namespace pynn::ops {
namespace {

using kernels::Factor;
using kernels::gemm;

constexpr isize kMostRows = 256;  // with more of them the sums would be more than the weights

}  // namespace

template <class T>
bool Dense<T>::runs_with(const Op<T>& next, isize n) const {
  constexpr isize kWorthwhile = 100'000;
  const auto& second = static_cast<const Dense&>(next);
  const isize rows = n * lead_;
  return rows <= kMostRows && rows * cols_ * (in_ + second.cols_) > kWorthwhile;
}

// The sums of all panels but the first.
template <class T>
isize Dense<T>::scratch_with(const Op<T>& next, isize n) const {
  const auto* second = dynamic_cast<const Dense*>(&next);
  const isize rows = std::min(n * lead_, kMostRows);
  return second ? (kernel_panels<T>(cols_).count - 1) * rows * second->cols_ : 0;
}

template <class T>
void Dense<T>::forward_with(const Op<T>& next, const Forward<T>& run, const Forward<T>& next_run,
                            T* sums) const {
  const auto& k = kernels::table<T>();
  const auto& second = static_cast<const Dense&>(next);
  const isize rows = run.pass.n * lead_, units = second.cols_;
  const Cut panels = kernel_panels<T>(cols_);
  const T* const v = next_run.w[0];
  T *const h = run.y, *const before = before_activation(run);
  T* const z = second.before_activation(next_run);
  parallel_for(run.pass.team, panels.count, gemm_cost(rows, cols_, in_ + units), [&](isize i) {
    const Tile cols = panels[i];
    const isize at = rows * cols.begin;
    gemm<T>(before + at, cols.size, bias_of(run, cols), input_of(run),
            panel_of(run.w[0], run.packed, cols), rows, cols.size, in_);
    if (row_ >= 0) k.activation[row_].forward(h + at, before + at, params_, rows * cols.size);
    T* const sum = i > 0 ? sums + (i - 1) * rows * units : z;
    const kernels::Addend<T> first =
        i > 0 ? kernels::Addend<T>{} : second.bias_of(next_run, {0, units});
    gemm<T>(sum, units, first, {h + at, cols.size}, {v + cols.begin * second.ld_, second.ld_}, rows,
            units, cols.size);
  });
  // In the order of the panels, whoever computed them.
  const Cut runs(rows * units, 8192);
  const double cost = elementwise_cost(rows * units * panels.count);
  parallel_for(run.pass.team, runs.count, cost, [&](isize r) {
    const auto [begin, count] = runs[r];
    for (isize i = 1; i < panels.count; ++i) {
      k.add_bias(z + begin, sums + (i - 1) * rows * units + begin, 1, count, count);
    }
    if (second.row_ < 0) return;
    k.activation[second.row_].forward(next_run.y + begin, z + begin, second.params_, count);
  });
}

template <class T>
void Dense<T>::backward_with(const Op<T>& next, const Backward<T>& run,
                             const Backward<T>& next_run) const {
  const auto& k = kernels::table<T>();
  const auto& second = static_cast<const Dense&>(next);
  const isize rows = run.pass.n * lead_, units = second.cols_;
  const T* const kept = keeps_x_ ? run.saved : run.y;
  second.through_activation(next_run, rows);
  const T* const dz_next = next_run.dy;
  T *const dz = run.dy, *const dx = run.dx[0], *const db = has_bias_ ? run.dw[1] : nullptr;
  if (T* const dc = second.has_bias_ ? next_run.dw[1] : nullptr) {
    k.column_sums(dc, dz_next, rows, units, units);
  }
  const Cut panels = kernel_panels<T>(cols_);
  const auto kernel_gradient = [&](Tile cols) {
    weight_gradient(run, {0, in_}, cols, input_of(run), {dz + rows * cols.begin, cols.size}, rows);
  };
  const double product = gemm_cost(rows, cols_, in_);
  parallel_for(
      run.pass.team, panels.count, product + 2 * gemm_cost(rows, cols_, units), [&](isize i) {
        const Tile cols = panels[i];
        const isize at = rows * cols.begin, size = cols.size;
        const T* const v = next_run.w[0] + cols.begin * second.ld_;
        gemm<T>(dz + at, size, {}, {dz_next, units}, {v, second.ld_, true}, rows, size, units);
        if (row_ >= 0) {
          k.activation[row_].backward(dz + at, kept + at, dz + at, params_, rows * size);
        }
        for (isize j = 0; j < units; j += kWidestPanel) {
          second.weight_gradient(next_run, cols, {j, std::min(units - j, kWidestPanel)},
                                 {run.y + at, size}, {dz_next + j, units}, rows);
        }
        if (db) k.column_sums(db + cols.begin, dz + at, rows, size, size);
        if (!dx) kernel_gradient(cols);
      });
  if (!dx) return;
  const Cut strips = product_panels<T>(in_, rows, cols_);
  parallel_for(run.pass.team, strips.count, product, [&](isize s) {
    const Tile w_rows = strips[s];
    for (isize i = 0; i < panels.count; ++i) {
      const Tile cols = panels[i];
      const Factor<T> panel = panel_of(run.w[0], run.packed, cols);
      gemm<T>(dx + w_rows.begin, in_, {i > 0 ? dx + w_rows.begin : nullptr, in_},
              {dz + rows * cols.begin, cols.size},
              {panel.data + w_rows.begin * panel.ld, panel.ld, true}, rows, w_rows.size, cols.size);
    }
  });
  // W is not read any more.
  parallel_for(run.pass.team, panels.count, product, [&](isize i) { kernel_gradient(panels[i]); });
}

#define PYNN_DENSE_PAIR(T)                                                                     \
  template bool Dense<T>::runs_with(const Op<T>&, isize) const;                                \
  template isize Dense<T>::scratch_with(const Op<T>&, isize) const;                            \
  template void Dense<T>::forward_with(const Op<T>&, const Forward<T>&, const Forward<T>&, T*) \
      const;                                                                                   \
  template void Dense<T>::backward_with(const Op<T>&, const Backward<T>&, const Backward<T>&) const;
PYNN_DENSE_PAIR(float)
PYNN_DENSE_PAIR(double)

}  // namespace pynn::ops
