package org.granulardq.android.engines

import ai.onnxruntime.OnnxJavaType
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import ai.onnxruntime.OrtException
import ai.onnxruntime.OrtSession
import java.io.File
import java.nio.ByteBuffer
import org.granulardq.core.EngineException
import org.granulardq.core.bundle.Bundle
import org.granulardq.core.bundle.Format
import org.granulardq.core.bundle.Tensor
import org.granulardq.core.engines.Engine
import org.granulardq.core.engines.Prediction
import org.granulardq.core.pictures.COLOURS
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.sensitivity.Sensitivity

/** What ONNX Runtime is asked to run on. */
enum class OnnxAccelerator {
    CPU,

    /**
     * Android's drivers, which Android 15 deprecates; what they do not take runs on the CPU.
     * Tiles must have the bundle's size.
     */
    NNAPI,
}

private val BIT_WIDTHS = setOf(4, 5, 6, 8)
private val IS_X86 = System.getProperty("os.arch") in setOf("amd64", "x86_64", "i686")

/**
 * ONNX Runtime on a bundle's ONNX graphs, one thread per call; all threads share the sessions.
 *
 * The app brings the library (`com.microsoft.onnxruntime:onnxruntime-android`). Graphs are opened
 * when they are first needed, from bytes if their weights are embedded.
 *
 * @param accelerator that is tried first; the CPU takes its place if it refuses.
 * @throws org.granulardq.core.BundleException the bundle has no ONNX graphs.
 * @throws EngineException the library is missing or refuses a graph.
 */
class OnnxRuntimeEngine @JvmOverloads constructor(
    private val bundle: Bundle,
    accelerator: OnnxAccelerator = OnnxAccelerator.CPU,
) : Engine {
    override val name: String = "onnxruntime"
    override val acceleratorAsked: String = accelerator.name
    override var fallback: String? = null
        private set

    private val manifest = bundle.manifest
    private val scale = manifest.network.scale
    private val environment: OrtEnvironment
    private val sessions = mutableMapOf<String, OrtSession>()
    private var used = accelerator

    init {
        bundle.require(Format.ONNX, name)
        environment = environment()
        val refusal = if (accelerator == OnnxAccelerator.NNAPI) tryNnapi() else null
        if (refusal != null) {
            used = OnnxAccelerator.CPU
            fallback = "NNAPI is not used, but the CPU: $refusal"
        }
        try {
            session(graphOf(manifest.bitWidths.first()))
        } catch (error: EngineException) {
            close()
            throw error
        }
    }

    override val acceleratorUsed: String
        get() = if (used == OnnxAccelerator.CPU) "CPU" else "NNAPI, the CPU for the rest"

    override fun predict(tile: Pixels): Prediction {
        val place = predictorPlace()
        val (logits, entropy, bitWidth) = call(place, manifest.predictor.outputs, 3, tile) { read ->
            Triple(read(0).floats(place, 3), read(1).floats(place, 1)[0], read(2).longs(place, 1)[0])
        }
        if (bitWidth.toInt() !in BIT_WIDTHS) {
            throw EngineException("$place predicts $bitWidth bits, not 4, 5, 6 or 8")
        }
        return Prediction(logits.toList(), entropy, bitWidth.toInt())
    }

    override fun sense(tile: Pixels): Sensitivity {
        val place = predictorPlace()
        val heads = call(place, manifest.predictor.outputs, 1, tile) { it(0).longs(place, 3) }
        return Sensitivity(heads[0].toInt(), heads[1].toInt(), heads[2].toInt())
    }

    override fun run(bitWidth: Int, tile: Pixels): Pixels {
        val place = graphOf(bitWidth)
        val picture = Pixels(tile.height * scale, tile.width * scale, COLOURS)
        call(place, manifest.subgraph(bitWidth).outputs, 1, tile) { read ->
            val bytes = read(0).bytes(place, picture.data.size)
            bytes.get(picture.data)
        }
        return picture
    }

    override fun close() {
        sessions.values.forEach(OrtSession::close)
        sessions.clear()
    }

    /** Returns why it cannot be used; opens nothing but the subgraph of the fewest bits. */
    private fun tryNnapi(): String? {
        if (!isEmbedded()) {
            return "it takes no weights from a file beside the graphs, " +
                "so export with --onnx-embed-weights"
        }
        return try {
            session(graphOf(manifest.bitWidths.first()))
            null
        } catch (error: EngineException) {
            error.message
        }
    }

    private fun graphOf(bitWidth: Int): String = checkNotNull(manifest.subgraph(bitWidth).onnx)

    private fun predictorPlace(): String = checkNotNull(manifest.predictor.onnx)

    private fun isEmbedded(): Boolean {
        val graphs = manifest.subgraphs.mapNotNull { it.onnx } + listOfNotNull(predictorPlace())
        return manifest.files.none { it.path.startsWith("onnx/") && it.path !in graphs }
    }

    private fun session(place: String): OrtSession = synchronized(sessions) {
        sessions.getOrPut(place) {
            told(place) { options().use { open(place, it) } }
        }
    }

    private fun open(place: String, options: OrtSession.SessionOptions): OrtSession =
        if (isEmbedded()) {
            environment.createSession(bundle.map(place), options)
        } else {
            environment.createSession(File(bundle.folder, place).path, options)
        }

    private fun options() = OrtSession.SessionOptions().apply {
        setIntraOpNumThreads(1)
        setInterOpNumThreads(1)
        // x86 without VNNI would saturate sums of products; which one it is, Java does not tell.
        addConfigEntry("session.x64quantprecision", if (IS_X86) "1" else "0")
        if (used == OnnxAccelerator.NNAPI) {
            addNnapi()
            // NNAPI compiles for one size only.
            val size = manifest.tiling.size.toLong()
            for (side in listOf("height", "width")) setSymbolicDimensionValue(side, size)
        }
    }

    private fun <T> call(
        place: String,
        outputs: List<Tensor>,
        count: Int,
        tile: Pixels,
        read: ((Int) -> OnnxTensor) -> T,
    ): T {
        if (outputs.size != count) {
            throw EngineException("the manifest lists ${outputs.size} outputs of $place, not $count")
        }
        val session = session(place)
        val shape = longArrayOf(1, tile.height.toLong(), tile.width.toLong(), COLOURS.toLong())
        return told(place) {
            val bytes = ByteBuffer.allocateDirect(tile.data.size)
            bytes.duplicate().put(tile.data) // the position of the one that is read stays 0
            OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.UINT8).use { input ->
                session.run(mapOf(session.inputNames.single() to input)).use { result ->
                    read { result.get(outputs[it].name).get() as OnnxTensor }
                }
            }
        }
    }
}

