// What training may compute together, or leave out: decided once for a network and its objective.
#pragma once

#include <vector>

#include "exec/backprop.h"
#include "exec/objective.h"
#include "exec/optimizer.h"
#include "exec/score.h"

namespace pynn::exec {

// By variable: who takes its gradient by tiles, or null; empty where that is so for all. An op may
// hand a gradient on if no other reads the variable. Where a node runs Python, which may fail, all
// gradients come first.
template <class T>
std::vector<const ops::TileUpdate<T>*> tile_updates(const Plan<T>& plan,
                                                    const Backprop<T>& backprop,
                                                    const Optimizer<T>& optimizer);

// Of these, the kernels whose panels threads share out when they train on n samples.
template <class T>
std::vector<int> shared_kernels(const Plan<T>& plan,
                                const std::vector<const ops::TileUpdate<T>*>& updates, isize n);

// By step: whether nobody reads its output in training. So it is with a softmax whose cross-entropy
// is computed from what went into it.
template <class T>
std::vector<bool> unread_steps(const Plan<T>& plan, const Objective<T>& objective);

}  // namespace pynn::exec
