#include "exec/objective.h"

#include "ops/tiling.h"

namespace pynn::exec {
namespace {

// The rows of output `index`: along the last axis, or every element a row of its own.
template <class T>
Rows rows_of(const Plan<T>& plan, std::size_t index, bool values) {
  check(index < plan.outputs.size(), "output must be the number of an output of the network. ",
        "Received: output=", index, ".");
  const Tensor& out = plan.output(index);
  check(out.batched || values, "a loss or metric needs an output with a batch axis.");
  check(out.size > 0, "a loss or metric needs an output with elements. Received: samples of shape ",
        out.shape, ".");
  if (values) return {plan.outputs[index], out.batched, out.size, 1};
  return {plan.outputs[index], true, ops::rows_per_sample(out.shape), ops::last_axis(out.shape)};
}

isize target_size_of(const kernels::CatalogRow& row, const Rows& rows) {
  return row.index_target ? rows.lead : rows.lead * rows.cols;
}

}  // namespace

template <class T>
Loss<T>::Loss(const LossSpec& spec_, const Plan<T>& plan)
    : spec(spec_), rows(rows_of(plan, spec.output, spec.values)) {
  if (spec.values) return;
  row = &kernels::loss_row(spec.name);
  params_ = kernels::params_of<T>(*row, spec.params);
  target_size = target_size_of(*row, rows);
  kernel_ = kernels::loss_kernel<T>(*row, spec.from_logits);
  const int producer = plan.producer(rows.tensor);
  if (spec.from_logits || row->logits_index < 0 || producer < 0) return;
  // Softmax or sigmoid followed by its cross-entropy: exact, and cheaper, from what went into it.
  const Step<T>& last = plan.steps[static_cast<std::size_t>(producer)];
  if (last.output != rows.tensor || last.op->activation_name() != row->fuses_with) return;
  kernel_ = kernels::loss_kernel<T>(*row, true);
  rows.tensor = last.inputs[0];
}

template <class T>
double Loss<T>::share(double weights, double count) const {
  switch (spec.reduction) {
    case Reduction::mean:
      return 1 / count;
    case Reduction::sum:
      return 1;
    case Reduction::mean_with_sample_weight:
      break;
  }
  return weights != 0 ? 1 / weights : 0;
}

template <class T>
double Loss<T>::reduce(const LossSum& sum) const {
  return sum.rows > 0 ? sum.values * share(sum.weights, sum.rows) : 0;
}

template <class T>
LossSum Loss<T>::compute(double* values, T* grad, const T* pred, const T* target,
                         const RowWeights<T>& weights, isize n, isize batch, int team) const {
  const isize count = rows.of(n), cols = rows.cols, target_cols = target_size / rows.lead;
  const T* row_weight = weights.values;
  LossSum sum{0, 0, static_cast<double>(count * weights.count)};
  const auto weight = [&](isize r) { return row_weight ? static_cast<double>(row_weight[r]) : 1; };
  for (isize r = 0; r < count; ++r) sum.weights += weight(r);
  const auto all = static_cast<double>(rows.of(batch) * weights.count);
  const T scale = static_cast<T>(spec.weight * share(row_weight ? sum.weights : all, all));
  if (kernel_) {
    ops::for_rows(team, count, cols * 8, [&](isize first, isize some) {
      kernel_({values + first, grad ? grad + first * cols : nullptr, pred + first * cols,
               target + first * target_cols, row_weight ? row_weight + first : nullptr,
               params_.data(), some, cols, scale, static_cast<T>(spec.label_smoothing)});
    });
  } else {
    for (isize r = 0; r < count; ++r) {
      values[r] = static_cast<double>(pred[r]);
      if (grad) grad[r] = row_weight ? scale * row_weight[r] : scale;
    }
  }
  for (isize r = 0; r < count; ++r) sum.values += values[r] * weight(r);
  return sum;
}

template <class T>
Metric<T>::Metric(const MetricSpec& spec_, const Plan<T>& plan)
    : spec(spec_), rows(rows_of(plan, spec.output, spec.values)) {
  if (spec.values) return;
  if (const auto* row = kernels::find_row("metric", spec.name)) {
    metric_ = kernels::table<T>().metric[row->index];
    params_ = kernels::params_of<T>(*row, spec.params);
    sum_count = row->sums(rows.cols, spec.params);
    target_size = target_size_of(*row, rows);
  } else {
    const kernels::CatalogRow& loss = kernels::loss_row(spec.name);
    params_ = kernels::params_of<T>(loss, spec.params);
    loss_ = kernels::loss_kernel<T>(loss, spec.from_logits);
    target_size = target_size_of(loss, rows);
  }
}

template <class T>
void Metric<T>::accumulate(double* sums, double* scratch, const T* pred, const T* target,
                           const T* row_weight, isize n) const {
  const isize count = rows.of(n), cols = rows.cols;
  if (metric_) {
    metric_({sums, pred, target, row_weight, params_.data(), count, cols, target_size / rows.lead});
    return;
  }
  if (loss_) {
    loss_({scratch, nullptr, pred, target, nullptr, params_.data(), count, cols, T(1),
           static_cast<T>(spec.label_smoothing)});
  }
  for (isize r = 0; r < count; ++r) {
    const double w = row_weight ? static_cast<double>(row_weight[r]) : 1.0;
    sums[0] += w * (loss_ ? scratch[r] : static_cast<double>(pred[r]));
    sums[1] += w;
  }
}

template class Loss<float>;
template class Loss<double>;
template class Metric<float>;
template class Metric<double>;

}  // namespace pynn::exec
