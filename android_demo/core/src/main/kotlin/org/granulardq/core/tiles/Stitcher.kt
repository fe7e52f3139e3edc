package org.granulardq.core.tiles

import kotlin.math.min
import org.granulardq.core.interpolate
import org.granulardq.core.pictures.COLOURS
import org.granulardq.core.pictures.COLOURS_AND_ALPHA
import org.granulardq.core.pictures.Pixels

/** Collects the tiles of one band at a time; memory depends only on the picture's width. */
class Stitcher(plan: TilePlan, private val scale: Int) {
    private val width = plan.width * scale

    // One buffer serves all bands: as high as the highest.
    private val buffer = ByteArray(plan.rows.maxOf { it.ownLength } * scale * width * COLOURS)

    /**
     * Copies the pixels that an upscaled tile owns.
     *
     * @param row vertical position of the tile, which must be in the current band.
     * @param column horizontal position of the tile.
     * @param tile RGB, [scale] times the tile's size, as the engine returned it.
     */
    fun place(row: Span, column: Span, tile: Pixels) {
        val top = (row.ownStart - row.start) * scale
        val left = (column.ownStart - column.start) * scale * COLOURS
        val count = column.ownLength * scale * COLOURS
        for (y in 0 until row.ownLength * scale) {
            val from = (top + y) * tile.stride + left
            val to = (y * width + column.ownStart * scale) * COLOURS
            tile.data.copyInto(buffer, to, from, from + count)
        }
    }

    /** Returns the rows of a band once its tiles are placed, valid until the next one is placed. */
    fun finish(band: Band): Pixels {
        val colour = Pixels(band.row.ownLength * scale, width, COLOURS, buffer)
        val alpha = band.alpha ?: return colour
        return join(colour, upscaleAlpha(alpha, band.row, scale))
    }
}

/** Upscales the alpha of a band as if the whole picture were; the network is only for colours. */
private fun upscaleAlpha(alpha: Pixels, row: Span, scale: Int): Pixels {
    val above = min(row.ownStart, ALPHA_CONTEXT) * scale
    return interpolate(alpha, scale).rows(above, above + row.ownLength * scale)
}

private fun join(colour: Pixels, alpha: Pixels): Pixels {
    val joined = Pixels(colour.height, colour.width, COLOURS_AND_ALPHA)
    for (pixel in 0 until colour.height * colour.width) {
        colour.data.copyInto(joined.data, 4 * pixel, COLOURS * pixel, COLOURS * (pixel + 1))
        joined.data[4 * pixel + COLOURS] = alpha.data[pixel]
    }
    return joined
}
