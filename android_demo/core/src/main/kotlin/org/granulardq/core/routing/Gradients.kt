package org.granulardq.core.routing

import kotlin.math.abs
import org.granulardq.core.pictures.Pixels

/**
 * Returns how much luma changes from a pixel to its neighbour, in gray levels.
 *
 * (mean |Y(x + 1) - Y(x)| + mean |Y(y + 1) - Y(y)|) / 2 over an RGB tile of at least 2 pixels each
 * way, Y = (65.738 R + 129.057 G + 25.064 B) / 256: 0 for one colour, above 10 for foliage.
 */
fun meanGradient(tile: Pixels): Double {
    var across = 0.0
    var down = 0.0
    var above = DoubleArray(tile.width)
    for (y in 0 until tile.height) {
        val luma = DoubleArray(tile.width) { x -> luma(tile, y, x) }
        for (x in 1 until tile.width) across += abs(luma[x] - luma[x - 1])
        if (y > 0) for (x in 0 until tile.width) down += abs(luma[x] - above[x])
        above = luma
    }
    return (across / (tile.height * (tile.width - 1)) + down / ((tile.height - 1) * tile.width)) / 2
}

private fun luma(tile: Pixels, y: Int, x: Int): Double =
    (65.738 * tile[y, x, 0] + 129.057 * tile[y, x, 1] + 25.064 * tile[y, x, 2]) / 256
