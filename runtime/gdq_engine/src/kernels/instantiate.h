// All kernels for the instruction set that the including file describes as GDQ_ISA::Isa.
#pragma once

#include "kernels/body_direct.h"
#include "kernels/body_transformed.h"
#include "kernels/body_wide.h"
#include "kernels/border.h"
#include "kernels/convolution.h"
#include "kernels/correlations.h"
#include "kernels/direct.h"
#include "kernels/epilogue.h"
#include "kernels/head.h"
#include "kernels/real.h"
#include "kernels/real_transformed.h"
#include "kernels/statistics.h"
#include "kernels/tile_sums.h"
#include "kernels/transformed.h"

namespace gdq {
namespace GDQ_ISA {

template <class Rows, class Columns, class Element>
constexpr ConvolutionFunction integer_kernel() {
  if constexpr (sizeof(Element) == 1 && !Isa::kHasDot4)
    return nullptr;
  else
    return Transformed<Rows, Columns, Element>::run;
}

template <class Rows, class Columns, class Element>
constexpr BodyFunction body_kernel() {
  if constexpr (sizeof(Element) == 2) {
    // With 32 registers of 64 bytes, the way through memory that transformed.h takes is no slower.
    if constexpr (Isa::kBytes != 64) return body_wide<Rows, Columns>;
  } else if constexpr (Isa::kHasDot4) {
    if constexpr (!IsDirect<Rows>::value)
      return body_transformed<Rows, Columns>;
    else if constexpr (!Isa::kUnsignedData)  // it would have to flip what lies in the map
      return body_direct;
  }
  return nullptr;
}

// A constant: it is made by the compiler, for nothing of one instruction set may run before it is
// known that the processor has it.
constexpr KernelTable kTable = {
    Isa::kUnsignedData,
    Isa::kInt16Block,
    Isa::kInt16Cost,
    {
#define GDQ_KERNEL(id, name, rows, columns, element) integer_kernel<rows, columns, element>(),
        GDQ_INTEGER_KERNELS(GDQ_KERNEL)
#undef GDQ_KERNEL
    },
    {kBodyGroup, kBodyTiles, !Isa::kStartsPerRow, Isa::kRoundsInStart, Isa::kInterleaved,
     Isa::kMagic, BodySums<1>::kTogether, BodySums<1>::kDepth, Isa::kInt16Block,
     Isa::kUnsignedData},
    {
#define GDQ_KERNEL(id, name, rows, columns, element) body_kernel<rows, columns, element>(),
        GDQ_INTEGER_KERNELS(GDQ_KERNEL)
#undef GDQ_KERNEL
    },
    {finish<0>, finish<1>, finish<2>, finish<3>, finish<4>, finish<5>, finish<6>, finish<7>,
     finish<8>, finish<9>, finish<10>, finish<11>, finish<12>, finish<13>, finish<14>, finish<15>},
    finish_picture,
    patch_products,
    correlate_patches,
    luma_density,
    tile_sums,
};

constexpr RealKernels kRealTable = {
    real_transformed<Single, EightPoints<6>>,
    real_transformed<Single, EightPoints<4>>,
    real_direct,
    real_narrow,
    head,
    border,
    picture_border,
    Isa::kHead,
};

}  // namespace GDQ_ISA
}  // namespace gdq
