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
ops::Kept* kept_by(Workspace<T>& space, std::size_t step) {
  return space.kept.empty() ? nullptr : &space.kept[step];
}

// One step of a run, and the arguments of its op.
template <class T>
struct Bound {
  using Arguments = typename Workspace<T>::Arguments;

  Bound(const Plan<T>& plan, Workspace<T>& space_, std::size_t index_, const Run& run_,
        Arguments& arguments)
      : step(plan.steps[index_]),
        pass(pass_of(plan, step, index_, run_)),
        space(space_),
        index(index_),
        at(arguments) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const auto input = static_cast<std::size_t>(step.inputs[i]);
      at.x[i] = space.tensor[input];
      at.sparse_x[i] = space.sparse[input].get();
      at.listed_x[i] = space.listed[input];
    }
    for (std::size_t i = 0; i < step.variables.size(); ++i) {
      const int variable = step.variables[i];
      T* const moved = space.moved ? space.moved[variable] : nullptr;
      if (i == 0) packed = moved && space.packed;
      at.w[i] = moved ? moved : plan.weight(variable);
    }
  }

  ops::Forward<T> forward(double* penalty) const {
    return {
        pass,    space.tensor[output()], space.saved[index], at.x.data(),       at.w.data(), packed,
        penalty, kept_by(space, index),  at.sparse_x.data(), at.listed_x.data()};
  }
  ops::Backward<T> backward() const {
    return {pass,
            at.dx.data(),
            at.dw.data(),
            at.updates.data(),
            space.saved[index],
            at.x.data(),
            space.tensor[output()],
            space.gradient[output()],
            at.w.data(),
            packed,
            kept_by(space, index),
            at.sparse_x.data(),
            at.listed_x.data()};
  }
  std::size_t output() const { return static_cast<std::size_t>(step.output); }

  const Step<T>& step;
  ops::Pass pass;
  Workspace<T>& space;
  std::size_t index;
  Arguments& at;
  bool packed = false;
};

// Where the gradients of one run go, and what is done about those that are not the first.
template <class T>
class GradientPlaces {
 public:
  GradientPlaces(const Plan<T>& plan, Workspace<T>& space, const Run& run, T* const* dw,
                 const ops::TileUpdate<T>* const* updates)
      : plan_(plan), space_(space), run_(run), dw_(dw), updates_(updates) {}

  void bind(const typename Backprop<T>::Item& item, Bound<T>& bound) const {
    const Step<T>& step = bound.step;
    Layout<T> scratch;
    const auto place = [&](Arrival arrival, T* target, isize size) -> T* {
      if (arrival == Arrival::none) return nullptr;
      return arrival == Arrival::first ? target : space_.scratch + scratch.add(size);
    };
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const int input = step.inputs[i];
      bound.at.dx[i] = place(item.inputs[i], gradient(input), elements(input));
    }
    for (std::size_t i = 0; i < step.variables.size(); ++i) {
      const int variable = step.variables[i];
      bound.at.updates[i] = updates_ ? updates_[variable] : nullptr;
      const Arrival arrival = bound.at.updates[i] ? Arrival::none : item.variables[i];
      bound.at.dw[i] = place(arrival, dw_[variable], plan_.storage(variable).size());
    }
    if (item.clear) std::fill_n(gradient(step.output), elements(step.output), T(0));
  }

  void add_further(const typename Backprop<T>::Item& item, const Bound<T>& bound) const {
    const Step<T>& step = bound.step;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (item.inputs[i] != Arrival::further) continue;
      add_to(gradient(step.inputs[i]), bound.at.dx[i], elements(step.inputs[i]), run_.team);
    }
    for (std::size_t i = 0; i < step.variables.size(); ++i) {
      if (item.variables[i] != Arrival::further) continue;
      const int variable = step.variables[i];
      add_to(dw_[variable], bound.at.dw[i], plan_.storage(variable), run_.team);
    }
  }

 private:
  isize elements(int tensor) const {
    return plan_.tensors[static_cast<std::size_t>(tensor)].elements(run_.n);
  }
  T* gradient(int tensor) const { return space_.gradient[static_cast<std::size_t>(tensor)]; }

  const Plan<T>& plan_;
  Workspace<T>& space_;
  const Run& run_;
  T* const* dw_;
  const ops::TileUpdate<T>* const* updates_;
};

}  // namespace

template <class T>
bool Network<T>::runs_with_next(std::size_t step, const Run& run) const {
  return run.pairs && (*run.pairs)[step] &&
         plan.steps[step].op->runs_with(*plan.steps[step + 1].op, run.n);
}

template <class T>
double Network<T>::forward(Workspace<T>& space, const Run& run, Poll& poll) const {
  const FlushDenormals flush;
  const Interruptible between_tasks(Poll::call, &poll);
  double penalty = 0;
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    if (run.unread && (*run.unread)[s]) continue;
    const Bound<T> one(plan, space, s, run, space.arguments[0]);
    if (runs_with_next(s, run)) {
      const Bound<T> next(plan, space, ++s, run, space.arguments[1]);
      one.step.op->forward_with(*next.step.op, one.forward(&penalty), next.forward(&penalty),
                                space.scratch);
    } else {
      one.step.op->forward(one.forward(&penalty));
    }
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
  const GradientPlaces<T> gradients(plan, space, run, dw, updates);
  for (std::size_t i = 0; i < backprop.items.size(); ++i) {
    const auto& item = backprop.items[i];
    const auto s = static_cast<std::size_t>(item.step);
    Bound<T> one(plan, space, s, run, space.arguments[0]);
    gradients.bind(item, one);
    if (s > 0 && runs_with_next(s - 1, run)) {  // nothing of theirs is a further gradient
      Bound<T> before(plan, space, s - 1, run, space.arguments[1]);
      gradients.bind(backprop.items[++i], before);
      before.step.op->backward_with(*one.step.op, before.backward(), one.backward());
    } else {
      one.step.op->backward(one.backward());
      gradients.add_further(item, one);
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
