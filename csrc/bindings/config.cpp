// What was built and what it runs on.
#include "bindings/register.h"
#include "core/limits.h"
#include "kernels/dispatch.h"
#include "kernels/gemm.h"

#include <pybind11/stl.h>

namespace pynn::bindings {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace

void register_config(py::module_& m) {
  m.def(
      "config",
      [] {
        const TeamSize team = machine_team();
        py::dict config;
        config["version"] = PYNN_VERSION;
        config["compiler"] = compiler();
        config["instruction_set"] = kernels::chosen_isa();
        config["instruction_sets_built"] = kernels::built_isas();
        config["blas"] = kernels::blas_description();
        config["threads"] = team.threads;
        config["threads_reason"] = team.reason;
        return config;
      },
      "What was built and what it runs on: version, compiler, instruction set, BLAS, threads and "
      "why.");
  m.def(
      "team_size",
      [](int wish, bool oversubscribe) {
        const TeamSize team = team_size(wish, oversubscribe);
        return std::pair{team.threads, team.reason};
      },
      py::arg("wish") = 0, py::arg("oversubscribe") = false,
      "How many threads a call gets that asks for `wish` (0: as many as are useful), and why.");
}

}  // namespace pynn::bindings
