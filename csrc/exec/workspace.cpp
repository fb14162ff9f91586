#include "exec/workspace.h"

#include <algorithm>

namespace pynn::exec {
namespace {

// Where each tensor lives during inference: memory whose last reader has run is used again.
// Returns the slot of each tensor, -1 for those without memory, and the size of each slot.
template <class T>
std::pair<std::vector<int>, std::vector<isize>> reuse_slots(const Plan<T>& plan, isize capacity) {
  const std::size_t tensors = plan.tensors.size(), steps = plan.steps.size();
  const auto memory = [&](int t) {
    return static_cast<std::size_t>(plan.tensors[static_cast<std::size_t>(t)].memory);
  };
  constexpr std::size_t kAlways = static_cast<std::size_t>(-1);
  std::vector<std::size_t> last_use(tensors, 0);
  for (std::size_t s = 0; s < steps; ++s) {
    last_use[memory(plan.steps[s].output)] = s;
    for (int input : plan.steps[s].inputs) last_use[memory(input)] = s;
  }
  for (int output : plan.outputs) {  // an output, and what a fused loss reads, is never overwritten
    last_use[memory(output)] = kAlways;
    if (const int s = plan.producer(output); s >= 0) {
      for (int input : plan.steps[static_cast<std::size_t>(s)].inputs)
        last_use[memory(input)] = kAlways;
    }
  }
  std::vector<int> slot(tensors, -1);
  std::vector<isize> size;
  std::vector<int> free;
  const auto place = [&](int tensor) {
    const auto t = static_cast<std::size_t>(tensor);
    if (free.empty()) {
      free.push_back(static_cast<int>(size.size()));
      size.push_back(0);
    }
    slot[t] = free.back();
    free.pop_back();
    isize& extent = size[static_cast<std::size_t>(slot[t])];
    extent = std::max(extent, plan.tensors[t].elements(capacity));
  };
  for (int input : plan.inputs) place(input);
  for (std::size_t s = 0; s < steps; ++s) {
    const Step<T>& step = plan.steps[s];
    place(step.output);
    const auto release = [&](int tensor) {
      if (last_use[memory(tensor)] != s) return;
      free.push_back(slot[memory(tensor)]);
      last_use[memory(tensor)] = kAlways;  // once, however often the step reads it
    };
    for (int input : step.inputs) release(input);
    release(step.output);
  }
  return {slot, size};
}

template <class T>
const ops::Op<T>* sole_reader(const Plan<T>& plan, int input) {
  const ops::Op<T>* reader = nullptr;
  int readers = 0;
  for (const Step<T>& step : plan.steps) {
    for (int of : step.inputs) {
      if (plan.tensors[static_cast<std::size_t>(of)].memory != input) continue;
      ++readers;
      reader = of == input ? step.op.get() : nullptr;
    }
  }
  for (int output : plan.outputs) {
    if (plan.tensors[static_cast<std::size_t>(output)].memory == input) ++readers;
  }
  return readers == 1 ? reader : nullptr;
}

}  // namespace

template <class T>
Workspace<T>::Workspace(const Plan<T>& plan, isize capacity_, bool training, isize scratch_size)
    : capacity(capacity_),
      tensor(plan.tensors.size()),
      gradient(plan.tensors.size()),
      saved(plan.steps.size()),
      kept(training ? plan.steps.size() : 0),
      sparse(plan.tensors.size()),
      listed(plan.tensors.size()) {
  for (const Tensor& tensor_of : plan.tensors) {
    check(tensor_of.size == 0 || capacity <= kMostElements / tensor_of.size,
          "a batch must fit into memory. Received: ", capacity, " samples of shape ",
          tensor_of.shape, ".");
  }
  constexpr isize kNone = -1;
  std::vector<isize> tensor_at(tensor.size(), kNone), gradient_at = tensor_at;
  std::vector<isize> saved_at(saved.size(), kNone);
  Layout<T> layout;
  if (training) {
    const auto place = [&](int t) {
      const auto i = static_cast<std::size_t>(t);
      const isize elements = plan.tensors[i].elements(capacity);
      tensor_at[i] = layout.add(elements);
      if (plan.tensors[i].needs_gradient) gradient_at[i] = layout.add(elements);
    };
    for (int input : plan.inputs) place(input);
    for (std::size_t s = 0; s < saved.size(); ++s) {
      place(plan.steps[s].output);
      const ops::Op<T>& op = *plan.steps[s].op;
      saved_at[s] = layout.add(op.saved_fixed + op.saved_per_sample * capacity);
    }
  } else {
    const auto [slot, size] = reuse_slots(plan, capacity);
    std::vector<isize> slot_at;
    for (isize extent : size) slot_at.push_back(layout.add(extent));
    for (std::size_t t = 0; t < tensor.size(); ++t) {
      if (slot[t] >= 0) tensor_at[t] = slot_at[static_cast<std::size_t>(slot[t])];
    }
  }
  const isize scratch_at = layout.add(scratch_size);
  arena = Arena<T>(layout.size());
  scratch = arena.data() + scratch_at;
  const auto resolve = [&](isize offset) {
    return offset == kNone ? nullptr : arena.data() + offset;
  };
  for (std::size_t t = 0; t < tensor.size(); ++t) {
    const auto memory = static_cast<std::size_t>(plan.tensors[t].memory);
    tensor[t] = resolve(tensor_at[memory]);
    gradient[t] = resolve(gradient_at[memory]);
  }
  for (int input : plan.inputs) {
    InputPlace& place =
        inputs.emplace_back(InputPlace{tensor[static_cast<std::size_t>(input)], {}, nullptr, {}});
    if (training) place.sole_reader = sole_reader(plan, input);
    if (place.sole_reader) place.listed.resize(static_cast<std::size_t>(capacity));
    for (std::size_t t = 0; t < tensor.size(); ++t) {
      if (plan.tensors[t].memory == input) place.tensors.push_back(t);
    }
  }
  std::size_t most_inputs = 0, most_variables = 0;
  for (std::size_t s = 0; s < saved.size(); ++s) {
    saved[s] = resolve(saved_at[s]);
    most_inputs = std::max(most_inputs, plan.steps[s].inputs.size());
    most_variables = std::max(most_variables, plan.steps[s].variables.size());
  }
  for (std::size_t t = 0; t < sparse.size(); ++t) {
    if (plan.tensors[t].sparse) sparse[t] = std::make_unique<SparseBatch<T>>();
  }
  // Written at every step of a run: no two workspaces may have theirs in one cache line.
  const auto alone = [](auto& list, std::size_t size) {
    list.reserve(size + kAlignment / sizeof(list[0]));
    list.resize(size);
  };
  for (Arguments& of : arguments) {
    alone(of.x, most_inputs);
    alone(of.sparse_x, most_inputs);
    alone(of.listed_x, most_inputs);
    alone(of.dx, most_inputs);
    alone(of.w, most_variables);
    alone(of.dw, most_variables);
    alone(of.updates, most_variables);
  }
}

template <class T>
void Workspace<T>::gather(const std::vector<Source>& sources, const std::int64_t* rows, isize first,
                          isize n, int team) {
  for (std::size_t i = 0; i < sources.size(); ++i) {  // the first tensors
    if (sparse[i]) {
      sparse[i]->gather(sources[i], rows, first, n, team);
      continue;
    }
    InputPlace& input = inputs[i];
    const bool lists = rows && input.sole_reader && input.sole_reader->reads_listed(n) &&
                       sources[i].template ready<T>();
    listed[i] = lists ? input.listed.data() : nullptr;
    for (isize r = 0; lists && r < n; ++r) {
      const char* sample = sources[i].data + rows[r] * sources[i].strides[0];
      input.listed[static_cast<std::size_t>(r)] = reinterpret_cast<const T*>(sample);
    }
    if (lists) continue;
    const T* there = rows ? nullptr : sources[i].template in_place<T>(first);
    T* const own = inputs[i].own;
    T* const place = there ? const_cast<T*>(there) : own;  // inputs are only read
    if (tensor[i] != place) {
      for (std::size_t t : inputs[i].tensors) tensor[t] = place;
    }
    if (!there) sources[i].template gather<T>(own, rows, first, n, team);
  }
}

template struct Workspace<float>;
template struct Workspace<double>;

}  // namespace pynn::exec
