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
                                const std::vector<const ops::TileUpdate<T>*>& updates,
                                const std::vector<bool>& pairs, isize n) {
  std::vector<int> variables;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step<T>& step = plan.steps[s];
    const bool by_rows = s > 0 && pairs[s - 1] && plan.steps[s - 1].op->runs_with(*step.op, n);
    if (by_rows || !step.op->shares_panels(n)) continue;
    const int variable = step.variables[0];
    if (updates[static_cast<std::size_t>(variable)]) variables.push_back(variable);
  }
  return variables;
}

template <class T>
std::vector<bool> paired_steps(const Plan<T>& plan, const Backprop<T>& backprop) {
  std::vector<int> readers(plan.tensors.size());
  for (const Step<T>& step : plan.steps) {
    for (int input : step.inputs) ++readers[static_cast<std::size_t>(input)];
  }
  for (int output : plan.outputs) ++readers[static_cast<std::size_t>(output)];
  for (std::size_t t = 0; t < readers.size(); ++t) {  // another view of its memory is a reader, too
    const auto memory = static_cast<std::size_t>(plan.tensors[t].memory);
    if (memory != t) readers[memory] += 2;
  }
  const auto adds = [](const auto& item) {
    const auto further = [](Arrival arrival) { return arrival == Arrival::further; };
    return item.clear || std::any_of(item.inputs.begin(), item.inputs.end(), further) ||
           std::any_of(item.variables.begin(), item.variables.end(), further);
  };
  std::vector<bool> pairs(plan.steps.size(), false);
  // In order of execution, so that the first layers, which are the largest as a rule, are paired.
  for (std::size_t i = backprop.items.size(); i-- > 1;) {
    const auto &item = backprop.items[i], &next_item = backprop.items[i - 1];
    const auto s = static_cast<std::size_t>(item.step);
    if (next_item.step != item.step + 1 || (s > 0 && pairs[s - 1])) continue;
    const Step<T>&step = plan.steps[s], &next = plan.steps[s + 1];
    const bool chain = next.inputs == std::vector{step.output} &&
                       readers[static_cast<std::size_t>(step.output)] == 1;
    const bool sparse = std::any_of(step.inputs.begin(), step.inputs.end(), [&](int input) {
      return plan.tensors[static_cast<std::size_t>(input)].sparse;
    });
    if (!chain || sparse || adds(item) || adds(next_item)) continue;
    pairs[s] = step.op->scratch_with(*next.op, 1) > 0;
  }
  return pairs;
}

template <class T>
isize pair_scratch(const Plan<T>& plan, const std::vector<bool>& pairs, isize capacity) {
  isize most = 0;
  for (std::size_t s = 0; s < pairs.size(); ++s) {
    if (!pairs[s]) continue;
    most = std::max(most, plan.steps[s].op->scratch_with(*plan.steps[s + 1].op, capacity));
  }
  return most;
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
                                           const std::vector<const ops::TileUpdate<T>*>&,          \
                                           const std::vector<bool>&, isize);                       \
  template std::vector<bool> paired_steps(const Plan<T>&, const Backprop<T>&);                     \
  template isize pair_scratch(const Plan<T>&, const std::vector<bool>&, isize);                    \
  template std::vector<bool> unread_steps(const Plan<T>&, const Objective<T>&);
PYNN_FUSION(float)
PYNN_FUSION(double)

}  // namespace pynn::exec
