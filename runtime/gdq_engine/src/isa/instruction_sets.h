// Instruction sets that the library was built with, and whether this processor has them.
#pragma once

#include <string>
#include <vector>

#include "kernels/convolution.h"
#include "kernels/real.h"

namespace gdq {

struct InstructionSet {
  const char* name;
  const KernelTable* kernels;
  const RealKernels* real;
  bool available;
};

// Best first; the last one runs everywhere.
const std::vector<InstructionSet>& instruction_sets();

// The one of this name, or the best available. Raises Error if it is unknown or not available.
const InstructionSet& choose_instruction_set(const char* name);

// The kernel of this name, or kIntegerKernels.
IntegerKernel find_kernel(const char* name);

// The fastest kernel that is exact for codes of this many bits.
IntegerKernel best_kernel(const InstructionSet& isa, int bits);

}  // namespace gdq
