package org.granulardq.android.engines

import java.io.File
import javax.imageio.ImageIO
import kotlin.concurrent.thread
import kotlin.math.abs
import org.granulardq.core.BundleException
import org.granulardq.core.EngineException
import org.granulardq.core.bundle.Bundle
import org.granulardq.core.bundle.Format
import org.granulardq.core.engines.Engine
import org.granulardq.core.pictures.Pixels
import org.granulardq.testing.Expected
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** On the desktop's ONNX Runtime, whose Java classes are those of Android's. */
class OnnxRuntimeEngineTest {
    @Test
    fun `golden tiles keep the bounds, with weights beside the graphs and inside`() {
        for (name in listOf("onnx", "onnx_embedded")) {
            val bundle = Expected.bundle(name)
            OnnxRuntimeEngine(bundle).use { check(bundle, it) }
        }
    }

    @Test
    fun `a picture beyond the bounds is noticed`() {
        val bundle = Expected.bundle("onnx")
        OnnxRuntimeEngine(bundle).use { engine ->
            val wrong = object : Engine by engine {
                override fun run(bitWidth: Int, tile: Pixels): Pixels =
                    engine.run(bitWidth, tile).also { picture ->
                        for (n in picture.data.indices step 8) picture.data[n] = 77
                    }
            }
            assertThrows(AssertionError::class.java) { check(bundle, wrong) }
        }
    }

    private fun check(bundle: Bundle, engine: Engine) {
        val manifest = bundle.manifest
        val differences = mutableMapOf<Int, Int>() // levels apart -> samples
        for (golden in manifest.golden) {
            val tile = read(bundle, golden.tile)
            assertEquals(golden.bitWidth, engine.predict(tile).bitWidth)
            assertEquals(golden.entropy!!, engine.predict(tile).entropy, 1e-4f)
            for ((width, file) in golden.outputs.getValue(Format.ONNX)) {
                val (found, expected) = engine.run(width.toInt(), tile).data to read(bundle, file).data
                assertEquals(expected.size, found.size)
                for (n in found.indices) {
                    val apart = abs((found[n].toInt() and 255) - (expected[n].toInt() and 255))
                    differences.merge(apart, 1, Int::plus)
                }
            }
        }
        val all = differences.values.sum()
        assertTrue(all > 0)
        for (bound in manifest.agreement.getValue(Format.ONNX)) {
            val beyond = differences.filterKeys { it > bound.levels }.values.sum()
            assertTrue("$beyond of $all beyond ${bound.levels}", beyond <= bound.share * all)
        }
    }

    @Test
    fun `threads share the sessions`() {
        val bundle = Expected.bundle("onnx_embedded")
        OnnxRuntimeEngine(bundle).use { engine ->
            val tile = read(bundle, bundle.manifest.golden.first().tile)
            val found = arrayOfNulls<Pixels>(4)
            found.indices.map { n -> thread { found[n] = engine.run(8, tile) } }.forEach(Thread::join)
            for (other in found) assertArrayEquals(found[0]!!.data, other!!.data)
        }
    }

    @Test
    fun `it falls back to the CPU with a sentence`() {
        OnnxRuntimeEngine(Expected.bundle("onnx_embedded")).use { engine ->
            assertEquals("CPU", engine.acceleratorAsked)
            assertEquals("CPU", engine.acceleratorUsed)
            assertNull(engine.fallback)
        }
        for (name in listOf("onnx", "onnx_embedded")) { // the desktop's library has no NNAPI
            OnnxRuntimeEngine(Expected.bundle(name), OnnxAccelerator.NNAPI).use { engine ->
                assertEquals("NNAPI", engine.acceleratorAsked)
                assertEquals("CPU", engine.acceleratorUsed)
                assertTrue(engine.fallback!!.startsWith("NNAPI is not used, but the CPU: "))
                assertNotNull(engine.run(4, Pixels(32, 32, 3)))
            }
        }
    }

    @Test
    fun `failures are told`() {
        assertThrows(BundleException::class.java) { OnnxRuntimeEngine(Expected.bundle("tiny")) }
        OnnxRuntimeEngine(Expected.bundle("onnx")).use { engine ->
            assertThrows(BundleException::class.java) { engine.run(7, Pixels(32, 32, 3)) }
            assertThrows(EngineException::class.java) { engine.sense(Pixels(32, 32, 3)) } // a gate
        }
    }

    private fun read(bundle: Bundle, name: String): Pixels {
        val raster = ImageIO.read(File(bundle.folder, name)).raster
        val pixels = Pixels(raster.height, raster.width, raster.numBands)
        val samples = raster.getPixels(0, 0, raster.width, raster.height, null as IntArray?)
        for (n in samples.indices) pixels.data[n] = samples[n].toByte()
        return pixels
    }
}
