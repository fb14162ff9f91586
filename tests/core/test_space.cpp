// The loops of ops/space.h: every element of a space once, with the right offsets, for any number
// of threads; and what one operand owns is met by one thread at a time.
#include "ops/space.h"

#include <atomic>
#include <cstdlib>
#include <vector>

#include "check_test.h"

using namespace pynn;
using pynn::ops::Operand;
using pynn::ops::Space;

namespace {

// The offset of element `index` of a space in an operand, by NumPy's rules.
isize offset_of(const std::vector<isize>& index, const Operand& operand, isize sample) {
  isize offset = 0, stride = 1;
  for (std::size_t i = 0; i < operand.shape.size(); ++i) {
    const isize extent = operand.shape[operand.shape.size() - 1 - i];
    if (extent != 1) offset += index[index.size() - 1 - i] * stride;
    stride *= extent;
  }
  return offset + (operand.batched ? sample * stride : 0);
}

struct Case {
  Shape shape, a, b;
  bool a_batched, b_batched;
};

void check_case(const Case& c, isize n, int team, isize weight) {
  const bool batched = c.a_batched || c.b_batched;
  const std::array<Operand, 3> operands = {Operand{c.shape, batched}, Operand{c.a, c.a_batched},
                                           Operand{c.b, c.b_batched}};
  const Space<3> space(c.shape, batched, operands);
  const isize samples = batched ? n : 1, size = element_count(c.shape);

  std::vector<isize> expected_a(static_cast<std::size_t>(samples * size)), expected_b = expected_a;
  for (isize s = 0; s < samples; ++s) {
    for (isize e = 0; e < size; ++e) {
      std::vector<isize> index(c.shape.size());
      isize rest = e;
      for (std::size_t i = index.size(); i-- > 0; rest /= c.shape[i]) index[i] = rest % c.shape[i];
      const auto at = static_cast<std::size_t>(s * size + e);
      expected_a[at] = offset_of(index, operands[1], s);
      expected_b[at] = offset_of(index, operands[2], s);
    }
  }

  for (int owner = -1; owner < 3; ++owner) {
    std::vector<std::atomic<int>> seen(expected_a.size());
    std::atomic<int> wrong{0};
    const auto visit = [&](const auto& at, isize count) {
      for (isize i = 0; i < count; ++i) {
        const auto y = static_cast<std::size_t>(at[0] + i * space.stride(0));
        ++seen[y];
        if (at[1] + i * space.stride(1) != expected_a[y]) ++wrong;
        if (at[2] + i * space.stride(2) != expected_b[y]) ++wrong;
      }
    };
    if (owner < 0) {
      space.for_runs(team, n, visit, weight);
    } else {
      space.for_owned_runs(team, n, static_cast<std::size_t>(owner), visit, weight);
    }
    int missed = 0;
    for (const auto& times : seen) missed += times != 1;
    CHECK(wrong == 0 && missed == 0, "owner %d: %d wrong, %d not met once", owner, wrong.load(),
          missed);
  }

  // Sums into an operand are the same for any number of threads: no two write to one place.
  for (std::size_t owner = 1; owner < 3; ++owner) {
    std::vector<double> one(static_cast<std::size_t>(space.elements(owner, n))), many = one;
    for (std::vector<double>* sums : {&one, &many}) {
      space.for_owned_runs(sums == &one ? 1 : team, n, owner, [&](const auto& at, isize count) {
        for (isize i = 0; i < count; ++i) {
          const isize y = at[0] + i * space.stride(0);
          (*sums)[static_cast<std::size_t>(at[owner] + i * space.stride(owner))] +=
              1.0 / static_cast<double>(1 + y);
        }
      });
    }
    CHECK(one == many, "sums of operand %d depend on the team", static_cast<int>(owner));
  }
}

// Elements that are much work each, such as products of matrices, are tasks of their own.
void check_heavy_elements() {
  const std::array<Operand, 2> operands = {Operand{{12}, true}, Operand{{12}, true}};
  const Space<2> space({12}, true, operands);
  for (bool owned : {false, true}) {
    std::atomic<int> longest{0};
    const auto visit = [&](const auto&, isize count) {
      if (count > longest) longest = static_cast<int>(count);
    };
    const long before = shared_regions();
    if (owned) {
      space.for_owned_runs(4, 1, 1, visit, 100'000);
    } else {
      space.for_runs(4, 1, visit, 100'000);
    }
    CHECK(longest == 1 && shared_regions() == before + 1, "%d elements in one task",
          longest.load());
  }
}

}  // namespace

int main() {
  const Case cases[] = {
      {{}, {}, {}, true, false},
      {{}, {}, {}, false, false},
      {{3}, {3}, {3}, true, true},
      {{3}, {3}, {1}, true, true},
      {{3}, {3}, {}, true, false},
      {{3}, {3}, {3}, true, false},
      {{2, 3}, {2, 1}, {3}, true, false},
      {{2, 3}, {2, 1}, {1, 3}, true, true},
      {{2, 3, 4}, {3, 1}, {2, 1, 4}, false, true},
      {{2, 1, 3}, {2, 1, 1}, {1, 3}, false, false},
      {{5, 1, 7, 2}, {5, 1, 1, 2}, {7, 1}, true, true},
      {{90}, {90}, {90}, true, false},
      {{4, 700}, {4, 1}, {700}, true, false},
      {{0, 3}, {0, 3}, {3}, true, false},
  };
  for (const Case& c : cases) {
    for (isize n : {1, 2, 37}) {
      for (int team : {1, 4}) {
        for (isize weight : {1, 10'000}) check_case(c, n, team, weight);
      }
    }
  }
  check_heavy_elements();
  return pynn::test::finish();
}
