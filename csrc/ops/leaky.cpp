// Rectifiers whose negative slope is an array: learned (prelu, He et al. 2015, arXiv:1502.01852) or
// random in training (rrelu, Xu et al. 2015, arXiv:1505.00853).
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

// y = x for x >= 0, slope x below; slope has the shape of one sample.
template <class T>
class PRelu : public Op<T> {
 public:
  explicit PRelu(const Blueprint& b) {
    this->out = b.in.at(0);
    check(b.variables.at(0) == this->out, b.spec.owner, ": alpha must have the input's shape. ",
          "Received: alpha shape ", b.variables[0], ", input shape ", this->out, ".");
    size_ = element_count(this->out);
  }

  void forward(const Forward<T>& run) const override {
    for_rows(run.pass.team, run.pass.n, size_, [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        const T* x = run.x[0] + r * size_;
        T* y = run.y + r * size_;
        for (isize j = 0; j < size_; ++j) y[j] = x[j] >= 0 ? x[j] : run.w[0][j] * x[j];
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    const T *x = run.x[0], *slope = run.w[0];
    if (T* dslope = run.dw[0]) {
      const Cut strips(size_, 64);
      parallel_for(run.pass.team, strips.count, elementwise_cost(run.pass.n * size_), [&](isize i) {
        const Tile strip = strips[i];
        for (isize j = strip.begin; j < strip.begin + strip.size; ++j) dslope[j] = 0;
        for (isize r = 0; r < run.pass.n; ++r) {
          for (isize j = strip.begin; j < strip.begin + strip.size; ++j) {
            const isize at = r * size_ + j;
            dslope[j] += x[at] < 0 ? run.dy[at] * x[at] : T(0);
          }
        }
      });
    }
    T* dx = run.dx[0];
    if (!dx) return;
    for_rows(run.pass.team, run.pass.n, size_, [&](isize first, isize count) {
      for (isize r = first; r < first + count; ++r) {
        const isize row = r * size_;
        for (isize j = 0; j < size_; ++j) {
          dx[row + j] = run.dy[row + j] * (x[row + j] >= 0 ? T(1) : slope[j]);
        }
      }
    });
  }

 private:
  isize size_ = 0;
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
        const T slope = (lower_ + upper_) / 2;
        for (isize i = first; i < first + count; ++i) run.y[i] = x[i] >= 0 ? x[i] : slope * x[i];
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
      kernels::table<T>().multiply(run.dx[0] + first, run.dy + first, run.saved + first, count);
    });
  }

 private:
  T lower_, upper_;
  isize size_ = 0;
};

PYNN_OP("prelu", PRelu);
PYNN_OP("rrelu", RRelu);

}  // namespace
}  // namespace pynn::ops
