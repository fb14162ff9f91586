// What the kernel tables offer, as plain rows: names, parameters, formulas. Python builds its
// functions, classes, help texts and tests from these rows; no other list of names exists.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/span.h"
#include "kernels/table.h"

namespace pynn::kernels {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kRequired = std::numeric_limits<double>::quiet_NaN();    // has no default
inline constexpr double kPositive = std::numeric_limits<double>::min();          // as low: above 0
inline constexpr double kBelowOne = 1 - std::numeric_limits<double>::epsilon();  // as high

inline constexpr double kFromWeights = kRequired;  // a slot starts as a copy of the weights

// A parameter of a row. A default of +inf stands for None ("no limit") in Python.
struct Field {
  std::string_view name{};
  double value = 0;  // the default, or kRequired
  std::string_view doc{};
  double low = -kInfinity, high = kInfinity;  // accepted values, ends included
  bool is_flag = false;                       // a bool in Python; 0 or 1 here
};

template <std::size_t N>
using Fields =
    std::array<Field, N>;  // a row fills the first ones; a field without a name ends the list

template <std::size_t N>
constexpr int field_count(const Fields<N>& fields) {
  int n = 0;
  while (n < int(N) && !fields[std::size_t(n)].name.empty()) ++n;
  return n;
}

struct CatalogRow {
  // "activation", "row_activation", "math", "binary", "loss", "metric", "optimizer"
  std::string kind;
  std::string name;
  std::string aliases;     // separated by blanks
  std::string class_name;  // of losses, metrics and optimizers
  std::vector<Field> fields;
  std::string formula, doc, reference;
  isize index = 0;  // of the row in its Table<T> array

  // activations
  std::string keep;           // "x" or "y": what the gradient is computed from
  std::vector<double> kinks;  // where the derivative jumps (for tests), at the default parameters

  // losses and metrics
  bool index_target = false;  // targets name classes: one column
  isize logits_index = -1;    // of the loss's form for logits in Table<T>::loss, -1 for none
  std::string fuses_with;     // the output activation that form takes in: "sigmoid", "softmax"
  bool smoothing = false;     // the loss knows label smoothing
  std::string result;         // what a metric's sums come to: "mean", "root_mean", "r2", ...
  bool up = false;            // better when higher
  // how many sums a metric with these parameters keeps for predictions of `cols` columns
  isize sums(isize cols, const std::vector<double>& params) const;

  // optimizers
  double learning_rate = 0;                                       // the default
  double weight_decay = 0;                                        // the default, 0 for none
  int (*slots)(const double* fields) = nullptr;                   // how many state arrays
  double (*slot_init)(int slot, const double* fields) = nullptr;  // their start, or kFromWeights
  SlotForm (*slot_form)(int slot) = nullptr;
  Shape slot_shape(int slot, const Shape& weights) const;
  bool whole = false;  // one task updates a variable: its rule needs norms of all of it
  std::string_view (*slot_name)(int slot, const double* fields) = nullptr;
};

const std::vector<CatalogRow>& catalog();

}  // namespace pynn::kernels
