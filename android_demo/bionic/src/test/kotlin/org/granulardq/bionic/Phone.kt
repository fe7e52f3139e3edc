package org.granulardq.bionic

import com.github.unidbg.Emulator
import com.github.unidbg.Module
import com.github.unidbg.arm.Arm64Svc
import com.github.unidbg.arm.backend.DynarmicFactory
import com.github.unidbg.arm.context.RegisterContext
import com.github.unidbg.hook.HookListener
import com.github.unidbg.linux.android.AndroidEmulatorBuilder
import com.github.unidbg.linux.android.AndroidResolver
import com.github.unidbg.linux.android.dvm.VM
import com.github.unidbg.memory.SvcMemory
import java.io.File

private const val AT_HWCAP = 16L

/**
 * A process on Android 6's C library and an arm64 processor, both real and emulated by unidbg.
 *
 * @param hwcap what Linux would say of the processor; unidbg says that it has nothing.
 */
class Phone(hwcap: Long) : AutoCloseable {
    val emulator = AndroidEmulatorBuilder.for64Bit()
        .setProcessName("org.granulardq.bionic")
        .addBackendFactory(DynarmicFactory(false)) // Unicorn has no dot products
        .build()!!
    val vm: VM

    init {
        val resolver = AndroidResolver(23)
        emulator.memory.setLibraryResolver(resolver)
        // Before the hook: the C library asks for more than this one word.
        emulator.memory.load(resolver.resolveLibrary(emulator, "libc.so"))
        emulator.memory.addHookListener(Processor(hwcap))
        vm = emulator.createDalvikVM()
    }

    fun load(library: File): Module = vm.loadLibrary(library, true).module

    override fun close() = emulator.close()
}

private class Processor(private val hwcap: Long) : HookListener {
    override fun hook(memory: SvcMemory, library: String, symbol: String, old: Long): Long {
        if (symbol != "getauxval") return 0
        val answer = object : Arm64Svc("getauxval") {
            override fun handle(emulator: Emulator<*>): Long {
                val asked = emulator.getContext<RegisterContext>().getLongArg(0)
                return if (asked == AT_HWCAP) hwcap else 0
            }
        }
        return memory.registerSvc(answer).peer
    }
}
