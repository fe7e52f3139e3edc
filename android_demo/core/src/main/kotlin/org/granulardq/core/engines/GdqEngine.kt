package org.granulardq.core.engines

import java.util.concurrent.ConcurrentHashMap
import org.granulardq.core.BundleException
import org.granulardq.core.EngineException
import org.granulardq.core.bundle.Bundle
import org.granulardq.core.bundle.Format
import org.granulardq.core.pictures.COLOURS
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.sensitivity.Sensitivity

/**
 * Our own engine on the CPU (runtime/gdq_engine), on tiles of any size.
 *
 * All threads share one model, which includes the predictor; each thread has its own buffers.
 *
 * @param bundle the bundle to run.
 * @param isa name of the instruction set to run on; null for the best one here.
 * @throws BundleException the bundle has no packed model.
 * @throws EngineException the library is missing or refuses the model or the instruction set.
 */
class GdqEngine(bundle: Bundle, isa: String? = null) : Engine {
    override val name: String = "gdq"
    override val acceleratorAsked: String = "CPU"

    private val manifest = bundle.manifest
    private val scale = manifest.network.scale
    private val runners = ConcurrentHashMap<RunnerKey, Long>()
    private var model: Long

    init {
        loadGdqLibrary()
        bundle.require(Format.ENGINE, name)
        val places = (manifest.subgraphs.map { it.engine } + manifest.predictor.engine).distinct()
        val place = places.singleOrNull()
            ?: throw EngineException("the bundle's graphs are in several packed models, not in one")
        model = handle(place) { GdqNative.parseBuffer(bundle.map(place), isa) }
        try {
            checkModel(place)
        } catch (error: EngineException) {
            GdqNative.freeModel(model)
            throw error
        }
    }

    override val acceleratorUsed: String = "CPU, ${GdqNative.isa(model)}"

    override fun predict(tile: Pixels): Prediction {
        val scores = FloatArray(4)
        val bitWidth = told { GdqNative.predict(runner(tile), tile.data, scores) }
        return Prediction(scores.take(3), scores[3], bitWidth)
    }

    override fun sense(tile: Pixels): Sensitivity {
        val heads = IntArray(3)
        told { GdqNative.sense(runner(tile), tile.data, heads) }
        return Sensitivity(heads[0], heads[1], heads[2])
    }

    override fun run(bitWidth: Int, tile: Pixels): Pixels {
        manifest.subgraph(bitWidth)
        val picture = Pixels(tile.height * scale, tile.width * scale, COLOURS)
        told { GdqNative.run(runner(tile), bitWidth, tile.data, picture.data) }
        return picture
    }

    override fun close() {
        runners.values.forEach(GdqNative::freeRunner)
        runners.clear()
        GdqNative.freeModel(model)
        model = 0
    }

    private fun checkModel(place: String) {
        val found = GdqNative.scale(model)
        if (found != scale) {
            throw EngineException("$place enlarges $found times, but the manifest says $scale")
        }
        val kind = if (manifest.predictor.sensitivity == null) 1 else 2
        if (GdqNative.predictor(model) != kind) {
            throw EngineException("$place has another predictor than the manifest says")
        }
    }

    /** The calling thread's own buffers for one size of tiles; a picture has at most four sizes. */
    private fun runner(tile: Pixels): Long {
        check(model != 0L) { "the engine is closed" }
        val key = RunnerKey(Thread.currentThread(), tile.height, tile.width)
        return runners.getOrPut(key) {
            handle("the engine") { GdqNative.createRunner(model, tile.height, tile.width) }
        }
    }
}

private data class RunnerKey(val thread: Thread, val height: Int, val width: Int)

/** Loads the two libraries: once, since the first call loads the class. */
private fun loadGdqLibrary() = GdqLibrary.load()

private object GdqLibrary {
    private val failure: Throwable? = try {
        System.loadLibrary("gdq_engine") // first: outside Android nobody else would find it
        System.loadLibrary("gdq_jni")
        null
    } catch (error: UnsatisfiedLinkError) {
        error
    }

    fun load() {
        if (failure != null) {
            throw EngineException("engine gdq is not there: ${failure.message}", failure)
        }
        val version = GdqNative.abiVersion()
        if (version != GdqNative.ABI_VERSION) {
            throw EngineException(
                "engine gdq has interface version $version, but this runtime needs " +
                    "${GdqNative.ABI_VERSION}: build both from one version",
            )
        }
    }
}

private inline fun handle(what: String, make: () -> Long): Long {
    val made = make()
    return if (made != 0L) made else throw EngineException("$what failed: ${GdqNative.lastError()}")
}

private inline fun told(call: () -> Int): Int {
    val told = call()
    if (told < 0) throw EngineException("engine gdq failed: ${GdqNative.lastError()}")
    return told
}
