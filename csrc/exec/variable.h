// One weight array. It is born in memory of its own; the first network that uses it moves it, once, into
// an arena together with that network's other variables.
#pragma once

#include <memory>
#include <vector>

#include "core/dtype.h"

namespace pynn::exec {

struct Variable {
  Variable(Shape shape_, DType dtype_);

  Shape shape;
  DType dtype;
  std::shared_ptr<void> memory;  // keeps `data` alive
  void* data = nullptr;
  bool in_arena = false;

  isize size() const { return element_count(shape); }
};

using VariablePtr = std::shared_ptr<Variable>;

// Moves the variables that have not moved yet into one arena, in this order.
void gather_into_arena(const std::vector<VariablePtr>& variables);

}  // namespace pynn::exec
