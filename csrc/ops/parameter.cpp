// The values of a variable as a tensor, for networks that compute with a weight directly.
#include <algorithm>

#include "core/arena.h"
#include "ops/op.h"

namespace pynn::ops {
namespace {

template <class T>
class Parameter : public Op<T> {
 public:
  explicit Parameter(const Blueprint& b) : storage_(b.variables.at(0)) {
    check(b.in.empty(), b.spec.owner, ": a parameter has no inputs. Received: ", b.in.size(), ".");
    this->out = b.variables[0];
  }

  void forward(const Forward<T>& run) const override {
    const auto [rows, cols, ld] = storage_;
    for (isize r = 0; r < rows; ++r) std::copy_n(run.w[0] + r * ld, cols, run.y + r * cols);
  }

  void backward(const Backward<T>& run) const override {
    const auto [rows, cols, ld] = storage_;
    T* dw = run.dw[0];
    for (isize r = 0; dw && r < rows; ++r) std::copy_n(run.dy + r * cols, cols, dw + r * ld);
  }

 private:
  Storage<T> storage_;
};

PYNN_OP("parameter", Parameter);

}  // namespace
}  // namespace pynn::ops