private fun environment(): OrtEnvironment =
    try {
        OrtEnvironment.getEnvironment().apply { setTelemetry(false) }
    } catch (error: LinkageError) { // no class, or no library for this processor
        throw EngineException(
            "engine onnxruntime is not there: add com.microsoft.onnxruntime:onnxruntime-android " +
                "to the app",
            error,
        )
    }

private inline fun <T> told(place: String, call: () -> T): T =
    try {
        call()
    } catch (error: OrtException) {
        val message = error.message.orEmpty().replace(Regex("\\s+"), " ").take(300)
        throw EngineException("ONNX Runtime refuses $place: $message", error)
    } catch (error: NoSuchElementException) {
        throw EngineException("$place lacks what the manifest lists of it", error)
    }

private fun OnnxTensor.bytes(place: String, size: Int): ByteBuffer =
    byteBuffer?.takeIf { info.type == OnnxJavaType.UINT8 && it.remaining() == size }
        ?: throw EngineException("$place returns $info, not a picture of $size samples")

private fun OnnxTensor.floats(place: String, size: Int): FloatArray =
    floatBuffer?.takeIf { it.remaining() == size }?.let { found ->
        FloatArray(size).also { found.get(it) }
    } ?: throw EngineException("$place returns $info, not $size numbers")

/** Whole numbers of 32 or 64 bits. */
private fun OnnxTensor.longs(place: String, size: Int): LongArray {
    val found = when (info.type) {
        OnnxJavaType.INT64 -> longBuffer.let { LongArray(it.remaining()) { n -> it.get(n) } }
        OnnxJavaType.INT32 -> intBuffer.let { LongArray(it.remaining()) { n -> it.get(n).toLong() } }
        else -> LongArray(0)
    }
    if (found.size != size) throw EngineException("$place returns $info, not $size whole numbers")
    return found
}
