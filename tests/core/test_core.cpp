// Threads, random numbers, matrix products and gathering, against textbook versions of themselves.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check_test.h"
#include "core/denormals.h"
#include "core/limits.h"
#include "core/parallel.h"
#include "exec/source.h"
#include "kernels/gemm.h"
#include "kernels/table.h"
#include "ops/tiling.h"

namespace {

using namespace pynn;

void parallel() {
  for (int team : {1, 2, 3, 8}) {
    for (isize tasks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(tasks));
      parallel_for(team, tasks, 1e9, [&](isize i) { ++done[static_cast<std::size_t>(i)]; });
      bool once = true;
      for (auto& count : done) once &= count == 1;
      CHECK(once, "team %d, %td tasks: every task runs exactly once", team, tasks);
    }
    std::atomic<int> inner{0};
    parallel_for(team, 4, 1e9, [&](isize) { parallel_for(team, 4, 1e9, [&](isize) { ++inner; }); });
    CHECK(inner == 16, "nested regions run: %d", inner.load());
    bool caught = false;
    try {
      parallel_for(team, 100, 1e9, [](isize i) {
        if (i == 37) throw std::invalid_argument("37");
      });
    } catch (const std::invalid_argument&) {
      caught = true;
    }
    CHECK(caught, "team %d: an exception in a task reaches the caller", team);
  }
  // Regions of changing size in quick succession: a helper that comes late to one must not take a
  // task of another for its own. The context differs as well, so that a stale one would be noticed.
  for (int team : {2, 3, 8}) {
    long wrong = 0;
    with_team(team, [&] {
      for (int region = 0; region < 20000; ++region) {
        const isize tasks = 2 + (region * 7919) % 61;
        std::atomic<isize> sum{0};
        std::atomic<int> strangers{0};
        const int own = region;
        parallel_for(team, tasks, 1e9, [&, own](isize i) {
          strangers += own != region || i >= tasks;
          sum += i + 1;
        });
        wrong += strangers != 0 || sum != tasks * (tasks + 1) / 2;
      }
    });
    CHECK(wrong == 0, "team %d: %ld of 20000 regions ran other tasks than their own", team, wrong);
  }
  CHECK(team_size(1, false).threads == 1, "a wish for one thread is granted");
  CHECK(team_size(8, true).threads == 8, "oversubscription is granted when asked for");
  CHECK(team_size(1000, false).threads <= machine_team().threads,
        "a wish is bounded by the machine");
}

void denormals() {
  volatile float tiny = 1e-39f, one = 1.0f;
  float inside;
  {
    const FlushDenormals flush;
    inside = tiny * one;
  }
#if defined(__x86_64__) || defined(__aarch64__)
  CHECK(inside == 0, "flushed inside: %g", static_cast<double>(inside));
#endif
  CHECK(tiny * one != 0, "the caller's mode is back");
}

// Random123's known answers for Philox 4x32-10 (kat_vectors): counter and key of zeros, then of
// ones.
void philox() {
  const auto& k = kernels::table<float>();
  float u[64];
  k.uniform(u, {0, 0, 0}, 0, 64);
  const std::uint32_t zero[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  for (int w = 0; w < 4; ++w) {
    const float expected = static_cast<float>(zero[w] >> 8) * 0x1p-24f;
    CHECK(u[16 * w] == expected, "word %d: %.9g, expected %.9g", w, static_cast<double>(u[16 * w]),
          static_cast<double>(expected));
  }
  // Any split of a stream gives the same numbers.
  std::vector<float> whole(1000), pieces(1000);
  k.uniform(whole.data(), {42, 3, 9}, 0, 1000);
  for (isize i = 0; i < 1000; i += 37) {
    k.uniform(pieces.data() + i, {42, 3, 9}, i, std::min<isize>(37, 1000 - i));
  }
  CHECK(whole == pieces, "a stream does not depend on how it is cut");
  std::vector<double> normal(100000);
  kernels::table<double>().normal(normal.data(), {1, 2, 3}, 0, 100000);
  double mean = 0, square = 0, fourth = 0;
  for (double v : normal) mean += v / 1e5, square += v * v / 1e5, fourth += v * v * v * v / 1e5;
  CHECK(std::fabs(mean) < 0.015 && std::fabs(square - 1) < 0.02 && std::fabs(fourth - 3) < 0.15,
        "normal moments %g %g %g", mean, square, fourth);
}

// The product of random factors, transposed or not, added to nothing, a row or a matrix.
template <class T>
void one_gemm(isize m, isize n, isize k) {
  using kernels::Addend, kernels::Factor;
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-13;
  for (int mode = 0; mode < 12; ++mode) {
    const bool ta = mode & 1, tb = mode & 2;
    const isize lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 5;
    std::vector<T> a(static_cast<std::size_t>(lda * (ta ? k : m)));
    std::vector<T> b(static_cast<std::size_t>(ldb * (tb ? n : k)));
    std::vector<T> c(static_cast<std::size_t>(ldc * m), T(0.5)), expected;
    const auto fill = [](auto& v, std::uint64_t seed) {
      kernels::table<T>().uniform(v.data(), {seed, 0, 0}, 0, static_cast<isize>(v.size()));
    };
    fill(a, 1);
    fill(b, 2);
    expected = c;
    const Factor<T> left{a.data(), lda, ta}, right{b.data(), ldb, tb};
    const std::vector<T> bias(static_cast<std::size_t>(n), T(0.25));
    const auto first = [&](std::vector<T>& sum) -> Addend<T> {
      if (mode < 4) return {};
      return mode < 8 ? Addend<T>{bias.data()} : Addend<T>{sum.data(), ldc};
    };
    kernels::gemm<T>(c.data(), ldc, first(c), left, right, m, n, k);
    kernels::gemm_reference<T>(expected.data(), ldc, first(expected), left, right, m, n, k);
    double worst = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      worst = std::max(worst, std::fabs(static_cast<double>(c[i] - expected[i])));
    }
    CHECK(worst <= tolerance * static_cast<double>(std::max<isize>(k, 1)),
          "%tdx%tdx%td mode %d: %g", m, n, k, mode, worst);
  }
}

