// Gradients, optimizer state and the update: two arenas beside that of the parameters, cut into
// tiles.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/arena.h"
#include "exec/constraints.h"
#include "exec/plan.h"
#include "exec/tiles.h"
#include "kernels/lookup.h"
#include "ops/tiling.h"

namespace pynn::exec {

struct Penalty {
  int variable;
  double l1, l2;
  bool by_sample = false;  // of the sum of the samples' losses: divided by their weight
};

struct OptimizerSpec {
  std::string name;
  std::vector<double> fields;  // in the catalog's order
  double weight_decay = 0;     // decoupled: w -= learning_rate * weight_decay * w
  double clipnorm = 0, clipvalue = 0, global_clipnorm = 0;  // 0: off
  int accumulation = 1;                // calls of step() whose mean gradient makes an update
  std::optional<double> ema_momentum;  // keep running means of the weights
  int ema_overwrite_frequency = 0;     // updates after which they become the weights; 0: never
  std::vector<Penalty> penalties;      // l1 sum|w| + l2 sum w^2, part of the loss
  std::vector<int> no_decay;           // variables weight decay leaves alone
  std::vector<ConstraintSpec> constraints;
};

// A copy of the trained variables and their state, for a thread that trains with weights of its
// own.
template <class T>
struct Replica {
  Arena<T> values, slots;   // in the order of the optimizer's own
  std::vector<T*> weights;  // by variable, null where not trained
  T* const* by_variable() const { return weights.empty() ? nullptr : weights.data(); }
};

template <class T>
class Optimizer {
 public:
  Optimizer(const Plan<T>& plan, OptimizerSpec spec);

  std::int64_t iterations = 0;  // calls of step()

  // By variable; null for what is not trained.
  T* const* gradients() const { return gradient_.data(); }
  // All of them, one after another.
  const Arena<T>& gradient_arena() const { return gradient_arena_; }

  // The state of a trained variable: the rule's slots, then the running mean of the weights and the
  // sum of gradients where these are kept.
  int slot_count() const { return slots_ + (averages() ? 1 : 0) + (accumulates() ? 1 : 0); }
  T* slot(int slot, int variable) const;
  const Shape& slot_shape(int slot, int variable) const;

  // Other hyper-parameters for the next steps, in the order of the catalog; the slots must stay.
  void set_fields(std::vector<double> fields);

  // At the current weights; `samples` is the weight of those in the batch.
  double penalty(double samples) const;
  void add_penalty_gradients(double samples, int team);

  // A step: its begin, tile updates while gradients are computed, and its end, which updates all
  // variables but those that are `done`; that may be null. `others` are gradients of other samples,
  // to be added. tile_update() is null for a variable that is not trained, and where the rule needs
  // gradients as a whole.
  void begin_step(double learning_rate, double samples);
  const ops::TileUpdate<T>* tile_update(int variable) const;
  void end_step(const ops::TileUpdate<T>* const* done, const std::vector<const T*>& others,
                int team);

  // For a run of steps that all go by tile updates: weights and state of these variables are stored
  // panel after panel (ops/tiling.h) until unpack(). packed() tells where, by variable, and is null
  // where nothing is packed.
  void pack(const std::vector<int>& variables, int team);
  void unpack(int team);
  T* const* packed() const { return packed_.empty() ? nullptr : packed_.data(); }

  // For threads that each keep a copy of all weights: they exchange gradients alone, and each makes
  // every update itself, as the optimizer does with the weights in their own places.
  bool replicates() const { return by_tiles_ && !averages() && constraints_.empty(); }
  void copy_to(Replica<T>& replica) const;
  // The update of the step that began last, with the sum of these gradients, on the calling thread:
  // of a replica, or of the weights themselves (null). `sum` is as large as the arena of gradients.
  void update(const Replica<T>* replica, const std::vector<const T*>& gradients, T* sum) const;

 private:
  struct Slot {
    isize offset;
    Shape shape;
  };
  struct Part {  // one trained variable
    int variable;
    isize offset, size;  // in the arena of gradients
    std::vector<Slot> slots;
    double l1 = 0, l2 = 0;
    bool by_sample = false;
    bool decays = true;
    double norm = 0;  // of the gradient, squared, and what clipping by it multiplies with
    T scale = 1;
    bool packed = false;
    Arena<T> panels = {};  // weights and slots, while they are packed

    bool penalized() const { return l1 != 0 || l2 != 0; }
  };
  struct PartUpdate final : ops::TileUpdate<T> {
    const Optimizer* optimizer;
    std::size_t part;

    PartUpdate(const Optimizer* optimizer_, std::size_t part_)
        : optimizer(optimizer_), part(part_) {}
    void apply(isize row, isize col, isize rows, isize cols, T* g, isize ld_g) const override;
  };
  bool averages() const { return spec_.ema_momentum.has_value(); }
  bool accumulates() const { return spec_.accumulation > 1; }
  T* average_of(const Part& part) const {
    return slot_arena_.data() + part.slots[static_cast<std::size_t>(slots_)].offset;
  }
  T* sum_of(const Part& part) const { return slot_arena_.data() + part.slots.back().offset; }
  const Part& part(int variable) const;

  void add_slots(Part& part, Layout<T>& layout, const kernels::CatalogRow& row);
  void start_slots(const Part& part, const kernels::CatalogRow& row);

  bool accumulate(int team);
  void add_penalty_gradient(const Part& part, T* g, const T* w, double samples, isize n) const;
  using Place = ops::PanelPlace;  // in an array of a part, and the distance between rows
  T* array(const Part& part, int i, const Replica<T>* replica = nullptr) const;
  Place place_of(const Part& part, isize row, isize col) const;
  isize packed_size(const Part& part) const;
  void repack(Part& part, bool pack, int team);
  void update_tile(const Part& part, Place place, isize rows, isize cols, T* g, isize ld_g,
                   const Replica<T>* replica = nullptr) const;
  void average(int team);
  void clip_by_norm(int team);
  Part* part_of(int variable);  // null for what is not trained

  const Plan<T>& plan_;
  OptimizerSpec spec_;
  kernels::OptimizerKernels<T> kernels_;
  int slots_;
  bool by_tiles_;  // the rule needs no more of the gradients than those of the weights at hand
  std::vector<Part> parts_;
  std::vector<Tile> tiles_;
  std::vector<PartUpdate> updates_;  // by part
  Constraints<T> constraints_;
  Arena<T> gradient_arena_, slot_arena_;
  std::vector<T*> gradient_, packed_;
  std::vector<double> norms_;              // squared, by tile
  kernels::StepConstants constants_ = {};  // of this step, as the next two
  double learning_rate_ = 0, samples_ = 0;
};

}  // namespace pynn::exec
