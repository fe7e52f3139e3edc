package org.granulardq.core.engines

import org.granulardq.core.pictures.Pixels
import org.granulardq.core.sensitivity.Sensitivity

/**
 * A gate's output for one tile.
 *
 * @property logits the gate's three scores for the manifest's `gate_bit_widths`.
 * @property entropy of the tile's luma, in nats.
 * @property bitWidth the decision: 4, 5, 6 or 8.
 */
class Prediction(val logits: List<Float>, val entropy: Float, val bitWidth: Int)

/**
 * Runs a bundle's predictor and subgraphs; several threads call all methods in parallel.
 *
 * All methods throw [org.granulardq.core.EngineException] if the library fails.
 */
interface Engine : AutoCloseable {
    /** Name as in the Python runtime's registry. */
    val name: String

    /** What the engine was told to run on. */
    val acceleratorAsked: String

    /** What it actually runs on, read back from the library, since libraries fall back silently. */
    val acceleratorUsed: String

    /** Why the engine runs on something else than it was asked for, in one sentence; or null. */
    val fallback: String? get() = null

    /** Decides on a bit-width for an RGB tile; of bundles with a gate. */
    fun predict(tile: Pixels): Prediction

    /**
     * Tells what few bits would cost an RGB tile, by the bundle's graph; of those with statistics.
     */
    fun sense(tile: Pixels): Sensitivity

    /** Upscales an RGB tile. */
    fun run(bitWidth: Int, tile: Pixels): Pixels

    /** Frees the library's memory; no call may be in progress, and none may follow. */
    override fun close()
}
