package org.granulardq.core.routing

import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.INTERPOLATED
import org.granulardq.core.bundle.OperatingPoint

/**
 * The largest mean price of a picture's tiles.
 *
 * @property largest mean of all tiles that have a price.
 * @property prices what a bit map says of a tile -> its price.
 */
class Bound(val largest: Double, val prices: Map<Int, Double>) {
    companion object {
        /** Bounds the bits of those tiles that the network runs. */
        fun ofBits(fab: Double): Bound = Bound(fab, BIT_WIDTHS.associateWith { it.toDouble() })
    }
}

/**
 * Turns the dial back, band by band, as far as the picture's bound demands.
 *
 * The dial's positions were calibrated on other photos: on a picture of many demanding tiles, one
 * would spend more than it did there. Within a band the tiles that gain most keep theirs.
 *
 * @param positions of the dial, cheapest first; the last is used while the bound has room.
 * @param bound of all tiles so far; no less than the first position can be kept.
 */
class Budget(private val positions: List<OperatingPoint>, private val bound: Bound) {
    private var tiles = 0
    private var spent = 0.0

    /** Returns what becomes of the tiles of a band, by the dial's [bins]; null: interpolated. */
    fun spend(bins: List<Int?>): List<Int> {
        val prices = bound.prices
        tiles += if (INTERPOLATED in prices) bins.size else bins.count { it != null }
        var routes = emptyList<Int>()
        var total = 0.0
        for (point in positions.asReversed()) {
            routes = bins.map { if (it == null) INTERPOLATED else point.bitWidths[it] }
            total = spent + routes.sumOf { prices[it] ?: 0.0 }
            if (total <= bound.largest * tiles) break
        }
        spent = total
        return routes
    }
}
