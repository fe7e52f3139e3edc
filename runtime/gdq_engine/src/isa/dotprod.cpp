// ARM64 with dot products (ARMv8.2, obligatory from 8.4 on).
#define GDQ_ISA dotprod

#include "isa/dotprod_isa.h"

namespace gdq {
namespace GDQ_ISA {

using Isa = DotprodIsa;

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/instantiate.h"

namespace gdq {
extern constexpr KernelTable kDotprodKernels = dotprod::kTable;
extern constexpr RealKernels kDotprodReal = dotprod::kRealTable;
}  // namespace gdq
