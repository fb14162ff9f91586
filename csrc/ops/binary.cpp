// Elementwise functions of two arguments with NumPy's broadcasting, and the choice between two.
#include "kernels/lookup.h"
#include "ops/operands.h"

namespace pynn::ops {
namespace {

// y = f(a, b), f by its name in the binary table
template <class T>
class Binary : public Op<T> {
 public:
  explicit Binary(const Blueprint& b) : operands_(b) {
    const std::string name = b.spec.text("name");
    const auto* row = kernels::find_row("binary", name);
    check(row != nullptr, b.spec.owner, ": unknown function of two arguments. Received: name='",
          name, "'.");
    kernels_ = kernels::table<T>().binary + row->index;
    this->out = operands_.out;
    this->batched = operands_.batched;
  }

  void forward(const Forward<T>& run) const override {
    const auto& space = operands_.space;
    const T *a = operands_.data(run.x, 0), *b = operands_.data(run.x, 1);
    space.for_runs(run.pass.team, run.pass.n, [&](const auto& at, isize count) {
      kernels_->forward(run.y + at[0], a + at[1], space.stride(1), b + at[2], space.stride(2),
                        count);
    });
  }

  void backward(const Backward<T>& run) const override {
    const auto& space = operands_.space;
    const T *a = operands_.data(run.x, 0), *b = operands_.data(run.x, 1);
    for (std::size_t i = 0; i < 2; ++i) {
      T* dx = operands_.gradient(run.dx, i);
      if (!dx) continue;
      const auto kernel = i == 0 ? kernels_->backward_a : kernels_->backward_b;
      operands_.backward(run.pass, dx, i, [&](T* g, const auto& at, isize count) {
        kernel(g, run.dy + at[0], a + at[1], space.stride(1), b + at[2], space.stride(2), count);
      });
    }
  }

 private:
  Operands<T, 2> operands_;
  const kernels::BinaryKernels<T>* kernels_ = nullptr;
};

// y = a where the condition is not 0, else b
template <class T>
class Where : public Op<T> {
 public:
  explicit Where(const Blueprint& b) : operands_(b) {
    this->out = operands_.out;
    this->batched = operands_.batched;
  }

  void forward(const Forward<T>& run) const override {
    const auto& space = operands_.space;
    const T* condition = operands_.data(run.x, 0);
    const T *a = operands_.data(run.x, 1), *b = operands_.data(run.x, 2);
    space.for_runs(run.pass.team, run.pass.n, [&](const auto& at, isize count) {
      const T *c = condition + at[1], *left = a + at[2], *right = b + at[3];
      const isize cs = space.stride(1), ls = space.stride(2), rs = space.stride(3);
      T* y = run.y + at[0];
      for (isize i = 0; i < count; ++i) y[i] = c[i * cs] != 0 ? left[i * ls] : right[i * rs];
    });
  }

  void backward(const Backward<T>& run) const override {
    const auto& space = operands_.space;
    const T* condition = operands_.data(run.x, 0);
    if (T* dx = operands_.gradient(run.dx, 0)) {
      std::fill_n(dx, space.elements(1, run.pass.n), T(0));
    }
    for (std::size_t k = 1; k < 3; ++k) {
      T* dx = operands_.gradient(run.dx, k);
      if (!dx) continue;
      operands_.backward(run.pass, dx, k, [&](T* g, const auto& at, isize count) {
        const T *c = condition + at[1], *dy = run.dy + at[0];
        const isize stride = space.stride(1);
        for (isize i = 0; i < count; ++i) g[i] = (c[i * stride] != 0) == (k == 1) ? dy[i] : T(0);
      });
    }
  }

 private:
  Operands<T, 3> operands_;
};

PYNN_OP("binary", Binary);
PYNN_OP("where", Where);

}  // namespace
}  // namespace pynn::ops
