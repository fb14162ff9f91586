// Finding rows of the catalog by name.
#pragma once

#include <array>
#include <string_view>

#include "core/check.h"
#include "kernels/catalog.h"

namespace pynn::kernels {

// The row of this kind and name (not alias), or null.
inline const CatalogRow* find_row(std::string_view kind, std::string_view name) {
  for (const CatalogRow& row : catalog()) {
    if (row.kind == kind && row.name == name) return &row;
  }
  return nullptr;
}

// The parameters of a row as its kernels take them: those given, or without any the defaults.
template <class T>
std::array<T, kMaxParams> params_of(const CatalogRow& row, const std::vector<double>& given) {
  check(given.empty() || given.size() == row.fields.size(), row.name, ": expected ",
        row.fields.size(), " parameters. Received: ", given.size(), ".");
  std::array<T, kMaxParams> params{};
  for (std::size_t i = 0; i < row.fields.size() && i < params.size(); ++i) {
    const Field& field = row.fields[i];
    const double value = given.empty() ? field.value : given[i];
    check(value >= field.low && value <= field.high, row.name, ": ", field.name,
          " must be at least ", field.low, " and at most ", field.high, ". Received: ", field.name,
          "=", value, ".");
    params[i] = static_cast<T>(value);
  }
  return params;
}

inline const CatalogRow& loss_row(const std::string& name) {
  const CatalogRow* row = find_row("loss", name);
  check(row != nullptr, "loss must be the name of a loss. Received: loss='", name, "'.");
  return *row;
}

template <class T>
LossKernel<T> loss_kernel(const CatalogRow& row, bool from_logits) {
  check(!from_logits || row.logits_index >= 0, row.name,
        ": this loss has no form for logits. Received: from_logits=True.");
  return table<T>().loss[from_logits ? row.logits_index : row.index];
}

}  // namespace pynn::kernels
