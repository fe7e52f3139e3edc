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

/* A layer that ends in integers (src/kernels/body.h), in the numbers it is given. */
typedef struct {
  int32_t height, width, in_channels, out_channels;
  const int8_t* codes;     /* height x width x in_channels */
  int32_t outside;         /* the code around them */
  const float* weights;    /* out_channels x in_channels x 3 x 3 */
  const int32_t* start;    /* out_channels: added to the point of constants */
  int32_t narrowing;       /* bits dropped of sums */
  const int16_t* factors;  /* out_channels */
  const int16_t* residual; /* height x width x out_channels; NULL: codes are made of sums */
  int16_t* stream;         /* the same, written */
  int16_t codes_factor;    /* of the stream */
  int8_t low, high;        /* of codes */
  int8_t* made;            /* height x width x out_channels, written; NULL beside a stream: none */
  int32_t* transformed;    /* products x out_channels x in_channels integer weights it used */
} gdq_body_layer;

/* Output channels that an instruction set computes together in such layers; 0: it has no such
 * kernel.
 */
GDQ_API int32_t gdq_body_group(const char* isa, const char* kernel);
GDQ_API int32_t gdq_body_run(const char* isa, const char* kernel, const gdq_body_layer* layer);

/* Runs a kernel of this list wherever codes have `bit_width` bits, from the first tile on. Below 0
 * once a tile has been run, or if the kernel is not exact at this width or not written for the
 * model's instruction set. */
GDQ_API int32_t gdq_model_choose_kernel(gdq_model* model, int32_t bit_width, const char* kernel);

/* Computes no layer in half precision, from the first tile on, to tell what that costs. Below 0
 * once a tile has been run. */
GDQ_API int32_t gdq_model_avoid_half(gdq_model* model);

#ifdef __cplusplus
}
#endif

#endif
