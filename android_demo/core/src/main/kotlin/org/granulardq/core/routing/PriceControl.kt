package org.granulardq.core.routing

import org.granulardq.core.sensitivity.LN_2
import org.granulardq.core.sensitivity.OCTAVE
import org.granulardq.core.sensitivity.SensitivityRule
import org.granulardq.core.sensitivity.decibels

/** 1/32 octaves of price for a tile one bit above the target: log price += 0.02 bits. */
private const val GAIN: Double = 0.02 * OCTAVE / LN_2

/** The same for a tile of twice the loss that is asked for: losses scatter far more than bits. */
private const val LOSS_GAIN = GAIN / 4

/** Of a tile's loss over the target, in targets: one tile must not move the price by much. */
private const val LARGEST_EXCESS = 4.0

/** The price stays within so much of where it began: a factor of 64. */
private const val REACH: Double = 6.0 * OCTAVE

/**
 * The dial's price of a bit, slowly moved so that FAB or loss meets its target in the long run.
 *
 * A bound for each picture would throw away most of what a predictor wins: some pictures need the
 * bits that others do not. So the price follows the target across tiles and pictures, and depends
 * on nothing but the order of the tiles.
 *
 * @param rule tells the loss of a tile.
 * @param start price to begin with, in 1/32 octaves.
 * @param fab mean bit-width that the network's tiles shall have in the long run; null if none.
 * @param maxLoss mean loss in dB that all tiles shall have, above 0; null if none.
 */
class PriceControl(
    private val rule: SensitivityRule,
    private val start: Double,
    private val fab: Double? = null,
    private val maxLoss: Double? = null,
) {
    /** Where the dial stands now. */
    var price: Double = start
        private set

    /** Learns of a tile that the network runs at a bit-width. */
    fun noteTile(score: Int, bitWidth: Int) {
        if (fab != null) move(GAIN * (bitWidth - fab))
        noteLoss(rule.steps.loss(score, bitWidth))
    }

    /** Learns of a tile that is interpolated; [score] as in [SensitivityRule.isFlat]. */
    fun noteFlat(score: Int) = noteLoss(decibels(score.toDouble()))

    private fun noteLoss(loss: Double) {
        if (maxLoss != null) move(-LOSS_GAIN * minOf(loss / maxLoss - 1, LARGEST_EXCESS))
    }

    private fun move(distance: Double) {
        price = (price + distance).coerceIn(start - REACH, start + REACH)
    }
}
