package org.granulardq.core.routing

import org.granulardq.core.INTERPOLATED
import org.granulardq.core.engines.Costs
import org.granulardq.core.sensitivity.PictureError
import org.granulardq.core.sensitivity.Sensitivity
import org.granulardq.core.sensitivity.SensitivityRule
import org.granulardq.core.sensitivity.decibels

/**
 * What pictures of a bundle with statistics may take.
 *
 * @property costs of tiles on this device.
 * @property seconds that a tile may take, on average over a picture; no less than the narrowest
 *   useful width takes.
 * @property price to begin with, in 1/32 octaves of dB a bit.
 */
class TimeDial(val costs: Costs, val seconds: Double, val price: Double) {
    /** What a bit costs between the narrowest and the largest useful width; 0 of only one. */
    val secondsPerBit: Double
        get() {
            val apart = costs.largestSeconds - costs.of(costs.useful.first())
            return apart / maxOf(costs.useful.last() - costs.useful.first(), 1)
        }
}

/**
 * Gives each tile the width that loses least with its time paid for, and keeps the time.
 *
 * The price follows what is left for the tiles to come, so that hardly any picture has to be held
 * to its time by force: then its last tiles get the narrowest width.
 *
 * @param tiles of the picture.
 * @param interpolates whether flat tiles are left to interpolation.
 */
class TimedPicture(
    private val rule: SensitivityRule,
    private val dial: TimeDial,
    tiles: Int,
    private val interpolates: Boolean,
) : SensitivityRouting {
    private val error = PictureError()
    private var price = dial.price
    private var left = tiles * dial.seconds
    private var waiting = tiles

    override fun read(band: List<Sensitivity>) = band.forEach { error.add(it.error) }

    override fun decide(band: List<Sensitivity>): List<Int> {
        val level = error.level
        return band.map { spend(it, level) }
    }

    private fun spend(tile: Sensitivity, level: Int): Int {
        val isFlat = interpolates && rule.isFlat(tile, level)
        val route = if (isFlat) INTERPOLATED else choose(tile.noise - level)
        val target = left / waiting
        left -= dial.costs.of(route)
        waiting--
        val perBit = dial.secondsPerBit
        if (perBit != 0.0) {
            val moved = price + GAIN * (dial.costs.of(route) - target) / perBit
            price = moved.coerceIn(dial.price - REACH, dial.price + REACH)
        }
        return route
    }

    /** Minimises loss and price of the time, among what leaves enough for all other tiles. */
    private fun choose(score: Int): Int {
        val costs = dial.costs
        val free = left - (waiting - 1) * costs.of(costs.useful.first())
        val perSecond = decibels(price) / (dial.secondsPerBit.takeIf { it != 0.0 } ?: 1.0)
        val fitting = costs.useful.filter { costs.of(it) <= free }.ifEmpty { costs.useful.take(1) }
        return fitting.minBy { rule.steps.loss(score, it) + perSecond * costs.of(it) }
    }
}
