// Any ARM64 processor. Products of int8 have to be widened twice, which costs what the smaller
// elements win (docs/engine.md): only int16, and so one kernel for all bit-widths.
#define GDQ_ISA neon

#include "isa/neon_isa.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : NeonIsa {
  static constexpr bool kHasDot4 = false;
  static constexpr HeadForm kHead = HeadForm::kFloats;
  static constexpr int kInt16Cost = 1;

  // Named by templates that are never used.
  using Data8 = int8x16_t;
  static constexpr int kSteps8 = 1;
  static Data8 data8(const int8_t* four);
  template <int Step>
  static I32 dot4(I32 sum, const void* weights, Data8 data);
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kNeonKernels = neon::kTable;
extern constexpr RealKernels kNeonReal = neon::kRealTable;
}  // namespace gdq
