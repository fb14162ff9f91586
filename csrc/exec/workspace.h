// The memory of one run over up to `capacity` samples.
#pragma once

#include <array>
#include <vector>

#include "core/arena.h"
#include "exec/plan.h"
#include "exec/sparse_batch.h"

namespace pynn::exec {

template <class T>
struct Workspace {
  // For training every tensor has memory of its own, gradients too, and `scratch_size` elements
  // wait for what backward adds up; in inference tensors share memory where they can.
  Workspace(const Plan<T>& plan, isize capacity, bool training, isize scratch_size = 0);

  // The samples rows[0..n) of the inputs, or first, first + 1, ... where rows is null. They are
  // read where they are if they lie there as the engine wants them, and as their reader does.
  void gather(const std::vector<Source>& sources, const std::int64_t* rows, isize first, isize n,
              int team);

  isize capacity;
  std::vector<T*> tensor, gradient, saved;  // by tensor, by tensor, by step; null where not needed
  std::vector<ops::Kept> kept;              // by step, in training
  std::vector<std::unique_ptr<SparseBatch<T>>> sparse;  // by tensor, null where dense
  std::vector<const T* const*> listed;  // by tensor: where each sample is, null where together
  Arena<T> arena;
  T* scratch = nullptr;
  struct InputPlace {
    T* own;
    std::vector<std::size_t> tensors;  // that share its memory, itself among them
    const ops::Op<T>* sole_reader;     // in training; null where several read it
    std::vector<const T*> listed;
  };
  std::vector<InputPlace> inputs;
  // By variable: where its values are while not in their own place, or null; null where all are
  // there. Kernels among them lie panel after panel, or as ever.
  T* const* moved = nullptr;
  bool packed = false;
  // Argument lists of one op at a time, or of two that run together, sized for the largest.
  struct Arguments {
    std::vector<const T*> x;
    std::vector<const ops::SparseInput<T>*> sparse_x;
    std::vector<const T* const*> listed_x;
    std::vector<T*> w, dx, dw;
    std::vector<const ops::TileUpdate<T>*> updates;
  };
  std::array<Arguments, 2> arguments;
};

}  // namespace pynn::exec
