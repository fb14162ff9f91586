// Compiled once per instruction set like isa.cpp, but with -ffp-contract=fast: the one sum of
// products (product_tiles.h) becomes fused multiply-adds wherever the instruction set has them.
#include "kernels/product.h"

#include <utility>

#include "kernels/product_tiles.h"

namespace pynn::kernels::PYNN_ISA {
namespace {

// As few pieces of up to `most` as there can be, of the same size rounded up to `unit`.
PYNN_INLINE isize equal_pieces(isize extent, isize most, isize unit) {
  const isize pieces = (extent + most - 1) / most, size = (extent + pieces - 1) / pieces;
  return (size + unit - 1) / unit * unit;
}

// By panels of columns, each in pieces of k.
template <class T>
void by_panels(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
               isize k) {
  alignas(64) T packed[kPanelElements<T>];
  const bool far = b.ld >= kFar<T> && m >= 2 * kTileRows;
  const isize depth = k > kPanelRows<T> ? equal_pieces(k, kPanelRows<T>, 1) : kPanelRows<T>;
  for (isize j = 0; j < n;) {
    const Panel<T> panel(j, n);
    const bool packs = panel.must_pack(b);
    TileArgs<T> args;
    args.last = panel.last();
    for (isize p = 0; p == 0 || p < k; p += depth) {
      args.k = k - p < depth ? k - p : depth;
      args.a = a.transposed ? a.from(p, 0) : a.from(0, p);
      args.b = packs ? packed : b.data + p * b.ld + j;
      args.ld_b = packs ? panel.width : b.ld;
      args.place(c, ldc, p > 0 ? Addend<T>{c, ldc} : first, 0, j);
      if (packs) pack(packed, panel.width, b, p, j, args.k, panel.cols);
      if (far && !packs) {
        product_rows_copying(args, packed, m, panel);
      } else {
        product_rows(args, m, panel.vectors);
      }
    }
    j += panel.cols;
  }
}

// ---- large products -----------------------------------------------------------------------------
// By panels, a is read again for each of them, and leaves the cache meanwhile if it is large. So a
// block of b is copied, panel behind panel, and a group of rows of a meets all of them while it is
// in the first-level cache. On the stack: kernels allocate nothing, and a thread-local buffer would
// be there in every thread for every instruction set.
inline constexpr isize kBlockBytes = 192 * 1024, kDeepest = 512, kGroupRows = 2 * kTileRows;
template <class T>
inline constexpr isize kLargeElements = 512 * 1024 / static_cast<isize>(sizeof(T));  // of a
template <class T>
inline constexpr isize kBlockElements = kBlockBytes / static_cast<isize>(sizeof(T));
template <class T>
inline constexpr isize kBlockCols = 1152 / static_cast<isize>(sizeof(T));  // whole panels

template <class T>
void by_blocks(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
               isize k) {
  alignas(64) T packed[kBlockElements<T>], group[kDeepest * kGroupRows];
  const isize width = equal_pieces(n, kBlockCols<T>, kPanelCols<T>);
  const isize room = kBlockElements<T> / width;
  const isize depth = equal_pieces(k, room < kDeepest ? room : kDeepest, 1);
  for (isize j = 0; j < n; j += width) {
    const isize end = n - j < width ? n : j + width;
    for (isize p = 0; p < k; p += depth) {
      const Addend<T> sum = p > 0 ? Addend<T>{c, ldc} : first;
      TileArgs<T> args;
      args.k = k - p < depth ? k - p : depth;
      for (isize i = 0; i < m; i += kGroupRows) {
        const isize rows = m - i < kGroupRows ? m - i : kGroupRows;
        if (a.transposed) pack_rows(group, kGroupRows, a, p, i, args.k, rows);
        const Factor<T> rows_of_a =
            a.transposed ? Factor<T>{group, kGroupRows, true} : a.from(i, p);
        for (isize q = j; q < end;) {
          const Panel<T> panel(q, end);
          T* copy = packed + (q - j) * args.k;
          args.a = rows_of_a;
          args.last = panel.last();
          args.place(c, ldc, sum, i, q);
          const bool copies = i == 0 && !panel.must_pack(b);
          if (i == 0 && !copies) pack(copy, panel.width, b, p, q, args.k, panel.cols);
          args.b = copies ? b.data + p * b.ld + q : copy;
          args.ld_b = copies ? b.ld : panel.width;
          if (copies) {
            product_rows_copying(args, copy, rows, panel);
          } else {
            product_rows(args, rows, panel.vectors);
          }
          q += panel.cols;
        }
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
    Factor<T> along = a.from(0, i);
    along.transposed = false;
    by_panels<T>(part, kPiece, {}, {b.data, b.ld, !b.transposed}, along, n, rows, k);
    for (isize r = 0; r < rows; ++r) {
      for (isize j = 0; j < n; ++j) {
        const T start = first.data ? first.data[(i + r) * first.ld + j] : T(0);
        c[(i + r) * ldc + j] = start + part[j * kPiece + r];
      }
    }
  }
}

// kCols columns of c, whose factors lie along b's rows: a register is filled with the sums of some
// rows of a times all of them. Those at the end of a shorter block repeat its last row.
template <class T, int kCols>
void column_dots(T* c, isize ldc, Addend<T> first, const Factor<T>& a, const T* b, isize ld_b,
                 isize m, isize k) {
  using S = Simd<T>;
  using Register = typename S::Register;
  constexpr int kRows = static_cast<int>(S::kLanes) / kCols;
  for (isize i = 0; i < m; i += kRows) {
    const isize rows = m - i < kRows ? m - i : kRows;
    const T* row[kRows];
    PYNN_UNROLL
    for (int r = 0; r < kRows; ++r) row[r] = a.row(i + (r < rows ? r : rows - 1));
    Register sum[S::kLanes] = {};
    const auto add = [&](isize p, auto load) PYNN_LAMBDA {
      Register column[kCols];
      PYNN_UNROLL
      for (int j = 0; j < kCols; ++j) column[j] = load(b + j * ld_b + p);
      PYNN_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const Register here = load(row[r] + p);
        PYNN_UNROLL
        for (int j = 0; j < kCols; ++j) sum[r * kCols + j] += here * column[j];
      }
    };
    isize p = 0;
    for (; p + S::kLanes <= k; p += S::kLanes) {
      add(p, [](const T* from) PYNN_LAMBDA { return S::load(from); });
    }
    const isize rest = k - p;
    if (rest > 0) {
      add(p, [rest](const T* from) PYNN_LAMBDA { return Register(load_first(from, rest)); });
    }
    alignas(64) T dots[S::kLanes];
    S::store(dots, Transposer<T>::sums(sum));
    for (isize r = 0; r < rows; ++r) {
      PYNN_UNROLL
      for (int j = 0; j < kCols; ++j) {
        const T start = first.data ? first.data[(i + r) * first.ld + j] : T(0);
        c[(i + r) * ldc + j] = start + dots[r * kCols + j];
      }
    }
  }
}

template <class T>
void by_dots(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
             isize k) {
  constexpr isize kMost = Simd<T>::kLanes < kFew ? Simd<T>::kLanes : kFew;
  alignas(64) T packed[kPanelElements<T>];
  for (isize j = 0; j < n && !b.transposed; ++j) {
    for (isize p = 0; p < k; ++p) packed[j * k + p] = b.data[p * b.ld + j];
  }
  const T* factors = b.transposed ? b.data : packed;
  const isize ld = b.transposed ? b.ld : k;
  for (isize j = 0; j < n; j += kMost) {
    const Addend<T> start{first.data ? first.data + j : nullptr, first.ld};
    [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) {
      ((kIndex + 1 == (n - j < kMost ? n - j : kMost)
            ? column_dots<T, kIndex + 1>(c + j, ldc, start, a, factors + j * ld, ld, m, k)
            : void()),
       ...);
    }(std::make_integer_sequence<int, static_cast<int>(kMost)>{});
  }
}

}  // namespace

template <class T>
void product(T* c, isize ldc, Addend<T> first, Factor<T> a, Factor<T> b, isize m, isize n,
             isize k) {
  if (n <= kFew && a.transposed) return along_rows(c, ldc, first, a, b, m, n, k);
  const bool dots = n <= kFew && !a.transposed && k >= 16 && n * k <= kPanelElements<T>;
  const bool scattered = a.transposed && a.ld >= 2 * kFar<T> && k >= kDeepest;
  const bool large = m >= 2 * kTileRows && n > 2 * kPanelCols<T> && !a.rows &&
                     (m * k >= kLargeElements<T> || scattered);
  (dots ? by_dots<T> : large ? by_blocks<T> : by_panels<T>)(c, ldc, first, a, b, m, n, k);
}

template void product(float*, isize, Addend<float>, Factor<float>, Factor<float>, isize, isize,
                      isize);
template void product(double*, isize, Addend<double>, Factor<double>, Factor<double>, isize, isize,
                      isize);

}  // namespace pynn::kernels::PYNN_ISA
