package org.granulardq.core.routing

import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.INTERPOLATED
import org.granulardq.core.RequestException
import org.granulardq.core.bundle.FlatTiles
import org.granulardq.core.bundle.OperatingPoint
import org.granulardq.core.bundle.TradeOff
import org.granulardq.core.engines.Costs

/** Share of a picture's time that its tiles may take: the rest is decoding, stitching, encoding. */
private const val FOR_TILES = 0.9

internal const val NO_DIAL = "this bundle has no bit budget dial: export its checkpoint again"
internal const val NO_COSTS = "speed and max-seconds need the costs of tiles on this device"

/**
 * What a picture asks of the machine.
 *
 * @property tiles of the picture, at least 1.
 * @property workers that run them in parallel, at least 1.
 */
class Crew(val tiles: Int, val workers: Int) {
    /** Seconds of the picture, given the mean of its tiles. */
    fun elapsed(tileSeconds: Double): Double = tiles * tileSeconds / workers / FOR_TILES
}

/**
 * A dial that was turned.
 *
 * @property positions cheapest first, each better than those before; it stands at the last.
 * @property bound that every picture has to keep; null if there is none.
 */
class Dial(val positions: List<OperatingPoint>, val bound: Bound? = null) {
    /** Where the dial stands. */
    val point: OperatingPoint get() = positions.last()

    /** Begins a picture; null if nothing is bounded. */
    fun openBudget(): Budget? = bound?.let { Budget(positions, it) }
}

/**
 * Turns the dial as far as a request demands; null if it does not ask for it.
 *
 * @param flat interpolated tiles, as calibrated; null if none are.
 * @param costs of tiles on this device; needed for a dial in time.
 * @param crew the picture; needed for `maxSeconds`.
 * @throws RequestException the dial does not reach that far, or there is none.
 */
fun turnDial(
    tradeOff: TradeOff?, request: Request, flat: FlatTiles?, costs: Costs?, crew: Crew?,
): Dial? {
    if (request.fab == null && request.maxLoss == null && !request.asksForTime) return null
    if (tradeOff == null) throw RequestException(NO_DIAL)
    val positions = listPositions(tradeOff, costs)
    if (request.fab != null) return turnToFab(tradeOff, positions, request.fab)
    if (request.maxLoss != null) {
        return turnToLoss(positions, request.maxLoss, flat?.lossDb ?: 0.0)
    }
    if (costs == null) throw RequestException(NO_COSTS)
    val allowed = allowSeconds(request, costs, crew, positionSeconds(positions.first(), costs))
    return turnToSeconds(positions, costs, allowed, flat)
}

/**
 * Returns the positions that are worth having, cheapest first and each better than the last.
 *
 * In time, all tiles at one width are positions, too: they save the predictor.
 */
private fun listPositions(tradeOff: TradeOff, costs: Costs?): List<OperatingPoint> {
    if (costs == null) return tradeOff.points
    val sorted = (tradeOff.points + listFixed(tradeOff, costs))
        .map { exchange(it, costs) }
        .sortedWith(compareBy({ positionSeconds(it, costs) }, { it.lossDb }))
    val best = mutableListOf(sorted.first())
    for (point in sorted) if (point.lossDb < best.last().lossDb) best += point
    return best
}

private fun listFixed(tradeOff: TradeOff, costs: Costs): List<OperatingPoint> =
    tradeOff.fixed.mapNotNull { fixed ->
        val width = BIT_WIDTHS.find { it.toDouble() == fixed.fab && it in costs.seconds }
        width?.let {
            val widths = List(tradeOff.binEdges.size + 1) { width }
            OperatingPoint(fixed.fab, fixed.lossDb, widths)
        }
    }

private fun exchange(point: OperatingPoint, costs: Costs): OperatingPoint {
    val widths = point.bitWidths.map(costs::exchange)
    val more = (widths.sum() - point.bitWidths.sum()) / widths.size.toDouble()
    return point.copy(fab = point.fab + more, bitWidths = widths)
}

