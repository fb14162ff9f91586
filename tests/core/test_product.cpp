// Matrix products of our own in every order they take: by panels, by blocks, with copies of what
// lies far apart, of few columns. They are compared with the textbook loop; any cut of the rows,
// and rows that are listed, with the whole, bit for bit.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "check_test.h"
#include "kernels/gemm.h"
#include "kernels/table.h"

namespace {

using namespace pynn;
using kernels::Addend, kernels::Factor;

// A matrix in a larger one, at no aligned place; what lies around it must not be read.
template <class T>
struct Matrix {
  isize rows, cols, ld;
  std::vector<T> memory;
  Matrix(isize rows_, isize cols_, isize gap, std::uint64_t seed)
      : rows(rows_),
        cols(cols_),
        ld(cols_ + gap),
        memory(static_cast<std::size_t>(1 + rows_ * ld), std::numeric_limits<T>::quiet_NaN()) {
    for (isize r = 0; r < rows; ++r)
      kernels::table<T>().uniform(row(r), {seed, 1, 1}, r * cols, cols);
  }
  T* row(isize r) { return memory.data() + 1 + r * ld; }
};

enum class First { none, row, matrix, result };

template <class T>
void check_product(isize m, isize n, isize k, isize gap, bool ta, bool tb, First kind) {
  Matrix<T> a(ta ? k : m, ta ? m : k, gap, 1), b(tb ? n : k, tb ? k : n, gap, 2);
  Matrix<T> start(kind == First::row ? 1 : m, n, 2, 3), result(m, n, gap, 3);
  const auto first = [&](Matrix<T>& c, isize row) -> Addend<T> {
    if (kind == First::none) return {};
    if (kind == First::row) return {start.row(0)};
    return kind == First::matrix ? Addend<T>{start.row(row), start.ld}
                                 : Addend<T>{c.row(row), c.ld};
  };
  const Factor<T> left{a.row(0), a.ld, ta}, right{b.row(0), b.ld, tb};
  Matrix<T> expected = result, whole = result;
  kernels::gemm_reference<T>(expected.row(0), expected.ld, first(expected, 0), left, right, m, n,
                             k);
  kernels::table<T>().product(whole.row(0), whole.ld, first(whole, 0), left, right, m, n, k);
  double worst = 0;
  bool untouched = true;
  for (isize r = 0; r < m; ++r) {
    for (isize j = 0; j < whole.ld && r * whole.ld + j + 1 < std::ssize(whole.memory); ++j) {
      const double difference =
          std::fabs(static_cast<double>(whole.row(r)[j] - expected.row(r)[j]));
      if (j < n) {
        worst = difference <= worst ? worst : difference;  // keeps NaN
      } else {
        untouched &= std::isnan(whole.row(r)[j]);
      }
    }
  }
  const double tolerance =
      (sizeof(T) == 4 ? 1e-6 : 2e-15) * static_cast<double>(std::max<isize>(k, 1));
  const auto mode = static_cast<int>(kind);
  CHECK(worst <= tolerance, "%tdx%tdx%td gap %td, %d%d, first %d: %g", m, n, k, gap, ta, tb, mode,
        worst);
  CHECK(untouched, "%tdx%tdx%td: writes beside the rows of c", m, n, k);
  std::vector<const T*> places;  // of the rows of a, each on its own
  for (isize r = 0; r < a.rows; ++r) places.push_back(a.row(r) - 1);
  Matrix<T> listed = result;
  kernels::table<T>().product(listed.row(0), listed.ld, first(listed, 0),
                              {nullptr, 0, ta, places.data(), 1}, right, m, n, k);
  bool alike = true;
  for (isize r = 0; r < m; ++r) alike &= std::equal(listed.row(r), listed.row(r) + n, whole.row(r));
  CHECK(alike, "%tdx%tdx%td gap %td, %d%d, first %d: listed rows change bits", m, n, k, gap, ta, tb,
        mode);
  for (isize block : {isize{1}, isize{37}, isize{256}}) {
    if (block >= m || (block == 1 && m > 64)) continue;
    Matrix<T> cut = result;
    for (isize r = 0; r < m; r += block) {
      const Factor<T> rows{ta ? a.row(0) + r : a.row(r), a.ld, ta};
      kernels::table<T>().product(cut.row(r), cut.ld, first(cut, r), rows, right,
                                  std::min(block, m - r), n, k);
    }
    bool same = true;
    for (isize r = 0; r < m; ++r) same &= std::equal(cut.row(r), cut.row(r) + n, whole.row(r));
    CHECK(same, "%tdx%tdx%td gap %td, %d%d, first %d: rows by %td change bits", m, n, k, gap, ta,
          tb, mode, block);
  }
}

template <class T>
void products() {
  struct Shape {
    isize m, n, k, gap;
  };
  const Shape shapes[] = {
      {1, 1, 1, 0},       {7, 50, 0, 1},       {9, 97, 33, 3},       {31, 4, 65, 1},
      {37, 2, 100, 0},    {21, 3, 52, 2},      {40, 50, 30, 600},  // rows far apart
      {33, 47, 300, 600}, {130, 145, 1050, 7},                     // blocks, from here on
      {67, 301, 2100, 0}, {1027, 193, 140, 1}, {516, 250, 517, 600},
  };
  for (const Shape& s : shapes) {
    int turn = 0;
    for (First kind : {First::none, First::row, First::matrix, First::result}) {
      // All four, where that costs little.
      const bool all = s.m * s.n * s.k < 1'000'000;
      for (int t = 0; t < 4; ++t) {
        if (all || t == turn) check_product<T>(s.m, s.n, s.k, s.gap, t & 1, t & 2, kind);
      }
      ++turn;
    }
  }
  for (int t = 0; t < 4; ++t) check_product<T>(300, 170, 450, 5, t & 1, t & 2, First::result);
}

}  // namespace

int main() {
  products<float>();
  products<double>();
  return pynn::test::finish();
}
