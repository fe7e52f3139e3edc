/* The kernels one by one, for tests and measurements: the interface of the library gdq_engine_test,
 * which also has all of gdq_engine.h. It is not installed and may change at any time. */
#ifndef GDQ_ENGINE_TEST_H
#define GDQ_ENGINE_TEST_H

#include "gdq_engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char* name;      /* as in docs/engine.md */
  int32_t rows, columns; /* outputs per tile of the algorithm */
  int32_t products;      /* multiplications per tile, channel pair and `rows` x `columns` outputs */
  int32_t weight_bits;   /* of the transformed weights: 8 or 16 */
  int32_t largest_bits;  /* activations up to this width are exact */
} gdq_kernel_info;

GDQ_API int32_t gdq_kernel_count(void);
GDQ_API int32_t gdq_kernel_describe(int32_t index, gdq_kernel_info* info);
/* Whether an instruction set has this kernel: 1 or 0. */
GDQ_API int32_t gdq_kernel_available(const char* isa, const char* kernel);

/* One convolution, 3x3, stride 1, padded by one with real zeros.
 * codes: height x width x in_channels integers, of `bits` bits, signed or not;
 * weights: out_channels x in_channels x 3 x 3;
 * sums: height x width x out_channels, what the convolution gives before any scale: multiply by
 *       the scale of the output channel;
 * transformed: products x out_channels x in_channels integer weights it used; may be NULL;
 * scales: out_channels.
 * Runs `repeats` times, for measurements. */
GDQ_API int32_t gdq_kernel_run(const char* isa, const char* kernel, int32_t bits, int32_t is_signed,
                               int32_t height, int32_t width, int32_t in_channels,
                               int32_t out_channels, const int16_t* codes, const float* weights,
                               float* sums, int32_t* transformed, float* scales, int32_t repeats);

/* Runs a kernel of this list wherever codes have `bit_width` bits, from the first tile on. Below 0
 * once a tile has been run, or if the kernel is not exact at this width or not written for the
 * model's instruction set. */
GDQ_API int32_t gdq_model_choose_kernel(gdq_model* model, int32_t bit_width, const char* kernel);

#ifdef __cplusplus
}
#endif

#endif
