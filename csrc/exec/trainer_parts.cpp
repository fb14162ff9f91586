// Batches of small networks, cut by samples.
#include <algorithm>

#include "core/denormals.h"
#include "exec/trainer.h"

namespace pynn::exec {

// A small network's batch is trained in parts: the activations of one stay in the cache, threads
// take one each, and their gradients, which are few, are added in order. The cut depends on shapes
// alone.
template <class T>
isize Trainer<T>::rows_of_part(const Dataset& data, isize batch) const {
  constexpr isize kFewest = 128, kMostWeights = 32 * 1024;
  const Plan<T>& plan = network_->plan;
  const isize weights = optimizer.gradient_arena().size();
  const isize most = std::max(kFewest, weights / 64);  // so that adding is little work
  if (batch <= most || !plan.row_wise || weights > kMostWeights) return batch;
  for (const Loss<T>& loss : objective_.losses) {
    const auto target = static_cast<std::size_t>(loss.spec.target);
    const bool weighted =
        loss.spec.target >= 0 && target < data.weight.size() && data.weight[target];
    if (!loss.rows.batched) return batch;
    if (weighted && loss.spec.reduction == Reduction::mean_with_sample_weight) return batch;
  }
  const isize pairs = (batch + 2 * most - 1) / (2 * most);  // two threads have the same to do
  return (batch + 2 * pairs - 1) / (2 * pairs);
}

// Each of a few threads makes every update itself, on weights of its own: less work than to bring
// new weights from core to core. The update of a step comes at the beginning of the next one, so
// that threads meet but once in a step.
template <class T>
Trainer<T>::Replicated::Replicated(Trainer& trainer, const Dataset& data, isize batch, int team)
    : trainer_(trainer) {
  constexpr isize kMost = 4;  // each reads the gradients of all others
  const isize rows = trainer.rows_of_part(data, batch), parts = (batch + rows - 1) / rows;
  const isize workers = std::min<isize>(parts, team);
  if (workers < 2 || workers > kMost || workers > team_at_hand()) return;
  if (!trainer.optimizer.replicates()) return;
  trainer.make_room(batch, 2 * parts, rows, workers);
  for (isize w = 0; w < workers; ++w) {
    Worker& worker = trainer.workers_[static_cast<std::size_t>(w)];
    const isize size = trainer.optimizer.gradient_arena().size();
    if (worker.sum.size() == 0) worker.sum = Arena<T>(size);
    if (w > 0) trainer.optimizer.copy_to(worker.replica);
  }
  trainer.replicated_ = true;
}

template <class T>
Trainer<T>::Replicated::~Replicated() {
  trainer_.update_replica(0);
  trainer_.due_.clear();
  trainer_.replicated_ = false;
}

// The first works on the weights themselves.
template <class T>
void Trainer<T>::update_replica(isize w) {
  if (due_.empty()) return;
  Worker& worker = workers_[static_cast<std::size_t>(w)];
  optimizer.update(w > 0 ? &worker.replica : nullptr, due_, worker.sum.data());
}

template <class T>
void Trainer<T>::train_in_parts(const Dataset& data, const Batch& batch, isize rows, Poll& poll) {
  const ops::Cut cut(batch.n, rows);
  const isize workers = std::min<isize>(cut.count, batch.team);
  const isize weights = optimizer.gradient_arena().size();
  // While gradients of the last step are due, those of this one go elsewhere.
  const bool elsewhere = !due_.empty() && due_[0] == parts_[0].gradients;
  Part* const parts = parts_.data() + (elsewhere ? cut.count : 0);
  const ops::Cut shares(cut.count, (cut.count + workers - 1) / workers);
  parallel_for(batch.team, shares.count, 3 * ops::gemm_cost(batch.n, weights, 1), [&](isize w) {
    const FlushDenormals flush;
    Poll silent;
    Worker& worker = workers_[static_cast<std::size_t>(w)];
    update_replica(w);
    const ops::Tile share = shares[w];
    for (isize p = share.begin; p < share.begin + share.size; ++p) {
      Part& part = parts[p];
      const Run run = start_part(worker, data, batch, cut[p], 1);
      run_losses(worker.space, worker.feed, part.score, run, batch.n, silent);
      network_->backward(worker.space, run, backprop_, part.dw.data(), nullptr, silent);
      if (batch.keep) network_->copy_outputs(output_, worker.space, cut[p].begin, run.n);
    }
  });
  due_.clear();
  score_.clear();
  for (isize p = 0; p < cut.count; ++p) score_.add(parts[p].score);
  poll.now_and_then();
  begin_step(batch);
  for (isize p = replicated_ ? 0 : 1; p < cut.count; ++p) due_.push_back(parts[p].gradients);
  if (replicated_) {
    ++optimizer.iterations;
    return;
  }
  optimizer.end_step(nullptr, due_, batch.team);
  due_.clear();
}

#define PYNN_TRAINER_PARTS(T)                                                        \
  template isize Trainer<T>::rows_of_part(const Dataset&, isize) const;              \
  template Trainer<T>::Replicated::Replicated(Trainer&, const Dataset&, isize, int); \
  template Trainer<T>::Replicated::~Replicated();                                    \
  template void Trainer<T>::train_in_parts(const Dataset&, const Batch&, isize, Poll&);
PYNN_TRAINER_PARTS(float)
PYNN_TRAINER_PARTS(double)

}  // namespace pynn::exec
