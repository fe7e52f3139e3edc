/* The engine's C interface: load a packed model, run tiles at a bit-width.
 *
 * A model may be shared by threads and must outlive its runners; a runner holds the buffers of one
 * thread. No pointer may be NULL unless it says so.
 * Functions that can fail return NULL or a value below 0; `gdq_last_error` then says why. */
#ifndef GDQ_ENGINE_H
#define GDQ_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define GDQ_API __declspec(dllexport)
#else
#define GDQ_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Changes with every incompatible change of this interface. */
#define GDQ_ABI_VERSION 2

typedef struct gdq_model gdq_model;
typedef struct gdq_runner gdq_runner;

GDQ_API int32_t gdq_abi_version(void);

/* One sentence about the calling thread's last failure; "" before the first. */
GDQ_API const char* gdq_last_error(void);

/* Instruction sets that this library was built with, best first. */
GDQ_API int32_t gdq_isa_count(void);
GDQ_API const char* gdq_isa_name(int32_t index);
/* Whether this processor has it: 1 or 0. */
GDQ_API int32_t gdq_isa_available(int32_t index);

/* Reads a packed model (FORMAT.md).
 * isa: a name of the list above, or NULL for the best that this processor has. */
GDQ_API gdq_model* gdq_model_load(const char* path, const char* isa);
/* The same from memory, which is copied. */
GDQ_API gdq_model* gdq_model_parse(const void* bytes, size_t size, const char* isa);
GDQ_API void gdq_model_free(gdq_model* model);

/* Upscaling factor. */
GDQ_API int32_t gdq_model_scale(const gdq_model* model);
/* Writes the bit-widths, ascending, and returns how many there are. */
GDQ_API int32_t gdq_model_bit_widths(const gdq_model* model, int32_t bit_widths[4]);
/* Name of the instruction set it runs on. */
GDQ_API const char* gdq_model_isa(const gdq_model* model);
/* Name of the kernel that runs the 3x3 convolutions at a bit-width, NULL if there is no such width.
 */
GDQ_API const char* gdq_model_kernel(const gdq_model* model, int32_t bit_width);
/* How each integer layer runs at a bit-width, a line for each: its kernel, and whether it ends in
 * integers of 16 bits or why it does not. NULL if there is no such width. Prepares the width. */
GDQ_API const char* gdq_model_report(gdq_model* model, int32_t bit_width);

/* Which predictor it holds: none, a gate (gdq_runner_predict), or sensitivity heads on a tile's
 * statistics (gdq_runner_sense). */
enum { GDQ_PREDICTOR_NONE = 0, GDQ_PREDICTOR_GATE = 1, GDQ_PREDICTOR_STATISTICS = 2 };
GDQ_API int32_t gdq_model_predictor(const gdq_model* model);

/* Buffers for tiles of one size, in low-resolution pixels. */
GDQ_API gdq_runner* gdq_runner_create(gdq_model* model, int32_t height, int32_t width);
/* Upscales a tile. tile: height x width x 3 bytes, RGB; picture: the same times scale squared.
 * 0, or below 0 on failure. */
GDQ_API int32_t gdq_runner_run(gdq_runner* runner, int32_t bit_width, const uint8_t* tile,
                               uint8_t* picture);
/* Chooses a bit-width for a tile, as above, of at least 4 x 4 pixels. logits: of the gate;
 * entropy: of the tile's luma, nats. 0, or below 0 on failure. */
GDQ_API int32_t gdq_runner_predict(gdq_runner* runner, const uint8_t* tile, float logits[3],
                                   float* entropy, int32_t* bit_width);
/* What few bits would cost a tile, as above: noise, error, interpolation (FORMAT.md, section
 * Sensitivity). 0, or below 0 on failure. */
GDQ_API int32_t gdq_runner_sense(gdq_runner* runner, const uint8_t* tile, int32_t heads[3]);
GDQ_API void gdq_runner_free(gdq_runner* runner);

/* The statistics that sensitivity heads weigh, of a tile as above; side: of the tiles that the
 * heads were fitted to. Any thread, no model. 0, or below 0 on failure. */
GDQ_API int32_t gdq_tile_statistics(const uint8_t* tile, int32_t height, int32_t width,
                                    int32_t side, int32_t statistics[9]);

#ifdef __cplusplus
}
#endif

#endif
