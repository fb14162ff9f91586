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
inline constexpr isize kPanelElements = kPanelBytes / static_cast<isize>(sizeof(T));
template <class T>
inline constexpr isize kPanelRows = kPanelElements<T> / kPanelCols<T>;

template <class T>
struct TileArgs {
  T* c;
  const T *first, *a, *b;
  isize ld_c, ld_first, ld_a, ld_b, k;
  isize last;   // lanes of the last vector
  isize tiles;  // one below the other
};

template <class T, bool kTransposed, int kRows, int kVectors>
void product_tiles(const TileArgs<T>& args) {
  using S = Simd<T>;
  using Register = typename S::Register;
  constexpr int kLast = kVectors - 1;
  const isize last = args.last, ld_c = args.ld_c, ld_first = args.ld_first;
  const auto load = [last](const T* from, int v) PYNN_LAMBDA -> Register {
    from += v * S::kLanes;
    return v < kLast ? S::load(from) : load_first(from, last);
  };
  const isize ld_a = args.ld_a, ld_b = args.ld_b;
  for (isize tile = 0; tile < args.tiles; ++tile) {
    T* c = args.c + tile * kRows * ld_c;
    const T* first = args.first ? args.first + tile * kRows * ld_first : nullptr;
    const T *a = args.a + tile * kRows * (kTransposed ? 1 : ld_a), *b = args.b;
    Register sum[kRows][kVectors];
    PYNN_UNROLL
    for (int i = 0; i < kRows; ++i) {
      PYNN_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        sum[i][v] = first ? load(first + i * ld_first, v) : Register{};
      }
    }
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
}

template <class T>
using TileKernel = void (*)(const TileArgs<T>&);
template <class T, bool kTransposed, int... kIndex>
constexpr auto tile_kernels(std::integer_sequence<int, kIndex...>) {
  return std::array<TileKernel<T>, sizeof...(kIndex)>{
      &product_tiles<T, kTransposed, kIndex / kTileVectors + 1, kIndex % kTileVectors + 1>...};
}
template <class T, bool kTransposed>
inline constexpr auto kTiles =
    tile_kernels<T, kTransposed>(std::make_integer_sequence<int, kTileRows * kTileVectors>{});

// to(rows, width) = b from (row, col) on, zeros beyond `cols`
template <class T>
void pack_rows(T* to, isize width, const Factor<T>& b, isize row, isize col, isize rows,
               isize cols) {
  const T* from = b.data + row * b.ld + col;
  for (isize p = 0; p < rows; ++p, to += width, from += b.ld) {
    for (isize j = 0; j < width; ++j) to[j] = j < cols ? from[j] : T(0);
  }
}

// The same where b is the transpose of what lies in memory: in squares of registers.
template <class T>
void pack_columns(T* to, isize width, const Factor<T>& b, isize row, isize col, isize rows,
                  isize cols) {
  using S = Simd<T>;
  constexpr isize kLanes = S::kLanes;
  const T* from = b.data + col * b.ld + row;
  for (isize j = 0; j < width; j += kLanes) {
    for (isize p = 0; p < rows; p += kLanes) {
      const bool whole = rows - p >= kLanes;
      typename S::Register square[kLanes];
      PYNN_UNROLL
      for (isize i = 0; i < kLanes; ++i) {
        const T* line = from + (j + i) * b.ld + p;
        square[i] = j + i >= cols ? typename S::Register{}
                    : whole       ? S::load(line)
                                  : typename S::Register(load_first(line, rows - p));
      }
      Transposer<T>::run(square);
      PYNN_UNROLL
      for (isize i = 0; i < kLanes; ++i) {
        if (p + i < rows) S::store(to + (p + i) * width + j, square[i]);
      }
    }
  }
}

// By panels of columns, each in pieces of k.
template <class T>
void by_tiles(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
              isize k) {
  constexpr isize kLanes = Simd<T>::kLanes;
  alignas(64) T packed[kPanelElements<T>];
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
        (b.transposed ? pack_columns<T> : pack_rows<T>)(packed, width, b, p, j, args.k, cols);
        args.b = packed;
      }
      for (isize i = 0; i < m; i += args.tiles * kTileRows) {
        const bool whole = m - i >= kTileRows;  // the rows that are left make a smaller tile
        const isize rows = whole ? kTileRows : m - i;
        args.tiles = whole ? (m - i) / kTileRows : 1;
        args.a = a.data + (a.transposed ? p * a.ld + i : i * a.ld + p);
        args.first = sum.data ? sum.data + i * sum.ld + j : nullptr;
        args.c = c + i * ldc + j;
        tiles[static_cast<std::size_t>((rows - 1) * kTileVectors + vectors - 1)](args);
      }
    }
  }
}

