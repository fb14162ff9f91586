// One aligned block of memory, and the arithmetic of cutting it into pieces.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/span.h"

namespace pynn {

inline constexpr isize kAlignment = 64;  // one cache line, one AVX-512 register

// Zero-filled, cache-line aligned, never resized.
template <class T>
class Arena {
 public:
  Arena() = default;
  explicit Arena(isize count) : count_(count), data_(allocate(count)) {}
  T* data() const { return data_.get(); }
  isize size() const { return count_; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t(kAlignment)); }
  };
  static T* allocate(isize count) {
    if (count == 0) return nullptr;
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    void* p = ::operator new(bytes, std::align_val_t(kAlignment));
    return static_cast<T*>(std::memset(p, 0, bytes));
  }
  isize count_ = 0;
  std::unique_ptr<T[], Free> data_;
};

// Memory of a size that is not known in advance: it only grows.
template <class V>
V* grown(std::vector<V>& memory, isize size) {
  if (static_cast<isize>(memory.size()) < size) memory.resize(static_cast<std::size_t>(size));
  return memory.data();
}

// The number of elements, at least n, that fill cache lines.
template <class T>
constexpr isize whole_lines(isize n) {
  constexpr isize kLine = kAlignment / static_cast<isize>(sizeof(T));
  return (n + kLine - 1) / kLine * kLine;
}

// How the engine stores an array of weights: a matrix in rows that start at cache lines, so that
// threads that own neighbouring columns never write to the same line; anything else without gaps.
// What lies between the rows is zero and stays zero.
template <class T>
struct Storage {
  isize rows, cols, ld;

  explicit Storage(const Shape& shape) {
    constexpr isize kLine = kAlignment / static_cast<isize>(sizeof(T));
    const bool matrix = shape.size() == 2;
    cols = matrix ? shape[1] : element_count(shape);
    rows = matrix ? shape[0] : 1;
    ld = matrix && cols > kLine ? whole_lines<T>(cols) : cols;
  }
  isize size() const { return rows * ld; }  // with the gaps
};

// Hands out offsets (in elements), each a multiple of a cache line.
template <class T>
class Layout {
 public:
  isize add(isize count) {
    constexpr isize kStep = kAlignment / static_cast<isize>(sizeof(T));
    const isize offset = size_;
    size_ += (count + kStep - 1) / kStep * kStep;
    return offset;
  }
  isize size() const { return size_; }

 private:
  isize size_ = 0;
};

}  // namespace pynn
