// What a layer is to the engine: an object that knows its output shape, what it keeps from the
// forward to the backward pass, and how to run both over n samples. Ops have no state of their own:
// many threads may run one op at the same time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/csr.h"
#include "kernels/table.h"
#include "ops/spec.h"

namespace pynn::ops {

// The circumstances of one run.
struct Pass {
  isize n;                       // samples of the op's output; 1 if it is not batched
  isize batch;                   // samples of the run
  int team;                      // threads this run may use
  bool training;                 // dropout active, batch statistics; backward as forward was
  kernels::RandomStream random;  // this node's random numbers of this step
};

// What an op without a size known in advance keeps from forward to backward, in memory of its own.
using Kept = std::shared_ptr<void>;

// A batch of a sparse input: a row for each sample; and transposed, a row for each feature, which
// only a backward pass finds.
template <class T>
struct SparseInput {
  Csr<T> samples, features;
};

template <class T>
struct Forward {
  const Pass& pass;
  T* y;
  T* saved;           // null where no backward pass can follow
  const T* const* x;  // one per input
  T* const* w;        // one per variable
  bool packed;        // the first of them lies panel after panel (ops/tiling.h)
  double* penalty;    // an activity penalty adds its sum over the samples here
  Kept* kept;         // null where no backward pass can follow
  // One per input: what takes the place of x where it is sparse, else null.
  const SparseInput<T>* const* sparse;
  // One per input: the samples of x where each has a place of its own (Op::reads_listed), else
  // null.
  const T* const* const* listed;
};

// An optimizer as an op sees it: takes the gradient of a tile of a variable, rows x cols from (row,
// col) on, and updates these weights at once, while all of it is in the cache.
template <class T>
class TileUpdate {
 public:
  virtual void apply(isize row, isize col, isize rows, isize cols, T* g, isize ld_g) const = 0;

 protected:
  ~TileUpdate() = default;
};

template <class T>
struct Backward {
  const Pass& pass;
  T* const* dx;  // one per input, null where not wanted; dx[i] is written, not added to
  T* const* dw;  // one per variable, null where not wanted; likewise
  const TileUpdate<T>* const* updates;  // one per variable: where not null, takes the place of dw
  const T* saved;
  const T* const* x;
  const T* y;
  T* dy;  // may be overwritten
  T* const* w;
  bool packed;  // as forward
  Kept* kept;
  const SparseInput<T>* const* sparse;
  const T* const* const* listed;
};

// What an op is made from. `in` and `variables` are shapes; a sample's shape has no batch axis. An
// input that is not batched has one value for the whole batch.
struct Blueprint {
  const Spec& spec;
  const std::vector<Shape>& in;
  const std::vector<bool>& in_batched;
  const std::vector<Shape>& variables;
};

template <class T>
class Op {
 public:
  virtual ~Op() = default;

  Shape out;  // of one sample
  std::optional<bool>
      batched;                 // whether the output has a batch axis; by default as the first input
  bool whole_batch = false;    // the result mixes samples, so prediction may not cut the batch
  bool reads_sparse = false;   // takes sparse inputs, too
  bool row_wise = false;       // samples do not meet in training either, and nothing is drawn
  bool alias = false;          // the output is the input's memory under another shape; never run
  bool updates_tiles = false;  // can give the gradient of its first variable to a TileUpdate
  bool penalizes = false;      // has a gradient of its own, even if nothing depends on the output
  isize saved_per_sample = 0;  // elements kept from forward to backward, per sample of the run
  isize saved_fixed = 0;

  virtual void forward(const Forward<T>& run) const = 0;
  virtual void backward(const Backward<T>& run) const = 0;

  // Whether threads that train on n samples would share out the panels of the first variable.
  virtual bool shares_panels(isize n) const {
    static_cast<void>(n);
    return false;
  }

  // Whether it takes n samples of its first input each at a place of its own, where the user has
  // them.
  virtual bool reads_listed(isize n) const {
    static_cast<void>(n);
    return false;
  }

  // Two ops after each other, where nobody else reads what lies between them, may share out their
  // work better together than in turn: the first knows whether, for n samples, and how. What lies
  // between them has an order of their own, then. `scratch` has scratch_with() elements for up to n
  // samples; that is 0 for ops that never run together.
  virtual bool runs_with(const Op<T>& next, isize n) const {
    static_cast<void>(next), static_cast<void>(n);
    return false;
  }
  virtual isize scratch_with(const Op<T>& next, isize n) const {
    static_cast<void>(next), static_cast<void>(n);
    return 0;
  }
  virtual void forward_with(const Op<T>& next, const Forward<T>& run, const Forward<T>& next_run,
                            T* scratch) const {
    static_cast<void>(scratch);
    forward(run);
    next.forward(next_run);
  }
  virtual void backward_with(const Op<T>& next, const Backward<T>& run,
                             const Backward<T>& next_run) const {
    next.backward(next_run);
    backward(run);
  }

  // What the plan asks of an activation: its row if it is elementwise (then the op before it may
  // absorb it), its name, whether its derivative is computed from the input.
  virtual int activation_row() const { return -1; }
  virtual std::string_view activation_name() const { return {}; }
  virtual bool keeps_input() const { return false; }
  virtual const T* activation_params() const { return nullptr; }
  // Takes over the activation that follows; false if this op cannot.
  virtual bool absorb(const Op<T>& activation) {
    static_cast<void>(activation);
    return false;
  }
};

template <class T>
using OpMaker = std::unique_ptr<Op<T>> (*)(const Blueprint& blueprint);

// Every op registers itself by name at the end of its file with PYNN_OP.
struct OpRow {
  const char* name;
  OpMaker<float> make_float;
  OpMaker<double> make_double;
};
bool register_op(const OpRow& row);
const std::vector<OpRow>& op_rows();

template <class T>
std::unique_ptr<Op<T>> make_op(const std::string& kind, const Blueprint& blueprint);

#define PYNN_OP(name, Class)                                                            \
  [[maybe_unused]] static const bool registered_##Class =                               \
      ::pynn::ops::register_op({name,                                                   \
                                [](const Blueprint& b) -> std::unique_ptr<Op<float>> {  \
                                  return std::make_unique<Class<float>>(b);             \
                                },                                                      \
                                [](const Blueprint& b) -> std::unique_ptr<Op<double>> { \
                                  return std::make_unique<Class<double>>(b);            \
                                }})

// The rows a layer that works on the last axis sees: samples times the axes in between.
inline isize last_axis(const Shape& shape) { return shape.empty() ? 1 : shape.back(); }
inline isize rows_per_sample(const Shape& shape) {
  isize rows = 1;
  for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) rows *= shape[axis];
  return rows;
}

// The setting `axis`: one of a sample's.
inline std::size_t axis_of(const Spec& spec, const Shape& sample) {
  const isize axis = spec.whole("axis");
  check(axis >= 0 && axis < static_cast<isize>(sample.size()), spec.owner,
        ": axis must be one of a sample's. Received: axis=", axis, ", shape ", sample, ".");
  return static_cast<std::size_t>(axis);
}

}  // namespace pynn::ops
