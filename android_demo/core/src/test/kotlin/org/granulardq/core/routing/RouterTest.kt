package org.granulardq.core.routing

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.float
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.granulardq.core.GdqException
import org.granulardq.core.LENIENT
import org.granulardq.core.Vectors
import org.granulardq.core.bundle.Manifest
import org.granulardq.core.bundle.Network
import org.granulardq.core.bundle.Predictor
import org.granulardq.core.bundle.Subgraph
import org.granulardq.core.bundle.Tiling
import org.granulardq.core.double
import org.granulardq.core.doubleOrNull
import org.granulardq.core.engines.Prediction
import org.granulardq.core.int
import org.granulardq.core.ints
import org.granulardq.core.pixels
import org.granulardq.core.request
import org.granulardq.core.text

class RouterTest {
    private val vectors = Vectors("routing")
    private val tiles = vectors.cases("tiles")
        .associate { it.text("name") to it.getValue("pixels").pixels() }
    private val manifests = vectors.cases("bundles").associate { it.text("name") to manifestOf(it) }
    private val predictions = vectors.cases("predictions").map { seen ->
        val logits = seen.getValue("logits").jsonArray.map { it.jsonPrimitive.float }
        Prediction(logits, seen.double("entropy").toFloat(), seen.int("bit_width"))
    }

    @Test
    fun `gradients are equal`() {
        for (case in vectors.cases("tiles")) {
            val expected = case.double("gradient")
            assertEquals(expected, meanGradient(tiles.getValue(case.text("name"))), 1e-9 * expected)
        }
    }

    @Test
    fun `tiles are routed alike`() {
        for (case in vectors.cases("requests")) {
            val manifest = manifests.getValue(case.text("bundle"))
            val decided = case.getValue("decided")
            val request = case.getValue("request").jsonObject
            if (decided == JsonNull) {
                assertFailsWith<GdqException>("$case") {
                    Router.create(manifest, request.request())
                }
            } else {
                check(Router.create(manifest, request.request()), decided.jsonObject, "$case")
            }
        }
    }

    private fun check(router: Router, decided: JsonObject, case: String) {
        val interpolated = tiles.filterValues { !router.needsNetwork(it) }.keys.toList()
        val names = decided.getValue("interpolated").jsonArray
        assertEquals(names.map { it.jsonPrimitive.contentOrNull }, interpolated, case)
        val busy = tiles.getValue("busy")
        val widths = predictions.map { seen -> router.route(busy) { seen } }
        assertEquals(decided.getValue("bit_widths").ints(), widths, case)
        val loss = decided.doubleOrNull("expected_loss_db")
        assertEquals(loss == null, router.expectedLoss == null, case)
        if (loss != null) assertEquals(loss, router.expectedLoss!!, 1e-9, case)
        assertEquals(decided.text("is_bounded") == "true", router.openBudget() != null, case)
    }

    private fun manifestOf(case: JsonObject) = Manifest(
        formats = emptyList(),
        network = Network("none", 2),
        tiling = Tiling(16, 4),
        predictor = Predictor("linear"),
        subgraphs = case.getValue("bit_widths").ints().map { Subgraph(it) },
        files = emptyList(),
        tradeOff = LENIENT.decodeFromJsonElement(case.getValue("trade_off")),
        flatTiles = LENIENT.decodeFromJsonElement(case.getValue("flat_tiles")),
    )
}
