#include "exec/variable.h"

#include <cstring>

namespace pynn::exec {
namespace {

isize bytes_of(const Variable& variable) {
  if (variable.dtype == DType::f32) return variable.storage<float>().size() * 4;
  return variable.storage<double>().size() * 8;
}

}  // namespace

Variable::Variable(Shape shape_, DType dtype_) : shape(std::move(shape_)), dtype(dtype_) {
  auto own = std::make_shared<Arena<char>>(bytes_of(*this));
  data = own->data();
  memory = std::move(own);
}

void gather_into_arena(const std::vector<VariablePtr>& variables) {
  Layout<char> layout;
  std::vector<std::pair<Variable*, isize>> moves;
  for (const VariablePtr& variable : variables) {
    if (variable->stays) continue;
    variable->stays = true;
    moves.emplace_back(variable.get(), layout.add(bytes_of(*variable)));
  }
  if (moves.empty()) return;
  auto arena = std::make_shared<Arena<char>>(layout.size());
  for (auto [variable, offset] : moves) {
    char* place = arena->data() + offset;
    const auto bytes = static_cast<std::size_t>(bytes_of(*variable));
    if (bytes > 0) std::memcpy(place, variable->data, bytes);
    variable->data = place;
    variable->memory = arena;
  }
}

}  // namespace pynn::exec
