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

// By step: whether it and the next one may run together (Op::runs_with): nobody else reads what
// lies between them, and in the backward pass nothing comes between them or has to be added.
template <class T>
std::vector<bool> paired_steps(const Plan<T>& plan, const Backprop<T>& backprop);
// The scratch memory they need for up to `capacity` samples.
template <class T>
isize pair_scratch(const Plan<T>& plan, const std::vector<bool>& pairs, isize capacity);

// Of the variables updated by tiles, the kernels whose panels threads share out when they train on
// n samples. The second of a pair is shared out by rows.
template <class T>
std::vector<int> shared_kernels(const Plan<T>& plan,
                                const std::vector<const ops::TileUpdate<T>*>& updates,
                                const std::vector<bool>& pairs, isize n);

// By step: whether nobody reads its output in training. So it is with a softmax whose cross-entropy
// is computed from what went into it.
template <class T>
std::vector<bool> unread_steps(const Plan<T>& plan, const Objective<T>& objective);

}  // namespace pynn::exec