// ---- few columns: they would leave most of a register empty -------------------------------------
inline constexpr isize kFew = 4;

// A transposed a has rows to compute along: c^T = b^T a^T.
template <class T>
void along_rows(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
                isize k) {
  constexpr isize kPiece = 8 * kPanelCols<T>;
  alignas(64) T part[kFew * kPiece];
  for (isize i = 0; i < m; i += kPiece) {
    const isize rows = m - i < kPiece ? m - i : kPiece;
    by_tiles<T>(part, kPiece, {}, {b.data, b.ld, !b.transposed}, {a.data + i, a.ld}, n, rows, k);
    for (isize r = 0; r < rows; ++r) {
      for (isize j = 0; j < n; ++j) {
        const T start = first.data ? first.data[(i + r) * first.ld + j] : T(0);
        c[(i + r) * ldc + j] = start + part[j * kPiece + r];
      }
    }
  }
}

// The sums of as many rows of a, times one of b, as a register has lanes; those at the end of a
// shorter block repeat its last row.
template <class T>
PYNN_INLINE typename Simd<T>::Register row_dots(const T* a, isize ld, isize rows, const T* b,
                                                isize k) {
  using S = Simd<T>;
  using Register = typename S::Register;
  const T* row[S::kLanes];
  Register sum[S::kLanes] = {};
  PYNN_UNROLL
  for (isize i = 0; i < S::kLanes; ++i) row[i] = a + (i < rows ? i : rows - 1) * ld;
  isize p = 0;
  for (; p + S::kLanes <= k; p += S::kLanes) {
    const Register factor = S::load(b + p);
    PYNN_UNROLL
    for (isize i = 0; i < S::kLanes; ++i) sum[i] += S::load(row[i] + p) * factor;
  }
  if (p < k) {
    const Register factor = load_first(b + p, k - p);
    PYNN_UNROLL
    for (isize i = 0; i < S::kLanes; ++i)
      sum[i] += Register(load_first(row[i] + p, k - p)) * factor;
  }
  Transposer<T>::run(sum);
  PYNN_UNROLL
  for (isize i = 1; i < S::kLanes; ++i) sum[0] += sum[i];
  return sum[0];
}

template <class T>
void by_dots(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
             isize k) {
  constexpr isize kLanes = Simd<T>::kLanes;
  alignas(64) T packed[kPanelElements<T>];
  for (isize j = 0; j < n && !b.transposed; ++j) {
    for (isize p = 0; p < k; ++p) packed[j * k + p] = b.data[p * b.ld + j];
  }
  for (isize i = 0; i < m; i += kLanes) {
    const isize rows = m - i < kLanes ? m - i : kLanes;
    for (isize j = 0; j < n; ++j) {
      const T* factor = b.transposed ? b.data + j * b.ld : packed + j * k;
      const auto dots = row_dots(a.data + i * a.ld, a.ld, rows, factor, k);
      for (isize r = 0; r < rows; ++r) {
        const T start = first.data ? first.data[(i + r) * first.ld + j] : T(0);
        c[(i + r) * ldc + j] = start + dots[r];
      }
    }
  }
}

}  // namespace

template <class T>
void product(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
             isize k) {
  if (n <= kFew && a.transposed && m > kFew) return along_rows(c, ldc, first, a, b, m, n, k);
  const bool dots = n <= kFew && !a.transposed && k >= 16 && n * k <= kPanelElements<T>;
  (dots ? by_dots<T> : by_tiles<T>)(c, ldc, first, a, b, m, n, k);
}

template void product(float*, isize, Addend<float>, Factor<float>, Factor<float>, isize, isize,
                      isize);
template void product(double*, isize, Addend<double>, Factor<double>, Factor<double>, isize, isize,
                      isize);

}  // namespace pynn::kernels::PYNN_ISA
