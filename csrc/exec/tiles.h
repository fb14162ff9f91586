// How the update of a variable is cut.
#pragma once

#include <algorithm>
#include <vector>

#include "exec/variable.h"
#include "ops/tiling.h"

namespace pynn::exec {

struct Tile {
  std::size_t part;  // of the optimizer's
  isize at, rows, cols, ld;
  double place;  // 0..1, where in its variable
};

// A kernel goes by the panels its layer computes with, a vector in pieces. By rows that lie
// together goes a kernel of one panel, and one that no cache would keep until its update.
template <class T>
std::vector<Tile> update_tiles(const Variable& variable, bool whole) {
  const auto [rows, cols, ld] = variable.template storage<T>();
  constexpr isize kCached = isize{1} << 21, kPiece = isize{1} << 16, kSmall = 1024;  // elements
  const bool large = rows * ld > kCached, narrow = ops::kernel_panels<T>(cols).count == 1;
  const bool by_rows = !whole && rows > 1 && (large || narrow);
  const ops::Cut pieces = by_rows
                              ? ops::Cut(rows, std::max<isize>((large ? kPiece : kSmall) / ld, 1))
                          : whole                      ? ops::Cut(cols, std::max<isize>(cols, 1))
                          : variable.shape.size() == 2 ? ops::kernel_panels<T>(cols)
                                                       : ops::Cut(cols, 8192);
  std::vector<Tile> tiles;
  for (isize i = 0; i < pieces.count; ++i) {
    const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(pieces.count);
    const auto [begin, size] = pieces[i];
    tiles.push_back(by_rows ? Tile{0, begin * ld, size, cols, ld, place}
                            : Tile{0, begin, rows, size, ld, place});
  }
  return tiles;
}

}  // namespace pynn::exec