// Gaps between the rows of c stay as they were: they are compared, too.
template <class T>
void gemm() {
  const isize extents[] = {1, 2, 3, 7, 16, 17, 33, 64};
  for (isize m : extents) {
    for (isize n : extents) {
      for (isize k : extents) one_gemm<T>(m, n, k);
    }
  }
  one_gemm<T>(5, 9, 0);
  one_gemm<T>(13, 101, 700);   // deeper than a panel
  one_gemm<T>(260, 520, 260);  // large enough for BLAS
}

template <class S>
void gather_from(DType dtype) {
  // Samples of shape (3, 4) taken from a larger array: every second row, the columns reversed.
  constexpr isize kSamples = 6;
  std::vector<S> data(kSamples * 3 * 2 * 4);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<S>(i % 120);
  const auto bytes = static_cast<isize>(sizeof(S));
  exec::Source source;
  source.dtype = dtype;
  source.data = reinterpret_cast<const char*>(data.data()) + 3 * bytes;
  source.shape = {kSamples, 3, 4};
  source.strides = {24 * bytes, 8 * bytes, -bytes};
  const std::int64_t rows[] = {5, 0, 3};
  for (int team : {1, 2}) {
    std::vector<float> y(36);
    source.gather(y.data(), rows, 0, 3, team);
    bool right = true;
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t i = 0; i < 12; ++i) {
        const auto at = static_cast<std::size_t>(rows[r]) * 24 + i / 4 * 8 + 3 - i % 4;
        right &= y[r * 12 + i] == static_cast<float>(data[at]);
      }
    }
    CHECK(right, "strided gather of %s", kDTypes[static_cast<int>(dtype)].name.data());
  }
}

void gather() {
  gather_from<std::uint8_t>(DType::u8);
  gather_from<std::int8_t>(DType::i8);
  gather_from<std::int16_t>(DType::i16);
  gather_from<std::uint16_t>(DType::u16);
  gather_from<std::int32_t>(DType::i32);
  gather_from<std::uint32_t>(DType::u32);
  gather_from<std::int64_t>(DType::i64);
  gather_from<std::uint64_t>(DType::u64);
  gather_from<float>(DType::f32);
  gather_from<double>(DType::f64);
  const std::uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x3555};
  const double expected[] = {1, -2, 0x1p-24, -0.0, 65504, 0.333251953125};
  double y[6];
  kernels::table<double>().convert[static_cast<int>(DType::f16)].all(y, half, 6, 2);
  for (int i = 0; i < 6; ++i) CHECK(y[i] == expected[i], "float16 %x: %g", half[i], y[i]);
}

// Samples of one number each, some way apart: all of them, and those of a list.
void gather_single() {
  const std::int32_t data[] = {3, 0, 1, 0, 4, 0, 1, 0, 5, 0};
  exec::Source source;
  source.dtype = DType::i32;
  source.data = reinterpret_cast<const char*>(data);
  source.shape = {5};
  source.strides = {8};
  const std::int64_t rows[] = {4, 0, 2};
  float all[3], listed[3];
  source.gather(all, nullptr, 1, 3, 1);
  source.gather(listed, rows, 0, 3, 1);
  CHECK(all[0] == 1 && all[1] == 4 && all[2] == 1, "numbers from the second on: %g", all[0]);
  CHECK(listed[0] == 5 && listed[1] == 3 && listed[2] == 4, "numbers of a list: %g", listed[0]);
}

