package org.granulardq.core.routing

import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.INTERPOLATED
import org.granulardq.core.sensitivity.PictureError
import org.granulardq.core.sensitivity.Sensitivity
import org.granulardq.core.sensitivity.SensitivityRule

/**
 * Bands that are read before the first is decided: a tile counts relative to its picture's error,
 * which is guessed from the tiles read.
 */
const val BANDS_AHEAD: Int = 3

/** Routes the tiles of one picture by their sensitivities, by what was read until then. */
interface SensitivityRouting {
    /** Takes in the tiles of a band. */
    fun read(band: List<Sensitivity>)

    /** Returns bit-widths, or [INTERPOLATED], for the tiles of a band that was read. */
    fun decide(band: List<Sensitivity>): List<Int>
}

/**
 * Routes by the dial's price.
 *
 * @param control the dial's price, which outlives the picture.
 * @param forced the one width for tiles that are not flat, or null.
 * @param interpolates whether flat tiles are left to interpolation.
 * @param cap largest mean bits of the picture's tiles that the network runs; null without a bound.
 *   No less than 4 bits for all can be kept.
 */
class SensedPicture(
    private val rule: SensitivityRule,
    private val control: PriceControl,
    private val forced: Int? = null,
    private val interpolates: Boolean = true,
    private val cap: Double? = null,
) : SensitivityRouting {
    private val error = PictureError()
    private var tiles = 0
    private var spent = 0

    override fun read(band: List<Sensitivity>) = band.forEach { error.add(it.error) }

    override fun decide(band: List<Sensitivity>): List<Int> {
        val level = error.level
        return band.map { tile ->
            val isFlat = interpolates && rule.isFlat(tile, level)
            when {
                forced != null -> if (isFlat) INTERPOLATED else forced
                isFlat -> leave(tile.interpolation - level)
                else -> spend(tile.noise - level)
            }
        }
    }

    private fun leave(score: Int): Int {
        control.noteFlat(score)
        return INTERPOLATED
    }

    private fun spend(score: Int): Int {
        tiles++
        val width = capped(rule.steps.choose(score, control.price))
        spent += width
        control.noteTile(score, width)
        return width
    }

    private fun capped(bought: Int): Int {
        if (cap == null) return bought
        val left = cap * tiles - spent
        return BIT_WIDTHS.lastOrNull { it <= bought && it <= left } ?: BIT_WIDTHS.first()
    }
}
