#include "exec/trainer.h"

#include <algorithm>

#include "core/denormals.h"
#include "exec/fusion.h"
#include "ops/tiling.h"

namespace pynn::exec {
namespace {

// Kernels are packed while this lives.
template <class T>
class Packed {
 public:
  Packed(Optimizer<T>& optimizer, const std::vector<int>& variables, int team)
      : optimizer_(optimizer), team_(team) {
    if (!variables.empty()) optimizer_.pack(variables, team_);
  }
  ~Packed() { optimizer_.unpack(team_); }
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;

 private:
  Optimizer<T>& optimizer_;
  int team_;
};

}  // namespace

void Sums::reset() {
  loss = samples = 0;
  losses.assign(losses.size(), 0.0);
  for (auto& sums : metrics) sums.assign(sums.size(), 0.0);
}

namespace {

// Losses and metrics are bound to both networks and share their sums.
template <class T>
void check_same_outputs(const Plan<T>& plan, const Plan<T>& evaluation) {
  bool same = plan.outputs.size() == evaluation.outputs.size();
  for (std::size_t i = 0; same && i < plan.outputs.size(); ++i) {
    const Tensor &a = plan.output(i), &b = evaluation.output(i);
    same = a.shape == b.shape && a.batched == b.batched;
  }
  check(same, "network and evaluation_network must have outputs of the same shapes.");
}

}  // namespace

template <class T>
Trainer<T>::Trainer(NetworkPtr network, NetworkPtr evaluation_network,
                    const std::vector<LossSpec>& losses, const std::vector<MetricSpec>& metrics,
                    const OptimizerSpec& optimizer_spec)
    : optimizer(network->plan, optimizer_spec),
      network_(std::move(network)),
      evaluation_network_(std::move(evaluation_network)),
      objective_(losses, metrics, network_->plan),
      evaluation_objective_(losses, metrics, evaluation_network_->plan),
      backprop_(network_->plan, objective_.starts()),
      score_(objective_.empty_score()) {
  check_same_outputs(network_->plan, evaluation_network_->plan);
  training.losses.resize(losses.size());
  training.metrics = score_.metrics;
  evaluation = training;
  updates_ = tile_updates(network_->plan, backprop_, optimizer);
  pairs_ = paired_steps(network_->plan, backprop_);
  unread_ = unread_steps(network_->plan, objective_);
}

template <class T>
bool Trainer<T>::whole_batch() const {
  return evaluation_network_->plan.whole_batch || evaluation_objective_.whole_batch();
}

template <class T>
void Trainer<T>::check_shapes(const Dataset& data) const {
  network_->check_inputs(data.x);
  evaluation_network_->check_inputs(data.x);
  objective_.check_shapes(data);
}

template <class T>
void Trainer<T>::check_values(const Dataset& data) const {
  for (const Source& x : data.x) x.check_rows();
  objective_.check_labels(data);
}

template <class T>
isize Trainer<T>::scratch(isize capacity) const {
  const Plan<T>& plan = network_->plan;
  return std::max(backprop_.scratch(plan, capacity), pair_scratch(plan, pairs_, capacity));
}

template <class T>
void Trainer<T>::make_room(isize batch, isize parts, isize rows, isize workers) {
  const Plan<T>& plan = network_->plan;
  if (!workers_.empty() && workers_[0].space.capacity < rows) workers_.clear();
  if (!workers_.empty()) rows = workers_[0].space.capacity;  // all have room for the same
  while (static_cast<isize>(workers_.size()) < workers) {
    workers_.push_back({Workspace<T>(plan, rows, true, scratch(rows))});
  }
  while (static_cast<isize>(parts_.size()) < parts) {
    Part& part = parts_.emplace_back(Part{objective_.empty_score()});
    T* const first = optimizer.gradient_arena().data();
    part.gradients = first;
    if (parts_.size() > 1) {
      part.arena = Arena<T>(optimizer.gradient_arena().size());
      part.gradients = part.arena.data();
    }
    for (std::size_t v = 0; v < plan.variables.size(); ++v) {
      T* place = optimizer.gradients()[v];
      part.dw.push_back(place ? part.gradients + (place - first) : nullptr);
    }
  }
  for (std::size_t i = 0; parts > 1 && i < plan.outputs.size(); ++i) {
    const isize size = plan.output(i).elements(batch);
    if (outputs_.size() <= i) {
      outputs_.emplace_back();
      output_.emplace_back();
    }
    if (outputs_[i].size() < size) outputs_[i] = Arena<T>(size);
    output_[i] = outputs_[i].data();
  }
}

// Forward, to the gradients of all losses, of the samples in `space`, which are some of `batch`.
template <class T>
void Trainer<T>::run_losses(Workspace<T>& space, Feed<T>& feed, Score& score, const Run& run,
                            isize batch, Poll& poll) {
  score.clear();
  score.activity = network_->forward(space, run, poll);
  objective_.judge(score, feed, space, 0, run.n, batch, run.team, &backprop_);
}

template <class T>
double Trainer<T>::weight_of(const Score& score, isize n) const {
  for (std::size_t l = 0; l < score.losses.size(); ++l) {
    const Loss<T>& loss = objective_.losses[l];
    if (loss.spec.is_penalty()) continue;
    return score.losses[l].weights / static_cast<double>(loss.rows.lead);
  }
  return static_cast<double>(n);
}

// Adds a batch of n samples.
template <class T>
void Trainer<T>::finish(Sums& sums, const Score& score, isize n) const {
  const auto samples = static_cast<double>(n);
  double total = optimizer.penalty(weight_of(score, n));
  for (std::size_t l = 0; l < score.losses.size(); ++l) {
    const Loss<T>& loss = objective_.losses[l];
    const double value = loss.reduce(score.losses[l]);
    total += loss.spec.weight * value;
    sums.losses[l] += value * samples;
  }
  sums.loss += total * samples + score.activity;
  sums.samples += samples;
  for (std::size_t m = 0; m < score.metrics.size(); ++m) {
    for (std::size_t i = 0; i < score.metrics[m].size(); ++i) {
      sums.metrics[m][i] += score.metrics[m][i];
    }
  }
}

template <class T>
void Trainer<T>::train_batch(const Dataset& data, const TrainRequest& request, isize batch,
                             double learning_rate, bool keep, Poll& poll) {
  const isize start = batch * request.batch_size;
  const Batch b{request.order + start, std::min(request.batch_size, request.rows - start),
                request.seed,          request.team,
                learning_rate,         keep};
  const isize rows = rows_of_part(data, b.n), parts = (b.n + rows - 1) / rows;
  make_room(b.n, replicated_ ? 2 * parts : parts, rows, std::min<isize>(parts, b.team));
  last_batch_ = keep ? b.n : 0;
  last_parts_ = keep ? parts : 0;
  parts == 1 ? train_whole(data, b, poll) : train_in_parts(data, b, rows, poll);
}

// Weights are updated as soon as their gradients are there. No poll may throw in between.
template <class T>
void Trainer<T>::train_whole(const Dataset& data, const Batch& batch, Poll& poll) {
  Worker& worker = workers_[0];
  const Run run = start_part(worker, data, batch, {0, batch.n}, batch.team);
  run_losses(worker.space, worker.feed, score_, run, batch.n, poll);
  begin_step(batch);
  const auto* updates = !batch.keep && fuses(batch.n) ? updates_.data() : nullptr;
  Poll silent;
  network_->backward(worker.space, run, backprop_, optimizer.gradients(), updates,
                     updates ? silent : poll);
  optimizer.end_step(updates, {}, batch.team);
}

template <class T>
Run Trainer<T>::start_part(Worker& worker, const Dataset& data, const Batch& batch, ops::Tile rows,
                           int team) const {
  worker.space.gather(data.x, batch.order + rows.begin, 0, rows.size, team);
  worker.feed.gather(data, batch.order + rows.begin, 0, rows.size, team);
  worker.space.moved = replicated_ ? worker.replica.by_variable() : optimizer.packed();
  worker.space.packed = !replicated_;
  const auto step = static_cast<std::uint32_t>(optimizer.iterations);
  return {rows.size, team, true, batch.seed, step, batch.keep ? nullptr : &unread_, &pairs_};
}

// The score counts before the update: penalties are those of the weights that made the predictions.
template <class T>
void Trainer<T>::begin_step(const Batch& batch) {
  finish(training, score_, batch.n);
  optimizer.begin_step(batch.learning_rate, weight_of(score_, batch.n));
}

// The last batch leaves its outputs and gradients to be asked for; those before it need not even
// have them all.
template <class T>
isize Trainer<T>::train(const Dataset& data, const TrainRequest& request, Poll& poll) {
  const FlushDenormals flush;
  const isize batches = (request.rows + request.batch_size - 1) / request.batch_size;
  const isize count = std::min(request.max_batches, batches - request.first_batch);
  const double deadline = seconds_now() + request.seconds;
  isize done = 0;
  bool finished = false;
  const auto is_last = [&] { return done + 1 >= count || seconds_now() >= deadline; };
  const auto train_next = [&](bool last) {
    train_batch(data, request, request.first_batch + done, request.learning_rates[done], last,
                poll);
    ++done;
    finished = last;
  };
  if (!pace_.knows(request.batch_size, request.team)) {
    const long before = shared_regions();
    train_next(is_last());
    const bool shared = shared_regions() > before;
    if (shared && finished) return done;  // what it takes alone shows in a second one
    const double start = seconds_now();
    if (shared) train_next(is_last());
    pace_.learn(request.batch_size, request.team, shared ? seconds_now() - start : 0);
  }
  if (finished) return done;
  const isize before = done;
  const double start = seconds_now();
  const bool team = pace_.wants_team(count - done, start);
  with_team(team ? request.team : 1, [&] {
    {
      constexpr isize kFewest = 8;  // batches that make packing worth its while
      const isize n = request.batch_size;
      std::vector<int> kernels;
      if (team && count - done >= kFewest && fuses(n) && rows_of_part(data, n) == n) {
        kernels = shared_kernels(network_->plan, updates_, pairs_, n);
      }
      const Packed packed(optimizer, kernels, request.team);
      const Replicated replicated(*this, data, n, request.team);
      while (!is_last()) train_next(false);
    }
    train_next(true);
  });
  const double end = seconds_now();
  pace_.report(team, done - before, end - start, end);
  return done;
}

template <class T>
void Trainer<T>::evaluate(const Dataset& data, const std::vector<T*>& outputs, const Run& run,
                          Poll& poll) {
  // Blocks run on any thread; each leaves its sums in a place of its own, added up in order
  // afterwards.
  const Network<T>& network = *evaluation_network_;
  const Objective<T>& objective = evaluation_objective_;
  const isize rows = network.block_rows(run);
  std::vector<Score> blocks(static_cast<std::size_t>((run.n + rows - 1) / rows),
                            objective.empty_score());
  network.for_blocks(data.x, run, poll,
                     [&](Workspace<T>& space, isize first, isize count, double activity) {
                       const FlushDenormals flush;
                       Feed<T> feed;
                       feed.gather(data, nullptr, first, count, 1);
                       Score& score = blocks[static_cast<std::size_t>(first / rows)];
                       objective.judge(score, feed, space, first, count, run.n, 1);
                       score.activity = activity;
                       network.copy_outputs(outputs, space, first, count);
                     });
  Score all = objective.empty_score();
  for (const Score& score : blocks) all.add(score);
  finish(evaluation, all, run.n);
}

template <class T>
Gradients<T> Trainer<T>::gradients(const Dataset& data, bool training_mode, std::uint64_t seed,
                                   int team, Poll& poll) {
  const FlushDenormals flush;
  const Plan<T>& plan = network_->plan;
  const isize n = data.x[0].samples();
  Workspace<T> space(plan, n, true, scratch(n));
  Feed<T> feed;
  space.gather(data.x, nullptr, 0, n, team);
  feed.gather(data, nullptr, 0, n, team);
  Score score = objective_.empty_score();
  const auto step = static_cast<std::uint32_t>(optimizer.iterations);
  const Run run{n, team, training_mode, seed, step, nullptr, &pairs_};
  run_losses(space, feed, score, run, n, poll);
  network_->backward(space, run, backprop_, optimizer.gradients(), nullptr, poll);
  optimizer.add_penalty_gradients(weight_of(score, n), team);
  Gradients<T> out;
  out.sums.losses.resize(score.losses.size());
  out.sums.metrics = objective_.empty_score().metrics;
  finish(out.sums, score, n);
  for (std::size_t v = 0; v < plan.variables.size(); ++v) {
    const T* g = optimizer.gradients()[v];
    const isize size = g ? plan.storage(static_cast<int>(v)).size() : 0;
    out.variables.emplace_back(g, g + size);
  }
  for (int input : plan.inputs) {  // one that no loss depends on has the zeros of fresh memory
    const auto i = static_cast<std::size_t>(input);
    const T* g = space.gradient[i];
    out.inputs.emplace_back(g, g + (g ? plan.tensors[i].elements(n) : 0));
  }
  return out;
}

template <class T>
void Trainer<T>::copy_outputs(const std::vector<T*>& y) const {
  if (last_parts_ == 1) network_->copy_outputs(y, workers_[0].space, 0, last_batch_);
  if (last_parts_ <= 1) return;
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::copy_n(output_[i], network_->plan.output(i).elements(last_batch_), y[i]);
  }
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace pynn::exec
