#include "exec/objective.h"

#include "ops/tiling.h"

namespace pynn::exec {
namespace {

const Tensor& output_of(const auto& plan) {
  return plan.tensors[static_cast<std::size_t>(plan.outputs.at(0))];
}

template <class T>
void copy_params(T* out, const std::vector<double>& params) {
  check(params.size() <= kernels::kMaxParams, "too many parameters for a loss or metric.");
  for (std::size_t i = 0; i < params.size(); ++i) out[i] = static_cast<T>(params[i]);
}

const kernels::CatalogRow& loss_row(const std::string& name) {
  const auto* row = kernels::find_row("loss", name);
  check(row != nullptr, "loss must be the name of a loss. Received: loss='", name, "'.");
  return *row;
}

template <class T>
kernels::LossKernel<T> logits_kernel(const kernels::CatalogRow& row) {
  check(row.logits_index >= 0, row.name,
        ": this loss has no form for logits. Received: from_logits=True.");
  return kernels::table<T>().loss[row.logits_index];
}

}  // namespace

template <class T>
Loss<T>::Loss(const LossSpec& spec, const Plan<T>& plan)
    : row(loss_row(spec.name)), smoothing_(static_cast<T>(spec.label_smoothing)) {
  copy_params(params_, spec.params);
  const Tensor& out = output_of(plan);
  cols = ops::last_axis(out.shape);
  lead = ops::rows_per_sample(out.shape);
  target_size = row.index_target ? lead : out.size;
  read_tensor = plan.outputs[0];
  start_step = plan.producer(plan.outputs[0]);
  kernel_ = spec.from_logits ? logits_kernel<T>(row) : kernels::table<T>().loss[row.index];
  if (spec.from_logits || row.logits_index < 0 || start_step < 0) return;
  // Softmax or sigmoid followed by its cross-entropy: exact, and cheaper, from what went into it.
  const Step<T>& last = plan.steps[static_cast<std::size_t>(start_step)];
  if (last.op->activation_name() != row.fuses_with) return;
  kernel_ = logits_kernel<T>(row);
  read_tensor = last.inputs[0];
  --start_step;
}

template <class T>
void Loss<T>::compute(double* values, T* grad, const T* pred, const T* target, const T* weight,
                      isize n, int team) const {
  const isize rows = n * lead, target_cols = target_size / lead;
  const T scale = T(1) / static_cast<T>(rows);
  ops::for_rows(team, rows, cols * 8, [&](isize first, isize count) {
    kernel_({values ? values + first : nullptr, grad ? grad + first * cols : nullptr,
             pred + first * cols, target + first * target_cols, weight ? weight + first : nullptr,
             params_, count, cols, scale, smoothing_});
  });
}

template <class T>
Metric<T>::Metric(const MetricSpec& spec, const Plan<T>& plan)
    : weighted(spec.weighted), smoothing_(static_cast<T>(spec.label_smoothing)) {
  copy_params(params_, spec.params);
  const Tensor& out = output_of(plan);
  cols_ = ops::last_axis(out.shape);
  lead_ = ops::rows_per_sample(out.shape);
  if (const auto* row = kernels::find_row("metric", spec.name)) {
    metric_ = kernels::table<T>().metric[row->index];
    sum_count = row->sums(cols_);
    target_size = row->index_target ? lead_ : out.size;
  } else {
    const kernels::CatalogRow& loss = loss_row(spec.name);
    loss_ = spec.from_logits ? logits_kernel<T>(loss) : kernels::table<T>().loss[loss.index];
    sum_count = 2;
    target_size = loss.index_target ? lead_ : out.size;
  }
}

template <class T>
void Metric<T>::accumulate(double* sums, double* scratch, const T* pred, const T* target,
                           const T* weight, isize n) const {
  const isize rows = n * lead_;
  const T* row_weight = weighted ? weight : nullptr;
  if (metric_) {
    metric_({sums, pred, target, row_weight, params_, rows, cols_, target_size / lead_});
    return;
  }
  loss_({scratch, nullptr, pred, target, nullptr, params_, rows, cols_, T(1), smoothing_});
  for (isize r = 0; r < rows; ++r) {
    const double w = row_weight ? static_cast<double>(row_weight[r]) : 1.0;
    sums[0] += w * scratch[r];
    sums[1] += w;
  }
}

template <class T>
const T* spread_weights(T* space, const T* weight, isize n, isize lead) {
  if (!weight || lead == 1) return weight;
  for (isize i = 0; i < n; ++i) {
    for (isize j = 0; j < lead; ++j) space[i * lead + j] = weight[i];
  }
  return space;
}

template class Loss<float>;
template class Loss<double>;
template class Metric<float>;
template class Metric<double>;
template const float* spread_weights(float*, const float*, isize, isize);
template const double* spread_weights(double*, const double*, isize, isize);

}  // namespace pynn::exec
