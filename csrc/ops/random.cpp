// Random numbers for a graph: y(n, shape), normal or uniform, new ones in every step. What the op
// reads only tells how many samples there are.
#include <algorithm>

#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

template <class T>
class Random : public Op<T> {
 public:
  explicit Random(const Blueprint& b)
      : normal_(b.spec.text("distribution") == "normal"),
        scale_(static_cast<T>(b.spec.number("scale"))),
        offset_(static_cast<T>(b.spec.number("offset"))) {
    this->out = b.spec.whole_list("shape");
    size_ = checked_count(b.spec.owner, this->out);
    input_size_ = element_count(b.in.at(0));
    this->whole_batch = true;  // blocks of one batch would all get the same numbers
  }

  void forward(const Forward<T>& run) const override {
    const auto& k = kernels::table<T>();
    for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
      T* y = run.y + first;
      (normal_ ? k.normal : k.uniform)(y, run.pass.random, first, count);
      k.affine(y, y, scale_, offset_, count);
    });
  }

  void backward(const Backward<T>& run) const override {
    T* dx = run.dx[0];
    if (dx) std::fill_n(dx, run.pass.n * input_size_, T(0));
  }

 private:
  bool normal_;
  T scale_, offset_;
  isize size_ = 0, input_size_ = 0;
};

PYNN_OP("random", Random);

}  // namespace
}  // namespace pynn::ops
