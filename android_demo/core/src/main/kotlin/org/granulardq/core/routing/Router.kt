package org.granulardq.core.routing

import org.granulardq.core.RequestException
import org.granulardq.core.bundle.FlatTiles
import org.granulardq.core.bundle.Manifest
import org.granulardq.core.bundle.OperatingPoint
import org.granulardq.core.bundle.Signal
import org.granulardq.core.bundle.TradeOff
import org.granulardq.core.engines.Costs
import org.granulardq.core.engines.Prediction
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.sensitivity.PriceSteps
import org.granulardq.core.sensitivity.SensitivityRule
import org.granulardq.core.tiles.Policy

/** Asks the predictor; only done where its answer is needed. */
typealias Predict = (Pixels) -> Prediction

/**
 * How a bundle with statistics routes; [control]'s price lives on from picture to picture.
 *
 * @property rule of the bundle.
 * @param steps the rule's where bits are paid for, others where time is.
 * @param cap largest mean bits of the network's tiles in every picture; null without a bound.
 * @param timed what pictures may take; null without a bound.
 */
class SensedRouting(
    val rule: SensitivityRule,
    private val steps: PriceSteps,
    val control: PriceControl,
    private val forced: Int?,
    private val interpolates: Boolean,
    private val cap: Double?,
    private val timed: TimeDial?,
) {
    /** Begins a picture of so many tiles, at the price where another one left it. */
    fun openPicture(tiles: Int, control: PriceControl): SensitivityRouting =
        if (timed != null) {
            TimedPicture(rule, timed, tiles, interpolates)
        } else {
            SensedPicture(rule.withSteps(steps), control, forced, interpolates, cap)
        }
}

/**
 * Decides which subgraph runs a tile, or that none has to; the only class that does.
 *
 * @property forced the one bit-width for all tiles, or null if the predictor decides.
 * @property dial as it was turned; null if the predictor's own decision counts.
 * @property expectedLoss dB of PSNR below all tiles at the largest width, as calibrated; null if
 *   the bundle does not say.
 * @property sensed how statistics decide; null of a bundle with a gate, and where nothing is
 *   decided.
 */
