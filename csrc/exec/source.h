// An array of samples as the user has it: any element type, any strides or compressed rows, never
// copied whole.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/dtype.h"
#include "core/span.h"

namespace pynn::exec {

// Whole numbers of 32 or 64 bits, `stride` bytes apart.
struct Integers {
  const char* data = nullptr;
  isize size = 0, stride = 0;
  bool wide = false;

  isize operator[](isize i) const;
};

// Where the numbers of a matrix in compressed rows (CSR) stand: row r has those from start[r] to
// start[r + 1], number i is in column index[i].
struct CompressedRows {
  Integers start, index;
  isize stored = 0;  // numbers there are

  // Both throw ValueError where what they read is out of bounds.
  isize column(isize i, isize cols) const;
  struct Run {
    isize begin, size;
  };
  Run row(isize r) const;
};

struct Source {
  const char* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;                 // the first axis counts the samples
  std::vector<isize> strides;  // in bytes
  // Set for a sparse matrix: `data` are its stored numbers, strides[0] apart.
  std::optional<CompressedRows> compressed = std::nullopt;

  isize samples() const { return shape.empty() ? 0 : shape[0]; }
  Shape sample_shape() const { return {shape.begin() + 1, shape.end()}; }
  isize sample_size() const {
    isize size = 1;
    for (std::size_t axis = 1; axis < shape.size(); ++axis) size *= shape[axis];
    return size;
  }
  // True where a sample's elements lie one after another.
  bool dense_samples() const;

  // Whether each sample lies in memory as the engine wants it.
  template <class T>
  bool ready() const;
  // Samples first, first + 1, ... as they lie in memory, or null where that is not how the engine
  // wants them.
  template <class T>
  const T* in_place(isize first) const;

  // y(count, sample_size) = T(samples rows[0..count)); rows == nullptr means first, first + 1, ...
  template <class T>
  void gather(T* y, const std::int64_t* rows, isize first, isize count, int team) const;

  // Throws ValueError where compressed rows are broken.
  void check_rows() const;
};

}  // namespace pynn::exec
