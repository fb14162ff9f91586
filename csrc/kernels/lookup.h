// Finding rows of the catalog by name.
#pragma once

#include <string_view>

#include "kernels/catalog.h"

namespace pynn::kernels {

// The row of this kind and name (not alias), or null.
inline const CatalogRow* find_row(std::string_view kind, std::string_view name) {
  for (const CatalogRow& row : catalog()) {
    if (row.kind == kind && row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace pynn::kernels
