// The epoch loop: gathers a batch, runs the network forward and backward, updates the weights, and
// keeps the sums that become loss and metrics. One call covers as many batches as the caller has
// time for.
#pragma once

#include <optional>
#include <vector>

#include "exec/objective.h"
#include "exec/optimizer.h"

namespace pynn::exec {

struct Dataset {
  std::vector<Source> x;
  Source y;
  std::optional<Source> weight;  // one number per sample
};

struct TrainRequest {
  const std::int64_t* order;  // the epoch's rows
  isize rows;                 // how many
  isize batch_size, first_batch, max_batches;
  const double* learning_rates;  // one per batch
  double seconds;                // stop after this long; at least one batch is done
  std::uint64_t seed;
  int team;
};

// Running sums: loss is a mean over samples, each metric has sums of its own.
struct Sums {
  double loss = 0, samples = 0;
  std::vector<std::vector<double>> metrics;

  void add(const Sums& other);
  void reset();
};

template <class T>
class Trainer {
 public:
  Trainer(std::shared_ptr<const Network<T>> network, const LossSpec& loss,
          const std::vector<MetricSpec>& metrics, const OptimizerSpec& optimizer);

  Optimizer<T> optimizer;
  Sums training, evaluation;

  const Network<T>& network() const { return *network_; }

  // Throws where arrays do not fit the network and the loss. Cheap: looks at shapes only.
  void check_shapes(const Dataset& data) const;
  // The same for the values of class indices, which the loss takes on trust.
  void check_labels(const Dataset& data) const;

  // Trains on consecutive batches of the order; returns how many.
  isize train(const Dataset& data, const TrainRequest& request, Poll& poll);
  // Adds loss and metrics over all samples, in inference mode, to `evaluation`.
  void evaluate(const Dataset& data, int team, Poll& poll);

 private:
  void make_room(isize batch);
  void train_batch(const Dataset& data, const TrainRequest& request, isize batch,
                   double learning_rate, Poll& poll);
  Sums empty_sums() const;

  std::shared_ptr<const Network<T>> network_;
  std::pair<isize, int> tried_{0, 0};  // batch size and threads of the last call
  bool needs_team_ = false;            // with these
  Loss<T> loss_;
  std::vector<Metric<T>> metrics_;
  // Memory of a batch, made for the largest one so far.
  std::unique_ptr<Workspace<T>> space_;
  std::vector<T> target_, weight_, row_weight_;
  std::vector<double> values_, scratch_;
};

}  // namespace pynn::exec
