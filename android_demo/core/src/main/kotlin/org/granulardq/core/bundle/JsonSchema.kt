package org.granulardq.core.bundle

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

/** Keywords that say nothing about what is valid. */
private val REMARKS = setOf("\$schema", "\$defs", "title", "description", "default")

private val BOUNDS = setOf(
    "minItems", "maxItems", "minProperties", "minLength", "maxLength",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
)

/** A number as JSON writes it; Kotlin's parser also takes words. */
private val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")
private val INTEGER = Regex("-?(0|[1-9][0-9]*)")

/**
 * Those parts of JSON Schema (2020-12) that the manifest's schema uses.
 *
 * So there is one place that knows keys, types and ranges: `manifest.schema.json` of the Python
 * runtime, which is compiled into this one. A keyword that is not known here is an error of ours.
 */
class JsonSchema(private val root: JsonObject) {
    /** Returns what is wrong with a document, as one sentence; null if it is valid. */
    fun complaint(document: JsonElement): String? = complaint(root, document, "")

    private fun complaint(schema: JsonObject, value: JsonElement, place: String): String? =
        schema.entries.firstNotNullOfOrNull { (keyword, rule) ->
            if (keyword in REMARKS) null else complaint(schema, keyword, rule, value, place)
        }

    private fun complaint(
        schema: JsonObject, keyword: String, rule: JsonElement, value: JsonElement, place: String,
    ): String? {
        fun unless(isMet: Boolean, what: () -> String) =
            if (isMet) null else "field ${place.ifEmpty { "of the top" }}: ${what()}"
        return when (keyword) {
            "\$ref" -> complaint(definition(rule), value, place)
            "anyOf" -> {
                val all = rule.jsonArray.map { complaint(it.jsonObject, value, place) }
                if (all.any { it == null }) null else all.first()
            }
            "type" -> unless(isOfType(value, text(rule))) { "must be of type ${text(rule)}" }
            "const" -> unless(value == rule) { "must be $rule" }
            "enum" -> unless(value in rule.jsonArray) {
                "must be one of ${rule.jsonArray.joinToString()}"
            }
            "properties" -> (value as? JsonObject)?.firstNotNullOfOrNull { (key, held) ->
                rule.jsonObject[key]?.let { complaint(it.jsonObject, held, join(place, key)) }
            }
            "required" -> rule.jsonArray.map(::text).firstNotNullOfOrNull { key ->
                unless(value !is JsonObject || key in value) { "lacks $key" }
            }
            "additionalProperties" -> (value as? JsonObject)?.firstNotNullOfOrNull { (key, held) ->
                val isNamed = key in (schema["properties"]?.jsonObject ?: emptyMap())
                when {
                    isNamed -> null
                    rule is JsonObject -> complaint(rule, held, join(place, key))
                    else -> unless(false) { "has the unknown key $key" }
                }
            }
            "propertyNames" -> (value as? JsonObject)?.keys?.firstNotNullOfOrNull { key ->
                complaint(rule.jsonObject, JsonPrimitive(key), join(place, key))
            }
            "items" -> (value as? JsonArray)?.withIndex()?.firstNotNullOfOrNull { (n, item) ->
                complaint(rule.jsonObject, item, join(place, "$n"))
            }
            "pattern" -> {
                val isMet = !isText(value) || Regex(text(rule)).containsMatchIn(text(value))
                unless(isMet) { "must match ${text(rule)}" }
            }
            in BOUNDS -> measure(keyword, value)?.let { found ->
                unless(isWithin(keyword, found, text(rule).toDouble())) {
                    "${found.toString().removeSuffix(".0")} is beyond $keyword $rule"
                }
            }
            else -> error("the manifest's schema has $keyword, which this reader does not know")
        }
    }

    private fun definition(reference: JsonElement): JsonObject =
        root.getValue("\$defs").jsonObject
            .getValue(text(reference).removePrefix("#/\$defs/")).jsonObject
}

private fun join(place: String, key: String) = if (place.isEmpty()) key else "$place.$key"

private fun text(value: JsonElement): String = value.jsonPrimitive.content

private fun isText(value: JsonElement) = value is JsonPrimitive && value.isString

/** What a bound is about; null if the value has nothing of that kind. */
private fun measure(keyword: String, value: JsonElement): Double? =
    when {
        keyword.endsWith("Items") -> (value as? JsonArray)?.size?.toDouble()
        keyword.endsWith("Properties") -> (value as? JsonObject)?.size?.toDouble()
        keyword.endsWith("Length") -> (value as? JsonPrimitive)?.takeIf { it.isString }?.content
            ?.let { it.codePointCount(0, it.length).toDouble() }
        else -> (value as? JsonPrimitive)?.takeIf { !it.isString }?.doubleOrNull
    }

private fun isWithin(keyword: String, found: Double, limit: Double): Boolean =
    when {
        keyword == "exclusiveMinimum" -> found > limit
        keyword == "exclusiveMaximum" -> found < limit
        keyword.startsWith("min") -> found >= limit
        else -> found <= limit
    }

private fun isOfType(value: JsonElement, type: String): Boolean {
    val bare = (value as? JsonPrimitive)?.takeIf { !it.isString && it !is JsonNull }?.content
    return when (type) {
        "object" -> value is JsonObject
        "array" -> value is JsonArray
        "null" -> value is JsonNull
        "string" -> isText(value)
        "boolean" -> bare == "true" || bare == "false"
        "integer" -> bare != null && INTEGER.matches(bare)
        "number" -> bare != null && NUMBER.matches(bare) && bare.toDouble().isFinite()
        else -> error("the manifest's schema has the type $type, which this reader does not know")
    }
}
