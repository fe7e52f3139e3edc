package org.granulardq.core

import java.util.ArrayDeque
import kotlin.math.min
import org.granulardq.core.engines.Engine
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.pictures.RowSink
import org.granulardq.core.pictures.RowSource
import org.granulardq.core.routing.BANDS_AHEAD
import org.granulardq.core.routing.Budget
import org.granulardq.core.routing.PriceControl
import org.granulardq.core.routing.Router
import org.granulardq.core.routing.SensedRouting
import org.granulardq.core.sensitivity.Sensitivity
import org.granulardq.core.tiles.Band
import org.granulardq.core.tiles.BandReader
import org.granulardq.core.tiles.Span
import org.granulardq.core.tiles.Stitcher
import org.granulardq.core.tiles.TilePlan
import org.granulardq.core.tiles.Workers
import org.granulardq.core.tiles.cutTile

/**
 * Tiles that may wait for the caller, in addition to two per worker: as long as these last, workers
 * stay busy while a band is encoded. More would cost memory in wide pictures.
 */
private const val MOST_AHEAD = 32

/** Told after each tile, in the caller's thread, how many of all are done. */
fun interface Progress {
    fun onTile(done: Int, all: Int)
}

/** A tile on its way to a worker, who chooses the bit-width if it is null. */
private class Tile(val band: Band, val column: Span, val bitWidth: Int?)

private class Finished(val tile: Tile, val picture: Pixels, val bitWidth: Int)

/**
 * Runs the tiles of one picture: cuts, predicts, routes and runs in the workers; reads, stitches
 * and writes in the caller's thread.
 *
 * @param control price of a bundle with statistics, which lives on from picture to picture.
 */
internal class TileRunner(
    private val engine: Engine,
    private val workers: Workers,
    private val router: Router,
    private val control: PriceControl?,
    private val scale: Int,
    private val stopwatch: Stopwatch,
    private val progress: Progress?,
    private val cancellation: Cancellation?,
) {
    /** Upscales a picture. */
    fun run(source: RowSource, sink: RowSink, plan: TilePlan): BitMap {
        val routes = IntArray(plan.count)
        val columns = plan.columns.size
        val stitcher = Stitcher(plan, scale)
        val ahead = min(columns, MOST_AHEAD) + 2 * workers.threads
        var done = 0
        workers.mapInOrder(readTiles(source, plan).iterator(), ahead, ::upscale) { finished ->
            cancellation?.check()
            val band = finished.tile.band
            stopwatch.measure(Stage.STITCH) {
                stitcher.place(band.row, finished.tile.column, finished.picture)
            }
            routes[done++] = finished.bitWidth
            if (done % columns == 0) write(stitcher, band, sink)
            progress?.onTile(done, plan.count)
        }
        return BitMap(plan.rows.size, columns, routes)
    }

    private fun readTiles(source: RowSource, plan: TilePlan): Sequence<Tile> {
        val reader = BandReader(source, plan)
        val bands = plan.rows.asSequence().map { stopwatch.measure(Stage.DECODE) { reader.read() } }
        router.sensed?.let { return senseTiles(bands, plan, it) }
        val budget = router.openBudget()
        return bands.flatMap { band ->
            val widths = budget?.let { share(band, plan, it) }
            plan.columns.mapIndexed { n, column -> Tile(band, column, widths?.get(n)) }
        }
    }

    /** Decides on a band once further bands are read, which tell what the picture is like. */
    private fun senseTiles(
        bands: Sequence<Band>, plan: TilePlan, routing: SensedRouting,
    ): Sequence<Tile> = sequence {
        val picture = routing.openPicture(plan.count, checkNotNull(control))
        val waiting = ArrayDeque<Pair<Band, List<Sensitivity>>>()
        for (band in bands + List(BANDS_AHEAD) { null }) {
            if (band != null) {
                val sensed = stopwatch.measure(Stage.PREDICT) {
                    val heads = routing.rule.heads
                    plan.columns.map { heads.sense(cutTile(band.colour, band.row, it)) }
                }
                waiting.add(band to sensed)
                picture.read(sensed)
            }
            if (waiting.isNotEmpty() && (band == null || waiting.size > BANDS_AHEAD)) {
                val (first, sensed) = waiting.remove()
                val widths = picture.decide(sensed)
                plan.columns.forEachIndexed { n, column ->
                    yield(Tile(first, column, asAvailable(widths[n])))
                }
            }
        }
    }

    private fun asAvailable(bitWidth: Int): Int =
        when (bitWidth) {
            INTERPOLATED, router.forced -> bitWidth
            else -> router.asAvailable(bitWidth)
        }

    /** Chooses the bit-widths of a whole band, whose tiles share a budget. */
    private fun share(band: Band, plan: TilePlan, budget: Budget): List<Int> =
        stopwatch.measure(Stage.PREDICT) {
            budget.spend(
                plan.columns.map { column ->
                    val tile = cutTile(band.colour, band.row, column)
                    if (router.needsNetwork(tile)) router.binOf(tile, engine::predict) else null
                },
            )
        }

    private fun upscale(tile: Tile): Finished {
        val band = tile.band
        val pixels = stopwatch.measure(Stage.CUT) { cutTile(band.colour, band.row, tile.column) }
        val bitWidth = tile.bitWidth ?: stopwatch.measure(Stage.PREDICT) { choose(pixels) }
        val picture = stopwatch.measure(Stage.RUN) {
            when (bitWidth) {
                INTERPOLATED -> interpolate(pixels, scale)
                else -> engine.run(bitWidth, pixels)
            }
        }
        return Finished(tile, picture, bitWidth)
    }

    private fun choose(tile: Pixels): Int =
        if (router.needsNetwork(tile)) router.route(tile, engine::predict) else INTERPOLATED

    private fun write(stitcher: Stitcher, band: Band, sink: RowSink) {
        val rows = stopwatch.measure(Stage.STITCH) { stitcher.finish(band) }
        stopwatch.measure(Stage.ENCODE) { sink.writeRows(rows) }
    }
}
