// How several operands share one space of elements by NumPy's rules of broadcasting: loops over
// that space, for ops with two and more operands and for sums over axes.
#pragma once

#include <array>
#include <vector>

#include "ops/op.h"
#include "ops/tiling.h"

namespace pynn::ops {

// One array in a space: its shape aligns with the space's at the last axis; an extent of 1 is
// repeated, and so is the whole array over the batch if it is not batched.
struct Operand {
  Shape shape;  // of one sample
  bool batched = false;
};

// The shape that two operands have together.
inline Shape broadcast(const std::string& owner, const Shape& a, const Shape& b) {
  const Shape &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const std::size_t skipped = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    isize& extent = out[skipped + i];
    check(extent == shorter[i] || extent == 1 || shorter[i] == 1, owner,
          ": the shapes must be the same up to axes of length 1. Received: ", a, " and ", b, ".");
    if (extent == 1) extent = shorter[i];
  }
  return out;
}

// Axes that lie one behind the other in the memory of all operands are one axis here. The batch is
// the first axis or part of it.
template <std::size_t N>
class Space {
 public:
  using Offsets = std::array<isize, N>;  // into each operand's memory
  static constexpr std::size_t kMostAxes = 16;

  Space() = default;
  Space(const Shape& shape, bool batched, const std::array<Operand, N>& operands)
      : batched_(batched) {
    check(shape.size() < kMostAxes, "expected at most ", kMostAxes - 1,
          " axes besides the batch. Received: ", shape, ".");
    std::vector<Axis> axes;  // innermost first
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::size_t axis = shape.size() - 1 - i;
      if (shape[axis] != 1) add_outside(axes, {shape[axis], strides(operands, i)});
    }
    if (batched || axes.empty()) {
      Axis batch{1, {}};
      for (std::size_t k = 0; k < N; ++k) {
        batch.stride[k] = operands[k].batched ? element_count(operands[k].shape) : 0;
      }
      add_outside(axes, batch);
    }
    axes_.assign(axes.rbegin(), axes.rend());
    for (std::size_t k = 0; k < N; ++k) {
      size_[k] = element_count(operands[k].shape);
      has_batch_[k] = operands[k].batched;
    }
  }

  isize elements(std::size_t operand, isize n) const {
    return size_[operand] * (has_batch_[operand] ? n : 1);
  }
  // The inner axis's stride, 0 or 1.
  isize stride(std::size_t operand) const { return axes_.back().stride[operand]; }
  // Whether every element of the space is an element of its own in this operand.
  bool covers(std::size_t operand) const {
    for (const Axis& axis : axes_) {
      if (axis.stride[operand] == 0 && (axis.extent != 1 || (batched_ && &axis == &axes_[0])))
        return false;
    }
    return true;
  }

  // function(offsets, count) over runs along the inner axis, in any order, on many threads. An
  // element is as much work as `weight` numbers of an elementwise op.
  template <class F>
  void for_runs(int team, isize n, const F& function, isize weight = 1) const {
    const isize width = extent(axes_.size() - 1, n);
    if (axes_.size() == 1) {
      for_rows(team, width, weight, [&](isize first, isize count) {
        Offsets at;
        for (std::size_t k = 0; k < N; ++k) at[k] = first * axes_[0].stride[k];
        function(at, count);
      });
      return;
    }
    isize rows = 1;
    for (std::size_t i = 0; i + 1 < axes_.size(); ++i) rows *= extent(i, n);
    if (width == 0) return;
    for_rows(team, rows, width * weight, [&](isize first, isize count) {
      Cursor cursor(*this, n, kNoAxis, {});
      cursor.seek(first);
      for (isize r = 0; r < count; ++r, cursor.next()) function(cursor.at, width);
    });
  }

  // The same such that each element of one operand is met by one thread, always in the same order.
  template <class F>
  void for_owned_runs(int team, isize n, std::size_t owner, const F& function,
                      isize weight = 1) const {
    isize total = 1;
    for (std::size_t i = 0; i < axes_.size(); ++i) total *= extent(i, n);
    if (total == 0) return;
    std::size_t shared = 0;  // the axis that is cut into tasks
    while (shared < axes_.size() && axes_[shared].stride[owner] == 0) ++shared;
    if (shared == axes_.size()) return walk(n, kNoAxis, {}, function);
    const isize length = extent(shared, n), work = total / length * weight;
    const isize fewest = shared + 1 == axes_.size() && weight < 64 ? 64 : 1;  // whole cache lines
    const isize enough = 8192 / work;
    const Cut cut(length, enough > fewest ? enough : fewest);
    parallel_for(team, cut.count, elementwise_cost(total * weight),
                 [&](isize task) { walk(n, shared, cut[task], function); });
  }

 private:
  struct Axis {
    isize extent;  // of the first axis: times the batch, where there is one
    std::array<isize, N> stride;
  };
  static constexpr std::size_t kNoAxis = static_cast<std::size_t>(-1);

  // The strides of the operands along the i-th axis from the end.
  static std::array<isize, N> strides(const std::array<Operand, N>& operands, std::size_t i) {
    std::array<isize, N> stride{};
    for (std::size_t k = 0; k < N; ++k) {
      const Shape& shape = operands[k].shape;
      if (i >= shape.size() || shape[shape.size() - 1 - i] == 1) continue;
      stride[k] = 1;
      for (std::size_t j = 0; j < i; ++j) stride[k] *= shape[shape.size() - 1 - j];
    }
    return stride;
  }

  static void add_outside(std::vector<Axis>& axes, const Axis& axis) {
    if (!axes.empty()) {
      Axis& inside = axes.back();
      bool continues = true;
      for (std::size_t k = 0; k < N; ++k) {
        continues &= axis.stride[k] == inside.stride[k] * inside.extent;
      }
      if (continues) {
        inside.extent *= axis.extent;
        return;
      }
    }
    axes.push_back(axis);
  }

  isize extent(std::size_t axis, isize n) const {
    return axes_[axis].extent * (axis == 0 && batched_ ? n : 1);
  }

  // Counts through all axes but the inner one; one axis may be restricted to a part.
  struct Cursor {
    Cursor(const Space& space_, isize n, std::size_t part_axis, Tile part) : space(space_) {
      for (std::size_t i = 0; i < space.axes_.size(); ++i) extents[i] = space.extent(i, n);
      if (part_axis == kNoAxis) return;
      extents[part_axis] = part.size;
      for (std::size_t k = 0; k < N; ++k) {
        at[k] = part.begin * space.axes_[part_axis].stride[k];
      }
    }
    void seek(isize row) {
      for (std::size_t i = space.axes_.size() - 1; i-- > 0; row /= extents[i]) {
        index[i] = row % extents[i];
        for (std::size_t k = 0; k < N; ++k) at[k] += index[i] * space.axes_[i].stride[k];
      }
    }
    bool next() {
      for (std::size_t i = space.axes_.size() - 1; i-- > 0;) {
        const Axis& axis = space.axes_[i];
        const bool carries = ++index[i] == extents[i];
        if (carries) index[i] = 0;
        for (std::size_t k = 0; k < N; ++k) {
          at[k] += axis.stride[k] * (carries ? 1 - extents[i] : 1);
        }
        if (!carries) return true;
      }
      return false;
    }
    const Space& space;
    std::array<isize, kMostAxes> extents{}, index{};
    Offsets at{};
  };

  template <class F>
  void walk(isize n, std::size_t part_axis, Tile part, const F& function) const {
    Cursor cursor(*this, n, part_axis, part);
    const isize width = cursor.extents[axes_.size() - 1];
    do {
      function(cursor.at, width);
    } while (cursor.next());
  }

  std::vector<Axis> axes_;
  std::array<isize, N> size_{};
  std::array<bool, N> has_batch_{};
  bool batched_ = false;
};

}  // namespace pynn::ops
