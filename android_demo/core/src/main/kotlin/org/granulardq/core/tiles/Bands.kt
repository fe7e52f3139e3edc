package org.granulardq.core.tiles

import kotlin.math.max
import kotlin.math.min
import org.granulardq.core.pictures.COLOURS
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.pictures.RowSource
import org.granulardq.core.pictures.hasAlpha

/** Rows above and below its own on which a pixel of cubic interpolation can depend. */
const val ALPHA_CONTEXT: Int = 2

/**
 * The part of a picture under one row of tiles.
 *
 * @property row vertical position of the tiles.
 * @property colour RGB, `row.start` to `row.stop`, as far as the picture reaches.
 * @property alpha one channel, the band's own rows with [ALPHA_CONTEXT] rows above and below, as
 *   far as the picture reaches; null if the picture has no alpha.
 */
class Band(val row: Span, val colour: Pixels, val alpha: Pixels?)

/**
 * Reads a picture band by band, each row of the source once: the rows that a band needs, no more.
 */
class BandReader(private val source: RowSource, plan: TilePlan) {
    private val rows = plan.rows.iterator()
    private val context = if (hasAlpha(source.channels)) ALPHA_CONTEXT else 0
    private var window = Pixels(0, source.width, source.channels)
    private var start = 0

    /** Reads the next band, from top to bottom. */
    fun read(): Band {
        val row = rows.next()
        val above = max(row.ownStart - context, 0)
        val below = min(row.ownStop + context, source.height)
        advance(min(row.start, above), max(min(row.stop, source.height), below))
        val colour = channelsOf(row.start, min(row.stop, source.height), 0, COLOURS)
        val alpha = if (context == 0) null else channelsOf(above, below, COLOURS, 1)
        return Band(row, colour, alpha)
    }

    private fun advance(from: Int, to: Int) {
        val known = start + window.height
        val moved = Pixels(to - from, source.width, source.channels)
        window.data.copyInto(moved.data, 0, (from - start) * moved.stride, window.data.size)
        source.readRows(to - known, moved.data, (known - from) * moved.stride)
        window = moved
        start = from
    }

    /** Copies [count] channels from [first] on, of the picture's rows [from] up to [to]. */
    private fun channelsOf(from: Int, to: Int, first: Int, count: Int): Pixels {
        if (count == window.channels) return window.rows(from - start, to - start)
        val part = Pixels(to - from, window.width, count)
        val offset = (from - start) * window.width
        for (pixel in 0 until part.height * part.width) {
            val place = (offset + pixel) * window.channels + first
            window.data.copyInto(part.data, pixel * count, place, place + count)
        }
        return part
    }
}
