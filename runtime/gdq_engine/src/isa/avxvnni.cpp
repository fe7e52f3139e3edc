// x86-64 with AVX2 and AVX-VNNI: dot products of four and of two.
#define GDQ_ISA avxvnni

#include "isa/avx_isa.h"

namespace gdq {
namespace GDQ_ISA {

struct Isa : AvxIsa {
  static constexpr bool kHasDot4 = true, kUnsignedData = true;
  static constexpr HeadForm kHead = HeadForm::kWords;
  static constexpr int kInt16Cost = 2;

  template <int Step>
  static GDQ_INLINE I32 dot4(I32 sum, const void* weights, Data8 data) {
    // Not the intrinsic: GCC 12 does not see that the sum is overwritten, and copies it every time.
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(data), "x"(weights_at(weights)));
    return sum;
  }
  template <int Step>
  static GDQ_INLINE I32 dot2(I32 sum, const void* weights, Data16 data) {
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(data), "x"(weights_at(weights)));
    return sum;
  }
};

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kAvxVnniKernels = avxvnni::kTable;
extern constexpr RealKernels kAvxVnniReal = avxvnni::kRealTable;
}  // namespace gdq
