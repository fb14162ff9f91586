// A node of the graph that is two Python functions on NumPy arrays.
#pragma once

#include <memory>
#include <string>

#include "bindings/arrays.h"
#include "ops/spec.h"

namespace pynn::bindings {

// forward(arrays, training) -> (y, saved) and backward(saved, dy, arrays) -> list of a gradient or
// None for each of `arrays`, which are the node's inputs and then its variables.
std::shared_ptr<const ops::External> make_external(const std::string& layer, py::object forward,
                                                   py::object backward);

}  // namespace pynn::bindings
