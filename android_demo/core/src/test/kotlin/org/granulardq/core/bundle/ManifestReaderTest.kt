package org.granulardq.core.bundle

import kotlin.test.Test
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.granulardq.core.BundleException
import org.granulardq.core.Expected

class ManifestReaderTest {
    private fun manifest(bundle: String): JsonElement =
        Json.parseToJsonElement(Expected.file("$bundle/manifest.json").readText())

    /** The manifest with another value, as JSON, in the place of dotted [keys]; "" removes it. */
    private fun change(element: JsonElement, keys: List<String>, to: String): JsonElement {
        if (keys.isEmpty()) return Json.parseToJsonElement(to)
        val (key, rest) = keys.first() to keys.drop(1)
        if (element is JsonArray) {
            return JsonArray(
                element.mapIndexed { n, held -> if ("$n" == key) change(held, rest, to) else held },
            )
        }
        val held = element.jsonObject
        return JsonObject(
            if (rest.isEmpty() && to.isEmpty()) held - key
            else held + (key to change(held[key] ?: JsonObject(emptyMap()), rest, to)),
        )
    }

    private fun refusal(bundle: String, keys: String, to: String): String {
        val text = change(manifest(bundle), keys.split("."), to).toString()
        return assertFailsWith<BundleException>("$keys to $to") { readManifest(text) }.message
    }

    @Test
    fun `manifests that were sealed are read`() {
        for (bundle in listOf("zoo", "tiny")) readManifest(manifest(bundle).toString())
    }

    @Test
    fun `what the schema forbids is refused, with the field's name`() {
        val cases = listOf(
            Triple("novelty", "1", "unknown key novelty"),
            Triple("network.scale", "9", "network.scale: 9 is beyond maximum 8"),
            Triple("network.scale", "\"2\"", "network.scale: must be of type integer"),
            Triple("network.scale", "2.5", "network.scale: must be of type integer"),
            Triple("network.scale", "", "field network: lacks scale"),
            Triple("network.name", "null", "network.name: must be of type string"),
            Triple("tiling.size", "12", "tiling.size: 12 is beyond minimum 16"),
            Triple("tiling.size", "NaN", "field tiling.size: "),
            Triple("subgraphs.0.bit_width", "7", "subgraphs.0.bit_width: must be one of"),
            Triple("files.0.sha256", "\"0\"", "files.0.sha256: must match"),
            Triple("files.0.size", "1e999", "files.0.size: must be of type integer"),
            Triple("formats", "[]", "formats: 0 is beyond minItems 1"),
            Triple("formats.0", "\"zip\"", "formats.0: must be one of"),
            Triple("agreement.zip", """[{"levels": 1, "share": 0}]""", "zip: must be one of"),
            Triple("golden.0.outputs", "{}", "golden.0.outputs: 0 is beyond minProperties 1"),
            Triple("predictor.e2b.thresholds", "[1, 2, 3]", "thresholds: 3 is beyond maxItems 2"),
        )
        for ((keys, to, why) in cases) {
            val message = refusal("tiny", keys, to)
            assertTrue(why in message, "$keys to $to: $message")
        }
    }

    @Test
    fun `parts that do not fit together are refused`() {
        val entry = manifest("tiny").jsonObject.getValue("files").jsonArray[0].toString()
        val cases = listOf(
            Triple("tiling.size", "18", "multiple of 4"),
            Triple("tiling.overlap", "17", "at most half"),
            Triple("files.0", entry.replace("\"path\":\"", "\"path\":\"../"), "leaves the folder"),
            Triple("files.0.path", "\"other\"", "is used but not listed"),
            Triple("files.1", entry, "listed twice"),
            Triple("subgraphs.0.bit_width", "8", "two subgraphs"),
            Triple("subgraphs.0.engine", "null", "exactly the formats"),
            Triple("predictor.e2b", "null", "neither both"),
            Triple("predictor.e2b.thresholds", "[2, 1]", "must not decrease"),
            Triple("trade_off.bin_edges", "[2, 1]", "must ascend"),
            Triple("agreement", "{}", "other formats than there are bounds for"),
        )
        for ((keys, to, why) in cases) {
            val message = refusal("tiny", keys, to)
            assertTrue(why in message, "$keys to $to: $message")
        }
        assertTrue("must not descend" in refusal("zoo", "predictor.sensitivity.steps", "[3, 2, 1]"))
        assertTrue("another kind" in refusal("zoo", "trade_off.signal", "\"entropy\""))
    }

    @Test
    fun `a newer version is told from a broken one`() {
        assertTrue("made by a newer version" in refusal("tiny", "schema_version", "99"))
        assertTrue("export the checkpoint again" in refusal("tiny", "schema_version", "1"))
        assertTrue("holds two networks" in refusal("tiny", "schema_version", "5"))
        val nested = "[".repeat(100_000)
        val broken = listOf("", "[]", "{", "null", nested, """{"schema_version": true}""")
        for (text in broken) assertFailsWith<BundleException>(text.take(20)) { readManifest(text) }
    }
}
