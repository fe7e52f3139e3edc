// Any processor: the reference that every other instruction set is tested against.
#include <stdint.h>

#define GDQ_ISA scalar

#include "kernels/body.h"
#include "kernels/narrow.h"
#include "kernels/real.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : PortableNarrowing<4> {
  static constexpr int kBytes = 16, kLanes = 4;
  static constexpr int kGroups = 1, kTiles = 4;
  static constexpr bool kHasDot4 = true, kUnsignedData = false;
  static constexpr HeadForm kHead = HeadForm::kFloats;
  typedef int32_t I32 __attribute__((vector_size(16)));
  typedef float F32 __attribute__((vector_size(16)));

  using DataReal = float;
  static constexpr int kStepsReal = 1;
  template <int Step>
  static GDQ_INLINE F32 dot1(F32 sum, F32 weights, float data) {
    return sum + weights * data;
  }

  using Data8 = const int8_t*;
  static constexpr int kSteps8 = 1;
  static Data8 data8(const int8_t* four) { return four; }
  template <int Step>
  static I32 dot4(I32 sum, const void* weights, Data8 data) {
    const int8_t* w = static_cast<const int8_t*>(weights);
    for (int lane = 0; lane < kLanes; lane++)
      for (int i = 0; i < 4; i++) sum[lane] += (int32_t)w[lane * 4 + i] * data[i];
    return sum;
  }

  // Of body layers, in 32 bits as the other instruction sets define it.
  static constexpr bool kKnowsChannels = false;  // it is no faster for it
  static constexpr int kBodyRows = 4, kBodyBlocks = 2;
  static constexpr bool kStartsPerRow = false, kRoundsInStart = false, kInterleaved = false;
  static constexpr bool kInPairs = false;
  typedef int16_t I16 __attribute__((vector_size(16)));
  static int16_t saturated(int32_t x) {
    return static_cast<int16_t>(x < -32768 ? -32768 : x > 32767 ? 32767 : x);
  }
  static int32_t shifted(int32_t x, int shift) {
    return shift == 0 ? x : (x + (1 << (shift - 1))) >> shift;
  }
  // Adds products of int16, some two of them to each sum.
  static I32 dot_pairs(I32 sum, I16 a, I16 b) {
    for (int i = 0; i < 2 * kLanes; i++) sum[i / 2] += (int32_t)a[i] * b[i];
    return sum;
  }
  template <int Shift>
  static I16 narrowed(I32 a, I32 b) {
    I16 x{};
    for (int i = 0; i < kLanes; i++) {
      x[i] = saturated(shifted(a[i], Shift));
      x[kLanes + i] = saturated(shifted(b[i], Shift));
    }
    return x;
  }
  static I16 scaled(I16 x, I16 factor) { return scaled_sum(I16{}, x, factor); }
  static I16 scaled_sum(I16 sum, I16 x, I16 factor) {
    I16 y{};
    for (int i = 0; i < 2 * kLanes; i++)
      y[i] = saturated(sum[i] + shifted((int32_t)x[i] * factor[i], 15));
    return y;
  }
  static I16 sum(I16 a, I16 b) {
    I16 y{};
    for (int i = 0; i < 2 * kLanes; i++) y[i] = saturated(a[i] + b[i]);
    return y;
  }
  // Two vectors of numbers, to which `kMagic` was added, as whole ones.
  static constexpr float kMagic = 0;
  static F32 real(I32 sum) { return __builtin_convertvector(sum, F32); }
  static I16 whole(F32 low, F32 high) {
    const I32 a = round_to_even<kLanes>(low), b = round_to_even<kLanes>(high);
    return narrowed<0>(a, b);
  }
  struct Codes {
    int8_t low, high;
    Codes(int8_t low, int8_t high) : low(low), high(high) {}
    // Of numbers in units of 2^-Shift.
    template <int Shift>
    void store(int8_t* to, I16 x) const {
      for (int i = 0; i < 2 * kLanes; i++) to[i] = clamped(shifted(x[i], Shift));
    }
    void store_whole(int8_t* to, I16 codes) const {
      for (int i = 0; i < 2 * kLanes; i++) to[i] = clamped(codes[i]);
    }
    int8_t clamped(int32_t code) const {
      return static_cast<int8_t>(code < low ? low : code > high ? high : code);
    }
  };

  using Data16 = const int16_t*;
  static constexpr int kSteps16 = 1, kInt16Block = 1, kInt16Cost = 1;
  static Data16 data16(const int16_t* two) { return two; }
  template <int Step>
  static I32 dot2(I32 sum, const void* weights, Data16 data) {
    const int16_t* w = static_cast<const int16_t*>(weights);
    // Wraps where tiles are missing in a block: what lies in their place may be anything.
    for (int lane = 0; lane < kLanes; lane++)
      for (int i = 0; i < 2; i++)
        sum[lane] = int32_t(uint32_t(sum[lane]) + uint32_t(int32_t{w[lane * 2 + i]} * data[i]));
    return sum;
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kScalarKernels = scalar::kTable;
extern constexpr RealKernels kScalarReal = scalar::kRealTable;
}  // namespace gdq
