package org.granulardq.core.sensitivity

import kotlin.math.log2
import kotlin.math.pow
import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.BundleException
import org.granulardq.core.INTERPOLATED

/** Natural logarithm of 2, as written here on every processor. */
internal const val LN_2: Double = 0.6931471805599453

/** dB of PSNR for a small relative error, to first order: 10 / ln 10. */
const val DECIBELS: Double = 10 / 2.302585092994046

/** A step that no score takes: a width that saves nothing, or less than a wider one. */
const val NEVER: Int = 32 * OCTAVE

/** Returns a price, or a score, in dB. */
fun decibels(price: Double): Double = DECIBELS * 2.0.pow(price / OCTAVE)

/**
 * How far above the price a score buys 5, 6 and 8 bits: whole numbers of 1/32 octaves.
 *
 * A tile of score s loses 10 / ln 10 x 2^(s / 32) dB of its picture at 4 bits, and shares of it at
 * 5 and 6 that are the network's own. Whoever minimises loss plus price times bits takes the next
 * width where what it saves is worth its bits.
 *
 * @throws BundleException on construction, if the steps descend or leave their range.
 */
class PriceSteps(private val above: List<Int>) {
    init {
        if (above.size != BIT_WIDTHS.size - 1 || above != above.sorted()) {
            throw BundleException("price steps must be three and must not descend, got $above")
        }
        if (above.first() < -NEVER || above.last() > NEVER) {
            throw BundleException("price steps must lie within $NEVER of 0, got $above")
        }
    }

    /** The bit-width that a tile of this score buys at a price, in 1/32 octaves. */
    fun choose(score: Int, price: Double): Int =
        BIT_WIDTHS[above.count { score - price >= it }]

    /** What a tile of this score loses at a bit-width, in dB of its picture. */
    fun loss(score: Int, bitWidth: Int): Double {
        return decibels(score.toDouble()) * share(bitWidth)
    }

    /**
     * Returns the steps where bit-widths cost other than their bits.
     *
     * @param costs bit-width -> cost, rising, in the unit that the price is of. A bit-width that is
     *   missing is never chosen: the next wider one gets its tiles.
     */
    fun withCosts(costs: Map<Int, Double>): PriceSteps {
        val kept = BIT_WIDTHS.filter { it in costs }
        val steps = stepsOf(kept.map(costs::getValue), kept.map(::share))
        // The narrowest is bought at any price; there is nothing beyond the widest.
        val stepOf = kept.zip(listOf(-NEVER) + steps).toMap()
        return PriceSteps(
            BIT_WIDTHS.drop(1).map { width ->
                kept.firstOrNull { it >= width }?.let(stepOf::get) ?: NEVER
            },
        )
    }

    /** The share of the noise at 4 bits that is left at a bit-width. */
    private fun share(bitWidth: Int): Double =
        (BIT_WIDTHS.indexOf(bitWidth) until above.size).sumOf { step ->
            (BIT_WIDTHS[step + 1] - BIT_WIDTHS[step]) * 2.0.pow(-above[step] / OCTAVE.toDouble())
        }
}

/** How far above the price a score buys each next width, none below the one before. */
private fun stepsOf(costs: List<Double>, shares: List<Double>): List<Int> {
    val above = mutableListOf<Int>()
    for (saving in hullSavings(costs, shares)) {
        val step = if (saving <= 0) NEVER else Math.rint(-OCTAVE * log2(saving)).toInt()
        above += maxOf(step, above.lastOrNull() ?: -NEVER, -NEVER).coerceAtMost(NEVER)
    }
    return above
}

/** What each next width saves for its cost, on the lower convex hull of the shares. */
private fun hullSavings(costs: List<Double>, shares: List<Double>): List<Double> {
    val savings = mutableListOf<Double>()
    var current = 0
    while (current + 1 < shares.size) {
        val slopes = (current + 1 until shares.size).map { later ->
            (shares[current] - shares[later]) / (costs[later] - costs[current])
        }
        val best = slopes.indices.maxBy { slopes[it] }
        repeat(best + 1) { savings += slopes[best] }
        current += best + 1
    }
    return savings
}

/**
 * How a tile's sensitivity becomes its route: everything of a network that decides it.
 *
 * @property heads tile -> noise, error, interpolation.
 * @property steps score above the price -> bit-width.
 * @property price where the dial stands unless it is turned, in 1/32 octaves of dB a bit.
 * @property flat largest interpolation head above the picture's error of an interpolated tile.
 */
class SensitivityRule(
    val heads: SensitivityHeads, val steps: PriceSteps, val price: Int, val flat: Int,
) {
    /** The same rule where bit-widths cost other than their bits. */
    fun withSteps(steps: PriceSteps): SensitivityRule = SensitivityRule(heads, steps, price, flat)

    /**
     * What a tile loses below the largest bit-width, in dB of its picture.
     *
     * @param route a bit-width, or [INTERPOLATED], which the heads tell well enough only of flat
     *   tiles.
     */
    fun loss(tile: Sensitivity, pictureLevel: Int, route: Int): Double =
        if (route == INTERPOLATED) {
            decibels((tile.interpolation - pictureLevel).toDouble())
        } else {
            steps.loss(tile.noise - pictureLevel, route)
        }

    /** Whether interpolation serves a tile as well as the network. */
    fun isFlat(tile: Sensitivity, pictureLevel: Int): Boolean =
        tile.interpolation - pictureLevel <= flat
}
