package org.granulardq.bionic

import com.github.unidbg.linux.android.dvm.StringObject
import com.github.unidbg.linux.android.dvm.array.ByteArray as Bytes
import com.github.unidbg.linux.android.dvm.array.FloatArray as Floats
import com.github.unidbg.linux.android.dvm.array.IntArray as Ints
import java.io.File

/** The engine's JNI face on a [Phone], called as the Dalvik VM would. */
class Face(private val phone: Phone, libraries: File) {
    private val vm = phone.vm
    private val emulator = phone.emulator

    init {
        phone.load(File(libraries, "libgdq_engine.so"))
        phone.load(File(libraries, "libgdq_jni.so"))
    }

    private val native = vm.resolveClass("org/granulardq/core/engines/GdqNative")

    val lastError: String get() = text("lastError()Ljava/lang/String;")

    fun parse(model: ByteArray, isa: String): Long = native.callStaticJniMethodLong(
        emulator, "parse([BLjava/lang/String;)J", Bytes(vm, model), StringObject(vm, isa),
    )

    fun isa(model: Long): String = text("isa(J)Ljava/lang/String;", model)

    fun scale(model: Long): Int = int("scale(J)I", model)

    fun createRunner(model: Long, height: Int, width: Int): Long =
        native.callStaticJniMethodLong(emulator, "createRunner(JII)J", model, height, width)

    /** The predictor's answer in whole numbers: a bit-width, or three heads. */
    fun ask(model: Long, runner: Long, tile: ByteArray): List<Int> {
        if (int("predictor(J)I", model) == 1) {
            val scores = Floats(vm, FloatArray(4))
            return listOf(int("predict(J[B[F)I", runner, Bytes(vm, tile), scores))
        }
        val heads = Ints(vm, IntArray(3))
        check(int("sense(J[B[I)I", runner, Bytes(vm, tile), heads) == 0) { lastError }
        return heads.value.toList()
    }

    fun run(runner: Long, bitWidth: Int, tile: ByteArray, picture: Int): ByteArray {
        val found = Bytes(vm, ByteArray(picture))
        check(int("run(JI[B[B)I", runner, bitWidth, Bytes(vm, tile), found) == 0) { lastError }
        return found.value
    }

    fun free(model: Long, runner: Long) {
        native.callStaticJniMethod(emulator, "freeRunner(J)V", runner)
        native.callStaticJniMethod(emulator, "freeModel(J)V", model)
    }

    private fun int(method: String, vararg words: Any): Int =
        native.callStaticJniMethodInt(emulator, method, *words)

    private fun text(method: String, vararg words: Any): String =
        native.callStaticJniMethodObject<StringObject>(emulator, method, *words).value
}
