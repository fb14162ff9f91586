// Adam's moments of dead units decay into subnormal numbers, which the hardware computes ~100 times
// slower. While a FlushDenormals lives, the thread treats them as zero; while a KeepDenormals
// lives, it does not: Python code that the engine calls expects IEEE 754. The mode before comes
// back after.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace pynn {

template <bool kFlushes>
class DenormalMode {
 public:
  DenormalMode() : saved_(read()) { write(kFlushes ? saved_ | kFlush : saved_ & ~kFlush); }
  ~DenormalMode() { write(saved_); }
  DenormalMode(const DenormalMode&) = delete;
  DenormalMode& operator=(const DenormalMode&) = delete;

 private:
#if defined(__x86_64__) || defined(_M_X64)
  using Word = std::uint32_t;
  static constexpr Word kFlush = 0x8040;  // MXCSR: flush-to-zero, denormals-are-zero
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__) && defined(__GNUC__)
  using Word = std::uint64_t;
  static constexpr Word kFlush = Word{1} << 24;  // FPCR.FZ
  static Word read() {
    Word word;
    asm volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = std::uint32_t;
  static constexpr Word kFlush = 0;
  static Word read() { return 0; }
  static void write(Word) {}
#endif
  Word saved_;
};
using FlushDenormals = DenormalMode<true>;
using KeepDenormals = DenormalMode<false>;

}  // namespace pynn
