package org.granulardq.core.sensitivity

import java.math.BigInteger
import kotlin.math.abs
import kotlin.math.max
import org.granulardq.core.pictures.Pixels

/** How many statistics a tile has. */
const val STATISTICS: Int = 9

/** Side of the blocks over which maxima are taken. */
internal const val BLOCK: Int = 4

/** Gray levels from which an edge is counted as strong. */
private const val STRONG = 128

/** Where the logarithm rises: the smallest whole n with n^4 >= 2^k, for k = 1, 2, ... */
private val LOG_STEPS = LongArray(4 * 33 - 1) { smallestFourthRoot(it + 1) }

private fun smallestFourthRoot(k: Int): Long {
    val power = BigInteger.ONE.shiftLeft(k)
    var n = Math.pow(2.0, k / 4.0).toLong()
    while (BigInteger.valueOf(n).pow(4) < power) n++
    return n
}

/** The largest value of [logarithm]. */
internal val LARGEST_LOGARITHM: Int = LOG_STEPS.size

/** floor(4 log2(1 + v)) of a whole number from 0 on. */
internal fun logarithm(v: Long): Int {
    val found = LOG_STEPS.binarySearch(1 + v)
    return if (found >= 0) found + 1 else -found - 1
}

/** The logarithms of all differences that there are. */
private val LOGARITHMS = IntArray(4 * BLOCK * BLOCK * 255 + 1) { logarithm(it.toLong()) }

/** The logarithm of the largest difference. */
internal val LARGEST_DIFFERENCE_LOGARITHM: Int = LOGARITHMS.last()

/**
 * Returns the nine statistics of a tile, in whole numbers (docs/bundle.md, section Statistics).
 *
 * @param tile RGB, at least 4 pixels each way; rows and columns beyond the last multiple of four
 *   take no part.
 * @param side pixels of the tiles that the heads were fitted to: the sums of a tile of another size
 *   are brought to as many terms as such a tile has.
 */
fun tileStatistics(tile: Pixels, side: Int): IntArray {
    val luma = lumaOf(tile)
    val byTwo = luma.sumPairs()
    val byFour = byTwo.sumPairs()
    val diagonals = luma.diagonals().blockMaxima()
    val steps = luma.steps().blockMaxima()
    val byTwoDiagonals = byTwo.diagonals()
    val blocks = squared(side / 4)
    val windows = squared(side / 2 - 1)
    return intArrayOf(
        logarithm(diagonals.total(blocks) { it * it shr 4 }),
        diagonals.total(blocks) { LOGARITHMS[it] }.toInt(),
        logarithm(diagonals.total(blocks) { if (it >= STRONG) 1 else 0 }),
        logarithm(steps.total(blocks) { if (it >= STRONG) 1 else 0 }),
        byFour.diagonals().total(squared(side / 4 - 1)) { LOGARITHMS[it] }.toInt(),
        byFour.laplacians().total(squared(side / 4 - 2)) { LOGARITHMS[it] }.toInt(),
        logarithm(byTwoDiagonals.total(windows) { it }),
        logarithm(byTwoDiagonals.total(windows) { squared(it shr 2) shr 6 }),
        logarithm(luma.total(squared(side)) { it }),
    )
}

private fun squared(value: Int) = value * value

/** Whole numbers in rows. */
private class Plane(val height: Int, val width: Int, val values: IntArray) {
    operator fun get(y: Int, x: Int): Int = values[y * width + x]

    /** Sums terms as if there were [fitted] of them. */
    inline fun total(fitted: Int, term: (Int) -> Int): Long {
        var sum = 0L
        for (value in values) sum += term(value)
        return if (values.isEmpty() || values.size == fitted) sum else sum * fitted / values.size
    }

    inline fun map(height: Int, width: Int, value: (Int, Int) -> Int): Plane {
        val made = IntArray(max(height, 0) * max(width, 0))
        var next = 0
        for (y in 0 until height) for (x in 0 until width) made[next++] = value(y, x)
        return Plane(max(height, 0), max(width, 0), made)
    }

    fun sumPairs(): Plane = map(height / 2, width / 2) { y, x ->
        this[2 * y, 2 * x] + this[2 * y, 2 * x + 1] +
            this[2 * y + 1, 2 * x] + this[2 * y + 1, 2 * x + 1]
    }

    /** Zero on every plane, ramp, and straight edge along an axis. */
    fun diagonals(): Plane = map(height - 1, width - 1) { y, x ->
        abs(this[y, x] + this[y + 1, x + 1] - this[y, x + 1] - this[y + 1, x])
    }

    /** The larger of the differences to the right and downwards. */
    fun steps(): Plane = map(height - 1, width - 1) { y, x ->
        max(abs(this[y, x + 1] - this[y, x]), abs(this[y + 1, x] - this[y, x]))
    }

    fun laplacians(): Plane = map(height - 2, width - 2) { y, x ->
        abs(
            4 * this[y + 1, x + 1] - this[y, x + 1] - this[y + 2, x + 1] -
                this[y + 1, x] - this[y + 1, x + 2],
        )
    }

    /**
     * Of windows: the largest of those that begin in each block. The last row and column end one
     * early.
     */
    fun blockMaxima(): Plane = map((height + 1) / BLOCK, (width + 1) / BLOCK) { row, column ->
        var largest = 0
        for (y in row * BLOCK until minOf((row + 1) * BLOCK, height)) {
            for (x in column * BLOCK until minOf((column + 1) * BLOCK, width)) {
                largest = max(largest, this[y, x])
            }
        }
        largest
    }
}

/** (77 R + 150 G + 29 B + 128) >> 8 of whole blocks. */
private fun lumaOf(tile: Pixels): Plane {
    val height = tile.height / BLOCK * BLOCK
    val width = tile.width / BLOCK * BLOCK
    val values = IntArray(height * width) {
        val y = it / width
        val x = it % width
        (77 * tile[y, x, 0] + 150 * tile[y, x, 1] + 29 * tile[y, x, 2] + 128) shr 8
    }
    return Plane(height, width, values)
}
