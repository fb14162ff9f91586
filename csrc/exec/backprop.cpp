#include "exec/backprop.h"

#include <algorithm>

#include "kernels/table.h"
#include "ops/tiling.h"

namespace pynn::exec {
namespace {

Arrival arrive(std::vector<bool>& written, int index, bool wanted) {
  const auto i = static_cast<std::size_t>(index);
  if (!wanted) return Arrival::none;
  if (written[i]) return Arrival::further;
  written[i] = true;
  return Arrival::first;
}

}  // namespace

template <class T>
Backprop<T>::Backprop(const Plan<T>& plan, const std::vector<int>& start_tensors)
    : start_tensors_(start_tensors) {
  std::vector<bool> written(plan.tensors.size()), reached(plan.variables.size());
  const auto at = [&](int tensor) -> const Tensor& {
    return plan.tensors[static_cast<std::size_t>(tensor)];
  };
  const auto arrive_at = [&](int tensor) {
    return arrive(written, at(tensor).memory, at(tensor).needs_gradient);
  };
  for (int tensor : start_tensors) starts.push_back(arrive_at(tensor));
  for (std::size_t s = plan.steps.size(); s-- > 0;) {
    const Step<T>& step = plan.steps[s];
    const bool has_gradient = written[static_cast<std::size_t>(at(step.output).memory)];
    if (!at(step.output).needs_gradient || !(has_gradient || step.op->penalizes)) continue;
    Item item{static_cast<int>(s), !has_gradient, {}, {}};
    for (int input : step.inputs) item.inputs.push_back(arrive_at(input));
    for (int variable : step.variables) {
      const bool trained = plan.trainable[static_cast<std::size_t>(variable)];
      item.variables.push_back(arrive(reached, variable, trained));
    }
    items.push_back(std::move(item));
  }
  for (std::size_t v = 0; v < reached.size(); ++v) {
    if (plan.trainable[v] && !reached[v]) unreached.push_back(static_cast<int>(v));
  }
}

template <class T>
isize Backprop<T>::scratch(const Plan<T>& plan, isize capacity) const {
  const auto elements = [&](int tensor) {
    return plan.tensors[static_cast<std::size_t>(tensor)].elements(capacity);
  };
  isize most = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (starts[i] == Arrival::further) most = std::max(most, elements(start_tensors_[i]));
  }
  for (const Item& item : items) {
    const Step<T>& step = plan.steps[static_cast<std::size_t>(item.step)];
    Layout<T> layout;
    for (std::size_t i = 0; i < item.inputs.size(); ++i) {
      if (item.inputs[i] == Arrival::further) layout.add(elements(step.inputs[i]));
    }
    for (std::size_t i = 0; i < item.variables.size(); ++i) {
      if (item.variables[i] != Arrival::further) continue;
      layout.add(plan.storage(step.variables[i]).size());
    }
    most = std::max(most, layout.size());
  }
  return most;
}

template <class T>
void add_to(T* y, const T* x, isize n, int team) {
  ops::for_elements(team, n, [&](isize first, isize count) {
    kernels::table<T>().add_bias(y + first, x + first, 1, count, count);  // a bias of one row
  });
}

template <class T>
void add_to(T* y, const T* x, const Storage<T>& storage, int team) {
  const auto [rows, cols, ld] = storage;
  if (cols == ld) return add_to(y, x, rows * cols, team);
  ops::for_rows(team, rows, cols, [&](isize first, isize count) {
    for (isize r = first; r < first + count; ++r) {
      kernels::table<T>().add_bias(y + r * ld, x + r * ld, 1, cols, ld);
    }
  });
}

template struct Backprop<float>;
template struct Backprop<double>;
template void add_to(float*, const float*, isize, int);
template void add_to(double*, const double*, isize, int);
template void add_to(float*, const float*, const Storage<float>&, int);
template void add_to(double*, const double*, const Storage<double>&, int);

}  // namespace pynn::exec
