#include "exec/fusion.h"

#include <algorithm>

namespace pynn::exec {

template <class T>
std::vector<const ops::TileUpdate<T>*> tile_updates(const Plan<T>& plan,
                                                    const Backprop<T>& backprop,
                                                    const Optimizer<T>& optimizer) {
  if (plan.whole_batch) return {};
  std::vector<int> nodes(plan.variables.size());
  for (const Step<T>& step : plan.steps) {
    for (int variable : step.variables) ++nodes[static_cast<std::size_t>(variable)];
  }
  std::vector<const ops::TileUpdate<T>*> updates(plan.variables.size());
  for (const auto& item : backprop.items) {
    const Step<T>& step = plan.steps[static_cast<std::size_t>(item.step)];
    if (!step.op->updates_tiles) continue;
    const bool sparse = plan.tensors[static_cast<std::size_t>(step.inputs[0])].sparse;
    const auto variable = static_cast<std::size_t>(step.variables[0]);
    if (sparse || nodes[variable] > 1) continue;
    updates[variable] = optimizer.tile_update(step.variables[0]);
  }
  const bool any = std::any_of(updates.begin(), updates.end(), [](auto* update) { return update; });
  if (!any) updates.clear();
  return updates;
}

template <class T>
std::vector<int> shared_kernels(const Plan<T>& plan,
                                const std::vector<const ops::TileUpdate<T>*>& updates, isize n) {
  std::vector<int> variables;
  for (const Step<T>& step : plan.steps) {
    if (!step.op->shares_panels(n)) continue;
    const int variable = step.variables[0];
    if (updates[static_cast<std::size_t>(variable)]) variables.push_back(variable);
  }
  return variables;
}

template <class T>
std::vector<bool> unread_steps(const Plan<T>& plan, const Objective<T>& objective) {
  std::vector<bool> unread(plan.steps.size(), false);
  const auto mark = [&](int tensor, bool value) {
    const int step = plan.producer(tensor);
    if (step >= 0) unread[static_cast<std::size_t>(step)] = value;
  };
  for (const Loss<T>& loss : objective.losses) {
    const int output = plan.outputs[loss.spec.output];
    if (loss.rows.tensor != output) mark(output, true);
  }
  for (const Loss<T>& loss : objective.losses) mark(loss.rows.tensor, false);
  for (const Metric<T>& metric : objective.metrics) mark(metric.rows.tensor, false);
  for (const Step<T>& step : plan.steps) {
    for (int input : step.inputs) mark(input, false);
  }
  return unread;
}

#define PYNN_FUSION(T)                                                                             \
  template std::vector<const ops::TileUpdate<T>*> tile_updates(const Plan<T>&, const Backprop<T>&, \
                                                               const Optimizer<T>&);               \
  template std::vector<int> shared_kernels(const Plan<T>&,                                         \
                                           const std::vector<const ops::TileUpdate<T>*>&, isize);  \
  template std::vector<bool> unread_steps(const Plan<T>&, const Objective<T>&);
PYNN_FUSION(float)
PYNN_FUSION(double)

}  // namespace pynn::exec
