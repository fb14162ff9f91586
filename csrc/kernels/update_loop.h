// The one loop of all optimizers (updates.h): one step over one tile of a variable.
#pragma once

#include <string_view>
#include <utility>

#include "kernels/simd.h"
#include "kernels/table.h"
#include "kernels/vmath.h"

namespace pynn::kernels::PYNN_ISA {

// An optimizer whose rule needs norms of the whole variable declares a type `Whole` and defines
// update(step, tile) in place of the rule for one element; the tile is then all of the variable.

// A variant is a choice of fields that changes the rule or its slots (momentum or none). Each
// variant is compiled on its own, so that no loop tests a switch. A rule is handed kMaxSlots slots;
// those its variant does not keep are scratch.
struct Variant {
  int count;  // of slots
  std::string_view slots[kMaxSlots] = {};
};

template <class Optimizer, class T>
struct Prepared {
  typename Optimizer::template Step<T> step;
  int variant;
};

template <class Optimizer, class T>
void begin_step(StepConstants* constants, const double* fields, double learning_rate,
                std::int64_t t) {
  const Prepared<Optimizer, T> p{Optimizer::template begin<T>(fields, learning_rate, t),
                                 Optimizer::variant(fields)};
  static_assert(sizeof(p) <= kStepBytes);
  __builtin_memcpy(constants->bytes, &p, sizeof(p));
}

// The gradient as the rule sees it.
template <class T>
PYNN_INLINE T prepared(T g, T scale, T limit) {
  return clamp(g * scale, -limit, limit);
}

// w g and the slots(n): g' = clamp(g * grad_scale, -grad_limit, grad_limit), w *= keep, then the
// rule; kPlain: grad_scale, grad_limit and keep change nothing
template <class Optimizer, int kVariant, bool kPlain, class T, class Step>
PYNN_INLINE void update_row(const Step step, T* __restrict w, const T* __restrict g,
                            T* __restrict s0, T* __restrict s1, T* __restrict s2, isize n, T scale,
                            T limit, T keep) {
  constexpr int kSlots = Optimizer::variants[kVariant].count;
  PYNN_SIMD
  for (isize i = 0; i < n; ++i) {
    const T gi = kPlain ? g[i] : prepared(g[i], scale, limit);
    T wi = kPlain ? w[i] : w[i] * keep, a = 0, b = 0, c = 0;
    if constexpr (kSlots > 0) a = s0[i];
    if constexpr (kSlots > 1) b = s1[i];
    if constexpr (kSlots > 2) c = s2[i];
    Optimizer::template rule<kVariant>(step, gi, wi, a, b, c);
    if constexpr (kSlots > 0) s0[i] = a;
    if constexpr (kSlots > 1) s1[i] = b;
    if constexpr (kSlots > 2) s2[i] = c;
    w[i] = wi;
  }
}

// What is left of a row beyond whole registers goes through one of its own: element by element it
// would take as long as all before it.
template <class Optimizer, int kVariant, bool kPlain, class T>
void update_variant(const typename Optimizer::template Step<T>& step, const UpdateTile<T>& tile) {
  using S = Simd<T>;
  constexpr int kSlots = Optimizer::variants[kVariant].count;
  const bool flat = tile.ld == tile.cols && tile.ld_g == tile.cols;  // no gaps: one long row
  const isize rows = flat ? 1 : tile.rows, cols = flat ? tile.rows * tile.cols : tile.cols;
  const isize rest = cols % S::kLanes, whole = cols - rest;
  alignas(kRegisterBytes) T last_w[S::kLanes], last_g[S::kLanes], last[kMaxSlots][S::kLanes];
  for (isize r = 0; r < rows; ++r) {
    T *w = tile.w + r * tile.ld, *slot[kMaxSlots] = {};
    const T* g = tile.g + r * tile.ld_g;
    for (int i = 0; i < kSlots; ++i) slot[i] = tile.slot[i] + r * tile.ld;
    for (isize n = whole;; n = S::kLanes) {
      update_row<Optimizer, kVariant, kPlain>(step, w, g, slot[0], slot[1], slot[2], n,
                                              tile.grad_scale, tile.grad_limit, tile.keep);
      if (rest == 0 || w == last_w) break;
      S::store(last_w, load_first(w + whole, rest));
      S::store(last_g, load_first(g + whole, rest));
      w = last_w;
      g = last_g;
      for (int i = 0; i < kSlots; ++i) {
        S::store(last[i], load_first(slot[i] + whole, rest));
        slot[i] = last[i];
      }
    }
    if (rest == 0) continue;
    const isize at = r * tile.ld + whole;
    store_first(tile.w + at, S::load(last_w), rest);
    for (int i = 0; i < kSlots; ++i) store_first(tile.slot[i] + at, S::load(last[i]), rest);
  }
}

template <class Optimizer, class T>
void update_tile(const StepConstants* constants, const UpdateTile<T>& tile) {
  Prepared<Optimizer, T> p;
  __builtin_memcpy(&p, constants->bytes, sizeof(p));
  if constexpr (requires { typename Optimizer::Whole; }) {
    Optimizer::update(p.step, tile);
  } else {
    constexpr int kCount = sizeof(Optimizer::variants) / sizeof(Variant);
    const bool plain =
        tile.grad_scale == 1 && tile.grad_limit == Number<T>::infinity && tile.keep == 1;
    [&]<std::size_t... V>(std::index_sequence<V...>) {
      ((p.variant != int(V) ? void()
        : plain             ? update_variant<Optimizer, int(V), true>(p.step, tile)
                            : update_variant<Optimizer, int(V), false>(p.step, tile)),
       ...);
    }(std::make_index_sequence<kCount>{});
  }
}

}  // namespace pynn::kernels::PYNN_ISA
