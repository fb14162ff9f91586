// The operands of an elementwise op: tensors, and numbers that are part of the node.
#pragma once

#include <algorithm>

#include "ops/space.h"

namespace pynn::ops {

// Settings: `operands` lists the input of each operand, -1 for a number; `constants` those numbers.
// Operand 0 of the space is the result.
template <class T, std::size_t N>
struct Operands {
  explicit Operands(const Blueprint& b) {
    const auto inputs = b.spec.whole_list("operands");
    const auto numbers = b.spec.list("constants");
    check(inputs.size() == N && numbers.size() == N, b.spec.owner, ": expected ", N, " operands.");
    std::array<Operand, N + 1> shapes;
    std::vector<bool> used(b.in.size());
    for (std::size_t i = 0; i < N; ++i) {
      input[i] = static_cast<int>(inputs[i]);
      constant[i] = static_cast<T>(numbers[i]);
      if (input[i] < 0) continue;
      const auto source = static_cast<std::size_t>(input[i]);
      check(source < used.size() && !used[source], b.spec.owner,
            ": every operand must be an input of its own. Received: input=", source, ".");
      used[source] = true;
      shapes[i + 1] = {b.in[source], b.in_batched[source]};
      out = broadcast(b.spec.owner, out, b.in[source]);
      batched = batched || b.in_batched[source];
    }
    shapes[0] = {out, batched};
    space = Space<N + 1>(out, batched, shapes);
  }

  const T* data(const T* const* x, std::size_t operand) const {
    return input[operand] < 0 ? &constant[operand] : x[input[operand]];
  }
  T* gradient(T* const* dx, std::size_t operand) const {
    return input[operand] < 0 ? nullptr : dx[input[operand]];
  }

  // Writes the gradient of operand i: part(g, offsets, count) gives its elements in the space,
  // which are added up where the operand is repeated.
  template <class F>
  void backward(const Pass& pass, T* dx, std::size_t operand, const F& part) const {
    const std::size_t k = operand + 1;
    if (space.covers(k)) {
      space.for_runs(pass.team, pass.n,
                     [&](const auto& at, isize count) { part(dx + at[k], at, count); });
      return;
    }
    std::fill_n(dx, space.elements(k, pass.n), T(0));
    const auto sum = kernels::table<T>().reduction[static_cast<int>(kernels::Reduction::sum)].fold;
    constexpr isize kPiece = 1024;
    space.for_owned_runs(pass.team, pass.n, k, [&](auto at, isize count) {
      T g[kPiece];
      for (isize done = 0; done < count; done += kPiece) {
        const isize piece = std::min(count - done, kPiece);
        part(g, at, piece);
        sum(dx + at[k], space.stride(k), g, piece);
        for (std::size_t i = 0; i <= N; ++i) at[i] += piece * space.stride(i);
      }
    });
  }

  Space<N + 1> space;
  Shape out;
  bool batched = false;
  std::array<int, N> input{};
  std::array<T, N> constant{};
};

}  // namespace pynn::ops
