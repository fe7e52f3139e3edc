package org.granulardq.core.tiles

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.granulardq.core.Vectors
import org.granulardq.core.arrayOrNull
import org.granulardq.core.int
import org.granulardq.core.ints
import org.granulardq.core.pictures.PixelSource
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.text

class StitcherTest {
    private val pictures = Vectors("stitching").cases("pictures")

    @Test
    fun `each tile contributes its part`() {
        for (case in pictures) {
            val plan = planOf(case)
            for ((spans, key) in listOf(plan.rows to "rows", plan.columns to "columns")) {
                val expected = case.getValue(key).jsonArray.map { it.jsonObject }
                spans.zip(expected).forEach { (span, parts) ->
                    val scale = case.int("scale")
                    val from = (span.ownStart - span.start) * scale
                    val take = listOf(from, from + span.ownLength * scale)
                    assertEquals(parts.getValue("take").ints(), take, "$case")
                    val put = listOf(span.ownStart * scale, span.ownStop * scale)
                    assertEquals(parts.getValue("put").ints(), put, "$case")
                }
                assertEquals(expected.size, spans.size)
            }
        }
    }

    @Test
    fun `tiles come together`() {
        val drawn = pictures.filter { it.getValue("result").arrayOrNull() != null }
        check(drawn.isNotEmpty())
        for (case in drawn) {
            val (plan, scale) = planOf(case) to case.int("scale")
            val stitcher = Stitcher(plan, scale)
            val bands = BandReader(PixelSource(Pixels(plan.height, plan.width, 3)), plan)
            var number = 0
            val rows = plan.rows.flatMap {
                val band = bands.read()
                for (column in plan.columns) {
                    stitcher.place(band.row, column, madeUp(number++, band.row, column, scale))
                }
                val found = stitcher.finish(band)
                List(found.height) { y -> List(found.width) { x -> found[y, x, 1] } }
            }
            assertEquals(case.getValue("result").jsonArray.map { it.ints() }, rows, "$case")
        }
    }

    private fun planOf(case: JsonObject) = TilePlan(
        case.int("width"), case.int("height"), case.int("tile"), case.int("overlap"),
        Policy.valueOf(case.text("policy").uppercase()),
    )

    /** The tile that the vectors' README describes. */
    private fun madeUp(number: Int, row: Span, column: Span, scale: Int): Pixels {
        val tile = Pixels(row.length * scale, column.length * scale, 3)
        for (n in tile.data.indices) {
            val (y, x) = n / 3 / tile.width to n / 3 % tile.width
            tile.data[n] = (97 * number + 5 * y + 3 * x).toByte()
        }
        return tile
    }
}
