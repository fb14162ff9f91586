// All losses and metrics of a model bound to a network: what they want of a batch, and what they
// make of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exec/network.h"
#include "exec/objective.h"

namespace pynn::exec {

// By target; losses that need no array of theirs, or no weights, leave the place empty.
struct Dataset {
  std::vector<Source> x;
  std::vector<std::optional<Source>> y;
  std::vector<std::optional<Source>> weight;  // one number per sample, or per row of predictions
};

// The targets and weights of one batch. Its memory grows to the largest batch so far.
template <class T>
struct Feed {
  struct Weights {
    std::vector<T> values;
    isize per_sample = 0;  // 0: none
  };
  std::vector<std::vector<T>> target;
  std::vector<Weights> weight;
  std::vector<T> row_weight;
  std::vector<double> values;

  // Samples rows[0..n), or first, first + 1, ... where rows is null.
  void gather(const Dataset& data, const std::int64_t* rows, isize first, isize n, int team);
  // One weight per row of these, if there are any.
  RowWeights<T> row_weights(int target, const Rows& rows, isize n);
  double* values_for(isize rows);
  const T* target_of(int index) const {
    return index < 0 ? nullptr : target[static_cast<std::size_t>(index)].data();
  }
};

// What a batch, or a block of one, came to.
struct Score {
  double activity = 0;          // penalties on activities, summed over the samples
  std::vector<LossSum> losses;  // one per loss
  std::vector<std::vector<double>> metrics;

  void add(const Score& other);
  void clear();
};

template <class T>
class Objective {
 public:
  Objective(const std::vector<LossSpec>& losses, const std::vector<MetricSpec>& metrics,
            const Plan<T>& plan);

  std::vector<Loss<T>> losses;
  std::vector<Metric<T>> metrics;

  // Whether a loss of many samples is something else than the mean over parts of them.
  bool whole_batch() const;
  std::vector<int> starts() const;  // the tensors whose gradients the losses write
  Score empty_score() const;

  // Throws where arrays do not fit. The shapes are cheap to look at; the values of class indices,
  // which a loss takes on trust, are not.
  void check_shapes(const Dataset& data) const;
  void check_labels(const Dataset& data) const;

  // Adds the n samples in `space`, of which `first` others went before. With `backprop` the
  // gradients it starts from are written, those of a mean over `batch` samples.
  void judge(Score& score, Feed<T>& feed, const Workspace<T>& space, isize first, isize n,
             isize batch, int team, const Backprop<T>* backprop = nullptr) const;

 private:
  struct Target {
    isize size = 0;      // elements of one sample; 0: nobody reads it
    std::string reader;  // who asked first
    bool classes = false;
  };
  void claim(int target, isize size, const std::string& reader, bool classes);

  std::vector<Target> targets_;
};

}  // namespace pynn::exec
