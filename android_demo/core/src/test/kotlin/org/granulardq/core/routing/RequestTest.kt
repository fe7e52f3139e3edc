package org.granulardq.core.routing

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import org.granulardq.core.RequestException
import org.granulardq.core.tiles.Policy

class RequestTest {
    @Test
    fun `contradictions are refused`() {
        val contradictions: List<() -> Request> = listOf(
            { Request(bits = 7) },
            { Request(fab = Double.NaN) },
            { Request(maxLoss = -0.1) },
            { Request(speed = 0.9) },
            { Request(bits = 4, fab = 5.0) },
            { Request(speed = 2.0, policy = Policy.PAPER) },
            { Request(fabCap = 3.9) },
            { Request(fabCap = 5.0, bits = 4) },
            { Request(fabCap = 5.0, fab = 6.0) },
            { Request(fabCap = 5.0, speed = 2.0) },
        )
        for (contradiction in contradictions) assertFailsWith<RequestException> { contradiction() }
    }

    @Test
    fun `the sentence says what is allowed`() {
        val error = assertFailsWith<RequestException> { Request(bits = 7) }
        assertEquals("bits must be one of 4, 5, 6, 8, not 7", error.message)
    }
}
