// Included by every kernel header. The kernel sources are compiled once per instruction set, each
// time with another PYNN_ISA, so that their inline functions carry different names: the linker
// would otherwise merge them and run AVX-512 code on a machine without it. For the same reason
// kernel headers use no standard-library function that could be emitted out of line (no std::max,
// std::vector, ...).
#pragma once

#include "core/span.h"

#ifndef PYNN_ISA
#define PYNN_ISA baseline
#endif

#define PYNN_PRAGMA(text) _Pragma(#text)
#define PYNN_SIMD PYNN_PRAGMA(omp simd)
#define PYNN_SIMD_SUM(...) PYNN_PRAGMA(omp simd reduction(+ : __VA_ARGS__))

// Loops over registers: the compiler must unroll them before it hands registers out.
#if defined(__clang__)
#define PYNN_UNROLL PYNN_PRAGMA(clang loop unroll(full))
#else
#define PYNN_UNROLL PYNN_PRAGMA(GCC unroll 16)
#endif

// Kernel bodies that must inline into the loop that calls them.
#define PYNN_INLINE inline __attribute__((always_inline))

// Placed after a lambda's parameters: the lambdas of a table row must inline into the loop that
// calls them.
#define PYNN_LAMBDA __attribute__((always_inline))
