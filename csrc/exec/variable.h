// One weight array. It is born in memory of its own; the first network that uses it moves it into
// an arena together with that network's other variables. After that, or once NumPy has a view of
// it, it stays.
#pragma once

#include <memory>
#include <vector>

#include "core/arena.h"
#include "core/dtype.h"

namespace pynn::exec {

struct Variable {
  Variable(Shape shape_, DType dtype_);

  Shape shape;
  DType dtype;
  std::shared_ptr<void> memory;  // keeps `data` alive
  void* data = nullptr;
  bool stays = false;

  template <class T>
  Storage<T> storage() const {
    return Storage<T>(shape);
  }
};

using VariablePtr = std::shared_ptr<Variable>;

// Moves the variables that may still move into one arena, in this order.
void gather_into_arena(const std::vector<VariablePtr>& variables);

}  // namespace pynn::exec
