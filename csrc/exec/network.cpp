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

template <class T>
ops::Pass pass_of(const Plan<T>& plan, const Step<T>& step, std::size_t index, const Run& run) {
  return {plan.tensors[static_cast<std::size_t>(step.output)].samples(run.n),
          run.n,
          run.team,
          run.training,
          {step.has_seed ? step.seed : run.seed, static_cast<std::uint32_t>(index), run.step}};
}

template <class T>
void bind(const Plan<T>& plan, const Step<T>& step, Workspace<T>& space) {
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const auto input = static_cast<std::size_t>(step.inputs[i]);
    space.x[i] = space.tensor[input];
    space.sparse_x[i] = space.sparse[input].get();
  }
  for (std::size_t i = 0; i < step.variables.size(); ++i) {
    const int variable = step.variables[i];
    T* const packed = space.packed ? space.packed[variable] : nullptr;
    space.w[i] = packed ? packed : plan.weight(variable);
  }
}

template <class T>
bool is_packed(const Step<T>& step, const Workspace<T>& space) {
  return space.packed && !step.variables.empty() && space.packed[step.variables[0]];
}

template <class T>
ops::Kept* kept_by(Workspace<T>& space, std::size_t step) {
  return space.kept.empty() ? nullptr : &space.kept[step];
}

}  // namespace

template <class T>
double Network<T>::forward(Workspace<T>& space, const Run& run, Poll& poll) const {
  const FlushDenormals flush;
  const Interruptible between_tasks(Poll::call, &poll);
  double penalty = 0;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (run.unread && (*run.unread)[s]) continue;
    const Step<T>& step = plan.steps[s];
    bind(plan, step, space);
    const ops::Pass pass = pass_of(plan, step, s, run);
    T* y = space.tensor[static_cast<std::size_t>(step.output)];
    step.op->forward({pass, y, space.saved[s], space.x.data(), space.w.data(),
                      is_packed(step, space), &penalty, kept_by(space, s), space.sparse_x.data()});
    poll.now_and_then();
  }
  return penalty;
}

template <class T>
void Network<T>::backward(Workspace<T>& space, const Run& run, const Backprop<T>& backprop,
                          T* const* dw, const ops::TileUpdate<T>* const* updates,
                          Poll& poll) const {
  const FlushDenormals flush;
  const Interruptible between_tasks(Poll::call, &poll);
  for (const auto& batch : space.sparse) {
    if (batch) batch->transpose();
  }
  for (const auto& item : backprop.items) {
    const auto s = static_cast<std::size_t>(item.step);
    const Step<T>& step = plan.steps[s];
    const auto out = static_cast<std::size_t>(step.output);
    const auto elements = [&](int tensor) {
      return plan.tensors[static_cast<std::size_t>(tensor)].elements(run.n);
    };
    const auto gradient = [&](int tensor) {
      return space.gradient[static_cast<std::size_t>(tensor)];
    };
    bind(plan, step, space);
    Layout<T> scratch;
    const auto place = [&](Arrival arrival, T* target, isize size) -> T* {
      if (arrival == Arrival::none) return nullptr;
      return arrival == Arrival::first ? target : space.scratch + scratch.add(size);
    };
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const int input = step.inputs[i];
      space.dx[i] = place(item.inputs[i], gradient(input), elements(input));
    }
    for (std::size_t i = 0; i < step.variables.size(); ++i) {
      const int variable = step.variables[i];
      space.updates[i] = updates ? updates[variable] : nullptr;
      const Arrival arrival = space.updates[i] ? Arrival::none : item.variables[i];
      space.dw[i] = place(arrival, dw[variable], plan.storage(variable).size());
    }
    if (item.clear) std::fill_n(gradient(step.output), elements(step.output), T(0));
    const ops::Pass pass = pass_of(plan, step, s, run);
    step.op->backward({pass, space.dx.data(), space.dw.data(), space.updates.data(), space.saved[s],
                       space.x.data(), space.tensor[out], space.gradient[out], space.w.data(),
                       is_packed(step, space), kept_by(space, s), space.sparse_x.data()});
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (item.inputs[i] != Arrival::further) continue;
      add_to(gradient(step.inputs[i]), space.dx[i], elements(step.inputs[i]), run.team);
    }
    for (std::size_t i = 0; i < step.variables.size(); ++i) {
      if (item.variables[i] != Arrival::further) continue;
      add_to(dw[step.variables[i]], space.dw[i], plan.storage(step.variables[i]), run.team);
    }
    poll.now_and_then();
  }
  for (int variable : backprop.unreached) {
    std::fill_n(dw[variable], plan.storage(variable).size(), T(0));
  }
}

template <class T>
void Network<T>::predict(const std::vector<T*>& y, const std::vector<Source>& x, const Run& run,
                         Poll& poll) const {
  for_blocks(x, run, poll, [&](Workspace<T>& space, isize first, isize count, double) {
    copy_outputs(y, space, first, count);
  });
}

template <class T>
void Network<T>::copy_outputs(const std::vector<T*>& y, const Workspace<T>& space, isize first,
                              isize n) const {
  for (std::size_t i = 0; i < y.size(); ++i) {
    const Tensor& out = plan.output(i);
    if (!out.batched && first > 0) continue;
    std::copy_n(space.tensor[static_cast<std::size_t>(plan.outputs[i])], out.elements(n),
                y[i] + first * out.size);
  }
}

template <class T>
void Network<T>::check_inputs(const std::vector<Source>& x) const {
  check(x.size() == plan.inputs.size(), "expected ", plan.inputs.size(),
        " input arrays. Received: ", x.size(), ".");
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Tensor& input = plan.tensors[static_cast<std::size_t>(plan.inputs[i])];
    const Shape& expected = input.shape;
    check(input.sparse || !x[i].compressed, "a sparse matrix needs a sparse input, ",
          "Input(shape, sparse=True). Received: a CSR matrix of shape ", x[i].shape, ".");
    check(!input.sparse || x[i].compressed, "a sparse input takes matrices in compressed rows ",
          "(CSR). Received: a dense array of shape ", x[i].shape, ".");
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
isize Network<T>::block_rows(const Run& run) const {
  if (plan.whole_batch || run.training) return std::max<isize>(run.n, 1);
  isize widest = 1;
  for (const Tensor& tensor : plan.tensors) {
    if (tensor.batched) widest = std::max(widest, tensor.size);
  }
  constexpr isize kBytes = 512 * 1024, kFewest = 16, kMost = 256, kShares = 8;
  const isize fits = kBytes / (widest * static_cast<isize>(sizeof(T)));
  const isize rows = std::min(fits, run.n / kShares) / kFewest * kFewest;
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

template class Network<float>;
template class Network<double>;

}  // namespace pynn::exec
