package org.granulardq.core.sensitivity

import java.util.ArrayDeque
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.jsonArray
import org.granulardq.core.BundleException
import org.granulardq.core.LENIENT
import org.granulardq.core.Vectors
import org.granulardq.core.bundle.HeadsEntry
import org.granulardq.core.double
import org.granulardq.core.doubleOrNull
import org.granulardq.core.int
import org.granulardq.core.ints
import org.granulardq.core.pixels
import org.granulardq.core.routing.BANDS_AHEAD
import org.granulardq.core.routing.PriceControl
import org.granulardq.core.routing.SensedPicture

class SensitivityTest {
    private val vectors = Vectors("sensitivity")
    private val rule =
        LENIENT.decodeFromJsonElement<HeadsEntry>(vectors.cases("rule").single()).rule()

    @Test
    fun `tiles have these heads`() {
        for (case in vectors.cases("tiles")) {
            val tile = case.getValue("tile").pixels()
            val found = tileStatistics(tile, rule.heads.side)
            assertEquals(case.getValue("statistics").ints(), found.toList())
            assertEquals(case.getValue("heads").sensitivity(), rule.heads.sense(tile))
        }
    }

    @Test
    fun `pictures have these levels`() {
        for (case in vectors.cases("levels")) {
            val picture = PictureError()
            case.getValue("errors").ints().forEach(picture::add)
            assertEquals(case.int("level"), picture.level)
        }
    }

    @Test
    fun `pictures are routed so`() {
        for (case in vectors.cases("pictures")) {
            val control = PriceControl(rule, rule.price.toDouble(), case.doubleOrNull("fab"))
            val picture = SensedPicture(rule, control, cap = case.doubleOrNull("cap"))
            val waiting = ArrayDeque<List<Sensitivity>>()
            val routes = mutableListOf<List<Int>>()
            val bands = case.getValue("bands").jsonArray
                .map { band -> band.jsonArray.map { it.sensitivity() } }
            for (band in bands + List(BANDS_AHEAD) { null }) {
                if (band != null) {
                    waiting += band
                    picture.read(band)
                }
                if (band == null || waiting.size > BANDS_AHEAD) {
                    routes += picture.decide(waiting.remove())
                }
            }
            assertEquals(case.getValue("bit_widths").jsonArray.map { it.ints() }, routes)
            assertEquals(case.double("price"), control.price)
        }
    }

    @Test
    fun `heads that could leave 32 bits are refused`() {
        assertFailsWith<BundleException> {
            SensitivityHeads(List(3) { List(9) { 1 shl 24 } }, listOf(0, 0, 0), 32)
        }
    }

    private fun JsonElement.sensitivity(): Sensitivity =
        ints().let { (noise, error, interpolation) -> Sensitivity(noise, error, interpolation) }
}
