package org.granulardq.core.bundle

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import org.granulardq.core.BundleException
import org.granulardq.core.sensitivity.PriceSteps
import org.granulardq.core.sensitivity.SensitivityHeads
import org.granulardq.core.sensitivity.SensitivityRule

/*
 * What this runtime reads of a manifest (docs/bundle.md); the keys that it needs no value of are
 * checked by the schema and then passed over. Names are those of the Python runtime.
 */

/** A format in which graphs are written; a bundle has all its graphs in each of its formats. */
@Serializable
enum class Format {
    @SerialName("onnx")
    ONNX,

    @SerialName("tflite")
    TFLITE,

    @SerialName("engine")
    ENGINE,
}

/** One file of the bundle, as it was when sealed; [path] has forward slashes. */
@Serializable
data class FileEntry(val path: String, val size: Long, val sha256: String)

/** A graph inside a TFLite file, which holds several. */
@Serializable
data class TfliteGraph(val file: String, val signature: String)

/** An input or output of a graph. */
@Serializable
data class Tensor(val name: String)

/** The network at one activation bit-width; each place is null if it is not in that format. */
@Serializable
data class Subgraph(
    @SerialName("bit_width") val bitWidth: Int,
    val onnx: String? = null,
    val tflite: TfliteGraph? = null,
    val engine: String? = null,
    val inputs: List<Tensor> = emptyList(),
    val outputs: List<Tensor> = emptyList(),
)

/** Integer heads on a tile's nine statistics, and what decides by them. */
@Serializable
data class HeadsEntry(
    val side: Int,
    val weights: List<List<Int>>,
    val biases: List<Int>,
    val steps: List<Int>,
    val price: Int,
    val flat: Int,
) {
    /** Returns what decides by it. */
    fun rule(): SensitivityRule =
        SensitivityRule(SensitivityHeads(weights, biases, side), PriceSteps(steps), price, flat)
}

/** Tile -> what decides its bit-width; [sensitivity] is null of a gate. */
@Serializable
data class Predictor(
    val gate: String,
    val onnx: String? = null,
    val tflite: TfliteGraph? = null,
    val engine: String? = null,
    @SerialName("gate_bit_widths") val gateBitWidths: List<Int>? = null,
    val e2b: E2b? = null,
    val sensitivity: HeadsEntry? = null,
    val inputs: List<Tensor> = emptyList(),
    val outputs: List<Tensor> = emptyList(),
)

/** Entropy-to-bit rule for tiles to which the gate gave the largest width. */
@Serializable
data class E2b(val thresholds: List<Double>, @SerialName("bit_widths") val bitWidths: List<Int>)

/** What was exported. */
@Serializable
data class Network(val name: String, val scale: Int)

/** How a picture is cut, in low-resolution pixels. */
@Serializable
data class Tiling(val size: Int, val overlap: Int)

/** What the dial of a gate can tell tiles apart by. */
@Serializable
enum class Signal {
    @SerialName("gate_margin")
    GATE_MARGIN,

    @SerialName("entropy")
    ENTROPY,
}

/** What a choice of bit-widths costs in bits and loses in dB, on average over the calibration. */
@Serializable
data class TradeOffPoint(val fab: Double, @SerialName("loss_db") val lossDb: Double)

/** One position of the bit budget dial: a bit-width for each bin. */
@Serializable
data class OperatingPoint(
    val fab: Double,
    @SerialName("loss_db") val lossDb: Double,
    @SerialName("bit_widths") val bitWidths: List<Int>,
)

/** One position of the dial of statistics. */
@Serializable
data class PricePoint(val fab: Double, @SerialName("loss_db") val lossDb: Double, val price: Int)

/** The bit budget dial: of a gate a signal in bins and [points], of statistics [prices]. */
@Serializable
data class TradeOff(
    val predictor: TradeOffPoint,
    val fixed: List<TradeOffPoint>,
    val signal: Signal? = null,
    @SerialName("bin_edges") val binEdges: List<Double> = emptyList(),
    val points: List<OperatingPoint> = emptyList(),
    val prices: List<PricePoint> = emptyList(),
)

/** Tiles that need no network; [largestGradient] is null of statistics, which have a head. */
@Serializable
data class FlatTiles(
    @SerialName("loss_db") val lossDb: Double,
    @SerialName("largest_gradient") val largestGradient: Double? = null,
    val share: Double = 0.0,
)

/** A tile with its expected results; [outputs]: format -> bit-width -> file. */
@Serializable
data class GoldenTile(
    val tile: String,
    val outputs: Map<Format, Map<String, String>>,
    val logits: List<Float>? = null,
    val entropy: Float? = null,
    @SerialName("bit_width") val bitWidth: Int? = null,
    val sensitivity: List<Int>? = null,
)

/** How close pictures must be to expected ones: at most [share] of the samples further apart. */
@Serializable
data class AgreementBound(val levels: Int, val share: Double)

/** Everything that a runtime must know about a bundle. */
@Serializable
data class Manifest(
    val formats: List<Format>,
    val network: Network,
    val tiling: Tiling,
    val predictor: Predictor,
    val subgraphs: List<Subgraph>,
    val files: List<FileEntry>,
    @SerialName("trade_off") val tradeOff: TradeOff? = null,
    @SerialName("flat_tiles") val flatTiles: FlatTiles? = null,
    val golden: List<GoldenTile> = emptyList(),
    val agreement: Map<Format, List<AgreementBound>> = emptyMap(),
) {
    /** Bit-widths that have a subgraph, ascending. */
    val bitWidths: List<Int> get() = subgraphs.map { it.bitWidth }.sorted()

    /**
     * Returns the network at one bit-width.
     *
     * @throws BundleException the bundle has no such subgraph.
     */
    fun subgraph(bitWidth: Int): Subgraph =
        subgraphs.find { it.bitWidth == bitWidth } ?: throw BundleException(
            "the bundle has no subgraph of $bitWidth bits; it has ${bitWidths.joinToString()}",
        )
}
