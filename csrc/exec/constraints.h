// What variables are held to after each step of an optimizer.
#pragma once

#include <optional>
#include <vector>

#include "exec/plan.h"
#include "kernels/table.h"

namespace pynn::exec {

// Bounded norms along neighbouring axes, or, without bounds, values of at least 0.
struct ConstraintSpec {
  int variable;
  std::vector<int> axes;  // norms are sums over these
  std::optional<kernels::NormBounds> bounds;
};

template <class T>
class Constraints {
 public:
  explicit Constraints(const Plan<T>& plan) : plan_(plan) {}
  void add(const ConstraintSpec& spec);
  bool concern(int variable) const;
  bool empty() const { return bounds_.empty(); }
  void apply(int team) const;

 private:
  // Norms along the middle of (outer, along, inner), outer blocks `step` apart, rows `ld`
  struct Bound {
    int variable;
    isize outer, along, inner, ld, step;
    std::optional<kernels::NormBounds> bounds;
  };
  const Plan<T>& plan_;
  std::vector<Bound> bounds_;
};

}  // namespace pynn::exec
