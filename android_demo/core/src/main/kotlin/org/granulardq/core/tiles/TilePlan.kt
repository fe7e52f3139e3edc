package org.granulardq.core.tiles

import kotlin.math.max
import kotlin.math.min
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import org.granulardq.core.pictures.Pixels

/**
 * Smallest side of a tile that a bundle may have, and so the smallest that its graphs must take.
 */
const val SMALLEST_SIDE: Int = 16

/** How a picture is cut. */
@Serializable
enum class Policy {
    /** All tiles have one size; the last of a row or column is moved back to the edge. */
    @SerialName("uniform")
    UNIFORM,

    /**
     * The published protocol: the last tile reaches to the edge, up to 2 tile - overlap - 1 long.
     */
    @SerialName("paper")
    PAPER,
}

/**
 * A tile along one axis, in low-resolution pixels.
 *
 * @property start first pixel of the tile.
 * @property stop its end, exclusive; beyond the picture's end if the picture is padded.
 * @property ownStart first pixel that the tile contributes to the result.
 * @property ownStop end of these, exclusive; never beyond the picture's end.
 */
data class Span(val start: Int, val stop: Int, val ownStart: Int, val ownStop: Int) {
    /** Pixels of the tile. */
    val length: Int get() = stop - start

    /** Pixels that the tile contributes. */
    val ownLength: Int get() = ownStop - ownStart
}

/**
 * The tiles of one picture; all numbers are low-resolution pixels.
 *
 * Neighbours overlap and meet at a hard cut in the middle of their overlap, so that exactly one
 * tile owns each pixel. Pictures smaller than a tile are padded by reflection at the right and the
 * bottom: up to the tile with [Policy.UNIFORM], up to 16 pixels with [Policy.PAPER].
 */
class TilePlan(
    val width: Int,
    val height: Int,
    val tile: Int,
    val overlap: Int,
    val policy: Policy = Policy.UNIFORM,
) {
    init {
        require(min(width, height) >= 1 && tile >= SMALLEST_SIDE && overlap in 0..tile / 2)
    }

    /** The tiles of one row, from left to right. */
    val columns: List<Span> = cutAxis(width)

    /** The tiles of one column, from top to bottom. */
    val rows: List<Span> = cutAxis(height)

    /** Number of tiles. */
    val count: Int get() = rows.size * columns.size

    private fun cutAxis(length: Int): List<Span> {
        val stride = tile - overlap
        val last = max(length - tile, 0)
        val starts: List<Int>
        val stops: List<Int>
        if (policy == Policy.PAPER) {
            starts = (0..last step stride).toList()
            stops = starts.dropLast(1).map { it + tile } + max(length, SMALLEST_SIDE)
        } else {
            starts = (0 until last step stride) + last
            stops = starts.map { it + tile }
        }
        val inner = stops.zip(starts.drop(1)) { stop, start -> (stop + start) / 2 }
        val cuts = listOf(0) + inner + length
        return starts.indices.map { Span(starts[it], stops[it], cuts[it], cuts[it + 1]) }
    }
}

/**
 * Cuts one tile from a band, padding by reflection where the picture ends before the tile.
 *
 * @param band the rows [row].start to [row].stop, as far as the picture reaches, at full width.
 */
fun cutTile(band: Pixels, row: Span, column: Span): Pixels {
    val tile = Pixels(row.length, column.length, band.channels)
    val inside = min(column.stop, band.width) - column.start
    for (y in 0 until tile.height) {
        val from = reflect(y, band.height) * band.stride + column.start * band.channels
        val to = y * tile.stride
        band.data.copyInto(tile.data, to, from, from + inside * band.channels)
        for (x in inside until tile.width) {
            val source = to + reflect(x, inside) * band.channels
            tile.data.copyInto(tile.data, to + x * band.channels, source, source + band.channels)
        }
    }
    return tile
}

/** The pixel at a place beyond the end: abc -> abcbabc; a single pixel repeats. */
private fun reflect(place: Int, length: Int): Int {
    if (length == 1) return 0
    val within = place % (2 * length - 2)
    return if (within < length) within else 2 * length - 2 - within
}
