package org.granulardq.core.sensitivity

import java.math.BigInteger

/** 2^(step / 32) in 1/2^15. */
private val POWERS = LongArray(OCTAVE) { Math.round(Math.pow(2.0, 15 + it / OCTAVE.toDouble())) }

/** Of a tile's error: squared gray levels from 2^-8 to 2^20, more than any 8-bit picture has. */
private val ERRORS = -8 * OCTAVE..20 * OCTAVE

/** Binary places below one: enough for the smallest. */
private const val POINT = 8

/**
 * The mean of 2^(error / 32) over tiles, in integers, so that all computers agree.
 *
 * A PSNR is taken per picture: the same noise costs a picture of small errors more. So a tile's
 * noise counts relative to the mean error of its picture, guessed from the tiles read so far.
 */
class PictureError {
    private var sum = BigInteger.ZERO
    private var tiles = 0L

    /** Takes in the error head of a tile. */
    fun add(error: Int) {
        val within = error.coerceIn(ERRORS)
        val octave = Math.floorDiv(within, OCTAVE)
        val power = POWERS[Math.floorMod(within, OCTAVE)]
        sum += BigInteger.valueOf(power).shiftLeft(octave + POINT)
        tiles++
    }

    /** 32 log2 of the mean, rounded down; needs a tile. */
    val level: Int
        get() {
            val mean = sum / BigInteger.valueOf(tiles)
            val octave = mean.bitLength() - 16 // of POWERS[0]
            val fraction = mean.shiftRight(octave).toLong()
            return OCTAVE * (octave - POINT) + POWERS.count { it <= fraction } - 1
        }
}