// Cuts into panels cover all columns, by whole lines, evenly, and two threads get the same.
template <class T>
void panels() {
  using namespace pynn::ops;
  for (isize cols = 1; cols < 4000; cols += cols < 700 ? 1 : 37) {
    for (const Cut& cut : {kernel_panels<T>(cols), product_panels<T>(cols, 512, 1 << 20)}) {
      isize at = 0, least = cols, most = 0, half = 0;
      bool right = cut.count == 1 || cut.count % 2 == 0;
      for (isize i = 0; i < cut.count; ++i) {
        const auto [begin, size] = cut[i];
        right &= begin == at && size > 0 && begin % kLine<T> == 0 && size <= kWidestPanel;
        right &= cut.holding(begin) == i && cut.holding(begin + size - 1) == i;
        const isize lines = (size + kLine<T> - 1) / kLine<T>;
        least = std::min(least, lines);
        most = std::max(most, lines);
        half += i < cut.count / 2 ? lines : -lines;
        at += size;
      }
      right &= at == cols && most - least <= 1 && (cut.count == 1 || std::abs(half) <= 1);
      CHECK(right, "%td columns in %td panels", cols, cut.count);
    }
  }
}

template <class T>
void sums_of_columns() {
  constexpr isize kRows = 19, kMost = 300;
  std::vector<T> dy(kRows * kMost), db(kMost + 1);
  for (std::size_t i = 0; i < dy.size(); ++i) dy[i] = static_cast<T>((i * 37) % 101);
  for (isize cols : {1, 15, 16, 17, 100, 128, 131, 300}) {
    db.assign(db.size(), T(-1));
    kernels::table<T>().column_sums(db.data(), dy.data(), kRows, cols, kMost);
    bool right = db[static_cast<std::size_t>(cols)] == -1;
    for (isize j = 0; j < cols; ++j) {
      T sum = 0;
      for (isize r = 0; r < kRows; ++r) sum += dy[static_cast<std::size_t>(r * kMost + j)];
      right &= db[static_cast<std::size_t>(j)] == sum;
    }
    CHECK(right, "sums of %td columns", cols);
  }
}

template <class T>
void finite() {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  for (std::size_t n : {1, 7, 16, 33, 1000}) {
    std::vector<T> x(n, std::numeric_limits<T>::max());
    const auto all_finite = [&] {
      return kernels::table<T>().all_finite(x.data(), static_cast<isize>(n));
    };
    CHECK(all_finite(), "%zu large numbers are finite", n);
    for (T bad : {kInfinity, -kInfinity, std::numeric_limits<T>::quiet_NaN()}) {
      for (std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
        std::swap(x[at], bad);
        CHECK(!all_finite(), "%zu of %zu is %g", at, n, static_cast<double>(x[at]));
        std::swap(x[at], bad);
      }
    }
  }
}

// Moments and their gradient against plain sums in double.
void batch_norm() {
  constexpr isize kRows = 37, kCols = 131, kLd = 140;
  const auto& k = kernels::table<double>();
  std::vector<double> x(kRows * kLd), mean(kCols), variance(kCols);
  k.normal(x.data(), {5, 0, 0}, 0, static_cast<isize>(x.size()));
  k.column_moments(mean.data(), variance.data(), x.data(), kRows, kCols, kLd);
  double worst = 0;
  for (std::size_t j = 0; j < kCols; ++j) {
    double m = 0, v = 0;
    for (std::size_t r = 0; r < kRows; ++r) m += x[r * kLd + j] / kRows;
    for (std::size_t r = 0; r < kRows; ++r)
      v += (x[r * kLd + j] - m) * (x[r * kLd + j] - m) / kRows;
    worst = std::max({worst, std::fabs(m - mean[j]), std::fabs(v - variance[j])});
  }
  CHECK(worst < 1e-14, "moments: %g", worst);
}

}  // namespace

int main() {
  parallel();
  denormals();
  philox();
  gemm<float>();
  gemm<double>();
  gather();
  gather_single();
  panels<float>();
  panels<double>();
  sums_of_columns<float>();
  sums_of_columns<double>();
  finite<float>();
  finite<double>();
  batch_norm();
  return pynn::test::finish();
}
