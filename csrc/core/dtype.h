// The element types that may enter: the engine computes in float or double, sources can be any of
// these.
#pragma once

#include <string_view>

#include "core/span.h"

namespace pynn {

enum class DType : int { boolean, i8, u8, i16, u16, i32, u32, i64, u64, f16, f32, f64 };
inline constexpr int kDTypeCount = 12;

struct DTypeInfo {
  std::string_view name;
  isize bytes;
};
inline constexpr DTypeInfo kDTypes[kDTypeCount] = {
    {"bool", 1},   {"int8", 1},  {"uint8", 1},  {"int16", 2},   {"uint16", 2},  {"int32", 4},
    {"uint32", 4}, {"int64", 8}, {"uint64", 8}, {"float16", 2}, {"float32", 4}, {"float64", 8}};

template <class T>
inline constexpr DType kDTypeOf = sizeof(T) == 4 ? DType::f32 : DType::f64;
template <class T>
inline constexpr std::string_view kTypeName = kDTypes[static_cast<int>(kDTypeOf<T>)].name;

}  // namespace pynn
