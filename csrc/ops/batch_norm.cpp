// Batch normalization over the last axis (Ioffe and Szegedy 2015, arXiv:1502.03167): training
// normalizes with the batch's mean and biased variance and moves the moving statistics; inference,
// and a frozen layer, use the moving ones. Variables: gamma and beta where wanted, moving mean,
// moving variance.
#include <cmath>

#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {
namespace {

template <class T>
class BatchNorm : public Op<T> {
 public:
  explicit BatchNorm(const Blueprint& b)
      : momentum_(static_cast<T>(b.spec.number("momentum"))),
        epsilon_(b.spec.number("epsilon")),
        frozen_(b.spec.flag("frozen")) {
    this->out = b.in.at(0);
    cols_ = last_axis(this->out);
    lead_ = rows_per_sample(this->out);
    int next = 0;
    gamma_ = b.spec.flag("scale") ? next++ : -1;
    beta_ = b.spec.flag("center") ? next++ : -1;
    moving_ = next;
    for (const Shape& shape : b.variables) {
      check(shape == Shape{cols_}, b.spec.owner, ": expected ", shape,
            " features (set when the layer ", "was built). Received: input shape ", this->out, ".");
    }
    check(static_cast<int>(b.variables.size()) == moving_ + 2, b.spec.owner,
          ": expected a moving mean and a moving variance after gamma and beta.");
    this->saved_per_sample = element_count(this->out);  // normalized input
    this->saved_fixed = 3 * cols_;                      // 1 / standard deviation, mean, variance
  }

  void forward(const Forward<T>& run) const override {
    const auto& k = kernels::table<T>();
    const isize rows = run.pass.n * lead_;
    const T* gamma = gamma_ < 0 ? nullptr : run.w[gamma_];
    const T* beta = beta_ < 0 ? nullptr : run.w[beta_];
    T *moving_mean = run.w[moving_], *moving_variance = run.w[moving_ + 1];
    const bool batch_statistics = run.pass.training && !frozen_;
    const Cut strips(cols_, kStrip);
    parallel_for(run.pass.team, strips.count, 3 * elementwise_cost(rows * cols_), [&](isize i) {
      const auto [at, width] = strips[i];
      T own[kStrip];
      T* inv_std = run.saved ? run.saved + at : own;
      const T *mean = moving_mean + at, *variance = moving_variance + at;
      T* xhat = nullptr;
      if (run.saved) xhat = run.saved + this->saved_fixed + at;
      if (batch_statistics) {
        T *batch_mean = run.saved + cols_ + at, *batch_variance = run.saved + 2 * cols_ + at;
        k.column_moments(batch_mean, batch_variance, run.x[0] + at, rows, width, cols_);
        mean = batch_mean;
        variance = batch_variance;
        for (isize j = 0; j < width; ++j) {
          T &m = moving_mean[at + j], &v = moving_variance[at + j];
          m = m * momentum_ + batch_mean[j] * (1 - momentum_);
          v = v * momentum_ + batch_variance[j] * (1 - momentum_);
        }
      }
      for (isize j = 0; j < width; ++j) {
        inv_std[j] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance[j]) + epsilon_));
      }
      k.normalize(run.y + at, xhat, run.x[0] + at, mean, inv_std, gamma ? gamma + at : nullptr,
                  beta ? beta + at : nullptr, rows, width, cols_);
    });
  }

  void backward(const Backward<T>& run) const override {
    const auto& k = kernels::table<T>();
    const isize rows = run.pass.n * lead_;
    const auto shifted = [](auto* p, isize by) { return p ? p + by : p; };
    const T* gamma = gamma_ < 0 ? nullptr : run.w[gamma_];
    T* dgamma = gamma_ < 0 ? nullptr : run.dw[gamma_];
    T* dbeta = beta_ < 0 ? nullptr : run.dw[beta_];
    const Cut strips(cols_, kStrip);
    parallel_for(run.pass.team, strips.count, 3 * elementwise_cost(rows * cols_), [&](isize i) {
      const auto [at, width] = strips[i];
      const T *inv_std = run.saved + at, *xhat = run.saved + this->saved_fixed + at;
      T* dx = shifted(run.dx[0], at);
      if (frozen_ || !run.pass.training) {  // statistics are constants: dx = dy gamma / stddev
        k.normalize_backward(nullptr, shifted(dgamma, at), shifted(dbeta, at), xhat, inv_std,
                             run.dy + at, nullptr, rows, width, cols_);
        const T zero[kStrip] = {};
        if (dx) {
          k.normalize(dx, nullptr, run.dy + at, zero, inv_std, shifted(gamma, at), nullptr, rows,
                      width, cols_);
        }
        return;
      }
      k.normalize_backward(dx, shifted(dgamma, at), shifted(dbeta, at), xhat, inv_std, run.dy + at,
                           shifted(gamma, at), rows, width, cols_);
    });
  }

 private:
  static constexpr isize kStrip = 64;
  T momentum_;
  double epsilon_;
  bool frozen_;
  int gamma_ = -1, beta_ = -1, moving_ = 0;
  isize cols_ = 0, lead_ = 1;
};

PYNN_OP("batch_norm", BatchNorm);

}  // namespace
}  // namespace pynn::ops
