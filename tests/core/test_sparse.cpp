// Products with sparse matrices and transposes of them, against plain loops over dense ones.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check_test.h"
#include "kernels/table.h"

namespace {

using namespace pynn;

template <class T>
struct Matrix {
  std::vector<isize> start{0}, index;
  std::vector<T> value, dense;
  Csr<T> view;

  // Rows of 0, 1, 2, ... numbers in scattered columns, some of them at one place.
  Matrix(isize rows, isize cols) : dense(static_cast<std::size_t>(rows * cols)) {
    for (isize r = 0; r < rows; ++r) {
      const isize count = cols > 0 ? r * 5 % 11 : 0;
      for (isize i = 0; i < count; ++i) {
        index.push_back((r * 13 + i * i * 7) % cols);
        value.push_back(T(0.25) * static_cast<T>((r + 3 * i) % 9 - 4));
        dense[static_cast<std::size_t>(r * cols + index.back())] += value.back();
      }
      start.push_back(static_cast<isize>(index.size()));
    }
    view = {start.data(), index.data(), value.data(), rows, cols};
  }
};

template <class T>
void product(isize rows, isize inner, isize cols) {
  const auto& k = kernels::table<T>();
  const Matrix<T> s(rows, inner);
  const isize ld = cols + 3, ld_y = cols + 5;
  std::vector<T> d(static_cast<std::size_t>(inner * ld));
  k.uniform(d.data(), {3, 0, 0}, 0, static_cast<isize>(d.size()));
  constexpr T kGap = 77;  // what lies between the rows of y stays as it is
  std::vector<T> y(static_cast<std::size_t>(rows * ld_y), kGap), parts = y;
  k.csr_product(y.data(), ld_y, s.view, d.data(), ld, 0, rows, cols);
  double worst = 0;
  bool gaps = true;
  for (isize r = 0; r < rows; ++r) {
    for (isize j = 0; j < ld_y; ++j) {
      const T got = y[static_cast<std::size_t>(r * ld_y + j)];
      if (j >= cols) {
        gaps &= got == kGap;
        continue;
      }
      double sum = 0;
      for (isize i = 0; i < inner; ++i) {
        sum += static_cast<double>(s.dense[static_cast<std::size_t>(r * inner + i)]) *
               static_cast<double>(d[static_cast<std::size_t>(i * ld + j)]);
      }
      worst = std::max(worst, std::fabs(static_cast<double>(got) - sum));
    }
  }
  CHECK(worst <= (sizeof(T) == 4 ? 1e-5 : 1e-14), "%tdx%tdx%td: %g", rows, inner, cols, worst);
  CHECK(gaps, "%tdx%tdx%td: only the columns of y are written", rows, inner, cols);
  for (isize r = 0; r < rows; ++r) {
    k.csr_product(parts.data() + r * ld_y, ld_y, s.view, d.data(), ld, r, 1, cols);
  }
  CHECK(parts == y, "%tdx%tdx%td: the same bits row by row", rows, inner, cols);
}

template <class T>
void transpose(isize rows, isize cols) {
  const Matrix<T> s(rows, cols);
  std::vector<isize> start(static_cast<std::size_t>(cols + 2), 99), index(s.index.size(), 99);
  std::vector<T> value(s.value.size());
  kernels::table<T>().csr_transpose(start.data(), index.data(), value.data(), s.view);
  std::vector<T> dense(s.dense.size());
  bool in_order = start[0] == 0 && start[static_cast<std::size_t>(cols)] == s.view.start[rows];
  for (isize c = 0; c < cols; ++c) {
    const isize begin = start[static_cast<std::size_t>(c)];
    for (isize i = begin; i < start[static_cast<std::size_t>(c + 1)]; ++i) {
      const auto at = static_cast<std::size_t>(i);
      in_order &= i == begin || index[at - 1] <= index[at];
      dense[static_cast<std::size_t>(index[at] * cols + c)] += value[at];
    }
  }
  CHECK(dense == s.dense && in_order, "the transpose of %tdx%td", rows, cols);
}

template <class T>
void all_sizes() {
  for (isize rows : {0, 1, 2, 7, 31}) {
    for (isize inner : {0, 1, 5, 40}) {
      for (isize cols : {0, 1, 3, 16, 33, 100}) product<T>(rows, inner, cols);
      transpose<T>(rows, inner);
    }
  }
}

}  // namespace

int main() {
  all_sizes<float>();
  all_sizes<double>();
  return pynn::test::finish();
}
