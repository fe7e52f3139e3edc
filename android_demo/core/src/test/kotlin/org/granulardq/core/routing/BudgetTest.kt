package org.granulardq.core.routing

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.decodeFromJsonElement
import kotlinx.serialization.json.double
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.granulardq.core.LENIENT
import org.granulardq.core.Vectors
import org.granulardq.core.bundle.OperatingPoint
import org.granulardq.core.double
import org.granulardq.core.int
import org.granulardq.core.ints

class BudgetTest {
    private val vectors = Vectors("budget")
    private val points = LENIENT.decodeFromJsonElement<List<OperatingPoint>>(vectors["points"])

    @Test
    fun `spends as much`() {
        for (case in vectors.cases("pictures")) check(case, Bound.ofBits(case.double("fab")))
    }

    @Test
    fun `spends as much time`() {
        for (case in vectors.cases("timed_pictures")) {
            val prices = case.getValue("prices").jsonObject.entries
                .associate { (route, price) -> route.toInt() to price.jsonPrimitive.double }
            check(case, Bound(case.double("largest"), prices))
        }
    }

    private fun check(case: JsonObject, bound: Bound) {
        val budget = Budget(points.take(case.int("best") + 1), bound)
        val found = case.getValue("bands").jsonArray.map { band ->
            budget.spend(band.jsonArray.map { it.jsonPrimitive.intOrNull })
        }
        assertEquals(case.getValue("bit_widths").jsonArray.map { it.ints() }, found, "$case")
    }
}
