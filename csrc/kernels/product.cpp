// Compiled once per instruction set like isa.cpp, but with -ffp-contract=fast: the one sum of
// products here becomes fused multiply-adds wherever the instruction set has them.
//
// A tile of c stays in registers while k runs: kTileRows x kTileVectors registers of sums, beside a
// row of vectors of b and one number of a for all lanes.
#include "kernels/product.h"

#include <array>
#include <utility>

#include "kernels/simd.h"

namespace pynn::kernels::PYNN_ISA {
namespace {

inline constexpr int kTileVectors = 3, kTileRows = kRegisters >= 32 ? 8 : 4;
// So much of k at a time that a panel of b stays in the first-level cache.
inline constexpr isize kPanelBytes = 24 * 1024;

template <class T>
inline constexpr isize kPanelCols = kTileVectors * Simd<T>::kLanes;
template <class T>
inline constexpr isize kPanelRows = kPanelBytes / (kPanelCols<T> * static_cast<isize>(sizeof(T)));

template <class T>
struct TileArgs {
  T* c;
  const T *first, *a, *b;
  isize ld_c, ld_first, ld_a, ld_b, k;
  isize last;  // lanes of the last vector
};

template <class T, bool kTransposed, int kRows, int kVectors>
void product_tile(const TileArgs<T>& args) {
  using S = Simd<T>;
  using Register = typename S::Register;
  constexpr int kLast = kVectors - 1;
  const isize last = args.last, ld_c = args.ld_c, ld_first = args.ld_first;
  const T* first = args.first;
  const auto load = [last](const T* from, int v) PYNN_LAMBDA -> Register {
    from += v * S::kLanes;
    return v < kLast ? S::load(from) : load_first(from, last);
  };
  T* c = args.c;
  Register sum[kRows][kVectors];
  PYNN_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PYNN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      sum[i][v] = first ? load(first + i * ld_first, v) : Register{};
    }
  }
  const T *a = args.a, *b = args.b;
  const isize ld_a = args.ld_a, ld_b = args.ld_b;
  for (isize p = args.k; p > 0; --p) {
    Register row[kVectors];
    PYNN_UNROLL
    for (int v = 0; v < kVectors; ++v) row[v] = kMasks ? load(b, v) : S::load(b + v * S::kLanes);
    PYNN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const T one = kTransposed ? a[i] : a[i * ld_a];
      PYNN_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[i][v] += one * row[v];
    }
    a += kTransposed ? ld_a : 1;
    b += ld_b;
  }
  PYNN_UNROLL
  for (int i = 0; i < kRows; ++i) {
    PYNN_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      T* to = c + i * ld_c + v * S::kLanes;
      v < kLast ? S::store(to, sum[i][v]) : store_first(to, sum[i][v], last);
    }
  }
}

template <class T>
using TileKernel = void (*)(const TileArgs<T>&);
template <class T, bool kTransposed, int... kIndex>
constexpr auto tile_kernels(std::integer_sequence<int, kIndex...>) {
  return std::array<TileKernel<T>, sizeof...(kIndex)>{
      &product_tile<T, kTransposed, kIndex / kTileVectors + 1, kIndex % kTileVectors + 1>...};
}
template <class T, bool kTransposed>
inline constexpr auto kTiles =
    tile_kernels<T, kTransposed>(std::make_integer_sequence<int, kTileRows * kTileVectors>{});

// to(k, width) = b(k, cols) or its transpose, zeros beyond
template <class T>
void pack_panel(T* to, isize width, const Factor<T>& b, isize first_row, isize first_col,
                isize rows, isize cols) {
  if (b.transposed) {
    const T* from = b.data + first_col * b.ld + first_row;
    for (isize j = 0; j < cols; ++j) {
      for (isize p = 0; p < rows; ++p) to[p * width + j] = from[j * b.ld + p];
    }
  } else {
    const T* from = b.data + first_row * b.ld + first_col;
    for (isize p = 0; p < rows; ++p) {
      for (isize j = 0; j < cols; ++j) to[p * width + j] = from[p * b.ld + j];
    }
  }
  for (isize p = 0; p < rows; ++p) {
    for (isize j = cols; j < width; ++j) to[p * width + j] = 0;
  }
}

}  // namespace

// By panels of columns, each in pieces of k.
template <class T>
void product(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
             isize k) {
  constexpr isize kLanes = Simd<T>::kLanes;
  alignas(64) T packed[kPanelRows<T> * kPanelCols<T>];
  const auto& tiles = a.transposed ? kTiles<T, true> : kTiles<T, false>;
  for (isize j = 0; j < n; j += kPanelCols<T>) {
    const isize cols = n - j < kPanelCols<T> ? n - j : kPanelCols<T>;
    const isize vectors = (cols + kLanes - 1) / kLanes, width = vectors * kLanes;
    const bool pack = b.transposed || (!kMasks && cols < width);
    TileArgs<T> args;
    args.ld_a = a.ld;
    args.ld_b = pack ? width : b.ld;
    args.ld_c = ldc;
    args.last = cols - (vectors - 1) * kLanes;
    for (isize p = 0; p == 0 || p < k; p += kPanelRows<T>) {
      args.k = k - p < kPanelRows<T> ? k - p : kPanelRows<T>;
      args.b = b.data + p * b.ld + j;
      const Addend<T> sum = p > 0 ? Addend<T>{c, ldc} : first;
      args.ld_first = sum.ld;
      if (pack) {
        pack_panel(packed, width, b, p, j, args.k, cols);
        args.b = packed;
      }
      for (isize i = 0; i < m; i += kTileRows) {
        const isize rows = m - i < kTileRows ? m - i : kTileRows;
        args.a = a.data + (a.transposed ? p * a.ld + i : i * a.ld + p);
        args.first = sum.data ? sum.data + i * sum.ld + j : nullptr;
        args.c = c + i * ldc + j;
        tiles[static_cast<std::size_t>((rows - 1) * kTileVectors + vectors - 1)](args);
      }
    }
  }
}

template void product(float*, isize, Addend<float>, Factor<float>, Factor<float>, isize, isize,
                      isize);
template void product(double*, isize, Addend<double>, Factor<double>, Factor<double>, isize, isize,
                      isize);

}  // namespace pynn::kernels::PYNN_ISA
