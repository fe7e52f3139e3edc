// Real layers in half precision, on ARM64 with dot products and arithmetic of 16 bits (FEAT_FP16:
// Cortex-A55, A75 and later). Bounds: docs/numerics.md.
#define GDQ_ISA half

#include "isa/neon_isa.h"
#include "kernels/vector.h"

namespace gdq {
namespace GDQ_ISA {

using Isa = NeonIsa;

}  // namespace GDQ_ISA
}  // namespace gdq

#include "kernels/half.h"

namespace gdq {
extern constexpr ConvolutionFunction kHalfThree =
    half::real_transformed<half::Half<half::StreamWriter>, half::SixPoints<4>>;
extern constexpr ConvolutionFunction kHalfFive =
    half::real_transformed<half::Half<half::PictureWriter>, half::EightPoints<4>>;
}  // namespace gdq
