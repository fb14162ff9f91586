// The memory of one run over up to `capacity` samples.
#pragma once

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

  // The samples rows[0..n) of the inputs, or first, first + 1, ... where rows is null.
  void gather(const std::vector<Source>& inputs, const std::int64_t* rows, isize first, isize n,
              int team);

  // The n samples from `first` on for a prediction, which writes no input: without a copy where
  // they can be read in place.
  void show(const Plan<T>& plan, const std::vector<Source>& inputs, isize first, isize n, int team);

  isize capacity;
  std::vector<T*> tensor, gradient, saved;  // by tensor, by tensor, by step; null where not needed
  std::vector<ops::Kept> kept;              // by step, in training
  std::vector<std::unique_ptr<SparseBatch<T>>> sparse;  // by tensor, null where dense
  std::vector<T*> own_input;                            // memory for the inputs
  Arena<T> arena;
  T* scratch = nullptr;
  // Argument lists of one op at a time, sized for the largest.
  std::vector<const T*> x;
  std::vector<const ops::SparseInput<T>*> sparse_x;
  std::vector<T*> w, dx, dw;
  std::vector<const ops::TileUpdate<T>*> updates;
};

}  // namespace pynn::exec
