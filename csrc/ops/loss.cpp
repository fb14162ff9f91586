// A row of the loss table as a node: the loss of every row of predictions. Custom losses are
// composed of it.
#include "kernels/lookup.h"
#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

// y(n, lead) = L(target, prediction); inputs: prediction (n, lead, cols), target
template <class T>
class LossRows : public Op<T> {
 public:
  explicit LossRows(const Blueprint& b)
      : owner_(b.spec.owner), smoothing_(static_cast<T>(b.spec.number("label_smoothing"))) {
    const kernels::CatalogRow& row = kernels::loss_row(b.spec.text("name"));
    kernel_ = kernels::loss_kernel<T>(row, b.spec.flag("from_logits"));
    params_ = kernels::params_of<T>(row, b.spec.list("params"));
    const Shape& pred = b.in.at(0);
    cols_ = last_axis(pred);
    lead_ = rows_per_sample(pred);
    target_cols_ = row.index_target ? 1 : cols_;
    check(cols_ > 0 && element_count(b.in.at(1)) == lead_ * target_cols_ &&
              b.in_batched.at(0) == b.in_batched.at(1),
          row.name,
          ": targets do not fit the predictions. Received: one sample of y_true has shape ",
          b.in[1], ", of y_pred ", pred, ".");
    this->out = pred;
    if (!this->out.empty()) this->out.pop_back();
  }

  void forward(const Forward<T>& run) const override {
    const isize block = 256;
    for_rows(run.pass.team, run.pass.n * lead_, cols_, [&](isize first, isize count) {
      double values[block];
      for (isize at = first; at < first + count; at += block) {
        const isize rows = first + count - at < block ? first + count - at : block;
        run_kernel(values, nullptr, run.x, nullptr, at, rows);
        for (isize i = 0; i < rows; ++i) run.y[at + i] = static_cast<T>(values[i]);
      }
    });
  }

  void backward(const Backward<T>& run) const override {
    check(run.dx[1] == nullptr, owner_,
          ": a loss has no gradient with respect to y_true; what is trained goes into y_pred.");
    if (!run.dx[0]) return;
    for_rows(run.pass.team, run.pass.n * lead_, cols_, [&](isize first, isize count) {
      run_kernel(nullptr, run.dx[0], run.x, run.dy, first, count);
    });
  }

 private:
  void run_kernel(double* values, T* dx, const T* const* x, const T* dy, isize first,
                  isize count) const {
    kernel_({values, dx ? dx + first * cols_ : nullptr, x[0] + first * cols_,
             x[1] + first * target_cols_, dy ? dy + first : nullptr, params_.data(), count, cols_,
             T(1), smoothing_});
  }

  std::string owner_;
  kernels::LossKernel<T> kernel_ = nullptr;
  std::array<T, kernels::kMaxParams> params_{};
  T smoothing_;
  isize cols_ = 1, lead_ = 1, target_cols_ = 1;
};

PYNN_OP("loss", LossRows);

}  // namespace
}  // namespace pynn::ops