class Router private constructor(
    private val available: List<Int>,
    val forced: Int?,
    private val tradeOff: TradeOff?,
    val dial: Dial?,
    private val costs: Costs?,
    private val flatBelow: Double?,
    val expectedLoss: Double?,
    val sensed: SensedRouting?,
) {
    /** Whether an RGB tile is worth a network. */
    fun needsNetwork(tile: Pixels): Boolean = flatBelow == null || meanGradient(tile) > flatBelow

    /**
     * Chooses the bit-width of the dial, or the predicted one if the dial is not turned.
     *
     * If the bundle has not got the predicted width, the next larger one is chosen: rounding up
     * costs time, rounding down would cost the quality that the gate asked for.
     */
    fun route(tile: Pixels, predict: Predict): Int {
        if (forced != null) return forced
        if (dial == null) return asAvailable(predict(tile).bitWidth)
        val widths = dial.point.bitWidths
        return widths[if (widths.distinct().size > 1) binOf(tile, predict) else 0]
    }

    /** The smallest bit-width not below this one that the bundle has and that pays. */
    fun asAvailable(bitWidth: Int): Int {
        val width = available.firstOrNull { it >= bitWidth } ?: available.last()
        return costs?.exchange(width) ?: width
    }

    /** The number of the dial's bin that a tile falls into. */
    fun binOf(tile: Pixels, predict: Predict): Int {
        val seen = predict(tile)
        val signal = when (tradeOff!!.signal!!) {
            Signal.ENTROPY -> seen.entropy.toDouble()
            Signal.GATE_MARGIN -> (seen.logits.last() - seen.logits.first()).toDouble()
        }
        return tradeOff.binEdges.count { it < signal }
    }

    /** Begins a picture; null if nothing bounds it. */
    fun openBudget(): Budget? = dial?.openBudget()

    companion object {
        /**
         * Checks a request against a bundle.
         *
         * @param costs of tiles on this device; null to go by bits alone, as a dial in time cannot.
         * @param crew the picture; needed for `maxSeconds`.
         * @throws org.granulardq.core.BundleException there is no subgraph of the bit-width asked
         *   for.
         * @throws RequestException the bundle's dial does not reach that far, or there is none.
         */
        fun create(
            manifest: Manifest, request: Request, costs: Costs? = null, crew: Crew? = null,
        ): Router {
            val forced = request.bits?.let { manifest.subgraph(it).bitWidth }
            val flat = manifest.flatTiles.takeIf { interpolates(manifest.flatTiles, request) }
            val heads = manifest.predictor.sensitivity
            if (heads != null) {
                return createSensed(manifest, request, heads.rule(), forced, flat, costs, crew)
            }
            if (request.fabCap != null) {
                throw RequestException(
                    "this bundle keeps fab in every picture: give fab, not fab-cap",
                )
            }
            val dial = turnDial(manifest.tradeOff, request, flat, costs, crew)
            val loss = expectedLoss(manifest.tradeOff, forced, dial?.point, costs)
            return Router(
                available = manifest.bitWidths,
                forced = forced,
                tradeOff = manifest.tradeOff,
                dial = dial,
                costs = costs,
                flatBelow = flat?.largestGradient,
                expectedLoss = loss?.plus(flat?.lossDb ?: 0.0),
                sensed = null,
            )
        }

        private fun createSensed(
            manifest: Manifest,
            request: Request,
            rule: SensitivityRule,
            forced: Int?,
            flat: FlatTiles?,
            costs: Costs?,
            crew: Crew?,
        ): Router {
            val flatLoss = flat?.lossDb ?: 0.0
            var start = turnPriceDial(manifest.tradeOff, request, flatLoss, rule.price)
            var timed: TimeDial? = null
            if (request.asksForTime) {
                val (price, allowed) =
                    turnPriceToSeconds(manifest.tradeOff, request, flat, costs, crew)
                start = price
                timed = TimeDial(costs!!, allowed)
            }
            val maxLoss = request.maxLoss?.takeIf { it > 0 }
            val control = PriceControl(rule, start.price, request.fab, maxLoss)
            // A mean of bits was asked for: it is met even where fewer of them save no time.
            val inTime = costs.takeIf { request.fab == null && request.fabCap == null }
            val loss = if (forced == null) {
                exchangedLoss(start.lossDb, manifest.tradeOff, inTime)
            } else {
                fixedLoss(manifest.tradeOff, forced)
            }
            val steps = inTime?.let { rule.steps.withCosts(it.inBits) } ?: rule.steps
            val sensed =
                SensedRouting(rule, steps, control, forced, flat != null, request.fabCap, timed)
            return Router(
                available = manifest.bitWidths,
                forced = forced,
                tradeOff = manifest.tradeOff,
                dial = null,
                costs = inTime,
                flatBelow = null,
                expectedLoss = loss?.plus(flatLoss),
                sensed = sensed.takeIf { forced == null || flat != null },
            )
        }
    }
}

private fun interpolates(flat: FlatTiles?, request: Request): Boolean {
    val hasRoom = flat == null || request.maxLoss == null || request.maxLoss >= flat.lossDb
    if (request.flatTiles != FlatTilesChoice.INTERPOLATE) {
        return flat != null && request.flatTiles == null && request.policy == Policy.UNIFORM &&
            request.bits == null && hasRoom
    }
    if (flat == null) {
        throw RequestException("this bundle was calibrated for no interpolation of flat tiles")
    }
    if (!hasRoom) {
        throw RequestException(
            "interpolating flat tiles loses ${flat.lossDb} dB, more than max-loss " +
                "${request.maxLoss}: leave them to the network",
        )
    }
    return true
}

private fun expectedLoss(
    tradeOff: TradeOff?, forced: Int?, point: OperatingPoint?, costs: Costs?,
): Double? =
    when {
        point != null -> point.lossDb
        forced != null -> fixedLoss(tradeOff, forced)
        else -> exchangedLoss(tradeOff?.predictor?.lossDb, tradeOff, costs)
    }

/** Bounds the loss where widths are exchanged: no tile gets less than the narrowest useful one. */
private fun exchangedLoss(loss: Double?, tradeOff: TradeOff?, costs: Costs?): Double? {
    val fixed = costs?.let { fixedLoss(tradeOff, it.useful.first()) }
    return if (loss == null || fixed == null) loss else minOf(loss, fixed)
}

private fun fixedLoss(tradeOff: TradeOff?, bitWidth: Int): Double? =
    tradeOff?.fixed?.find { it.fab == bitWidth.toDouble() }?.lossDb
