// Functions of one argument by name: activations, the math table, and activations that look at the
// whole last axis.
#include "kernels/lookup.h"
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

template <class T>
class Activation : public Op<T> {
 public:
  explicit Activation(const Blueprint& b) {
    name_ = b.spec.text("name");
    const auto given = b.spec.has("params") ? b.spec.list("params") : std::vector<double>{};
    this->out = b.in.at(0);
    this->row_wise = true;
    size_ = element_count(this->out);
    if (const auto* row = kernels::find_row("activation", name_)) {
      row_ = static_cast<int>(row->index);
      elementwise_ = kernels::table<T>().activation + row->index;
      keeps_x_ = row->keep == "x";
      params_ = kernels::params_of<T>(*row, given);
      return;
    }
    if (const auto* row = kernels::find_row("math", name_)) {
      elementwise_ = kernels::table<T>().math + row->index;
      keeps_x_ = row->keep == "x";
      params_ = kernels::params_of<T>(*row, given);
      return;
    }
    const auto* row = kernels::find_row("row_activation", name_);
    check(row != nullptr, b.spec.owner, ": unknown activation. Received: activation='", name_,
          "'.");
    whole_row_ = static_cast<int>(row->index);
    cols_ = last_axis(this->out);
  }

  int activation_row() const override { return row_; }
  std::string_view activation_name() const override { return name_; }
  bool keeps_input() const override { return keeps_x_; }
  const T* activation_params() const override { return params_.data(); }

  void forward(const Forward<T>& run) const override {
    if (elementwise_) {
      for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
        elementwise_->forward(run.y + first, run.x[0] + first, params_.data(), count);
      });
    } else if (cols_ > 0) {
      for_rows(run.pass.team, run.pass.n * size_ / cols_, cols_, [&](isize first, isize count) {
        const isize at = first * cols_;
        kernels::table<T>().row_activation[whole_row_].forward(run.y + at, run.x[0] + at, count,
                                                               cols_);
      });
    }
  }

  void backward(const Backward<T>& run) const override {
    T* dx = run.dx[0];
    if (!dx) return;
    if (elementwise_) {
      const T* kept = keeps_x_ ? run.x[0] : run.y;
      for_elements(run.pass.team, run.pass.n * size_, [&](isize first, isize count) {
        elementwise_->backward(dx + first, kept + first, run.dy + first, params_.data(), count);
      });
    } else if (cols_ > 0) {
      for_rows(run.pass.team, run.pass.n * size_ / cols_, cols_, [&](isize first, isize count) {
        const isize at = first * cols_;
        kernels::table<T>().row_activation[whole_row_].backward(dx + at, run.y + at, run.dy + at,
                                                                count, cols_);
      });
    }
  }

 private:
  std::string name_;
  const kernels::ActivationKernels<T>* elementwise_ = nullptr;
  int row_ = -1, whole_row_ = -1;  // of the activation table, of the row-activation table
  bool keeps_x_ = false;
  isize size_ = 0, cols_ = 0;
  std::array<T, kernels::kMaxParams> params_{};
};

PYNN_OP("activation", Activation);

}  // namespace
}  // namespace pynn::ops
