// The epoch loop: gathers a batch, runs the network forward and backward, updates the weights, and
// keeps the sums that become loss and metrics. One call covers as many batches as the caller has
// time for.
#pragma once

#include <vector>

#include "exec/optimizer.h"
#include "exec/pace.h"
#include "exec/score.h"
#include "ops/tiling.h"

namespace pynn::exec {

struct TrainRequest {
  const std::int64_t* order;  // the epoch's rows
  isize rows;                 // how many
  isize batch_size, first_batch, max_batches;
  const double* learning_rates;  // one per batch
  double seconds;                // stop after this long; at least one batch is done
  std::uint64_t seed;
  int team;
};

// Running sums: losses are means over samples, each metric has sums of its own.
struct Sums {
  double loss = 0, samples = 0;
  std::vector<double> losses;  // each without its weight in the total
  std::vector<std::vector<double>> metrics;

  void reset();
};

// By variable as variables are stored, by input without gaps; empty where there is no gradient.
template <class T>
struct Gradients {
  Sums sums;  // of the samples
  std::vector<std::vector<T>> variables, inputs;
};

template <class T>
class Trainer {
 public:
  using NetworkPtr = std::shared_ptr<const Network<T>>;

  // `evaluation_network` computes the same outputs when not training; it may be the same network.
  Trainer(NetworkPtr network, NetworkPtr evaluation_network, const std::vector<LossSpec>& losses,
          const std::vector<MetricSpec>& metrics, const OptimizerSpec& optimizer);

  Optimizer<T> optimizer;
  Sums training, evaluation;

  const Network<T>& network() const { return *network_; }
  const Network<T>& evaluation_network() const { return *evaluation_network_; }
  const Objective<T>& objective() const { return objective_; }
  // Whether an evaluation must come in the batches in which it shall be reduced to a loss.
  bool whole_batch() const;

  // Throws where arrays do not fit the network and the losses. Cheap: looks at shapes only.
  void check_shapes(const Dataset& data) const;
  // The same for class indices, which a loss takes on trust, and for the places of sparse numbers.
  void check_values(const Dataset& data) const;

  // Trains on consecutive batches of the order; returns how many.
  isize train(const Dataset& data, const TrainRequest& request, Poll& poll);
  // Adds loss and metrics over all samples, as one batch, to `evaluation`. Unless empty, `outputs`
  // are written, as by Network::predict.
  void evaluate(const Dataset& data, const std::vector<T*>& outputs, const Run& run, Poll& poll);
  // The total loss on all samples as one batch, and its gradients; changes nothing but statistics
  // of the batch.
  Gradients<T> gradients(const Dataset& data, bool training_mode, std::uint64_t seed, int team,
                         Poll& poll);

  // Samples of the last training batch, and a copy of the network's outputs for it.
  isize last_batch() const { return last_batch_; }
  void copy_outputs(const std::vector<T*>& y) const;

 private:
  // Memory for a batch, or for one part of it after another.
  struct alignas(kAlignment) Worker {
    Workspace<T> space;
    Feed<T> feed = {};
    Replica<T> replica = {};  // none for the first
    Arena<T> sum = {};        // of gradients
  };
  // What a part of a batch came to. The first writes the optimizer's gradients.
  struct alignas(kAlignment) Part {
    Score score;
    Arena<T> arena = {};
    T* gradients = nullptr;
    std::vector<T*> dw = {};
  };
  struct Batch {
    const std::int64_t* order;
    isize n;
    std::uint64_t seed;
    int team;
    double learning_rate;
    bool keep;  // outputs and gradients
  };
  // While this lives, threads train with weights of their own, if that pays (trainer_parts.cpp).
  class Replicated {
   public:
    Replicated(Trainer& trainer, const Dataset& data, isize batch, int team);
    ~Replicated();
    Replicated(const Replicated&) = delete;
    Replicated& operator=(const Replicated&) = delete;

   private:
    Trainer& trainer_;
  };
  // Larger batches have their weight gradients in pieces too large for a cache.
  bool fuses(isize n) const { return n <= 256 && !updates_.empty(); }
  isize scratch(isize capacity) const;  // elements a workspace needs
  isize rows_of_part(const Dataset& data, isize batch) const;
  void make_room(isize batch, isize parts, isize rows, isize workers);
  void train_batch(const Dataset& data, const TrainRequest& request, isize batch,
                   double learning_rate, bool keep, Poll& poll);
  void train_whole(const Dataset& data, const Batch& batch, Poll& poll);
  void update_replica(isize worker);
  void train_in_parts(const Dataset& data, const Batch& batch, isize rows, Poll& poll);
  Run start_part(Worker& worker, const Dataset& data, const Batch& batch, ops::Tile rows,
                 int team) const;
  void begin_step(const Batch& batch);
  void run_losses(Workspace<T>& space, Feed<T>& feed, Score& score, const Run& run, isize batch,
                  Poll& poll);
  double weight_of(const Score& score, isize n) const;  // of the samples, in the first loss
  void finish(Sums& sums, const Score& score, isize n) const;

  NetworkPtr network_, evaluation_network_;
  Objective<T> objective_, evaluation_objective_;
  Backprop<T> backprop_;
  std::vector<const ops::TileUpdate<T>*> updates_;  // by variable; empty where there are none
  std::vector<bool> pairs_;                         // by step: it may run together with the next
  std::vector<bool> unread_;  // by step: its output has no reader while a batch is trained
  Pace pace_;
  // Made for the largest batch so far.
  std::vector<Worker> workers_;
  std::vector<Part> parts_;
  std::vector<const T*> due_;  // gradients of the parts of a step whose update has not come yet
  bool replicated_ = false;
  std::vector<Arena<T>> outputs_;  // of a batch that was cut in parts
  std::vector<T*> output_;
  Score score_;
  isize last_batch_ = 0, last_parts_ = 0;
};

}  // namespace pynn::exec
