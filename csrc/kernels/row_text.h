// What a row of the loss, metric and optimizer tables says about itself; catalog.cpp copies it into
// the rows Python sees, so a name, a default or a formula stands once, beside the arithmetic it
// describes.
#pragma once

#include "kernels/catalog.h"

namespace pynn::kernels {

struct RowText {
  std::string_view name{};
  std::string_view aliases{};     // separated by blanks
  std::string_view class_name{};  // Python's class
  std::string_view formula{}, doc{}, reference{};
  Fields<kMaxFields> fields{};
};

}  // namespace pynn::kernels
