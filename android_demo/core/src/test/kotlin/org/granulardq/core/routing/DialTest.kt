package org.granulardq.core.routing

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.granulardq.core.LENIENT
import org.granulardq.core.RequestException
import org.granulardq.core.Vectors
import org.granulardq.core.bundle.FlatTiles
import org.granulardq.core.bundle.Manifest
import org.granulardq.core.bundle.Network
import org.granulardq.core.bundle.OperatingPoint
import org.granulardq.core.bundle.Predictor
import org.granulardq.core.bundle.Signal
import org.granulardq.core.bundle.Subgraph
import org.granulardq.core.bundle.Tiling
import org.granulardq.core.bundle.TradeOff
import org.granulardq.core.bundle.TradeOffPoint
import org.granulardq.core.costs
import org.granulardq.core.double
import org.granulardq.core.engines.Prediction
import org.granulardq.core.int
import org.granulardq.core.ints
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.request
import org.granulardq.core.sensitivity.PriceSteps
import org.granulardq.core.sensitivity.Sensitivity
import org.granulardq.core.sensitivity.SensitivityHeads
import org.granulardq.core.sensitivity.SensitivityRule
import org.granulardq.core.text

class DialTest {
    private val vectors = Vectors("costs")
    private val devices = vectors.cases("devices").associate { it.text("name") to it.costs() }
    private val manifest = Manifest(
        formats = emptyList(),
        network = Network("none", 2),
        tiling = Tiling(16, 4),
        predictor = Predictor("linear"),
        subgraphs = listOf(4, 5, 6, 8).map { Subgraph(it) },
        files = emptyList(),
        tradeOff = TradeOff(
            predictor = TradeOffPoint(5.5, 0.2),
            fixed = LENIENT.decodeFromJsonElement(vectors["fixed"]),
            signal = Signal.ENTROPY,
            binEdges = listOf(0.25, 0.5, 0.75),
            points = LENIENT.decodeFromJsonElement(vectors["points"]),
        ),
        flatTiles = LENIENT.decodeFromJsonElement<List<FlatTiles>>(vectors["flat_tiles"]).single(),
    )

    @Test
    fun `widths are exchanged alike`() {
        for (case in vectors.cases("devices")) {
            val costs = devices.getValue(case.text("name"))
            for ((width, instead) in case.getValue("instead").jsonObject) {
                assertEquals("$instead", "${costs.exchange(width.toInt())}", "$case")
            }
        }
    }

    @Test
    fun `dials are turned alike`() {
        for (case in vectors.cases("requests")) {
            val request = case.getValue("request").jsonObject
            val costs = devices.getValue(case.text("device"))
            val crew = Crew(case.int("tiles"), case.int("workers"))
            val decided = case.getValue("decided")
            if (decided == JsonNull) {
                assertFailsWith<RequestException>("$case") {
                    Router.create(manifest, request.request(), costs, crew)
                }
            } else {
                val router = Router.create(manifest, request.request(), costs, crew)
                check(router, decided.jsonObject, "$case")
            }
        }
    }

    private fun check(router: Router, decided: JsonObject, case: String) {
        val dial = router.dial
        if (dial == null) {
            assertEquals(JsonNull, decided.getValue("positions"), case)
            val widths = listOf(4, 5, 6, 8).map { predicted ->
                router.route(Pixels(16, 16, 3)) { Prediction(listOf(0f, 0f, 0f), 0.5f, predicted) }
            }
            assertEquals(decided.getValue("bit_widths").ints(), widths, case)
            return
        }
        val expected = decided.getValue("positions")
            .let { LENIENT.decodeFromJsonElement<List<OperatingPoint>>(it) }
        assertEquals(expected.map { it.bitWidths }, dial.positions.map { it.bitWidths }, case)
        for ((one, other) in expected.zip(dial.positions)) {
            assertEquals(one.fab, other.fab, 1e-9, case)
            assertEquals(one.lossDb, other.lossDb, 1e-9, case)
        }
        checkBound(dial.bound, decided.getValue("bound") as? JsonObject, case)
    }

    private fun checkBound(found: Bound?, expected: JsonObject?, case: String) {
        if (expected == null) return assertNull(found, case)
        assertEquals(expected.double("largest"), found!!.largest, 1e-9, case)
        val prices = expected.getValue("prices").jsonObject
        assertEquals(prices.keys, found.prices.keys.map { "$it" }.toSet(), case)
        for ((route, price) in prices) {
            val other = found.prices.getValue(route.toInt())
            assertEquals(price.jsonPrimitive.double, other, 1e-9, case)
        }
    }

    @Test
    fun `pictures of statistics keep their time alike`() {
        for (case in vectors.cases("sensed_pictures")) {
            val heads = SensitivityHeads(List(3) { List(9) { 0 } }, listOf(0, 0, 0), 32)
            val steps = PriceSteps(case.getValue("above").ints())
            val rule = SensitivityRule(heads, steps, 0, case.int("flat"))
            val costs = devices.getValue(case.text("device"))
            val dial = TimeDial(costs, case.double("seconds"))
            // An error of 0 in all tiles is one of 0 in the picture.
            val tiles = case.getValue("tiles").jsonArray.map { tile ->
                tile.ints().let { (noise, interpolation) -> Sensitivity(noise, 0, interpolation) }
            }
            val picture = TimedPicture(rule, dial, tiles.size, interpolates = true)
            val routes = tiles.chunked(case.int("band")).flatMap { band ->
                picture.read(band)
                picture.decide(band)
            }
            assertEquals(case.getValue("routes").ints(), routes, case.text("name"))
        }
    }
}
