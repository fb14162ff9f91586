// Which instruction sets this processor runs, best last.
#pragma once

namespace pynn {

struct CpuFeatures {
  bool x86_64_v3 = false;  // AVX2, FMA, BMI
  bool x86_64_v4 = false;  // AVX-512 F BW CD DQ VL
};

CpuFeatures cpu_features();

}  // namespace pynn
