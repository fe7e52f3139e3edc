package org.granulardq.core.tiles

import kotlin.test.Test
import kotlin.test.assertEquals
import org.granulardq.core.Vectors
import org.granulardq.core.int
import org.granulardq.core.ints
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.text
import kotlinx.serialization.json.jsonArray

class TilePlanTest {
    private val vectors = Vectors("tiling")

    @Test
    fun `sides are cut alike`() {
        for (case in vectors.cases("sides")) {
            val policy = Policy.valueOf(case.text("policy").uppercase())
            val expected = case.getValue("spans").jsonArray.map { span ->
                span.ints().let { Span(it[0], it[1], it[2], it[3]) }
            }
            val length = case.int("length")
            fun plan(width: Int, height: Int) =
                TilePlan(width, height, case.int("tile"), case.int("overlap"), policy)
            assertEquals(expected, plan(length, 1).columns, "$case")
            assertEquals(expected, plan(1, length).rows, "$case")
        }
    }

    @Test
    fun `padding reflects`() {
        for (case in vectors.cases("padding")) {
            val (length, tile) = case.int("length") to case.int("tile")
            val plan = TilePlan(length, length, tile, 0)
            val band = Pixels(length, length, 3)
            for (n in band.data.indices) {
                band.data[n] = (n / 3 % length + 16 * (n / 3 / length)).toByte()
            }
            val cut = cutTile(band, plan.rows[0], plan.columns[0])
            val sources = case.getValue("sources").ints()
            for (y in sources.indices) for (x in sources.indices) {
                assertEquals(sources[x] + 16 * sources[y], cut[y, x, 2], "$length: $y, $x")
            }
        }
    }
}
