#include "exec/network.h"

#include <algorithm>
#include <chrono>

#include "core/check.h"
#include "core/denormals.h"

namespace pynn::exec {

double seconds_now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

void Poll::now_and_then() {
  if (!function) return;
  const double now = seconds_now();
  if (now < next) return;
  next = now + 0.05;
  function(context);
}

namespace {

// Where each tensor lives during inference: memory whose last reader has run is used again.
// Returns the slot of each tensor and the size of each slot, in elements of one sample.
template <class T>
std::pair<std::vector<int>, std::vector<isize>> reuse_slots(const Plan<T>& plan) {
  const std::size_t tensors = plan.tensors.size(), steps = plan.steps.size();
  constexpr std::size_t kAlways = static_cast<std::size_t>(-1);
  std::vector<std::size_t> last_read(tensors, 0);
  const auto memory = [&](int t) {
    return static_cast<std::size_t>(plan.tensors[static_cast<std::size_t>(t)].memory);
  };
  for (std::size_t s = 0; s < steps; ++s) {
    for (int input : plan.steps[s].inputs) last_read[memory(input)] = s;
  }
  for (int output : plan.outputs) {  // an output, and what a fused loss reads, is never overwritten
    last_read[memory(output)] = kAlways;
    if (const int s = plan.producer(output); s >= 0) {
      for (int input : plan.steps[static_cast<std::size_t>(s)].inputs)
        last_read[memory(input)] = kAlways;
    }
  }
  std::vector<int> slot(tensors, -1);
  std::vector<isize> size;
  std::vector<int> free;
  const auto place = [&](std::size_t t) {
    if (free.empty()) {
      free.push_back(static_cast<int>(size.size()));
      size.push_back(0);
    }
    slot[t] = free.back();
    free.pop_back();
    isize& extent = size[static_cast<std::size_t>(slot[t])];
    extent = std::max(extent, plan.tensors[t].size);
  };
  for (int input : plan.inputs) place(static_cast<std::size_t>(input));
  for (std::size_t s = 0; s < steps; ++s) {
    place(static_cast<std::size_t>(plan.steps[s].output));
    for (int input : plan.steps[s].inputs) {
      if (last_read[memory(input)] == s) free.push_back(slot[memory(input)]);
    }
  }
  return {slot, size};
}

}  // namespace

template <class T>
Workspace<T>::Workspace(const Plan<T>& plan, isize capacity_, bool training)
    : capacity(capacity_),
      tensor(plan.tensors.size()),
      gradient(plan.tensors.size()),
      saved(plan.steps.size()) {
  constexpr isize kNone = -1;
  std::vector<isize> tensor_at(tensor.size(), kNone), gradient_at = tensor_at;
  std::vector<isize> saved_at(saved.size(), kNone);
  Layout<T> layout;
  if (training) {
    const auto place = [&](int t) {
      const auto i = static_cast<std::size_t>(t);
      tensor_at[i] = layout.add(plan.tensors[i].size * capacity);
      if (plan.tensors[i].needs_gradient)
        gradient_at[i] = layout.add(plan.tensors[i].size * capacity);
    };
    for (int input : plan.inputs) place(input);
    for (std::size_t s = 0; s < saved.size(); ++s) {
      place(plan.steps[s].output);
      const ops::Op<T>& op = *plan.steps[s].op;
      saved_at[s] = layout.add(op.saved_fixed + op.saved_per_sample * capacity);
    }
  } else {
    const auto [slot, size] = reuse_slots(plan);
    std::vector<isize> slot_at;
    for (isize extent : size) slot_at.push_back(layout.add(extent * capacity));
    for (std::size_t t = 0; t < tensor.size(); ++t) {
      if (slot[t] >= 0) tensor_at[t] = slot_at[static_cast<std::size_t>(slot[t])];
    }
  }
  arena = Arena<T>(layout.size());
  const auto resolve = [&](isize offset) {
    return offset == kNone ? nullptr : arena.data() + offset;
  };
  for (std::size_t t = 0; t < tensor.size(); ++t) {
    const auto memory = static_cast<std::size_t>(plan.tensors[t].memory);
    tensor[t] = resolve(tensor_at[memory]);
    gradient[t] = resolve(gradient_at[memory]);
  }
  std::size_t most_inputs = 0, most_variables = 0;
  for (std::size_t s = 0; s < saved.size(); ++s) {
    saved[s] = resolve(saved_at[s]);
    most_inputs = std::max(most_inputs, plan.steps[s].inputs.size());
    most_variables = std::max(most_variables, plan.steps[s].variables.size());
  }
  x.resize(most_inputs);
  dx.resize(most_inputs);
  w.resize(most_variables);
  dw.resize(most_variables);
}

namespace {

template <class T>
ops::Pass pass_of(const Step<T>& step, std::size_t index, const Run& run) {
  return {run.n,
          run.team,
          run.training,
          {step.has_seed ? step.seed : run.seed, static_cast<std::uint32_t>(index), run.step}};
}

template <class T>
void bind(const Plan<T>& plan, const Step<T>& step, Workspace<T>& space) {
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    space.x[i] = space.tensor[static_cast<std::size_t>(step.inputs[i])];
  }
  for (std::size_t i = 0; i < step.variables.size(); ++i)
    space.w[i] = plan.weight(step.variables[i]);
}

}  // namespace

