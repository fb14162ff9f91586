// The kernel tables as plain data: Python's names, defaults and documentation come from here.
#include "bindings/register.h"
#include "core/check.h"
#include "kernels/lookup.h"
#include "ops/op.h"

#include <pybind11/stl.h>

#include <cmath>
#include <optional>

namespace pynn::bindings {
namespace {

using kernels::CatalogRow;

py::dict field_dict(const kernels::Field& field) {
  py::dict out;
  out["name"] = std::string(field.name);
  out["default"] =
      field.is_flag ? py::object(py::bool_(field.value != 0)) : py::object(py::float_(field.value));
  out["low"] = field.low;
  out["high"] = field.high;
  out["is_flag"] = field.is_flag;
  out["doc"] = std::string(field.doc);
  return out;
}

py::dict row_dict(const CatalogRow& row) {
  py::dict out;
  out["kind"] = row.kind;
  out["name"] = row.name;
  out["aliases"] = row.aliases;
  out["class_name"] = row.class_name;
  py::list fields;
  for (const kernels::Field& field : row.fields) fields.append(field_dict(field));
  out["fields"] = fields;
  out["formula"] = row.formula;
  out["doc"] = row.doc;
  out["reference"] = row.reference;
  if (!row.keep.empty()) {
    out["keep"] = row.keep;
    out["kinks"] = row.kinks;
  }
  if (row.kind == "loss" || row.kind == "metric") out["index_target"] = row.index_target;
  if (row.kind == "loss") {
    out["from_logits"] = row.logits_index >= 0;
    out["fuses_with"] = row.fuses_with;
    out["smoothing"] = row.smoothing;
  }
  if (row.kind == "metric") {
    out["result"] = row.result;
    out["direction"] = row.up ? "up" : "down";
  }
  if (row.kind == "optimizer") {
    out["learning_rate"] = row.learning_rate;
    out["weight_decay"] = row.weight_decay;
  }
  return out;
}

std::vector<std::tuple<std::string, Shape, std::optional<double>>> optimizer_slots(
    const std::string& name, const std::vector<double>& fields, const Shape& shape) {
  const CatalogRow* row = kernels::find_row("optimizer", name);
  check(row != nullptr && fields.size() == row->fields.size(),
        "optimizer_slots: expected an optimizer and its hyper-parameters. Received: name='", name,
        "'.");
  std::vector<std::tuple<std::string, Shape, std::optional<double>>> slots;
  for (int s = 0; s < row->slots(fields.data()); ++s) {
    const double start = row->slot_init(s, fields.data());
    slots.emplace_back(std::string(row->slot_name(s, fields.data())), row->slot_shape(s, shape),
                       std::isnan(start) ? std::nullopt : std::optional(start));
  }
  return slots;
}

}  // namespace

void register_catalog(py::module_& m) {
  m.def(
      "catalog",
      [] {
        py::list rows;
        for (const CatalogRow& row : kernels::catalog()) rows.append(row_dict(row));
        return rows;
      },
      "Every activation, loss, metric and optimizer of the engine, one dictionary each.");
  m.def("optimizer_slots", &optimizer_slots, py::arg("name"), py::arg("fields"), py::arg("shape"),
        "Name, shape and starting value (None: a copy of the weights) of each state array that an "
        "optimizer keeps for weights of this shape.");
  m.def(
      "ops",
      [] {
        std::vector<std::string> names;
        for (const ops::OpRow& row : ops::op_rows()) names.emplace_back(row.name);
        return names;
      },
      "The names of the layer kinds a graph may use.");
}

}  // namespace pynn::bindings
