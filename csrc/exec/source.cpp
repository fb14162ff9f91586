#include "exec/source.h"

#include <cstring>

#include "core/check.h"
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

template <class I>
isize read(const char* at) {
  I value;
  std::memcpy(&value, at, sizeof(I));
  return static_cast<isize>(value);
}

}  // namespace

isize Integers::operator[](isize i) const {
  const char* at = data + i * stride;
  return wide ? read<std::int64_t>(at) : read<std::int32_t>(at);
}

isize CompressedRows::column(isize i, isize cols) const {
  const isize at = index[i];
  check(at >= 0 && at < cols, "the indices of a CSR matrix must be columns in [0, ", cols,
        "). Received: indices[", i, "]=", at, ".");
  return at;
}

CompressedRows::Run CompressedRows::row(isize r) const {
  const isize begin = start[r], end = start[r + 1];
  check(0 <= begin && begin <= end && end <= stored,
        "indptr of a CSR matrix must not decrease and must stay within the ", stored,
        " stored numbers. Received: indptr[", r, "]=", begin, ", indptr[", r + 1, "]=", end, ".");
  return {begin, end - begin};
}

void Source::check_rows() const {
  if (!compressed) return;
  for (isize r = 0; r < samples(); ++r) {
    const auto [begin, size] = compressed->row(r);
    for (isize i = begin; i < begin + size; ++i) compressed->column(i, shape[1]);
  }
}

bool Source::dense_samples() const {
  isize expected = kDTypes[static_cast<int>(dtype)].bytes;
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

template <class T>
bool Source::ready() const {
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) % alignof(T) == 0 &&
                       strides[0] % static_cast<isize>(alignof(T)) == 0;
  return dtype == kDTypeOf<T> && !compressed && aligned && dense_samples();
}

template <class T>
const T* Source::in_place(isize first) const {
  const isize bytes = sample_size() * static_cast<isize>(sizeof(T));
  if (!ready<T>() || (strides[0] != bytes && samples() != 1)) return nullptr;
  return reinterpret_cast<const T*>(data + first * strides[0]);
}

template <class T>
void Source::gather(T* y, const std::int64_t* rows, isize first, isize count, int team) const {
  const auto& convert = kernels::table<T>().convert[static_cast<int>(dtype)];
  const isize bytes = kDTypes[static_cast<int>(dtype)].bytes;
  const isize size = sample_size();
  const bool dense = dense_samples();
  const bool even = dense && (size == 1 || strides[0] == size * bytes);  // no gaps, or all alike
  ops::for_rows(team, count, size, [&](isize begin, isize n) {
    T* const to = y + begin * size;
    if (rows && size == 1) return convert.listed(to, data, rows + begin, n, strides[0]);
    if (!rows && even) {
      const char* x = data + (first + begin) * strides[0];
      return convert.all(to, x, n * size, size == 1 ? strides[0] : bytes);
    }
    for (isize r = 0; r < n; ++r) {
      const isize sample = rows ? static_cast<isize>(rows[begin + r]) : first + begin + r;
      const char* x = data + sample * strides[0];
      if (dense) {
        convert.all(to + r * size, x, size, bytes);
      } else {
        gather_strided(to + r * size, x, *this, 1, convert.all);
      }
    }
  });
}

template bool Source::ready<float>() const;
template bool Source::ready<double>() const;
template const float* Source::in_place(isize) const;
template const double* Source::in_place(isize) const;
template void Source::gather(float*, const std::int64_t*, isize, isize, int) const;
template void Source::gather(double*, const std::int64_t*, isize, isize, int) const;

}  // namespace pynn::exec
