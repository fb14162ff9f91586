// The backward pass of a plan, decided once: which steps have a gradient to pass on, which gradient
// is the first to arrive somewhere and is written, and which is added to what is there. Ops only
// ever write; what has to be added waits in scratch memory for that.
#pragma once

#include <vector>

#include "exec/plan.h"

namespace pynn::exec {

enum class Arrival : char { none, first, further };  // of a gradient: not wanted, written, added

template <class T>
struct Backprop {
  // `starts` are the tensors whose gradients come from losses, in the order in which they come.
  Backprop(const Plan<T>& plan, const std::vector<int>& starts);

  struct Item {
    int step;
    bool clear;  // no gradient reached the step's output, which has a penalty of its own
    std::vector<Arrival> inputs, variables;
  };
  std::vector<Arrival> starts;
  std::vector<Item> items;     // in order of execution
  std::vector<int> unreached;  // trained variables no loss depends on: their gradients are zero

  // Elements of scratch memory for up to `capacity` samples.
  isize scratch(const Plan<T>& plan, isize capacity) const;

 private:
  std::vector<int> start_tensors_;
};

// y += x
template <class T>
void add_to(T* y, const T* x, isize n, int team);

// The same for two arrays that are stored as variables are.
template <class T>
void add_to(T* y, const T* x, const Storage<T>& storage, int team);

}  // namespace pynn::exec
