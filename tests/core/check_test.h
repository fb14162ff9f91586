// The smallest test tool that does: CHECK(condition, "printf text", ...) and one closing line.
#pragma once

#include <cstdio>

namespace pynn::test {

struct Count {
  int passed = 0, failed = 0;
};
inline Count count;

// main returns this
inline int finish() {
  std::printf("%d passed, %d failed\n", count.passed, count.failed);
  return count.failed == 0 ? 0 : 1;
}

}  // namespace pynn::test

#define CHECK(condition, ...)                                             \
  do {                                                                    \
    if (condition) {                                                      \
      ++pynn::test::count.passed;                                         \
    } else {                                                              \
      ++pynn::test::count.failed;                                         \
      std::printf("%s:%d: failed: %s: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                           \
      std::printf("\n");                                                  \
    }                                                                     \
  } while (false)
