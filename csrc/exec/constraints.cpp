#include "exec/constraints.h"

#include <algorithm>

#include "ops/tiling.h"

namespace pynn::exec {

template <class T>
void Constraints<T>::add(const ConstraintSpec& spec) {
  const Variable& variable = *plan_.variables[static_cast<std::size_t>(spec.variable)];
  const Shape& shape = variable.shape;
  const auto storage = variable.template storage<T>();
  Bound bound{spec.variable, 1, 1, 1, 1, 0, spec.bounds};
  if (spec.bounds) {
    const std::vector<int>& axes = spec.axes;
    const int rank = static_cast<int>(shape.size());
    check(!axes.empty() && axes.front() >= 0 && axes.back() < rank &&
              axes.back() - axes.front() == static_cast<int>(axes.size()) - 1,
          "a constraint's axes must be neighbouring axes of the weights. Received: shape=", shape,
          ".");
    for (int axis = 0; axis < rank; ++axis) {
      isize& extent = axis < axes.front()  ? bound.outer
                      : axis > axes.back() ? bound.inner
                                           : bound.along;
      extent *= shape[static_cast<std::size_t>(axis)];
    }
    const bool matrix = rank == 2;  // its rows may have gaps of zeros between them
    bound.ld = matrix && bound.inner > 1 ? storage.ld : bound.inner;
    bound.step = matrix ? storage.ld : bound.along * bound.inner;
    if (matrix && axes.size() == 2) bound.along = storage.size();
  }
  bounds_.push_back(bound);
}

template <class T>
bool Constraints<T>::concern(int variable) const {
  return std::any_of(bounds_.begin(), bounds_.end(),
                     [&](const Bound& bound) { return bound.variable == variable; });
}

template <class T>
void Constraints<T>::apply(int team) const {
  for (const Bound& bound : bounds_) {
    T* w = plan_.weight(bound.variable);
    const isize size = plan_.storage(bound.variable).size();
    if (!bound.bounds) {
      ops::for_elements(team, size, [&](isize first, isize count) {
        kernels::table<T>().non_negative(w + first, count);
      });
      continue;
    }
    const ops::Cut strips(bound.inner, 256);
    const double cost = ops::elementwise_cost(2 * size);
    parallel_for(team, bound.outer * strips.count, cost, [&](isize i) {
      const ops::Tile strip = strips[i % strips.count];
      kernels::table<T>().bound_norms(w + i / strips.count * bound.step + strip.begin, bound.along,
                                      strip.size, bound.ld, *bound.bounds);
    });
  }
}

template class Constraints<float>;
template class Constraints<double>;

}  // namespace pynn::exec
