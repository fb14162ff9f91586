#include "exec/sparse_batch.h"

#include "core/arena.h"
#include "core/check.h"
#include "ops/tiling.h"

namespace pynn::exec {

template <class T>
void SparseBatch<T>::gather(const Source& x, const std::int64_t* rows, isize first, isize n,
                            int team) {
  const auto run = [&](isize r) { return x.compressed->row(rows ? rows[r] : first + r); };
  isize* start = grown(by_samples_.start, n + 1);
  start[0] = 0;
  for (isize r = 0; r < n; ++r) start[r + 1] = start[r] + run(r).size;
  isize* index = grown(by_samples_.index, start[n]);
  T* value = grown(by_samples_.value, start[n]);
  const auto convert = kernels::table<T>().convert[static_cast<int>(x.dtype)].all;
  ops::for_rows(team, n, n > 0 ? start[n] / n : 0, [&](isize begin, isize count) {
    for (isize r = begin; r < begin + count; ++r) {
      const auto [from, size] = run(r);
      check(size == start[r + 1] - start[r], "a CSR matrix must not change while it is read.");
      convert(value + start[r], x.data + from * x.strides[0], size, x.strides[0]);
      for (isize i = 0; i < size; ++i) {
        index[start[r] + i] = x.compressed->column(from + i, x.shape[1]);
      }
    }
  });
  this->samples = {start, index, value, n, x.shape[1]};
}

template <class T>
void SparseBatch<T>::transpose() {
  const Csr<T>& s = this->samples;
  isize* start = grown(by_features_.start, s.cols + 2);
  isize* index = grown(by_features_.index, s.start[s.rows]);
  T* value = grown(by_features_.value, s.start[s.rows]);
  kernels::table<T>().csr_transpose(start, index, value, s);
  this->features = {start, index, value, s.cols, s.rows};
}

template class SparseBatch<float>;
template class SparseBatch<double>;

}  // namespace pynn::exec
