package org.granulardq.testing

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Robolectric on the real engine.
 *
 * It loads classes anew for each Android version, but a JVM loads a native library for one class
 * loader only: what has no Android import stays in the common one.
 */
class EngineTestRunner(testClass: Class<*>) : RobolectricTestRunner(testClass) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration =
        InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
            .doNotAcquirePackage("org.granulardq.core.")
            .doNotAcquirePackage("kotlin.")
            .doNotAcquirePackage("kotlinx.")
            .build()
}
