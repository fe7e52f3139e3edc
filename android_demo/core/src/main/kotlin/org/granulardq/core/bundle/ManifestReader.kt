package org.granulardq.core.bundle

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.granulardq.core.BundleException

private val JSON = Json { ignoreUnknownKeys = true } // the schema has refused them before

/** Of bundles with one network. */
private const val VERSION = 4

/** Of bundles with two, which only the Python runtime routes between yet. */
private const val VERSION_OF_TWO_NETWORKS = 5

private val SCHEMA: JsonObject by lazy {
    val stream = Manifest::class.java.getResourceAsStream("/manifest.schema.json")
    JSON.parseToJsonElement(checkNotNull(stream).use { it.readBytes().decodeToString() }).jsonObject
}

/**
 * Reads a manifest, which a stranger may have written.
 *
 * @throws BundleException it has another version, is not valid, or contradicts itself.
 */
fun readManifest(text: String): Manifest {
    val document = parse(text)
    checkVersion(document)
    JsonSchema(SCHEMA).complaint(document)?.let { throw invalid(it) }
    val manifest = try {
        JSON.decodeFromJsonElement(Manifest.serializer(), document)
    } catch (error: SerializationException) { // a whole number beyond its type
        throw invalid(error.message.orEmpty().lineSequence().first(), error)
    }
    checkConsistency(manifest)
    return manifest
}

private fun parse(text: String): JsonElement =
    try {
        JSON.parseToJsonElement(text)
    } catch (error: SerializationException) {
        throw invalid("it is no JSON", error)
    }

private fun invalid(why: String, cause: Throwable? = null) =
    BundleException("the bundle's manifest is not valid: $why", cause)

private fun checkVersion(document: JsonElement) {
    val version = ((document as? JsonObject)?.get("schema_version") as? JsonPrimitive)?.intOrNull
        ?: throw invalid("it has no schema_version")
    if (version == VERSION_OF_TWO_NETWORKS) {
        throw BundleException(
            "the bundle holds two networks, and this runtime routes between the widths of one: " +
                "take the bundle in its folder small, or export without --with",
        )
    }
    if (version > VERSION) {
        throw BundleException(
            "the bundle has schema version $version and was made by a newer version of " +
                "gdq-export; this runtime reads $VERSION: update it",
        )
    }
    if (version != VERSION) {
        throw BundleException(
            "the bundle has schema version $version, but this runtime reads $VERSION: " +
                "export the checkpoint again",
        )
    }
}

/** What no schema can say: how the parts of a manifest fit together. */
private fun checkConsistency(manifest: Manifest) {
    fun refuseIf(isWrong: Boolean, why: () -> String) {
        if (isWrong) throw invalid(why())
    }
    val (size, overlap) = manifest.tiling
    refuseIf(size % 4 != 0) { "the tile size must be a multiple of 4" }
    refuseIf(overlap * 2 > size) { "the overlap must be at most half of the tile" }
    for (file in manifest.files) {
        refuseIf(!staysInside(file.path)) { "path ${file.path} leaves the folder" }
    }
    val listed = manifest.files.map { it.path }.toSet()
    refuseIf(listed.size != manifest.files.size) { "a file is listed twice" }
    val widths = manifest.bitWidths
    refuseIf(widths.distinct().size != widths.size) { "a bit-width has two subgraphs" }
    checkPredictor(manifest.predictor, ::refuseIf)
    manifest.tradeOff?.let { checkTradeOff(it, manifest, ::refuseIf) }
    val used = graphFiles(manifest, ::refuseIf) + goldenFiles(manifest)
    refuseIf(!listed.containsAll(used)) {
        "${(used - listed).min()} is used but not listed under files"
    }
}

private fun checkPredictor(predictor: Predictor, refuseIf: (Boolean, () -> String) -> Unit) {
    val hasGate = predictor.gateBitWidths != null && predictor.e2b != null
    val isStatistics = predictor.gate == "statistics"
    refuseIf(hasGate == isStatistics || (predictor.sensitivity != null) != isStatistics) {
        "a gate has gate_bit_widths and e2b, statistics have sensitivity, and neither both"
    }
    predictor.e2b?.thresholds?.let { (low, high) ->
        refuseIf(low > high) { "thresholds must not decrease" }
    }
    predictor.sensitivity?.rule() // refuses what cannot decide
}

private fun checkTradeOff(
    tradeOff: TradeOff, manifest: Manifest, refuseIf: (Boolean, () -> String) -> Unit,
) {
    val isGate = manifest.predictor.gate != "statistics"
    val hasSignal = tradeOff.signal != null
    val signs = listOf(hasSignal, tradeOff.points.isNotEmpty(), tradeOff.prices.isEmpty())
    refuseIf(signs.any { it != isGate }) { "the trade-off is that of another kind of predictor" }
    refuseIf(tradeOff.prices.zipWithNext().any { (a, b) -> a.fab > b.fab || a.price <= b.price }) {
        "prices must fall as FAB rises"
    }
    refuseIf(tradeOff.binEdges.zipWithNext().any { (a, b) -> b <= a }) { "bin edges must ascend" }
    refuseIf(tradeOff.points.any { it.bitWidths.size != tradeOff.binEdges.size + 1 }) {
        "every point needs a bit-width for each bin"
    }
    val pairs = tradeOff.points.zipWithNext()
    refuseIf(pairs.any { (a, b) -> a.fab >= b.fab || a.lossDb <= b.lossDb }) {
        "points must ascend in FAB and descend in loss"
    }
    val missing = tradeOff.points.flatMap { it.bitWidths } - manifest.bitWidths.toSet()
    refuseIf(missing.isNotEmpty()) {
        "the trade-off uses ${missing.first()} bits, which have no subgraph"
    }
}

/** The files of all graphs; each graph must exist in exactly the listed formats. */
private fun graphFiles(
    manifest: Manifest, refuseIf: (Boolean, () -> String) -> Unit,
): Set<String> {
    val graphs = manifest.subgraphs.map { Triple(it.onnx, it.tflite?.file, it.engine) } +
        manifest.predictor.run { Triple(onnx, tflite?.file, engine) }
    val files = graphs.map { (onnx, tflite, engine) ->
        mapOf(Format.ONNX to onnx, Format.TFLITE to tflite, Format.ENGINE to engine)
            .filterValues { it != null }
    }
    refuseIf(files.any { it.keys != manifest.formats.toSet() }) {
        "a graph does not exist in exactly the formats of the bundle"
    }
    return files.flatMap { it.values.filterNotNull() }.toSet()
}

private fun goldenFiles(manifest: Manifest): Set<String> =
    manifest.golden.flatMap { golden ->
        if (golden.outputs.keys != manifest.agreement.keys) {
            throw invalid("a golden tile has outputs in other formats than there are bounds for")
        }
        golden.outputs.values.flatMap { it.values } + golden.tile
    }.toSet()

/** Whether a path is relative, with forward slashes, and cannot leave the bundle's folder. */
internal fun staysInside(path: String): Boolean =
    path.isNotEmpty() && !path.startsWith("/") && '\\' !in path && ':' !in path &&
        '\u0000' !in path && ".." !in path.split("/")
