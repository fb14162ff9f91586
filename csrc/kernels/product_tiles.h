// The inner loops of products. A tile of c stays in registers while k runs: kTileRows x
// kTileVectors registers of sums, beside a row of vectors of b and one number of a for all lanes.
#pragma once

#include <array>
#include <utility>

#include "kernels/packing.h"

namespace pynn::kernels::PYNN_ISA {

inline constexpr int kTileVectors = 3, kTileRows = kRegisters >= 32 ? 8 : 4;
// Tiles of two vectors may be taller, as the sums of few would wait for each other. (Those of one
// would need more places of rows than there are registers.)
constexpr int tallest(isize vectors) { return vectors == 2 ? kTileRows / 2 * 3 : kTileRows; }
// So much of k at a time that a panel of b stays in the first-level cache.
inline constexpr isize kPanelBytes = 24 * 1024;

template <class T>
inline constexpr isize kPanelCols = kTileVectors * Simd<T>::kLanes;
template <class T>
inline constexpr isize kPanelElements = kPanelBytes / static_cast<isize>(sizeof(T));
template <class T>
inline constexpr isize kPanelRows = kPanelElements<T> / kPanelCols<T>;
// Rows of b so far apart push each other out of the first-level cache.
template <class T>
inline constexpr isize kFar = 2048 / static_cast<isize>(sizeof(T));

template <class T>
struct TileArgs {
  T* c;
  const T* first;
  Factor<T> a;
  const T* b;
  T* copy;  // of b, row behind row
  isize ld_c, ld_first, ld_b, k;
  isize last;   // lanes of the last vector
  isize tiles;  // one below the other

  void place(T* matrix, isize ld, const Addend<T>& sum, isize row, isize col) {
    c = matrix + row * ld + col;
    ld_c = ld;
    first = sum.data ? sum.data + row * sum.ld + col : nullptr;
    ld_first = sum.ld;
  }
  void skip(isize rows) {
    a = a.transposed ? a.from(0, rows) : a.from(rows, 0);
    c += rows * ld_c;
    if (first) first += rows * ld_first;
  }
};

// How a tile meets the numbers of a: along its rows, or across them.
enum class Order { along, across, across_listed };

// kWhole: the last vector has all its lanes. A mask on it would take its time from the products.
template <class T, Order kOrder, int kRows, int kVectors, bool kWhole, bool kCopies = false>
void product_tiles(const TileArgs<T>& args) {
  using S = Simd<T>;
  using Register = typename S::Register;
  constexpr int kLast = kVectors - 1;
  const isize last = args.last, ld_c = args.ld_c, ld_first = args.ld_first;
  const auto load = [last](const T* from, int v) PYNN_LAMBDA -> Register {
    from += v * S::kLanes;
    return kWhole || v < kLast ? S::load(from) : load_first(from, last);
  };
  const isize ld_a = args.a.ld, ld_b = args.ld_b, k = args.k;
  // From the memory to the cache: the rows of the next tile, or what these rows have next.
  constexpr isize kLine = 64 / static_cast<isize>(sizeof(T));
  [[maybe_unused]] const isize ahead = args.a.rows ? kPanelRows<T> : kRows * ld_a;
  for (isize tile = 0; tile < args.tiles; ++tile) {
    const isize top = tile * kRows;
    T* c = args.c + top * ld_c;
    const T* first = args.first ? args.first + top * ld_first : nullptr;
    const T *b = args.b, *a = nullptr;
    [[maybe_unused]] const T* row_of_a[kRows];
    PYNN_UNROLL
    for (int i = 0; i < kRows && kOrder == Order::along; ++i) row_of_a[i] = args.a.row(top + i);
    if constexpr (kOrder == Order::across) a = args.a.data + top;
    [[maybe_unused]] T* copy = kCopies ? args.copy : nullptr;
    Register sum[kRows][kVectors];
    PYNN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      PYNN_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sum[i][v] = first ? load(first + i * ld_first, v) : Register{};
      }
    }
    for (isize begin = 0, end = k; begin < k; begin = end) {
      if constexpr (kOrder == Order::along && kRows == kTileRows) {
        PYNN_UNROLL
        for (int i = 0; i < kRows; ++i) __builtin_prefetch(row_of_a[i] + begin + ahead, 0, 2);
        end = k - begin < kLine ? k : begin + kLine;
      }
      for (isize p = begin; p < end; ++p) {
        Register row[kVectors];
        PYNN_UNROLL
        for (int v = 0; v < kVectors; ++v) {
          row[v] = kMasks ? load(b, v) : S::load(b + v * S::kLanes);
          if constexpr (kCopies) S::store(copy + v * S::kLanes, row[v]);
        }
        if constexpr (kOrder == Order::across_listed) a = args.a.rows[p] + args.a.column + top;
        // For the next tiles: the processor does not foresee so many rows.
        if constexpr (kOrder != Order::along) __builtin_prefetch(a + kLine);
        PYNN_UNROLL
        for (int i = 0; i < kRows; ++i) {
          const T one = kOrder == Order::along ? row_of_a[i][p] : a[i];
          PYNN_UNROLL
          for (int v = 0; v < kVectors; ++v) sum[i][v] += one * row[v];
        }
        if constexpr (kOrder == Order::across) a += ld_a;
        b += ld_b;
        if constexpr (kCopies) copy += kVectors * S::kLanes;
      }
    }
    PYNN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      PYNN_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        T* to = c + i * ld_c + v * S::kLanes;
        kWhole || v < kLast ? S::store(to, sum[i][v]) : store_first(to, sum[i][v], last);
      }
    }
  }
}

