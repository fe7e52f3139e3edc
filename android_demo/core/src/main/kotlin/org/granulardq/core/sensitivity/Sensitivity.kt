package org.granulardq.core.sensitivity

import org.granulardq.core.BundleException
import org.granulardq.core.pictures.Pixels

/** Heads, scores and prices count in 1/32 octaves: 32 more is twice as much. */
const val OCTAVE: Int = 32

/** Binary places of weights and biases. */
private const val SHIFT = 14

/**
 * What a tile would cost, each 32 log2 of a mean squared error of the luma (0..255).
 *
 * @property noise that 4 bits add to the network's error.
 * @property error of the network at 8 bits.
 * @property interpolation that interpolation adds to that.
 */
data class Sensitivity(val noise: Int, val error: Int, val interpolation: Int)

/**
 * Three integer heads on a tile's statistics: (statistics . weights + bias) >> 14.
 *
 * @property weights 3 x 9: noise, error, interpolation.
 * @property biases one for each head.
 * @property side pixels of the tiles that they were fitted to, a multiple of 4.
 * @throws BundleException on construction, if a sum could leave 32 bits.
 */
class SensitivityHeads(
    private val weights: List<List<Int>>, private val biases: List<Int>, val side: Int,
) {
    init {
        if (side % BLOCK != 0) throw BundleException("a tile's side must be a multiple of 4: $side")
        val largest = largestStatistics(side)
        for ((row, bias) in weights.zip(biases)) {
            val sum = row.indices.sumOf { Math.abs(row[it].toDouble()) * largest[it] }
            if (sum + Math.abs(bias.toDouble()) > Int.MAX_VALUE) {
                throw BundleException(
                    "weights of the sensitivity heads are so large that 32 bits overflow",
                )
            }
        }
    }

    /** The heads of a tile's nine statistics. */
    fun apply(statistics: IntArray): Sensitivity {
        val (noise, error, interpolation) = weights.zip(biases) { row, bias ->
            var sum = bias
            for (n in 0 until STATISTICS) sum += row[n] * statistics[n]
            sum shr SHIFT
        }
        return Sensitivity(noise, error, interpolation)
    }

    /** The heads of an RGB tile of at least 4 pixels each way. */
    fun sense(tile: Pixels): Sensitivity = apply(tileStatistics(tile, side))
}

/** What no tile of a side can exceed. */
private fun largestStatistics(side: Int): LongArray {
    val blocks = (side / BLOCK).toLong().let { it * it }
    val byFour = (side / BLOCK - 1).toLong().let { it * it }
    val top = LARGEST_LOGARITHM.toLong()
    val one = LARGEST_DIFFERENCE_LOGARITHM
    return longArrayOf(top, blocks * one, top, top, byFour * one, byFour * one, top, top, top)
}
