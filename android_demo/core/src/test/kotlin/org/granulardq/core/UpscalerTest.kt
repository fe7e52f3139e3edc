package org.granulardq.core

import kotlin.concurrent.thread
import kotlin.math.abs
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.granulardq.core.engines.GdqEngine
import org.granulardq.core.pictures.PixelSink
import org.granulardq.core.pictures.PixelSource
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.pictures.RowSource
import org.granulardq.core.routing.Request
import org.granulardq.core.tiles.Span

class UpscalerTest {
    @Test
    fun `pictures are equal to those of the Python runtime`() {
        for ((bundle, cases) in Expected.cases("pictures").groupBy { it.text("bundle") }) {
            for (case in cases) {
                val opened = Expected.bundle(bundle)
                val costs = (case.getValue("costs") as? JsonObject)?.costs()
                Upscaler(opened, GdqEngine(opened), 1, costs).use { check(it, case) }
            }
        }
    }

    private fun check(upscaler: Upscaler, case: JsonObject) {
        val picture = Expected.picture(case.text("picture"))
        val expected = Expected.picture(case.text("result"))
        val sink = PixelSink(expected.height, expected.width, expected.channels)
        val request = case.getValue("request").jsonObject.request()
        val result = upscaler.upscale(PixelSource(picture), sink, request)
        val routes = case.getValue("bit_map").jsonArray.flatMap { it.ints() }
        assertEquals(routes, result.bitMap.toList(), "$case")
        assertEquals(case.double("expected_loss_db"), result.expectedLoss!!, 1e-9, "$case")
        val apart = compare(expected, sink.picture) { y, x ->
            val row = owner(result.plan.rows, y / upscaler.scale)
            result.bitMap[row, owner(result.plan.columns, x / upscaler.scale)] == INTERPOLATED
        }
        println("${case.text("result")} ${result.bitMap.counts()}: $apart interpolated differ by 1")
    }

    /**
     * Counts the interpolated samples that differ by one level; all others must be equal.
     *
     * OpenCV rounds differently from processor to processor, in alpha as well.
     */
    private fun compare(
        expected: Pixels, found: Pixels, isInterpolated: (Int, Int) -> Boolean,
    ): Int {
        var apart = 0
        for (y in 0 until expected.height) for (x in 0 until expected.width) {
            for (c in 0 until expected.channels) {
                val difference = abs(expected[y, x, c] - found[y, x, c])
                if (difference == 0) continue
                assertEquals(1, difference, "row $y, column $x")
                assertTrue(c == 3 || isInterpolated(y, x), "row $y, column $x")
                apart++
            }
        }
        return apart
    }

    private fun owner(spans: List<Span>, place: Int) = spans.indexOfFirst { place < it.ownStop }

    @Test
    fun `progress is told tile by tile, and each tile can be the last`() {
        val picture = Expected.picture("small.png")
        Upscaler.open(Expected.bundle("zoo")).use { upscaler ->
            val told = mutableListOf<Int>()
            val sink = PixelSink(picture.height * 2, picture.width * 2, 3)
            val result = upscaler.upscale(
                PixelSource(picture), sink,
                progress = { done, all -> told += if (all == 9) done else 0 },
            )
            assertEquals((1..9).toList(), told)
            assertEquals(3 to 3, result.bitMap.rows to result.bitMap.columns)
            for (last in 1..8) {
                val cancellation = Cancellation()
                val seen = mutableListOf<Int>()
                assertFailsWith<CancelledException> {
                    upscaler.upscale(
                        PixelSource(picture), {}, Request(),
                        { done, _ -> seen += done.also { if (it == last) cancellation.cancel() } },
                        cancellation,
                    )
                }
                assertEquals(last, seen.last())
            }
            assertContentEquals(sink.picture.data, upscaler.upscale(picture).data) // it lives on
        }
    }

    @Test
    fun `memory does not depend on the height`() {
        Upscaler.open(Expected.bundle("tiny"), threads = 2).use { upscaler ->
            var rows = 0
            val tall = object : RowSource { // 100 megapixels: 300 MB in, 1.2 GB out
                override val width = 250
                override val height = 400_000
                override val channels = 3
                override fun readRows(count: Int, into: ByteArray, offset: Int) = Unit
            }
            val cancellation = Cancellation()
            var most = 0L
            assertFailsWith<CancelledException> {
                upscaler.upscale(
                    tall,
                    { band ->
                        rows += band.height
                        if (rows > 40_000) cancellation.cancel()
                        if (rows % 4000 < band.height) {
                            System.gc()
                            val runtime = Runtime.getRuntime()
                            most = maxOf(most, runtime.totalMemory() - runtime.freeMemory())
                        }
                    },
                    Request(bits = 4), null, cancellation,
                )
            }
            assertTrue(most < 64L shl 20, "${most shr 20} MB")
        }
    }

    @Test
    fun `what is no picture is refused`() {
        Upscaler.open(Expected.bundle("tiny")).use { upscaler ->
            val empty = assertFailsWith<ImageException> { upscaler.upscale(Pixels(0, 5, 3)) }
            assertEquals("a picture of 5x0 has no pixels", empty.message)
            assertFailsWith<ImageException> { upscaler.upscale(Pixels(5, 5, 1)) }
        }
    }

    @Test
    fun `an error of the source comes to the caller, and nothing hangs`() {
        Upscaler.open(Expected.bundle("tiny")).use { upscaler ->
            val broken = object : RowSource {
                override val width = 100
                override val height = 100
                override val channels = 3
                override fun readRows(count: Int, into: ByteArray, offset: Int) =
                    throw ImageException("the file ends too early")
            }
            val worker = thread { assertFailsWith<ImageException> { upscaler.upscale(broken, {}) } }
            worker.join(10_000)
            assertTrue(!worker.isAlive)
        }
    }
}
