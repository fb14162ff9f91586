// What training minimizes and what it reports: losses, and metrics beside them, each over one
// output of a network.
#pragma once

#include <string>
#include <vector>

#include "exec/plan.h"
#include "kernels/lookup.h"

namespace pynn::exec {

// How the losses of a batch's rows become one number.
enum class Reduction : char { mean, sum, mean_with_sample_weight };

// A row of the loss table; or, with `values`, an output that holds the loss of each row already. An
// output of that kind without a target is a penalty: it is summed, and reported in the total alone.
struct LossSpec {
  std::string name;
  std::vector<double> params = {};
  double label_smoothing = 0;
  bool from_logits = false;
  bool values = false;
  std::size_t output = 0;
  int target = 0;  // -1: none
  Reduction reduction = Reduction::mean;
  double weight = 1;  // in the total

  bool is_penalty() const { return target < 0; }
};

// A row of the metric table, or of the loss table: then the metric is the mean of that loss; or,
// with `values`, the mean of an output.
struct MetricSpec {
  std::string name;
  std::vector<double> params = {};
  double label_smoothing = 0;
  bool from_logits = false;
  bool weighted = false;
  bool values = false;
  std::size_t output = 0;
  int target = 0;
};

// Losses of some rows: what `reduce` needs to know of them.
struct LossSum {
  double values = 0, weights = 0, rows = 0;
};

// The weights of a batch's rows. Where one value serves the whole batch, its weight is the sum of
// `count` weights: it counts as if every sample had it.
template <class T>
struct RowWeights {
  const T* values = nullptr;  // none: all count alike
  isize count = 1;
};

// One output seen as rows that are judged one by one.
struct Rows {
  int tensor;    // which one is read
  bool batched;  // else there is one sample, whatever the batch
  isize lead;    // rows of one sample
  isize cols;    // of a row
  isize of(isize batch) const { return (batched ? batch : 1) * lead; }
};

template <class T>
class Loss {
 public:
  Loss(const LossSpec& spec, const Plan<T>& plan);

  LossSpec spec;
  const kernels::CatalogRow* row = nullptr;  // null for values
  // Of the prediction, or of the logits before it where the loss is computed from those.
  Rows rows;
  isize target_size = 0;  // elements of one sample's target; 0 if it is not read

  // The losses of n samples out of `batch`, one per row; `grad`, unless null, becomes the gradient
  // of spec.weight * reduce(sum over the batch).
  LossSum compute(double* values, T* grad, const T* pred, const T* target,
                  const RowWeights<T>& weights, isize n, isize batch, int team) const;
  double reduce(const LossSum& sum) const;

 private:
  double share(double weights, double count) const;  // of one row in the reduced loss

  kernels::LossKernel<T> kernel_ = nullptr;
  std::array<T, kernels::kMaxParams> params_{};
};

template <class T>
class Metric {
 public:
  Metric(const MetricSpec& spec, const Plan<T>& plan);

  MetricSpec spec;
  Rows rows;
  isize sum_count = 2;
  isize target_size = 0;  // elements of one sample's target; 0 if it is not read

  // Adds n samples to sums(sum_count); scratch holds a value per row.
  void accumulate(double* sums, double* scratch, const T* pred, const T* target,
                  const T* row_weight, isize n) const;

 private:
  kernels::MetricKernel<T> metric_ = nullptr;
  kernels::LossKernel<T> loss_ = nullptr;
  std::array<T, kernels::kMaxParams> params_{};
};

}  // namespace pynn::exec
