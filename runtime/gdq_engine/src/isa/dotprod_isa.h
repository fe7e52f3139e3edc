// What the instruction sets of ARM64 with dot products share: sums of four int8 products.
#pragma once

#include "isa/neon_isa.h"

namespace gdq {
namespace GDQ_ISA {

struct DotprodIsa : NeonIsa {
  static constexpr bool kHasDot4 = true;
  static constexpr HeadForm kHead = HeadForm::kBytes;
  // sdot: 16 products, twice a cycle where smlal does 4 once.
  static constexpr int kInt16Cost = 8;

  // One vector of data serves four steps, each by its lane.
  using Data8 = int8x16_t;
  static constexpr int kSteps8 = 4;
  static GDQ_INLINE Data8 data8(const int8_t* sixteen) { return vld1q_s8(sixteen); }
  template <int Step>
  static GDQ_INLINE I32 dot4(I32 sum, const void* weights, Data8 data) {
    const int8x16_t w = vld1q_s8(static_cast<const int8_t*>(weights));
    return (I32)vdotq_laneq_s32((int32x4_t)sum, w, data, Step);
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq
