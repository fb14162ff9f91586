// Rectifiers whose negative slope is an array: learned (prelu, He et al. 2015, arXiv:1502.01852) or
// random in training (rrelu, Xu et al. 2015, arXiv:1505.00853).
#include "core/arena.h"
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

// y = x for x >= 0, slope x below; slope has the shape of one sample.
template <class T>
class PRelu : public Op<T> {
 public:
  explicit PRelu(const Blueprint& b) : alpha_(b.variables.at(0)) {
    this->out = b.in.at(0);
    check(b.variables.at(0) == this->out, b.spec.owner, ": alpha must have the input's shape. ",
          "Received: alpha shape ", b.variables[0], ", input shape ", this->out, ".");
  }

  // A sample has the rows and columns of alpha; row r of the batch uses alpha's row r % rows.
  void forward(const Forward<T>& run) const override {
    const auto [rows, cols, ld] = alpha_;
    for_rows(run.pass.team, run.pass.n * rows, cols, [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        const T *x = run.x[0] + r * cols, *slope = run.w[0] + r % rows * ld;
        T* y = run.y + r * cols;
        for (isize j = 0; j < cols; ++j) y[j] = x[j] >= 0 ? x[j] : slope[j] * x[j];
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    const auto [rows, cols, ld] = alpha_;
    const T* x = run.x[0];
    if (T* dslope = run.dw[0]) {
      const Cut strips(cols, 64);
      const double cost = elementwise_cost(run.pass.n * rows * cols);
      parallel_for(run.pass.team, rows * strips.count, cost, [&](isize i) {
        const isize row = i / strips.count;
        const Tile strip = strips[i % strips.count];
        T* d = dslope + row * ld + strip.begin;
        for (isize j = 0; j < strip.size; ++j) d[j] = 0;
        for (isize sample = 0; sample < run.pass.n; ++sample) {
          const isize at = (sample * rows + row) * cols + strip.begin;
          for (isize j = 0; j < strip.size; ++j) {
            d[j] += x[at + j] < 0 ? run.dy[at + j] * x[at + j] : T(0);
          }
        }
      });
    }
    T* dx = run.dx[0];
    if (!dx) return;
    for_rows(run.pass.team, run.pass.n * rows, cols, [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        const T* slope = run.w[0] + r % rows * ld;
        for (isize j = 0; j < cols; ++j) {
          const isize at = r * cols + j;
          dx[at] = run.dy[at] * (x[at] >= 0 ? T(1) : slope[j]);
        }
      }
    });
  }

 private:
  Storage<T> alpha_;
};

// slope ~ uniform(lower, upper) for every element in training, its mean otherwise.
template <class T>
class RRelu : public Op<T> {
 public:
  explicit RRelu(const Blueprint& b)
      : lower_(static_cast<T>(b.spec.number("lower"))),
        upper_(static_cast<T>(b.spec.number("upper"))) {
    this->out = b.in.at(0);
    size_ = this->saved_per_sample = element_count(this->out);
  }

  void forward(const Forward<T>& run) const override {
    const auto& k = kernels::table<T>();
    const T* x = run.x[0];
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      if (!run.pass.training) {
        for (isize i = first; i < first + count; ++i) run.y[i] = x[i] * inference_slope(x[i]);
        return;
      }
      T* slope = run.saved + first;
      k.uniform(slope, run.pass.random, first, count);
      k.affine(slope, slope, upper_ - lower_, lower_, count);
      for (isize i = 0; i < count; ++i) {
        slope[i] = x[first + i] >= 0 ? T(1) : slope[i];
        run.y[first + i] = slope[i] * x[first + i];
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    if (!run.dx[0]) return;
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      if (run.pass.training) {
        kernels::table<T>().multiply(run.dx[0] + first, run.dy + first, run.saved + first, count);
        return;
      }
      for (isize i = first; i < first + count; ++i) {
        run.dx[0][i] = run.dy[i] * inference_slope(run.x[0][i]);
      }
    });
  }

 private:
  T inference_slope(T x) const { return x >= 0 ? T(1) : (lower_ + upper_) / 2; }

  T lower_, upper_;
  isize size_ = 0;
};

PYNN_OP("prelu", PRelu);
PYNN_OP("rrelu", RRelu);

}  // namespace
}  // namespace pynn::ops
