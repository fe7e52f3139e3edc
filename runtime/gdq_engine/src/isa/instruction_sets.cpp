#include "isa/instruction_sets.h"

#include <cstring>

#include "error.h"
#include "plan/weights.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace gdq {

extern const KernelTable kScalarKernels, kAvx2Kernels, kAvxVnniKernels, kAvx512VnniKernels,
    kNeonKernels, kDotprodKernels, kI8mmKernels;
extern const RealKernels kScalarReal, kAvx2Real, kAvxVnniReal, kAvx512VnniReal, kNeonReal,
    kDotprodReal, kI8mmReal;
extern const ConvolutionFunction kHalfThree, kHalfFive;

namespace {

#if defined(__x86_64__)

struct Cpuid {
  unsigned a = 0, b = 0, c = 0, d = 0;
  Cpuid(unsigned leaf, unsigned subleaf) { __get_cpuid_count(leaf, subleaf, &a, &b, &c, &d); }
};

// The register sets that the operating system saves.
unsigned saved_registers() {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

constexpr unsigned bit(int n) { return 1u << n; }

bool has_avx2() {
  const Cpuid base(1, 0), extended(7, 0);
  constexpr unsigned kFma = bit(12), kSaved = bit(27), kAvx = bit(28), kVectors = 0x6;
  return (base.c & (kFma | kSaved | kAvx)) == (kFma | kSaved | kAvx) &&
         (saved_registers() & kVectors) == kVectors && (extended.b & bit(5)) != 0;
}

bool has_avxvnni() { return has_avx2() && (Cpuid(7, 1).a & bit(4)) != 0; }

bool has_avx512vnni() {
  const Cpuid extended(7, 0);
  constexpr unsigned kF = bit(16), kDq = bit(17), kBw = bit(30), kVl = bit(31), kVectors = 0xE6;
  return has_avx2() && (saved_registers() & kVectors) == kVectors &&
         (extended.b & (kF | kDq | kBw | kVl)) == (kF | kDq | kBw | kVl) &&
         (extended.c & bit(11)) != 0;
}

#elif defined(__aarch64__)

// word, bit: of Linux's AT_HWCAP and AT_HWCAP2; name: Apple's.
bool has_feature([[maybe_unused]] int word, [[maybe_unused]] int bit,
                 [[maybe_unused]] const char* name) {
#if defined(__linux__)
  return (getauxval(word == 1 ? AT_HWCAP : AT_HWCAP2) >> bit & 1) != 0;
#elif defined(__APPLE__)
  int has = 0;
  size_t size = sizeof has;
  return sysctlbyname(name, &has, &size, nullptr, 0) == 0 && has;
#else
  return false;
#endif
}

// Kernels also use the rounding multiply-add of ARMv8.1, which all such processors have.
bool has_dotprod() {
  return has_feature(1, 20, "hw.optional.arm.FEAT_DotProd") &&
         has_feature(1, 12, "hw.optional.arm.FEAT_RDM");
}

#ifdef GDQ_HAVE_I8MM
bool has_i8mm() { return has_dotprod() && has_feature(2, 13, "hw.optional.arm.FEAT_I8MM"); }
#endif

#ifdef GDQ_HAVE_HALF
bool has_half() { return has_feature(1, 10, "hw.optional.arm.FEAT_FP16"); }
#endif

// Real layers beside dot products of int8: in half precision if the processor has that, too.
RealKernels with_half([[maybe_unused]] RealKernels kernels) {
#ifdef GDQ_HAVE_HALF
  if (has_half()) {
    kernels.three_half = kHalfThree;
    kernels.five_half = kHalfFive;
  }
#endif
  return kernels;
}

#endif

std::vector<InstructionSet> list_instruction_sets() {
#ifdef GDQ_HAVE_DOTPROD
  static const RealKernels kDotprodRealHere = with_half(kDotprodReal);
#endif
#ifdef GDQ_HAVE_I8MM
  static const RealKernels kI8mmRealHere = with_half(kI8mmReal);
#endif
  return {
#ifdef GDQ_HAVE_AVX512VNNI
      {"avx512vnni", &kAvx512VnniKernels, &kAvx512VnniReal, has_avx512vnni()},
#endif
#ifdef GDQ_HAVE_AVXVNNI
      {"avxvnni", &kAvxVnniKernels, &kAvxVnniReal, has_avxvnni()},
#endif
#ifdef GDQ_HAVE_AVX2
      {"avx2", &kAvx2Kernels, &kAvx2Real, has_avx2()},
#endif
#ifdef GDQ_HAVE_I8MM
      {"i8mm", &kI8mmKernels, &kI8mmRealHere, has_i8mm()},
#endif
#ifdef GDQ_HAVE_DOTPROD
      {"dotprod", &kDotprodKernels, &kDotprodRealHere, has_dotprod()},
#endif
#ifdef GDQ_HAVE_NEON
      {"neon", &kNeonKernels, &kNeonReal, true},
#endif
      {"scalar", &kScalarKernels, &kScalarReal, true},
  };
}

// Multiplications per output, in those of int8. Where products of int16 are slow, 8 bits are better
// off without a transform.
double cost(const InstructionSet& isa, IntegerKernel kernel) {
  const KernelShape& shape = kernel_shape(kernel);
  const int each = shape.weight_bits == 16 ? isa.kernels->int16_cost : 1;
  return double(shape.products) * each / (shape.rows * shape.columns);
}

}  // namespace

const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> all = list_instruction_sets();
  return all;
}

const InstructionSet& choose_instruction_set(const char* name) {
  std::string known;
  for (const InstructionSet& isa : instruction_sets()) {
    if (name == nullptr ? isa.available : std::strcmp(isa.name, name) == 0) {
      if (isa.available) return isa;
      throw Error(std::string("this processor does not have the instruction set ") + name);
    }
    known += known.empty() ? isa.name : std::string(", ") + isa.name;
  }
  throw Error("unknown instruction set " + std::string(name) + "; this library has " + known);
}

IntegerKernel find_kernel(const char* name) {
  for (int kernel = 0; kernel < kIntegerKernels; kernel++)
    if (name && std::strcmp(kernel_shape(static_cast<IntegerKernel>(kernel)).name, name) == 0)
      return static_cast<IntegerKernel>(kernel);
  return kIntegerKernels;
}

IntegerKernel best_kernel(const InstructionSet& isa, int bits) {
  IntegerKernel best = kIntegerKernels;
  for (int i = 0; i < kIntegerKernels; i++) {
    const auto kernel = static_cast<IntegerKernel>(i);
    const bool exact = isa.kernels->integer[kernel] && bits <= kernel_shape(kernel).largest_bits;
    if (exact && (best == kIntegerKernels || cost(isa, kernel) < cost(isa, best))) best = kernel;
  }
  return best;
}

}  // namespace gdq
