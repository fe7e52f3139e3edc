package org.granulardq.core

import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.double
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.int
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.granulardq.core.engines.Costs
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.routing.FlatTilesChoice
import org.granulardq.core.routing.Request
import org.granulardq.core.tiles.Policy

/** Reads tests/vectors, the files that pytest runs, too (README.md there says what is in them). */
class Vectors(subject: String) {
    private val root =
        Json.parseToJsonElement(File(System.getProperty("gdq.vectors"), "$subject.json").readText())

    fun cases(key: String): List<JsonObject> = root.jsonObject.getValue(key).objects()

    operator fun get(key: String): JsonElement = root.jsonObject.getValue(key)
}

val LENIENT = Json { ignoreUnknownKeys = true }

fun JsonElement.objects(): List<JsonObject> = jsonArray.map { it.jsonObject }

fun JsonElement.ints(): List<Int> = jsonArray.map { it.jsonPrimitive.int }

fun JsonElement.doubles(): List<Double> = jsonArray.map { it.jsonPrimitive.double }

/** null for null. */
fun JsonElement.arrayOrNull(): JsonArray? = this as? JsonArray

fun JsonObject.int(key: String): Int = getValue(key).jsonPrimitive.int

fun JsonObject.double(key: String): Double = getValue(key).jsonPrimitive.double

fun JsonObject.doubleOrNull(key: String): Double? = get(key)?.jsonPrimitive?.doubleOrNull

fun JsonObject.text(key: String): String = getValue(key).jsonPrimitive.content

fun JsonObject.isNull(key: String): Boolean = getValue(key) == JsonNull

/** (height, width, channels) -> pixels. */
fun JsonElement.pixels(): Pixels {
    val rows = jsonArray.map { row -> row.jsonArray.map { it.ints() } }
    val samples = rows.flatten().flatten().map { it.toByte() }.toByteArray()
    return Pixels(rows.size, rows[0].size, rows[0][0].size, samples)
}

fun Pixels.levels(): List<Int> = data.take(height * stride).map { it.toInt() and 0xff }

/** A request as the vectors write it; keys that are missing have their defaults. */
fun JsonObject.request(): Request = Request(
    bits = get("bits")?.jsonPrimitive?.intOrNull, // null for "auto"
    fab = doubleOrNull("fab"),
    maxLoss = doubleOrNull("max_loss"),
    flatTiles = wordOrNull("flat_tiles")?.let(FlatTilesChoice::valueOf),
    policy = wordOrNull("policy")?.let(Policy::valueOf) ?: Policy.UNIFORM,
    speed = doubleOrNull("speed"),
    maxSeconds = doubleOrNull("max_seconds"),
    fabCap = doubleOrNull("fab_cap"),
)

private fun JsonObject.wordOrNull(key: String): String? =
    get(key)?.jsonPrimitive?.contentOrNull?.uppercase()

/** Costs as the vectors write them: seconds by route, and the predictor's. */
fun JsonObject.costs(): Costs = Costs(
    getValue("seconds").jsonObject.entries
        .associate { (route, seconds) -> route.toInt() to seconds.jsonPrimitive.double },
    double("predict"),
)
