// The catalog: every kernel table's rows as plain data. Adding a row to a table needs no edit here.
#include "kernels/catalog.h"

#include <cmath>
#include <tuple>
#include <utility>

#include "core/check.h"
#include "kernels/activations.h"
#include "kernels/binary.h"
#include "kernels/losses.h"
#include "kernels/math.h"
#include "kernels/metrics.h"
#include "kernels/rowwise.h"
#include "kernels/updates.h"

namespace pynn::kernels {
namespace {

using namespace PYNN_ISA;  // only the tables' text is used here, so any instruction set's copy will
                           // do

CatalogRow plain_row(const char* kind, isize index, const RowText& text) {
  CatalogRow row;
  row.kind = kind;
  row.name = text.name;
  row.aliases = text.aliases;
  row.class_name = text.class_name;
  row.fields.assign(text.fields.begin(), text.fields.begin() + field_count(text.fields));
  row.formula = text.formula;
  row.doc = text.doc;
  row.reference = text.reference;
  row.index = index;
  return row;
}

// Calls add(row, index) for each row of a table.
template <class Table, class Add>
void for_each_row(const Table& table, Add add) {
  isize index = 0;
  std::apply([&](const auto&... row) { (add(row, index++), ...); }, table);
}

template <class Optimizer>
CatalogRow optimizer_row(isize index) {
  CatalogRow row = plain_row("optimizer", index, Optimizer::text);
  row.learning_rate = Optimizer::learning_rate;
  if constexpr (requires { Optimizer::weight_decay; }) row.weight_decay = Optimizer::weight_decay;
  row.slots = [](const double* fields) {
    return Optimizer::variants[Optimizer::variant(fields)].count;
  };
  row.slot_init = [](int slot, const double* fields) {
    if constexpr (requires { Optimizer::slot_init(slot, fields); })
      return Optimizer::slot_init(slot, fields);
    return static_cast<void>(slot), static_cast<void>(fields), 0.0;
  };
  row.slot_form = [](int slot) {
    if constexpr (requires { Optimizer::forms; }) return Optimizer::forms[slot];
    return static_cast<void>(slot), SlotForm::full;
  };
  row.whole = requires { typename Optimizer::Whole; };
  row.slot_name = [](int slot, const double* fields) {
    return Optimizer::variants[Optimizer::variant(fields)].slots[slot];
  };
  return row;
}

std::vector<CatalogRow> make_catalog() {
  std::vector<CatalogRow> rows;

  const auto add_elementwise = [&](const char* kind, const auto& table) {
    for_each_row(table, [&](const auto& act, isize index) {
      CatalogRow row = plain_row(kind, index, act.text);
      row.keep = act.keep == Keep::x ? "x" : "y";
      for (const double kink : {act.kinks.first, act.kinks.second}) {
        if (!std::isnan(kink)) row.kinks.push_back(kink);
      }
      rows.push_back(row);
    });
  };
  add_elementwise("activation", kActivations);
  add_elementwise("math", kMath);
  for_each_row(kBinary, [&](const auto& function, isize index) {
    rows.push_back(plain_row("binary", index, function.text));
  });
  for_each_row(kRowActivations, [&](const auto& act, isize index) {
    CatalogRow row = plain_row("row_activation", index, act.text);
    row.keep = "y";
    rows.push_back(row);
  });

  for_each_row(kLosses, [&](const auto& loss, isize index) {
    CatalogRow row = plain_row("loss", index, loss.text);
    row.index_target = loss.index_target;
    row.fuses_with = loss.fuses_with;
    row.logits_index = loss.fuses_with.empty() ? -1 : kLossCount + index;
    row.smoothing = loss.smoothing != Smoothing::none;
    rows.push_back(row);
  });
  for_each_row(kMetrics, [&](const auto& metric, isize index) {
    CatalogRow row = plain_row("metric", index, metric.text);
    row.index_target = metric.index_target;
    row.up = metric.up;
    row.result = kResultNames[static_cast<int>(metric.result)];
    rows.push_back(row);
  });
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (rows.push_back(optimizer_row<std::tuple_element_t<I, Optimizers>>(isize(I))), ...);
  }(std::make_index_sequence<kOptimizerCount>{});

  return rows;
}

}  // namespace

Shape CatalogRow::slot_shape(int slot, const Shape& weights) const {
  const SlotForm form = slot_form(slot);
  if (form == SlotForm::full) return weights;
  check(weights.size() <= 2, class_name, ": this optimizer takes weights of at most 2 axes. ",
        "Received: shape=", weights, ".");
  if (weights.size() < 2) return {};  // one number that is not used: there are no rows or columns
  return {weights[form == SlotForm::rows ? 0 : 1]};
}

isize CatalogRow::sums(isize cols, const std::vector<double>& params) const {
  const auto param = [&](std::size_t i) {
    return i < params.size() ? params[i] : fields.at(i).value;
  };
  const auto check_column = [&](double column) {
    check(column == kInfinity || column < static_cast<double>(cols),
          "`class_id` must be below the number of classes, ", cols, ". Received: class_id=", column,
          ".");
  };
  if (result == "r2") return 2 + 3 * cols;
  if (result == "decisions_by_column") return 3 * cols;
  if (result == "decisions") {
    check_column(param(2));
    return 4;
  }
  if (result == "scores") {
    check_column(param(1));
    return 2 * static_cast<isize>(param(0)) * (param(1) < 0 ? cols : 1);
  }
  return 2;
}

const std::vector<CatalogRow>& catalog() {
  static const std::vector<CatalogRow> rows = make_catalog();
  return rows;
}

}  // namespace pynn::kernels
