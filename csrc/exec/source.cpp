#include "exec/source.h"

#include "kernels/table.h"
#include "ops/tiling.h"

namespace pynn::exec {
namespace {

template <class T>
using Convert = void (*)(T*, const void*, isize, isize);

// One sample of arbitrary strides: the last axis by the kernel, the others by recursion.
template <class T>
T* gather_strided(T* y, const char* x, const Source& source, std::size_t axis, Convert<T> convert) {
  if (axis + 1 >= source.shape.size()) {
    const isize n = axis < source.shape.size() ? source.shape[axis] : 1;
    convert(y, x, n, axis < source.shape.size() ? source.strides[axis] : 0);
    return y + n;
  }
  for (isize i = 0; i < source.shape[axis]; ++i) {
    y = gather_strided(y, x + i * source.strides[axis], source, axis + 1, convert);
  }
  return y;
}

}  // namespace

bool Source::dense_samples() const {
  isize expected = kDTypes[static_cast<int>(dtype)].bytes;
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

template <class T>
void Source::gather(T* y, const std::int64_t* rows, isize first, isize count, int team) const {
  const Convert<T> convert = kernels::table<T>().convert[static_cast<int>(dtype)];
  const isize bytes = kDTypes[static_cast<int>(dtype)].bytes;
  const isize size = sample_size();
  const bool dense = dense_samples();
  ops::for_rows(team, count, size, [&](isize begin, isize n) {
    for (isize r = begin; r < begin + n; ++r) {
      const char* x = data + (rows ? static_cast<isize>(rows[r]) : first + r) * strides[0];
      if (dense) {
        convert(y + r * size, x, size, bytes);
      } else {
        gather_strided(y + r * size, x, *this, 1, convert);
      }
    }
  });
}

template void Source::gather(float*, const std::int64_t*, isize, isize, int) const;
template void Source::gather(double*, const std::int64_t*, isize, isize, int) const;

}  // namespace pynn::exec