template <class T>
double Network<T>::forward(Workspace<T>& space, const Run& run, Poll& poll) const {
  const FlushDenormals flush;
  const Interruptible between_tasks(Poll::call, &poll);
  double penalty = 0;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step<T>& step = plan.steps[s];
    bind(plan, step, space);
    const ops::Pass pass = pass_of(step, s, run);
    T* y = space.tensor[static_cast<std::size_t>(step.output)];
    step.op->forward({pass, y, space.saved[s], space.x.data(), space.w.data(), &penalty});
    poll.now_and_then();
  }
  return penalty;
}

template <class T>
void Network<T>::backward(Workspace<T>& space, const Run& run, int last_step, T* const* dw,
                          Poll& poll) const {
  const FlushDenormals flush;
  const Interruptible between_tasks(Poll::call, &poll);
  for (int s = last_step; s >= 0; --s) {
    const Step<T>& step = plan.steps[static_cast<std::size_t>(s)];
    const auto out = static_cast<std::size_t>(step.output);
    if (!plan.tensors[out].needs_gradient) continue;
    bind(plan, step, space);
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const auto input = static_cast<std::size_t>(step.inputs[i]);
      space.dx[i] = plan.tensors[input].needs_gradient ? space.gradient[input] : nullptr;
    }
    for (std::size_t i = 0; i < step.variables.size(); ++i) space.dw[i] = dw[step.variables[i]];
    const ops::Pass pass = pass_of(step, static_cast<std::size_t>(s), run);
    step.op->backward({pass, space.dx.data(), space.dw.data(),
                       space.saved[static_cast<std::size_t>(s)], space.x.data(), space.tensor[out],
                       space.gradient[out], space.w.data()});
    poll.now_and_then();
  }
}

template <class T>
void Network<T>::predict(T* y, const std::vector<Source>& x, int team, Poll& poll) const {
  const auto out = static_cast<std::size_t>(plan.outputs[0]);
  const isize size = plan.tensors[out].size;
  for_blocks(x, team, poll, [&](Workspace<T>& space, isize first, isize count, double) {
    std::copy_n(space.tensor[out], count * size, y + first * size);
  });
}

template <class T>
void Network<T>::check_inputs(const std::vector<Source>& x) const {
  check(x.size() == plan.inputs.size(), "expected ", plan.inputs.size(),
        " input arrays. Received: ", x.size(), ".");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Shape& expected = plan.tensors[i].shape;
    check(!x[i].shape.empty() && x[i].sample_shape() == expected, "expected samples of shape ",
          expected,
          " (set when the model was built), behind a batch axis. Received: x.shape=", x[i].shape,
          ".");
    check(x[i].samples() == x[0].samples(), "all inputs must have the same number of samples. ",
          "Received: ", x[0].samples(), " and ", x[i].samples(), ".");
  }
}

// Enough rows to reuse a layer's weights from cache, few enough for the activations to stay there
// and for every thread to get some.
template <class T>
isize Network<T>::block_rows(isize samples) const {
  isize widest = 1;
  for (const Tensor& tensor : plan.tensors) widest = std::max(widest, tensor.size);
  constexpr isize kBytes = 1024 * 1024, kFewest = 16, kMost = 256, kShares = 8;
  const isize fits = kBytes / (widest * static_cast<isize>(sizeof(T)));
  const isize rows = std::min(fits, samples / kShares) / kFewest * kFewest;
  return std::clamp(rows, kFewest, kMost);
}

template <class T>
Network<T>::Pool::~Pool() {
  for (auto& place : spare_) delete place.load();
}

template <class T>
std::unique_ptr<Workspace<T>> Network<T>::Pool::take() {
  for (auto& place : spare_) {
    if (Workspace<T>* space = place.exchange(nullptr, std::memory_order_acquire)) {
      return std::unique_ptr<Workspace<T>>(space);
    }
  }
  return nullptr;
}

template <class T>
void Network<T>::Pool::give(std::unique_ptr<Workspace<T>> space) {
  for (auto& place : spare_) {
    Workspace<T>* empty = nullptr;
    if (place.compare_exchange_strong(empty, space.get(), std::memory_order_release,
                                      std::memory_order_relaxed)) {
      space.release();
      return;
    }
  }
}

template struct Workspace<float>;
template struct Workspace<double>;
template class Network<float>;
template class Network<double>;

}  // namespace pynn::exec
