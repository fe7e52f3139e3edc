package org.granulardq.core

import kotlin.test.Test
import kotlin.test.assertEquals

class InterpolationTest {
    @Test
    fun `interpolates exactly`() {
        for (case in Vectors("interpolation").cases("tiles")) {
            val found = interpolate(case.getValue("tile").pixels(), case.int("scale"))
            assertEquals(case.getValue("result").pixels().levels(), found.levels())
        }
    }
}
