#include "kernels/dispatch.h"

#include "core/cpu.h"
#include "isas.h"  // generated: PYNN_FOR_EACH_ISA(X), the instruction sets isa.cpp was compiled for

namespace pynn::kernels {

#define PYNN_DECLARE(isa)              \
  namespace isa {                      \
  extern const Table<float> kTable32;  \
  extern const Table<double> kTable64; \
  }
PYNN_FOR_EACH_ISA(PYNN_DECLARE)

namespace {

struct Choice {
  const char* name;
  const Table<float>* table32;
  const Table<double>* table64;
};

#define PYNN_CHOICE(isa) {#isa, &isa::kTable32, &isa::kTable64},
constexpr Choice kBuilt[] = {PYNN_FOR_EACH_ISA(PYNN_CHOICE)};

bool runs_here(const std::string& name) {
  const CpuFeatures cpu = cpu_features();
  if (name == "x86_64_v3") return cpu.x86_64_v3;
  if (name == "x86_64_v4") return cpu.x86_64_v4;
  return true;
}

const Choice& choice() {
  static const Choice& best = []() -> const Choice& {
    const Choice* found = &kBuilt[0];
    for (const Choice& candidate : kBuilt) {
      if (runs_here(candidate.name)) found = &candidate;
    }
    return *found;
  }();
  return best;
}

}  // namespace

std::string chosen_isa() { return choice().name; }

std::vector<std::string> built_isas() {
  std::vector<std::string> names;
  for (const Choice& built : kBuilt) names.emplace_back(built.name);
  return names;
}

template <>
const Table<float>& table() {
  return *choice().table32;
}
template <>
const Table<double>& table() {
  return *choice().table64;
}

}  // namespace pynn::kernels