template <class T>
using TileKernel = void (*)(const TileArgs<T>&);
template <class T, Order kOrder, bool kWhole, int... kIndex>
constexpr auto tile_kernels(std::integer_sequence<int, kIndex...>) {
  return std::array<TileKernel<T>, sizeof...(kIndex)>{
      &product_tiles<T, kOrder, kIndex / kTileVectors + 1, kIndex % kTileVectors + 1, kWhole>...};
}
template <class T, Order kOrder, bool kWhole>
inline constexpr auto kTiles =
    tile_kernels<T, kOrder, kWhole>(std::make_integer_sequence<int, kTileRows * kTileVectors>{});
template <class T, Order kOrder, bool kWhole>
inline constexpr TileKernel<T> kCopyingTiles[kTileVectors] = {
    &product_tiles<T, kOrder, kTileRows, 1, kWhole, true>,
    &product_tiles<T, kOrder, kTileRows, 2, kWhole, true>,
    &product_tiles<T, kOrder, kTileRows, 3, kWhole, true>};

// The kernel for tiles of so many rows and vectors; those that copy b have kTileRows.
template <class T, Order kOrder, bool kWhole>
PYNN_INLINE TileKernel<T> tile_kernel(isize rows, isize vectors, bool copies) {
  if (copies) return kCopyingTiles<T, kOrder, kWhole>[vectors - 1];
  if (rows > kTileRows) return &product_tiles<T, kOrder, tallest(2), 2, kWhole>;
  return kTiles<T, kOrder, kWhole>[static_cast<std::size_t>((rows - 1) * kTileVectors + vectors -
                                                            1)];
}
template <class T, Order kOrder>
PYNN_INLINE TileKernel<T> tile_kernel(isize rows, isize vectors, isize last, bool copies) {
  // Without masks only c is read and written by less than a vector.
  if (kMasks && last == Simd<T>::kLanes)
    return tile_kernel<T, kOrder, kMasks>(rows, vectors, copies);
  return tile_kernel<T, kOrder, false>(rows, vectors, copies);
}
template <class T>
PYNN_INLINE TileKernel<T> tile_kernel(const TileArgs<T>& args, isize rows, isize vectors,
                                      bool copies = false) {
  const isize last = args.last;
  return !args.a.transposed ? tile_kernel<T, Order::along>(rows, vectors, last, copies)
         : args.a.rows      ? tile_kernel<T, Order::across_listed>(rows, vectors, last, copies)
                            : tile_kernel<T, Order::across>(rows, vectors, last, copies);
}

// Some columns from `begin` on: three vectors as long as none is left alone at the end. The sums of
// a tile of one vector are so few that they wait for each other.
template <class T>
struct Panel {
  static constexpr isize kLanes = Simd<T>::kLanes;
  isize begin, cols, vectors, width;
  Panel(isize begin_, isize end) : begin(begin_) {
    const isize left = (end - begin + kLanes - 1) / kLanes;
    vectors = left == kTileVectors + 1 ? 2 : left < kTileVectors ? left : kTileVectors;
    width = vectors * kLanes;
    cols = end - begin < width ? end - begin : width;
  }
  isize last() const { return cols - (vectors - 1) * kLanes; }
  bool must_pack(const Factor<T>& b) const {
    return b.transposed || b.rows || (!kMasks && cols < width);
  }
};

// All rows of a panel: the tallest tiles, unless they leave too little, then lower ones.
template <class T>
PYNN_INLINE void product_rows(TileArgs<T>& args, isize rows, isize vectors) {
  while (rows > 0) {
    const isize height = rows >= 3 * kTileRows ? tallest(vectors)
                         : rows < kTileRows    ? rows
                                               : kTileRows;
    args.tiles = rows / height;
    tile_kernel(args, height, vectors)(args);
    args.skip(args.tiles * height);
    rows %= height;
  }
}

// The same for a b to be copied: the first tile, which waits for it anyway, copies what it reads.
template <class T>
PYNN_INLINE void product_rows_copying(TileArgs<T>& args, T* copy, isize rows,
                                      const Panel<T>& panel) {
  args.tiles = 1;
  args.copy = copy;
  tile_kernel(args, kTileRows, panel.vectors, true)(args);
  args.skip(kTileRows);
  args.b = copy;
  args.ld_b = panel.width;
  product_rows(args, rows - kTileRows, panel.vectors);
}

}  // namespace pynn::kernels::PYNN_ISA
