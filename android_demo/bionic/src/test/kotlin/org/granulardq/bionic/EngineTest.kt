package org.granulardq.bionic

import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.TestInstance

/** A tile, and what the same sources made of it on arm64 Linux (tests/android/bionic). */
@Serializable
data class Case(
    val model: String,
    val isa: String,
    val height: Int,
    val width: Int,
    val tile: String,
    val predictor: List<Int>,
    val pictures: Map<Int, String>,
)

@Serializable
data class Cases(val hwcap: Long, val cases: List<Case>)

private fun folder(key: String) = File(System.getProperty(key))

/** The libraries for phones, on the real C library of Android. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EngineTest {
    private val expected = folder("gdq.bionic.expected")
    private val all = Json.decodeFromString<Cases>(File(expected, "cases.json").readText())

    private fun <T> onPhone(use: (Face) -> T): T =
        Phone(all.hwcap).use { use(Face(it, folder("gdq.bionic.libraries"))) }

    @TestFactory
    fun `tiles are equal to those of arm64 Linux, bit for bit`(): List<DynamicTest> =
        all.cases.map { case ->
            DynamicTest.dynamicTest("${case.isa}, ${case.height} x ${case.width}, ${case.model}") {
                onPhone { check(it, case) { bits -> read(case.pictures.getValue(bits)) } }
            }
        }

    @Test
    fun `all instruction sets are compared`() {
        assertEquals(setOf("dotprod", "neon", "scalar"), all.cases.map { it.isa }.toSet())
        for (case in all.cases) assertEquals(setOf(4, 5, 6, 8), case.pictures.keys)
    }

    @Test
    fun `a flipped bit is noticed`() {
        val case = all.cases.first()
        val flipped = { bits: Int ->
            read(case.pictures.getValue(bits)).also { it[100] = (it[100].toInt() xor 1).toByte() }
        }
        val failure = assertFailsWith<AssertionError> { onPhone { check(it, case, flipped) } }
        assertTrue("1 of" in failure.message.orEmpty(), failure.message)
    }

    @Test
    fun `a damaged model is refused with a sentence`() = onPhone { face ->
        assertEquals(0L, face.parse(ByteArray(100), "neon"))
        assertTrue(face.lastError.isNotEmpty())
    }

    @Test
    fun `a processor without dot products is told so`() {
        Phone(0).use { phone ->
            val face = Face(phone, folder("gdq.bionic.libraries"))
            assertEquals(0L, face.parse(File(all.cases.first().model).readBytes(), "dotprod"))
            assertTrue("dotprod" in face.lastError, face.lastError)
        }
    }

    private fun read(name: String): ByteArray = File(expected, name).readBytes()

    private fun check(face: Face, case: Case, expected: (Int) -> ByteArray) {
        val model = face.parse(File(case.model).readBytes(), case.isa)
        check(model != 0L) { face.lastError }
        assertEquals(case.isa, face.isa(model))
        val runner = face.createRunner(model, case.height, case.width)
        check(runner != 0L) { face.lastError }
        val tile = read(case.tile)
        assertEquals(case.predictor, face.ask(model, runner, tile))
        for (bits in case.pictures.keys) {
            val wanted = expected(bits)
            val found = face.run(runner, bits, tile, wanted.size)
            assertEquals(wanted.size, tile.size * face.scale(model) * face.scale(model))
            val differ = wanted.indices.count { wanted[it] != found[it] }
            assertEquals(0, differ, "$differ of ${wanted.size} samples differ at $bits bits")
        }
        face.free(model, runner)
    }
}
