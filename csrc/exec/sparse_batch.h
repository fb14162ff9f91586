// A batch of a sparse input.
#pragma once

#include <vector>

#include "exec/source.h"
#include "ops/op.h"

namespace pynn::exec {

// Its memory grows to that of the largest batch so far.
template <class T>
class SparseBatch : public ops::SparseInput<T> {
 public:
  // The samples rows[0..n) of x, or first, first + 1, ... where rows is null. Throws ValueError
  // where compressed rows are broken.
  void gather(const Source& x, const std::int64_t* rows, isize first, isize n, int team);
  void transpose();  // sets `features`

 private:
  struct Memory {
    std::vector<isize> start, index;
    std::vector<T> value;
  };
  Memory by_samples_, by_features_;
};

}  // namespace pynn::exec
