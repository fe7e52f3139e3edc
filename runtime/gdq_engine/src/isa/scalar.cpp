// Any processor: the reference that every other instruction set is tested against.
#include <stdint.h>

#define GDQ_ISA scalar

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
  static GDQ_INLINE F32 dot1(F32 sum, const void* weights, float data) {
    return sum + load<F32>(weights) * data;
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

  using Data16 = const int16_t*;
  static constexpr int kSteps16 = 1, kInt16Block = 1, kInt16Cost = 1;
  static Data16 data16(const int16_t* two) { return two; }
  template <int Step>
  static I32 dot2(I32 sum, const void* weights, Data16 data) {
    const int16_t* w = static_cast<const int16_t*>(weights);
    for (int lane = 0; lane < kLanes; lane++)
      for (int i = 0; i < 2; i++) sum[lane] += (int32_t)w[lane * 2 + i] * data[i];
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
