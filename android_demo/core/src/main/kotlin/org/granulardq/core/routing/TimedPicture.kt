package org.granulardq.core.routing

import kotlin.math.pow
import org.granulardq.core.INTERPOLATED
import org.granulardq.core.engines.Costs
import org.granulardq.core.sensitivity.OCTAVE
import org.granulardq.core.sensitivity.PictureError
import org.granulardq.core.sensitivity.Sensitivity
import org.granulardq.core.sensitivity.SensitivityRule

/** Tiles that were decided, which tell with those that wait what the rest of a picture is like. */
private const val REMEMBERED = 256

/** Octaves of dB a tile at the largest width, and how often they are halved. */
private const val LOWEST = -30.0
private const val HIGHEST = 30.0
private const val HALVINGS = 32

/** Sums of seconds that ought to be equal differ by less. */
private const val ROUNDING = 1 + 1e-10

/**
 * What pictures of a bundle with statistics may take.
 *
 * @property costs of tiles on this device.
 * @property seconds that a tile may take, on average over a picture; no less than the narrowest
 *   useful width takes.
 */
class TimeDial(val costs: Costs, val seconds: Double)

/**
 * Gives each tile the route that loses least with its time paid for, and keeps the time.
 *
 * The price is the least at which the tiles to come take no longer than what is left for them.
 * Interpolation is one of the routes of flat tiles, and the first that is given up where there is
 * time to spare.
 *
 * @param tiles of the picture.
 * @param interpolates whether flat tiles may be interpolated.
 */
class TimedPicture(
    private val rule: SensitivityRule,
    dial: TimeDial,
    tiles: Int,
    private val interpolates: Boolean,
) : SensitivityRouting {
    /** A tile that was read, and what it loses on each route, in dB of a picture of level 0. */
    private class Known(val tile: Sensitivity, val losses: DoubleArray)

    private val routes = dial.costs.useful + INTERPOLATED
    private val seconds = routes.map(dial.costs::of).toDoubleArray()
    private val unit = dial.costs.largestSeconds
    private val fastest = dial.costs.useful.minOf(dial.costs::of)
    private val error = PictureError()
    private val ahead = ArrayDeque<Known>()
    private val decided = ArrayDeque<Known>()
    private var left = tiles * dial.seconds
    private var waiting = tiles

    override fun read(band: List<Sensitivity>) = band.forEach { tile ->
        error.add(tile.error)
        val losses = DoubleArray(routes.size) { rule.loss(tile, 0, routes[it]) }
        ahead.addLast(Known(tile, losses))
    }

    override fun decide(band: List<Sensitivity>): List<Int> {
        val level = error.level
        val losses = (ahead + decided).map { expect(it, level) }
        val price = findPrice(losses)
        val chosen = losses.take(band.size).map { spend(it, price) }
        repeat(band.size) { decided.addLast(ahead.removeFirst()) }
        while (decided.size > REMEMBERED) decided.removeFirst()
        return chosen
    }

    /** Losses by route, in dB; infinite where a route is not open. */
    private fun expect(known: Known, level: Int): DoubleArray {
        val scale = 2.0.pow(-level / OCTAVE.toDouble())
        val isFlat = interpolates && rule.isFlat(known.tile, level)
        return DoubleArray(routes.size) {
            val isOpen = isFlat || routes[it] != INTERPOLATED
            if (isOpen) known.losses[it] * scale else Double.POSITIVE_INFINITY
        }
    }

    /** dB a second: the least that leaves enough, if what is unread is like the known. */
    private fun findPrice(losses: List<DoubleArray>): Double {
        val alike = (waiting - ahead.size).toDouble() / losses.size
        var low = LOWEST
        var high = HIGHEST
        repeat(HALVINGS) {
            val middle = (low + high) / 2
            val price = 2.0.pow(middle) / unit
            var taken = 0.0
            losses.forEachIndexed { number, tile ->
                val weight = if (number < ahead.size) alike + 1 else alike
                taken += weight * seconds[cheapest(tile, price, Double.POSITIVE_INFINITY)]
            }
            if (taken <= left * ROUNDING) high = middle else low = middle
        }
        return 2.0.pow(high) / unit
    }

    /** Chooses among what leaves enough for all other tiles; the fastest route always does. */
    private fun spend(losses: DoubleArray, price: Double): Int {
        val free = maxOf(left - (waiting - 1) * fastest, fastest)
        val column = cheapest(losses, price, free * ROUNDING)
        left -= seconds[column]
        waiting--
        return routes[column]
    }

    /** The place of the route that loses least with its time paid for, within so many seconds. */
    private fun cheapest(losses: DoubleArray, price: Double, within: Double): Int =
        seconds.indices.filter { seconds[it] <= within }.minBy { losses[it] + price * seconds[it] }
}
