// Layers that do little or nothing to the numbers: another shape, another scale, a penalty on the
// side.
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

// The same memory under another shape; flatten is the reshape to one axis. The plan never runs it.
template <class T>
class Reshape : public Op<T> {
 public:
  explicit Reshape(const Blueprint& b) {
    this->out = b.spec.whole_list("shape");
    check(checked_count(b.spec.owner, this->out) == element_count(b.in.at(0)), b.spec.owner,
          ": the number of elements must stay the same. Received: input shape ", b.in[0],
          ", target shape ", this->out, ".");
    this->alias = this->row_wise = true;
  }
  void forward(const Forward<T>&) const override {}
  void backward(const Backward<T>&) const override {}
};

// y = scale x + offset
template <class T>
class Rescale : public Op<T> {
 public:
  explicit Rescale(const Blueprint& b)
      : scale_(static_cast<T>(b.spec.number("scale"))),
        offset_(static_cast<T>(b.spec.number("offset"))) {
    this->out = b.in.at(0);
    size_ = element_count(this->out);
  }
  void forward(const Forward<T>& run) const override { apply(run.y, run.x[0], offset_, run.pass); }
  void backward(const Backward<T>& run) const override {
    if (run.dx[0]) apply(run.dx[0], run.dy, T(0), run.pass);
  }

 private:
  void apply(T* y, const T* x, T offset, const Pass& pass) const {
    for_elements(pass.team, pass.n * size_, [&](isize first, isize count) {
      kernels::table<T>().affine(y + first, x + first, scale_, offset, count);
    });
  }
  T scale_, offset_;
  isize size_ = 0;
};

// y = x, and the loss grows by (l1 sum |x| + l2 sum x^2) / n
template <class T>
class ActivityPenalty : public Op<T> {
 public:
  explicit ActivityPenalty(const Blueprint& b)
      : l1_(b.spec.number("l1")), l2_(b.spec.number("l2")) {
    this->out = b.in.at(0);
    this->penalizes = true;
    size_ = element_count(this->out);
  }
  void forward(const Forward<T>& run) const override {
    const T* x = run.x[0];
    const isize count = run.pass.n * size_;
    for (isize i = 0; i < count; ++i) run.y[i] = x[i];
    if (!run.penalty) return;
    const double times = static_cast<double>(run.pass.batch) / static_cast<double>(run.pass.n);
    *run.penalty += times * kernels::table<T>().penalty(x, l1_, l2_, run.pass.n, size_, size_);
  }
  void backward(const Backward<T>& run) const override {
    T* dx = run.dx[0];
    if (!dx) return;
    const T n = static_cast<T>(run.pass.n);
    const T l1 = static_cast<T>(l1_) / n, l2 = static_cast<T>(l2_) / n;
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      for (isize i = first; i < first + count; ++i) dx[i] = run.dy[i];
      kernels::table<T>().add_penalty_gradient(dx + first, run.x[0] + first, l1, l2, count);
    });
  }

 private:
  double l1_, l2_;
  isize size_ = 0;
};

PYNN_OP("reshape", Reshape);
PYNN_OP("rescale", Rescale);
PYNN_OP("activity_penalty", ActivityPenalty);

}  // namespace
}  // namespace pynn::ops
