// What no test through the C interface can reach. Each check prints what failed; the program's exit
// code says whether any did.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <set>

#include "aligned.h"
#include "isa/instruction_sets.h"
#include "plan/algorithms.h"
#include "plan/weights.h"

namespace {

int failures = 0;

void check(bool good, const char* what) {
  if (good) return;
  std::printf("failed: %s\n", what);
  failures++;
}

void memory_is_aligned_and_zero() {
  for (const size_t size : {0, 1, 63, 64, 65, 4097}) {
    const gdq::AlignedBytes bytes(size);
    check(bytes.size() == size, "memory has the size that was asked for");
    check(reinterpret_cast<uintptr_t>(bytes.as<char>()) % 64 == 0, "memory begins at a line");
    for (size_t i = 0; i < size + 64; i++)
      check(bytes.as<char>()[i] == 0, "memory is zero, and so is a line behind it");
  }
}

void every_width_has_a_kernel() {
  for (const gdq::InstructionSet& isa : gdq::instruction_sets())
    for (int bits = 2; bits <= 8; bits++) {
      const gdq::IntegerKernel kernel = gdq::best_kernel(isa, bits);
      check(kernel != gdq::kIntegerKernels, "every width has a kernel");
      if (kernel == gdq::kIntegerKernels) continue;
      check(isa.kernels->integer[kernel] != nullptr, "which the instruction set has");
      check(gdq::kernel_shape(kernel).largest_bits >= bits, "and which is exact");
    }
}

void kernels_are_found_by_name() {
  std::set<const char*> names;
  for (int i = 0; i < gdq::kIntegerKernels; i++) {
    const auto kernel = static_cast<gdq::IntegerKernel>(i);
    check(gdq::find_kernel(gdq::kernel_shape(kernel).name) == kernel, "a kernel has its name");
    names.insert(gdq::kernel_shape(kernel).name);
  }
  check(names.size() == gdq::kIntegerKernels, "no two kernels share a name");
  check(gdq::find_kernel("abacus") == gdq::kIntegerKernels, "other names are unknown");
  check(gdq::find_kernel(nullptr) == gdq::kIntegerKernels, "no name is unknown");
}

// Constant codes of one: what A^T makes of the sums is 9 times a weight of one.
void constants_pass_through_every_algorithm() {
  const std::vector<double> weights(size_t{16} * 16 * 9, 1.0);
  for (int i = 0; i < gdq::kIntegerKernels; i++) {
    const gdq::IntegerWeights integer =
        gdq::quantize(static_cast<gdq::IntegerKernel>(i), 16, 16, weights.data(), nullptr);
    for (int oc = 0; oc < 16; oc++)
      check(std::abs(integer.ones[oc] * integer.scales[oc] - 9 * 16) < 0.5,
            "a constant is seen as the sum of the weights");
  }
}

}  // namespace

int main() {
  memory_is_aligned_and_zero();
  every_width_has_a_kernel();
  kernels_are_found_by_name();
  constants_pass_through_every_algorithm();
  return failures == 0 ? 0 : 1;
}
