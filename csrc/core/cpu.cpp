#include "core/cpu.h"

#if (defined(__x86_64__) || defined(_M_X64)) && !defined(__GNUC__)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace pynn {

#if defined(__x86_64__) && defined(__GNUC__)
CpuFeatures cpu_features() {
  // These also ask the operating system whether it saves the wide registers.
  __builtin_cpu_init();
  CpuFeatures cpu;
  cpu.x86_64_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                  __builtin_cpu_supports("popcnt");
  cpu.x86_64_v4 = cpu.x86_64_v3 && __builtin_cpu_supports("avx512f") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return cpu;
}
#elif defined(_M_X64)
CpuFeatures cpu_features() {
  int leaf1[4], leaf7[4];
  __cpuid(leaf1, 1);
  __cpuidex(leaf7, 7, 0);
  const bool saved = (leaf1[2] >> 27) & 1;  // OSXSAVE
  const unsigned long long mask = saved ? _xgetbv(0) : 0;
  CpuFeatures cpu;
  cpu.x86_64_v3 = (mask & 0x6) == 0x6 && ((leaf1[2] >> 12) & 1) && ((leaf7[1] >> 5) & 1) &&
                  ((leaf7[1] >> 3) & 1) && ((leaf7[1] >> 8) & 1);
  constexpr unsigned kV4 = (1u << 16) | (1u << 17) | (1u << 28) | (1u << 30) | (1u << 31);
  cpu.x86_64_v4 =
      cpu.x86_64_v3 && (mask & 0xe6) == 0xe6 && (static_cast<unsigned>(leaf7[1]) & kV4) == kV4;
  return cpu;
}
#else
CpuFeatures cpu_features() { return {}; }
#endif

}  // namespace pynn
