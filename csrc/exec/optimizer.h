// Gradients, optimizer state and the update: two arenas beside that of the parameters, cut into
// tiles.
#pragma once

#include <string>
#include <vector>

#include "core/arena.h"
#include "exec/plan.h"
#include "kernels/lookup.h"

namespace pynn::exec {

struct Penalty {
  int variable;
  double l1, l2;
};

struct OptimizerSpec {
  std::string name;
  std::vector<double> fields;  // in the catalog's order
  double weight_decay = 0;     // decoupled: w -= learning_rate * weight_decay * w
  double clipnorm = 0, clipvalue = 0, global_clipnorm = 0;  // 0: off
  std::vector<Penalty> penalties;  // l1 sum|w| + l2 sum w^2, part of the loss
  std::vector<int> no_decay;       // variables weight decay leaves alone
};

template <class T>
class Optimizer {
 public:
  Optimizer(const Plan<T>& plan, OptimizerSpec spec);

  std::int64_t iterations = 0;

  // By variable; null for what is not trained.
  T* const* gradients() const { return gradient_.data(); }
  int slot_count() const { return slots_; }
  T* slot(int slot, int variable) const;

  double penalty() const;  // at the current weights
  void add_penalty_gradients(int team);
  void step(double learning_rate, int team);

 private:
  struct Part {  // one trained variable
    int variable;
    isize offset, size;  // in the arenas
    double l1 = 0, l2 = 0;
    bool decays = true;
    T scale = 1;  // of the gradient, by norm clipping
  };
  struct Tile {
    std::size_t part;
    isize at, rows, cols, ld;
    double place;  // 0..1, where in its variable: see the constructor
  };
  void clip_by_norm(int team);
  Part* part_of(int variable);

  const Plan<T>& plan_;
  OptimizerSpec spec_;
  kernels::OptimizerKernels<T> kernels_;
  int slots_;
  std::vector<Part> parts_;
  std::vector<Tile> tiles_;
  Arena<T> gradient_arena_, slot_arena_;  // slot s of a part at s * gradient_arena_.size() + offset
  std::vector<T*> gradient_;
  std::vector<double> norms_;  // squared, by tile
  isize largest_ = 0;
};

}  // namespace pynn::exec
