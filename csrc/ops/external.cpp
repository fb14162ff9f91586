// A node that something outside the engine computes, such as a layer written in NumPy.
#include "ops/op.h"

namespace pynn::ops {
namespace {

template <class T>
class ExternalOp : public Op<T> {
 public:
  explicit ExternalOp(const Blueprint& b)
      : external_(b.spec.external("external")),
        in_(b.in),
        in_batched_(b.in_batched),
        variables_(b.variables) {
    this->out = b.spec.whole_list("shape");
    checked_count(b.spec.owner, this->out);
    bool any = false;
    for (bool each : in_batched_) any |= each;
    this->batched = batched_ = b.spec.has("batched") ? b.spec.flag("batched") : any;
    this->whole_batch = true;
  }

  void forward(const Forward<T>& run) const override {
    const isize n = run.pass.batch;
    external_->forward(array(run.y, this->out, batched_, n), run.kept, arrays(run.x, run.w, n),
                       run.pass.training);
  }

  void backward(const Backward<T>& run) const override {
    const isize n = run.pass.batch;
    external_->backward(arrays(run.dx, run.dw, n), run.kept, array(run.dy, this->out, batched_, n),
                        arrays(run.x, run.w, n));
  }

 private:
  static External::Array array(const T* data, const Shape& sample, bool has_axis, isize n) {
    Shape shape = sample;
    if (has_axis) shape.insert(shape.begin(), n);
    return {const_cast<T*>(data), std::move(shape), kDTypeOf<T>, false};
  }

  std::vector<External::Array> arrays(const T* const* x, T* const* w, isize n) const {
    std::vector<External::Array> all;
    for (std::size_t i = 0; i < in_.size(); ++i) {
      all.push_back(array(x[i], in_[i], in_batched_[i], n));
    }
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      all.push_back({w[i], variables_[i], kDTypeOf<T>, true});
    }
    return all;
  }

  std::shared_ptr<const External> external_;
  std::vector<Shape> in_;
  std::vector<bool> in_batched_;
  std::vector<Shape> variables_;
  bool batched_;
};

PYNN_OP("external", ExternalOp);

}  // namespace
}  // namespace pynn::ops