/** Seconds of a tile that the network runs; bins hold equally many tiles. */
private fun positionSeconds(point: OperatingPoint, costs: Costs): Double {
    val widths = point.bitWidths
    return widths.sumOf(costs::of) / widths.size + if (isUniform(point)) 0.0 else costs.predict
}

/** Seconds of a tile if as many are interpolated as in the calibration. */
internal fun expectedSeconds(point: OperatingPoint, flat: FlatTiles?, costs: Costs): Double {
    val share = flat?.share ?: 0.0
    return share * costs.of(INTERPOLATED) + (1 - share) * positionSeconds(point, costs)
}

/** Spends at most so many bits, even where fewer of them save no time: it was asked for. */
private fun turnToFab(tradeOff: TradeOff, positions: List<OperatingPoint>, fab: Double): Dial {
    val affordable = positions.filter { it.fab <= fab }
        .ifEmpty { tradeOff.points.filter { it.fab <= fab } }
    if (affordable.isEmpty()) {
        throw RequestException("fab $fab is below the smallest one, ${tradeOff.points.first().fab}")
    }
    return Dial(affordable, Bound.ofBits(fab))
}

private fun turnToLoss(positions: List<OperatingPoint>, maxLoss: Double, flatLoss: Double): Dial {
    val good = positions.indexOfFirst { it.lossDb + flatLoss <= maxLoss }
    if (good < 0) {
        val smallest = positions.last().lossDb + flatLoss
        throw RequestException("max-loss $maxLoss is below the smallest one, $smallest")
    }
    return Dial(positions.take(good + 1))
}

/**
 * Returns the seconds of processor time that a tile may take, on average over a picture.
 *
 * @param request for a speed, or for seconds of a picture.
 * @param crew the picture; needed for `maxSeconds`.
 * @param fewest seconds that a tile takes with the fewest bits.
 * @throws RequestException not even the fewest bits take so little, where no tile is interpolated.
 */
internal fun allowSeconds(request: Request, costs: Costs, crew: Crew?, fewest: Double): Double {
    val allowed: Double
    val sentence: String
    if (request.speed != null) {
        allowed = costs.largestSeconds / request.speed
        sentence = "speed ${request.speed}x is out of reach: on this device the fewest bits are " +
            "${"%.2f".format(costs.largestSeconds / fewest)} times as fast as the most"
    } else {
        if (crew == null) throw RequestException("max-seconds needs to know the picture")
        val asked = request.maxSeconds!!
        allowed = FOR_TILES * asked * crew.workers / crew.tiles
        val seconds = "%.3g".format(crew.elapsed(fewest))
        sentence = "max-seconds $asked is out of reach: with the fewest bits, ${crew.tiles} " +
            "tiles on ${crew.workers} threads take $seconds s on this device"
    }
    if (fewest > allowed) throw RequestException(sentence)
    return allowed
}

/** Loses least in the time; each picture is held to it, however many flat tiles it has. */
private fun turnToSeconds(
    positions: List<OperatingPoint>, costs: Costs, allowed: Double, flat: FlatTiles?,
): Dial {
    val last = positions.indexOfLast { expectedSeconds(it, flat, costs) <= allowed }
    val chosen = positions.take(maxOf(last, 0) + 1)
    if (positionSeconds(chosen.last(), costs) <= allowed && isUniform(chosen.last())) {
        return Dial(chosen.takeLast(1))
    }
    val prices = costs.seconds.mapValues { (route, seconds) ->
        if (route == INTERPOLATED) seconds else seconds + costs.predict
    }
    val narrowest = positions.first().bitWidths.maxOf(prices::getValue)
    return Dial(if (narrowest <= allowed) chosen else positions.take(1), Bound(allowed, prices))
}

/** Whether all bins have one width, so that the predictor need not be asked. */
private fun isUniform(point: OperatingPoint): Boolean = point.bitWidths.distinct().size == 1
