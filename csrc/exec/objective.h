// What training minimizes and what it reports: a loss, and metrics beside it, over rows of
// predictions.
#pragma once

#include <string>
#include <vector>

#include "exec/network.h"
#include "kernels/lookup.h"

namespace pynn::exec {

struct LossSpec {
  std::string name;
  std::vector<double> params;
  double label_smoothing = 0;
  bool from_logits = false;
};

// `name` is a row of the metric table, or of the loss table: then the metric is the mean of that
// loss.
struct MetricSpec {
  std::string name;
  std::vector<double> params;
  double label_smoothing = 0;
  bool from_logits = false;
  bool weighted = false;
};

// One loss bound to an output of a network.
template <class T>
class Loss {
 public:
  Loss(const LossSpec& spec, const Plan<T>& plan);

  const kernels::CatalogRow& row;
  isize lead, cols;   // rows of one sample, columns of the prediction
  isize target_size;  // elements of one sample's target
  int start_step;     // where the backward pass begins
  int read_tensor;    // what the loss is computed from: the prediction, or the logits before it

  // values(n * lead) and the gradient, scaled by 1 / (n * lead), of n samples; either may be null.
  void compute(double* values, T* grad, const T* pred, const T* target, const T* weight, isize n,
               int team) const;

 private:
  kernels::LossKernel<T> kernel_;
  T params_[kernels::kMaxParams] = {};
  T smoothing_;
};

template <class T>
class Metric {
 public:
  Metric(const MetricSpec& spec, const Plan<T>& plan);

  bool weighted;
  isize sum_count;
  isize target_size;  // elements of one sample's target

  // Adds n samples to sums(sum_count); scratch holds n * lead values.
  void accumulate(double* sums, double* scratch, const T* pred, const T* target, const T* weight,
                  isize n) const;

 private:
  isize lead_, cols_;
  kernels::MetricKernel<T> metric_ = nullptr;
  kernels::LossKernel<T> loss_ = nullptr;
  T params_[kernels::kMaxParams] = {};
  T smoothing_ = 0;
};

// One weight per sample becomes one per row of predictions; returns `weight` itself where that is
// the same.
template <class T>
const T* spread_weights(T* space, const T* weight, isize n, isize lead);

}  // namespace pynn::exec
