// ARM64 with matrix products of int8 (ARMv8.6, FEAT_I8MM: Cortex-A510, A710, X2 and later): in body
// layers twice the products of an instruction, two tiles times two channels of eight each.
#define GDQ_ISA i8mm

#include "isa/dotprod_isa.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : DotprodIsa {
  static constexpr bool kInPairs = true;
  static constexpr int kInt16Cost = 16;

  static GDQ_INLINE I32 dot8(I32 sum, Data8 data, Data8 weights) {
    return (I32)vmmlaq_s32((int32x4_t)sum, data, weights);
  }
  // Eight channels of one row, and of two.
  using Half8 = int8x8_t;
  static GDQ_INLINE Half8 half8(const int8_t* eight) { return vld1_s8(eight); }
  static GDQ_INLINE Data8 pair8(Half8 one, Half8 other) { return vcombine_s8(one, other); }

  // Lanes of two channels, twice.
  static GDQ_INLINE void twice(F32 x, F32* to) {
    to[0] = (F32)vzip1q_f64((float64x2_t)x, (float64x2_t)x);
    to[1] = (F32)vzip2q_f64((float64x2_t)x, (float64x2_t)x);
  }
  // Eight channels of two rows, two channels of each in turn -> rows.
  static GDQ_INLINE void split(I16 low, I16 high, I16* rows) {
    rows[0] = (I16)vuzp1q_s32((int32x4_t)low, (int32x4_t)high);
    rows[1] = (I16)vuzp2q_s32((int32x4_t)low, (int32x4_t)high);
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kI8mmKernels = i8mm::kTable;
extern constexpr RealKernels kI8mmReal = i8mm::kRealTable;
}  // namespace gdq
