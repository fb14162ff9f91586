// y = f(x W + b) on the last axis, x(n, in), W(in, out), b(out). A sparse x takes the same way, but
// for the two products with x.
#pragma once

#include "kernels/gemm.h"
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {

template <class T>
class Dense final : public Op<T> {
 public:
  explicit Dense(const Blueprint& b);

  bool absorb(const Op<T>& activation) override;
  bool shares_panels(isize n) const override;
  bool reads_listed(isize n) const override;
  void forward(const Forward<T>& run) const override;
  void backward(const Backward<T>& run) const override;

  // dense_pair.cpp
  bool runs_with(const Op<T>& next, isize n) const override;
  isize scratch_with(const Op<T>& next, isize n) const override;
  void forward_with(const Op<T>& next, const Forward<T>& run, const Forward<T>& next_run,
                    T* scratch) const override;
  void backward_with(const Op<T>& next, const Backward<T>& run,
                     const Backward<T>& next_run) const override;

 private:
  template <class Run>
  kernels::Factor<T> input_of(const Run& run) const {
    return {run.x[0], in_, false, run.listed[0]};
  }
  T* before_activation(const Forward<T>& run) const;
  kernels::Addend<T> bias_of(const Forward<T>& run, Tile cols) const;
  kernels::Factor<T> panel_of(const T* w, bool packed, Tile cols) const;
  // Gradients of y become those of z = x W + b.
  void through_activation(const Backward<T>& run, isize rows) const;
  void times_transposed(T* dx, const T* dz, const T* w, bool packed, Tile w_rows, isize rows) const;
  // A tile of dW = x^T dz, for the update some rows at a time, which takes them while they are in
  // the first-level cache; x and dz begin at the tile. Panels are at most kWidestPanel wide.
  void weight_gradient(const Backward<T>& run, Tile w_rows, Tile cols, kernels::Factor<T> x,
                       kernels::Factor<T> dz, isize rows) const;

  isize in_ = 0, cols_ = 0, lead_ = 1;
  isize ld_ = 0;  // between the rows of W
  bool has_bias_ = false, keeps_x_ = false;
  int row_ = -1;  // of the activation table
  T params_[kernels::kMaxParams] = {};
};

}  // namespace pynn::ops
