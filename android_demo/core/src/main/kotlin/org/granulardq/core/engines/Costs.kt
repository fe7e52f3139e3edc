package org.granulardq.core.engines

import org.granulardq.core.INTERPOLATED

/** Share of its time that a narrower width has to save before it is worth what it loses. */
private const val AS_FAST = 0.03

/**
 * Processor time of one tile of the bundle's size, on one device and engine.
 *
 * @property seconds what a bit map says of a tile -> its seconds: [INTERPOLATED], and every
 *   bit-width that the bundle has.
 * @property predict seconds that the predictor takes.
 */
class Costs(val seconds: Map<Int, Double>, val predict: Double) {
    /** Bit-widths that no wider one is as fast as, ascending; the largest always is. */
    val useful: List<Int> = buildList {
        for (width in seconds.keys.filter { it != INTERPOLATED }.sortedDescending()) {
            if (isEmpty() || of(width) < (1 - AS_FAST) * of(first())) add(0, width)
        }
    }

    /** What a bit costs where it costs most, widths being exchanged; 0 if only one is useful. */
    val secondsPerBit: Double
        get() = seconds.keys.filter { it != INTERPOLATED }.sorted().zipWithNext { narrower, wider ->
            (of(exchange(wider)) - of(exchange(narrower))) / (wider - narrower)
        }.maxOrNull() ?: 0.0

    /** Useful widths -> their time, in bits at [secondsPerBit]: none beyond its bits. */
    val inBits: Map<Int, Double>
        get() {
            val unit = secondsPerBit.takeIf { it != 0.0 } ?: 1.0
            return useful.associateWith { of(it) / unit }
        }

    /** Seconds of a tile at the largest bit-width, which needs no predictor. */
    val largestSeconds: Double get() = of(useful.last())

    /** Seconds of one of the routes. */
    fun of(route: Int): Double = seconds.getValue(route)

    /**
     * Returns the width to run instead: the same if it is useful, else the next that is.
     *
     * It loses no more and takes no longer. Widths beyond the largest become the largest.
     */
    fun exchange(bitWidth: Int): Int = useful.firstOrNull { it >= bitWidth } ?: useful.last()
}
