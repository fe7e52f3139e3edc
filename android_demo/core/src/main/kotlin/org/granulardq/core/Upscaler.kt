package org.granulardq.core

import org.granulardq.core.bundle.Bundle
import org.granulardq.core.engines.Costs
import org.granulardq.core.engines.Engine
import org.granulardq.core.engines.GdqEngine
import org.granulardq.core.pictures.PixelSink
import org.granulardq.core.pictures.PixelSource
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.pictures.RowSink
import org.granulardq.core.pictures.RowSource
import org.granulardq.core.pictures.checkSource
import org.granulardq.core.pictures.spreadColours
import org.granulardq.core.routing.Crew
import org.granulardq.core.routing.PriceControl
import org.granulardq.core.routing.Request
import org.granulardq.core.routing.Router
import org.granulardq.core.tiles.Policy
import org.granulardq.core.tiles.TilePlan
import org.granulardq.core.tiles.Workers

/**
 * What became of a picture.
 *
 * @property bitMap the route of each tile.
 * @property expectedLoss dB of PSNR below all tiles at the largest width, on average over the
 *   bundle's calibration tiles; null if the bundle does not say.
 * @property plan the tiles.
 * @property timings seconds per stage.
 */
class UpscaleResult(
    val bitMap: BitMap, val expectedLoss: Double?, val plan: TilePlan, val timings: Timings,
)

/**
 * Upscales pictures with one bundle, keeping engine and threads between pictures: the recipe.
 *
 * One picture at a time; use an Upscaler for each thread of yours.
 *
 * @property bundle the bundle to run.
 * @param engine closed with the Upscaler.
 * @param threads number of tiles that run in parallel.
 * @param costs of tiles on this device, to choose bit-widths by; null to go by bits alone, which
 *   gives the same bit-widths on all devices.
 */
class Upscaler @JvmOverloads constructor(
    val bundle: Bundle,
    private val engine: Engine,
    threads: Int = Runtime.getRuntime().availableProcessors(),
    private val costs: Costs? = null,
) : AutoCloseable {
    private val workers = Workers(threads)
    private val controls = mutableMapOf<Request, PriceControl>()

    /** Upscaling factor. */
    val scale: Int get() = bundle.manifest.network.scale

    /** What the engine runs on. */
    val accelerator: String get() = engine.acceleratorUsed

    /** Why it runs on something else than the engine was asked for; null if it does not. */
    val fallback: String? get() = engine.fallback

    /**
     * Upscales a picture row by row: memory does not depend on its height.
     *
     * @param source read from top to bottom.
     * @param sink gets [scale] times as many rows and columns, with the source's channels.
     * @param request what is asked for.
     * @param progress told after each tile, in the calling thread.
     * @param cancellation looked at before each tile is stitched.
     * @throws GdqException what cannot be used, or [CancelledException].
     */
    @JvmOverloads
    fun upscale(
        source: RowSource,
        sink: RowSink,
        request: Request = Request(),
        progress: Progress? = null,
        cancellation: Cancellation? = null,
    ): UpscaleResult {
        checkSource(source)
        val tiling = bundle.manifest.tiling
        val plan =
            TilePlan(source.width, source.height, tiling.size, tiling.overlap, request.policy)
        val router = createRouter(request, plan)
        // The price of a bundle with statistics goes on from where the last picture left it.
        val control = router.sensed?.let { controls.getOrPut(request) { it.control } }
        val stopwatch = Stopwatch()
        val runner =
            TileRunner(engine, workers, router, control, scale, stopwatch, progress, cancellation)
        val bitMap = runner.run(spreadColours(source), sink, plan)
        return UpscaleResult(bitMap, router.expectedLoss, plan, stopwatch.read())
    }

    /** Upscales a picture in memory. */
    @JvmOverloads
    fun upscale(picture: Pixels, request: Request = Request()): Pixels {
        val sink = PixelSink(picture.height * scale, picture.width * scale, picture.channels)
        upscale(PixelSource(picture), sink, request)
        return sink.picture
    }

    /** Stops the threads and frees the engine; no picture may be in progress. */
    override fun close() {
        workers.close()
        engine.close()
    }

    /** Costs know tiles of one size only, so the paper's protocol goes by bits alone. */
    private fun createRouter(request: Request, plan: TilePlan): Router {
        val known = costs.takeIf { request.policy == Policy.UNIFORM }
        return Router.create(bundle.manifest, request, known, Crew(plan.count, workers.threads))
    }

    companion object {
        /**
         * Prepares to run a bundle with our own engine.
         *
         * @throws BundleException the bundle has no graphs for it.
         * @throws EngineException the library is missing or refuses them.
         */
        @JvmStatic
        @JvmOverloads
        fun open(
            bundle: Bundle, threads: Int = Runtime.getRuntime().availableProcessors(),
        ): Upscaler = Upscaler(bundle, GdqEngine(bundle), threads)
    }
}
