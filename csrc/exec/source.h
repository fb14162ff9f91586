// An array of samples as the user has it: any element type, any strides, never copied whole.
#pragma once

#include <cstdint>
#include <vector>

#include "core/dtype.h"

namespace pynn::exec {

struct Source {
  const char* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;                 // the first axis counts the samples
  std::vector<isize> strides;  // in bytes

  isize samples() const { return shape.empty() ? 0 : shape[0]; }
  Shape sample_shape() const { return {shape.begin() + 1, shape.end()}; }
  isize sample_size() const {
    isize size = 1;
    for (std::size_t axis = 1; axis < shape.size(); ++axis) size *= shape[axis];
    return size;
  }
  // True where a sample's elements lie one after another.
  bool dense_samples() const;

  // y(count, sample_size) = T(samples rows[0..count)); rows == nullptr means first, first + 1, ...
  template <class T>
  void gather(T* y, const std::int64_t* rows, isize first, isize count, int team) const;
};

}  // namespace pynn::exec
