package org.granulardq.core.engines

import java.nio.ByteBuffer

/**
 * The engine's C interface as android_demo/jni shows it; handles are pointers.
 *
 * A handle of 0 or a value below 0 says that a call failed, and [lastError] why, in the same
 * thread.
 */
internal object GdqNative {
    /** Version of the C interface that this file uses. */
    const val ABI_VERSION = 2

    @JvmStatic external fun abiVersion(): Int

    @JvmStatic external fun lastError(): String

    /** Reads a packed model; [isa] names an instruction set, null is for the best one here. */
    @JvmStatic external fun parse(model: ByteArray, isa: String?): Long

    /** The same of a direct buffer: a mapped file is not copied before it is read. */
    @JvmStatic external fun parseBuffer(model: ByteBuffer, isa: String?): Long

    @JvmStatic external fun freeModel(model: Long)

    @JvmStatic external fun scale(model: Long): Int

    @JvmStatic external fun isa(model: Long): String

    /** 0: none, 1: a gate, 2: sensitivity heads. */
    @JvmStatic external fun predictor(model: Long): Int

    @JvmStatic external fun createRunner(model: Long, height: Int, width: Int): Long

    /** [picture] has scale x scale times the bytes of [tile]. */
    @JvmStatic
    external fun run(runner: Long, bitWidth: Int, tile: ByteArray, picture: ByteArray): Int

    /** Returns the bit-width; [scores]: three logits and the entropy. */
    @JvmStatic external fun predict(runner: Long, tile: ByteArray, scores: FloatArray): Int

    @JvmStatic external fun sense(runner: Long, tile: ByteArray, heads: IntArray): Int

    @JvmStatic external fun freeRunner(runner: Long)
}
