// Accuracy of kernels/vmath.h, as compiled with this file and as the library chose it for this
// machine: greatest error in units of the last place against long double, special values, and bits
// that do not depend on position. With an argument, prints the errors found: ./test_vmath report
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "check_test.h"
#include "kernels/apply.h"
#include "kernels/table.h"
#include "kernels/vmath.h"

namespace {

using pynn::isize;
namespace kernels = pynn::kernels::PYNN_ISA;
using Real = long double;

// ---- the functions and what they should be -----------------------------------------------------

#define VECTOR_FUNCTION(name, expression)                     \
  template <class T>                                          \
  void name(T* y, const T* x, isize n) {                      \
    kernels::map(y, x, n, [](auto v) { return expression; }); \
  }
VECTOR_FUNCTION(v_exp, kernels::exp(v))
VECTOR_FUNCTION(v_expm1, kernels::expm1(v))
VECTOR_FUNCTION(v_log, kernels::log(v))
VECTOR_FUNCTION(v_log1p, kernels::log1p(v))
VECTOR_FUNCTION(v_sigmoid, kernels::sigmoid(v))
VECTOR_FUNCTION(v_softplus, kernels::softplus(v))
VECTOR_FUNCTION(v_tanh, kernels::tanh(v))
VECTOR_FUNCTION(v_tanh_shrink, kernels::tanh_shrink(v))
VECTOR_FUNCTION(v_erf, kernels::erf(v))
VECTOR_FUNCTION(v_normal_cdf, kernels::normal(v).cdf)

Real softplus(Real x) { return (x < 0 ? Real(0) : x) + std::log1p(std::exp(-std::fabs(x))); }
Real tanh_shrink(Real x) {
  if (std::fabs(x) >= 0.1L) return x - std::tanh(x);
  // Taylor's series, last coefficient first
  const Real c[] = {-6404582.0L / 10854718875.0L,
                    929569.0L / 638512875,
                    -21844.0L / 6081075,
                    1382.0L / 155925,
                    -62.0L / 2835,
                    17.0L / 315,
                    -2.0L / 15,
                    1.0L / 3};
  Real sum = 0;
  for (Real coefficient : c) sum = sum * x * x + coefficient;
  return x * x * x * sum;
}

template <class T>
using Function = void (*)(T*, const T*, isize);

struct Row {
  const char* name;
  Function<float> f;
  Function<double> d;
  Real (*reference)(Real);
  double low, high;             // also sampled evenly here, besides all orders of magnitude
  double max_ulp_f, max_ulp_d;  // what vmath.h promises
  int in_table = -1;            // index into Table<T>::vmath
};

#define ROW(name, reference) \
  #name, v_##name<float>, v_##name<double>, [](Real x) -> Real { return reference; }
const Row kRows[] = {
    {ROW(exp, std::exp(x)), -90, 90, 1.0, 1.0, 0},
    {ROW(expm1, std::expm1(x)), -5, 5, 1.5, 2.0, 2},
    {ROW(log, std::log(x)), 0, 4, 0.9, 1.0, 1},
    {ROW(log1p, std::log1p(x)), -1, 4, 1.5, 0.9, 3},
    {ROW(sigmoid, 1 / (1 + std::exp(-x))), -20, 20, 2.5, 2.1, 6},
    {ROW(softplus, softplus(x)), -20, 20, 1.7, 1.7},
    {ROW(tanh, std::tanh(x)), -3, 3, 1.5, 1.5, 4},
    {ROW(tanh_shrink, tanh_shrink(x)), -3, 3, 16, 16},
    {ROW(erf, std::erf(x)), -4, 4, 1.3, 1.4, 5},
    {ROW(normal_cdf, std::erfc(-x / std::sqrt(2.0L)) / 2), -12, 6, 6.0, 6.0},
};

// ---- tools -------------------------------------------------------------------------------------

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
T from_bits(Bits<T> bits) {
  T x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}
template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}
template <class T>
bool flushed(T x) {
  return std::fabs(x) < std::numeric_limits<T>::min();
}

// |got - want| in units of the last place of T near want; 0 stands for any subnormal
template <class T>
double ulp_error(T got, Real want) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  const T rounded = static_cast<T>(want);
  if (std::isinf(rounded)) {  // one step away from overflow either side is right
    return got == rounded || std::fabs(got) == Limits::max() ? 0 : HUGE_VAL;
  }
  if (std::isnan(got)) return HUGE_VAL;
  if (std::isinf(got)) return std::fabs(rounded) == Limits::max() ? 1 : HUGE_VAL;
  if (flushed(rounded) && flushed(got)) return 0;
  int exponent = 0;
  std::frexp(rounded, &exponent);
  if (exponent < Limits::min_exponent) exponent = Limits::min_exponent;
  return static_cast<double>(std::fabs(std::ldexp(got - want, Limits::digits - exponent)));
}

