// x86-64 with AVX2 and FMA. Its product of bytes saturates, so that only int16 is exact; that also
// is why it has one kernel for all bit-widths.
#define GDQ_ISA avx2

#include "isa/avx_isa.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : AvxIsa {
  static constexpr bool kHasDot4 = false, kUnsignedData = false;
  static constexpr HeadForm kHead = HeadForm::kFloats;
  static constexpr int kInt16Cost = 1;

  // Named by templates that are never used.
  template <int Step>
  static I32 dot4(I32 sum, const void* weights, Data8 data);

  template <int Step>
  static GDQ_INLINE I32 dot2(I32 sum, const void* weights, Data16 data) {
    // Wraps where tiles are missing in a block: what lies in their place may be anything.
    return (I32)_mm256_add_epi32((__m256i)sum, _mm256_madd_epi16(data, weights_at(weights)));
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kAvx2Kernels = avx2::kTable;
extern constexpr RealKernels kAvx2Real = avx2::kRealTable;
}  // namespace gdq
