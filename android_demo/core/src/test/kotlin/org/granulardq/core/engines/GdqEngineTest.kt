package org.granulardq.core.engines

import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.float
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.granulardq.core.BundleException
import org.granulardq.core.EngineException
import org.granulardq.core.Expected
import org.granulardq.core.double
import org.granulardq.core.int
import org.granulardq.core.ints
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.text

class GdqEngineTest {
    @Test
    fun `golden tiles are equal to those of ctypes, bit for bit`() {
        for ((bundle, cases) in Expected.cases("tiles").groupBy { it.text("bundle") }) {
            GdqEngine(Expected.bundle(bundle)).use { engine -> cases.forEach { check(engine, it) } }
        }
    }

    private fun check(engine: Engine, case: JsonObject) {
        val tile = Expected.picture(case.text("tile"))
        checkAnswer(engine, tile, case.getValue("predictor").jsonObject)
        for ((width, picture) in case.getValue("pictures").jsonObject) {
            val expected = Expected.picture(picture.jsonPrimitive.content)
            val found = engine.run(width.toInt(), tile)
            assertContentEquals(expected.data, found.data, "$case at $width")
        }
    }

    private fun checkAnswer(engine: Engine, tile: Pixels, expected: JsonObject) {
        val heads = expected["sensitivity"]
        if (heads != null) {
            val found = engine.sense(tile)
            assertEquals(heads.ints(), listOf(found.noise, found.error, found.interpolation))
            return
        }
        val found = engine.predict(tile)
        val logits = expected.getValue("logits").jsonArray.map { it.jsonPrimitive.float }
        assertEquals(logits, found.logits)
        assertEquals(expected.double("entropy").toFloat(), found.entropy)
        assertEquals(expected.int("bit_width"), found.bitWidth)
    }

    @Test
    fun `threads share a model`() {
        GdqEngine(Expected.bundle("tiny")).use { engine ->
            val tile = Expected.picture("tiny/golden/0.png")
            val found = arrayOfNulls<Pixels>(4)
            val threads = found.indices.map { n -> thread { found[n] = engine.run(4, tile) } }
            threads.forEach(Thread::join)
            for (other in found) assertContentEquals(found[0]!!.data, other!!.data)
        }
    }

    @Test
    fun `it tells what it runs on`() {
        GdqEngine(Expected.bundle("tiny"), "scalar").use { engine ->
            assertEquals("CPU", engine.acceleratorAsked)
            assertEquals("CPU, scalar", engine.acceleratorUsed)
        }
    }

    @Test
    fun `failures are told`() {
        val bundle = Expected.bundle("tiny")
        val unknown = assertFailsWith<EngineException> { GdqEngine(bundle, "sse9") }
        assertTrue("sse9" in unknown.message, unknown.message)
        GdqEngine(bundle).use { engine ->
            assertFailsWith<EngineException> { engine.run(4, Pixels(0, 8, 3)) }
            assertFailsWith<EngineException> { engine.sense(Pixels(16, 16, 3)) } // it has a gate
            assertFailsWith<EngineException> { engine.predict(Pixels(2, 2, 3)) }
            assertFailsWith<BundleException> { engine.run(7, Pixels(16, 16, 3)) }
        }
    }

    @Test
    fun `the face refuses arrays of other sizes and damaged models`() {
        GdqEngine(Expected.bundle("tiny")).close() // loads the libraries
        val model = Expected.bundle("tiny").map("engine/model.gdq").let { mapped ->
            ByteArray(mapped.remaining()).also(mapped::get)
        }
        assertEquals(0L, GdqNative.parse(model.copyOf(100), null))
        assertTrue(GdqNative.lastError().isNotEmpty())
        val handle = GdqNative.parse(model, null)
        val runner = GdqNative.createRunner(handle, 8, 8)
        assertEquals(-1, GdqNative.run(runner, 4, ByteArray(5), ByteArray(768)))
        assertEquals("the tile's size is not that of the buffers", GdqNative.lastError())
        assertEquals(-1, GdqNative.run(runner, 4, ByteArray(192), ByteArray(767)))
        assertEquals("the picture's size is not that of the buffers", GdqNative.lastError())
        assertEquals(-1, GdqNative.run(runner, 7, ByteArray(192), ByteArray(768)))
        assertTrue("7" in GdqNative.lastError(), GdqNative.lastError())
        assertEquals(0, GdqNative.run(runner, 4, ByteArray(192), ByteArray(768)))
        GdqNative.freeRunner(runner)
        GdqNative.freeModel(handle)
    }

    @Test
    fun `a closed engine says so`() {
        val engine = GdqEngine(Expected.bundle("tiny"))
        engine.close()
        engine.close()
        assertFailsWith<IllegalStateException> { engine.run(4, Pixels(8, 8, 3)) }
    }
}
