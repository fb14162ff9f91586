// Trains perceptrons, one per class against all others: epochs, their order of rows, stopping.
#pragma once

#include <functional>
#include <vector>

#include "exec/network.h"
#include "kernels/table.h"

namespace pynn::exec {

struct PerceptronOptions {
  double alpha, l1_ratio, eta0;  // alpha is 0 without a penalty
  double intercept_rate;         // 0: none is learned
  double tolerance;              // -infinity: all epochs are run
  isize max_epochs, patience;    // stops after `patience` epochs without improvement
  bool shuffle, penalty_counts;  // penalty_counts: the penalty is a part of what shall improve
};

template <class T>
struct PerceptronTable {
  kernels::TableRows<T> x;
  kernels::PerceptronTargets<T> targets;
  isize rows;
  const bool* held_out;  // marks rows whose accuracy decides instead of the loss; or null
};

// One class against all others; w and the intercept are where training starts and ends.
template <class T>
struct PerceptronProblem {
  T* w;
  double* intercept;
  std::int32_t positive;
  double weight_positive, weight_negative;
  std::uint32_t seed;
};

struct PerceptronEpoch {
  isize problem, epoch;  // counted from 0 and from 1
  double norm, intercept;
  isize nonzeros, seen;              // seen: rows so far
  double loss, objective, accuracy;  // means; accuracy of the rows held out
  double seconds;                    // since the problem's first row
  bool converged;
};
using PerceptronReport = std::function<void(const PerceptronEpoch&)>;

// Returns how many epochs each problem took. `report` may be empty; it is called on this thread.
template <class T>
std::vector<isize> train_perceptrons(const std::vector<PerceptronProblem<T>>& problems,
                                     const PerceptronTable<T>& table,
                                     const PerceptronOptions& options, int team,
                                     const PerceptronReport& report, Poll& poll);

}  // namespace pynn::exec
