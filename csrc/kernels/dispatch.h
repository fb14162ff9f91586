// Which instruction set's kernels table<T>() returns.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.h"

namespace pynn::kernels {

std::string chosen_isa();
std::vector<std::string> built_isas();

}  // namespace pynn::kernels
