// JNI face of the engine's C interface (gdq_engine.h) for org.granulardq.core.engines.GdqNative.
// Like that interface it returns 0 or a value below 0 on failure; Kotlin asks `lastError` in the
// same thread and throws. Sizes of arrays are checked here, since the engine trusts pointers.
#include <jni.h>
#include <stdlib.h>

#include "gdq_engine.h"

#define GDQ_JNI(type, name) JNIEXPORT type JNICALL Java_org_granulardq_core_engines_GdqNative_##name

namespace {

// A runner of the engine with the bytes that arrays are copied to: the garbage collector must not
// wait for a tile, as it would for pointers into arrays.
struct Runner {
  gdq_runner* runner;
  jsize tile_bytes, picture_bytes;
  uint8_t *tile, *picture;
};

// Why a call was refused here; NULL if the engine's own last error counts.
thread_local const char* refusal = nullptr;

int refused(const char* why) {
  refusal = why;
  return -1;
}

int failed() {
  refusal = nullptr;
  return -1;
}

gdq_model* model_of(jlong handle) { return reinterpret_cast<gdq_model*>(handle); }
Runner* runner_of(jlong handle) { return reinterpret_cast<Runner*>(handle); }

jlong parse(JNIEnv* env, const void* bytes, size_t size, jstring isa) {
  const char* name = isa ? env->GetStringUTFChars(isa, nullptr) : nullptr;
  if (isa && !name) return refused("there is not enough memory"), 0;
  gdq_model* model = gdq_model_parse(bytes, size, name);
  if (name) env->ReleaseStringUTFChars(isa, name);
  if (!model) failed();
  return reinterpret_cast<jlong>(model);
}

bool take_tile(JNIEnv* env, Runner* runner, jbyteArray tile) {
  if (env->GetArrayLength(tile) != runner->tile_bytes) {
    return refused("the tile's size is not that of the buffers"), false;
  }
  env->GetByteArrayRegion(tile, 0, runner->tile_bytes, reinterpret_cast<jbyte*>(runner->tile));
  return true;
}

}  // namespace

extern "C" {

GDQ_JNI(jint, abiVersion)(JNIEnv*, jclass) { return gdq_abi_version(); }

GDQ_JNI(jstring, lastError)(JNIEnv* env, jclass) {
  return env->NewStringUTF(refusal ? refusal : gdq_last_error());
}

GDQ_JNI(jlong, parse)(JNIEnv* env, jclass, jbyteArray model, jstring isa) {
  const jsize size = env->GetArrayLength(model);
  void* bytes = malloc(size ? size : 1);
  if (!bytes) return refused("there is not enough memory"), 0;
  env->GetByteArrayRegion(model, 0, size, static_cast<jbyte*>(bytes));
  const jlong handle = parse(env, bytes, size, isa);
  free(bytes);
  return handle;
}

GDQ_JNI(jlong, parseBuffer)(JNIEnv* env, jclass, jobject buffer, jstring isa) {
  const void* bytes = env->GetDirectBufferAddress(buffer);
  if (!bytes) return refused("the buffer is not direct"), 0;
  return parse(env, bytes, static_cast<size_t>(env->GetDirectBufferCapacity(buffer)), isa);
}

GDQ_JNI(void, freeModel)(JNIEnv*, jclass, jlong model) {
  if (model) gdq_model_free(model_of(model));
}

GDQ_JNI(jint, scale)(JNIEnv*, jclass, jlong model) { return gdq_model_scale(model_of(model)); }

GDQ_JNI(jstring, isa)(JNIEnv* env, jclass, jlong model) {
  return env->NewStringUTF(gdq_model_isa(model_of(model)));
}

GDQ_JNI(jint, predictor)(JNIEnv*, jclass, jlong model) {
  return gdq_model_predictor(model_of(model));
}

GDQ_JNI(jlong, createRunner)(JNIEnv*, jclass, jlong model, jint height, jint width) {
  gdq_runner* made = gdq_runner_create(model_of(model), height, width);
  if (!made) return failed(), 0;
  const jlong scale = gdq_model_scale(model_of(model));
  const jlong tile = jlong{3} * height * width, picture = tile * scale * scale;
  auto* runner = static_cast<Runner*>(malloc(sizeof(Runner)));
  auto* bytes = static_cast<uint8_t*>(picture <= 0x7fffffff ? malloc(tile + picture) : nullptr);
  if (!runner || !bytes) {
    free(runner);
    free(bytes);
    gdq_runner_free(made);
    return refused("there is not enough memory for tiles of this size"), 0;
  }
  *runner = {made, static_cast<jsize>(tile), static_cast<jsize>(picture), bytes, bytes + tile};
  return reinterpret_cast<jlong>(runner);
}

GDQ_JNI(jint, run)
(JNIEnv* env, jclass, jlong handle, jint bit_width, jbyteArray tile, jbyteArray picture) {
  Runner* runner = runner_of(handle);
  if (!take_tile(env, runner, tile)) return -1;
  if (env->GetArrayLength(picture) != runner->picture_bytes) {
    return refused("the picture's size is not that of the buffers");
  }
  if (gdq_runner_run(runner->runner, bit_width, runner->tile, runner->picture) < 0) return failed();
  env->SetByteArrayRegion(picture, 0, runner->picture_bytes,
                          reinterpret_cast<jbyte*>(runner->picture));
  return 0;
}

GDQ_JNI(jint, predict)
(JNIEnv* env, jclass, jlong handle, jbyteArray tile, jfloatArray scores) {
  Runner* runner = runner_of(handle);
  float found[4];
  int32_t bit_width = 0;
  if (!take_tile(env, runner, tile)) return -1;
  if (env->GetArrayLength(scores) != 4) return refused("there are four scores");
  if (gdq_runner_predict(runner->runner, runner->tile, found, found + 3, &bit_width) < 0) {
    return failed();
  }
  env->SetFloatArrayRegion(scores, 0, 4, found);
  return bit_width;
}

GDQ_JNI(jint, sense)(JNIEnv* env, jclass, jlong handle, jbyteArray tile, jintArray heads) {
  Runner* runner = runner_of(handle);
  int32_t found[3];
  if (!take_tile(env, runner, tile)) return -1;
  if (env->GetArrayLength(heads) != 3) return refused("there are three heads");
  if (gdq_runner_sense(runner->runner, runner->tile, found) < 0) return failed();
  env->SetIntArrayRegion(heads, 0, 3, found);
  return 0;
}

GDQ_JNI(void, freeRunner)(JNIEnv*, jclass, jlong handle) {
  Runner* runner = runner_of(handle);
  if (!runner) return;
  gdq_runner_free(runner->runner);
  free(runner->tile);
  free(runner);
}

}  // extern "C"