// Inputs of every sign and magnitude, then evenly spaced ones in [low, high].
template <class T>
std::vector<T> samples(const Row& row, isize count) {
  std::vector<T> x;
  const Bits<T> step = static_cast<Bits<T>>(-1) / static_cast<Bits<T>>(count);
  for (isize i = 0; i < count; ++i) {
    const T value = from_bits<T>(static_cast<Bits<T>>(i) * step + static_cast<Bits<T>>(i) % step);
    if (!std::isnan(value) && !flushed(value)) x.push_back(value);
  }
  for (isize i = 0; i < count; ++i) {
    const T value =
        static_cast<T>(row.low + (row.high - row.low) * (double(i) + 0.37) / double(count));
    if (!flushed(value)) x.push_back(value);
  }
  return x;
}

// ---- the tests ---------------------------------------------------------------------------------

template <class T>
void test_accuracy(const Row& row, Function<T> f, double max_ulp, isize count, bool report) {
  const std::vector<T> x = samples<T>(row, count);
  std::vector<T> y(x.size());
  f(y.data(), x.data(), static_cast<isize>(x.size()));
  // where long double is no wider than T the reference itself is rounded
  const double slack = std::numeric_limits<Real>::digits > std::numeric_limits<T>::digits ? 0 : 1;
  double worst = 0;
  T at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulp_error(y[i], row.reference(x[i]));
    if (error > worst) worst = error, at = x[i];
  }
  const char* type = sizeof(T) == 4 ? "float" : "double";
  if (report) std::printf("%-12s %-6s %.3f ULP at %.17g\n", row.name, type, worst, double(at));
  CHECK(worst <= max_ulp + slack, "%s %s: %g ULP at x = %.17g", row.name, type, worst, double(at));
}

template <class T>
void test_special_values(const Row& row, Function<T> f) {
  using L = std::numeric_limits<T>;
  const T special[] = {
      0, 1, 2, 100, 1e4f, 1e30f, L::max(), L::infinity(), L::min(), L::denorm_min()};
  for (const T magnitude : special) {
    for (const T x : {magnitude, -magnitude}) {
      T y = -77;
      f(&y, &x, 1);
      const Real want = row.reference(x);
      const bool input_flushed =
          flushed(x) && x != 0 && same_bits(y, T(row.reference(std::copysign(T(0), x))));
      const bool sign = want != 0 || y != 0 || std::signbit(y) == std::signbit(want);
      CHECK(input_flushed || (ulp_error(y, want) <= 8 && sign), "%s(%g) = %g, expected %Lg",
            row.name, double(x), double(y), want);
    }
  }
  T y = 0, nan = L::quiet_NaN();
  f(&y, &nan, 1);
  CHECK(std::isnan(y), "%s(nan) = %g", row.name, double(y));
}

template <class T>
void test_position(const Row& row, Function<T> f) {
  constexpr isize kLength = 67, kOffsets = 17, kRoom = kLength + 2 * kOffsets;
  T x[kRoom], y[kRoom], alone[kRoom];
  for (isize i = 0; i < kRoom; ++i) {
    x[i] = static_cast<T>(row.low + (row.high - row.low) * double((i * 37) % kRoom) / kRoom);
    f(alone + i, x + i, 1);
  }
  for (isize offset = 0; offset < kOffsets; ++offset) {
    for (isize n = 0; n <= kLength; ++n) {
      for (T& value : y) value = T(-77);
      f(y + offset, x + offset, n);
      bool equal = true;
      for (isize i = 0; i < kRoom; ++i) {
        equal = equal && same_bits(y[i], i >= offset && i < offset + n ? alone[i] : T(-77));
      }
      CHECK(equal, "%s: n = %td, offset = %td", row.name, n, offset);
    }
  }
}

template <class T>
void test(const Row& row, Function<T> f, double max_ulp, bool report) {
  test_accuracy<T>(row, f, max_ulp, report ? 20000000 : 200000, report);
  test_special_values<T>(row, f);
  test_position<T>(row, f);
}

}  // namespace

int main(int argc, char**) {
  const bool report = argc > 1;
  const auto& table32 = pynn::kernels::table<float>();
  const auto& table64 = pynn::kernels::table<double>();
  for (const Row& row : kRows) {
    test<float>(row, row.f, row.max_ulp_f, report);
    test<double>(row, row.d, row.max_ulp_d, report);
    if (row.in_table < 0) continue;
    test<float>(row, table32.vmath[row.in_table], row.max_ulp_f, report);
    test<double>(row, table64.vmath[row.in_table], row.max_ulp_d, report);
  }
  return pynn::test::finish();
}
