#include "ops/op.h"

#include "core/dtype.h"

namespace pynn::ops {
namespace {

std::vector<OpRow>& rows() {
  static std::vector<OpRow> all;
  return all;
}

}  // namespace

bool register_op(const OpRow& row) {
  rows().push_back(row);
  return true;
}

const std::vector<OpRow>& op_rows() { return rows(); }

template <class T>
std::unique_ptr<Op<T>> make_op(const std::string& kind, const Blueprint& blueprint) {
  for (const OpRow& row : rows()) {
    if (kind != row.name) continue;
    if constexpr (kDTypeOf<T> == DType::f32) {
      return row.make_float(blueprint);
    } else {
      return row.make_double(blueprint);
    }
  }
  check(false, "op must be the name of a registered op. Received: op='", kind, "'.");
  return nullptr;
}

template std::unique_ptr<Op<float>> make_op(const std::string&, const Blueprint&);
template std::unique_ptr<Op<double>> make_op(const std::string&, const Blueprint&);

}  // namespace pynn::ops
