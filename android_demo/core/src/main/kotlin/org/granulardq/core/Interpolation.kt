package org.granulardq.core

import org.granulardq.core.pictures.Pixels

/** Pixels that a value of cubic interpolation depends on, along each axis. */
private const val TAPS = 4

/**
 * Upscales pixels by cubic interpolation, exactly: values are rounded once, halves upwards.
 *
 * The kernel is Keys' with a = -3/4; result pixel d lies at (d + 1/2) / scale - 1/2; pixels beyond
 * the border repeat the last one. OpenCV, which the Python runtime uses, rounds the kernel to 11
 * bits and, on some processors, halves to even: it differs from this by at most one level.
 *
 * @param scale upscaling factor, 1..8.
 */
fun interpolate(tile: Pixels, scale: Int): Pixels {
    val result = Pixels(tile.height * scale, tile.width * scale, tile.channels)
    val weights = cubicWeights(scale)
    val samples = result.stride
    val across = Array(tile.height) { interpolateRow(tile, it, scale, weights) }
    val one = squared(32L * scale * scale * scale) // what the weights of both axes sum to
    for (y in 0 until result.height) {
        val first = firstTap(y, scale)
        val taps = weights[y % scale]
        for (sample in 0 until samples) {
            var sum = 0L
            for (tap in 0 until TAPS) {
                val row = across[(first + tap).coerceIn(0, tile.height - 1)]
                sum += taps[tap].toLong() * row[sample]
            }
            val rounded = Math.floorDiv(2 * sum + one, 2 * one).coerceIn(0, 255)
            result.data[y * samples + sample] = rounded.toByte()
        }
    }
    return result
}

private fun squared(value: Long) = value * value

private fun interpolateRow(tile: Pixels, y: Int, scale: Int, weights: Array<IntArray>): IntArray {
    val row = IntArray(tile.width * scale * tile.channels)
    for (x in 0 until tile.width * scale) {
        val first = firstTap(x, scale)
        val taps = weights[x % scale]
        for (channel in 0 until tile.channels) {
            var sum = 0
            for (tap in 0 until TAPS) {
                sum += taps[tap] * tile[y, (first + tap).coerceIn(0, tile.width - 1), channel]
            }
            row[x * tile.channels + channel] = sum
        }
    }
    return row
}

/** The pixel before the one at or before the place of result pixel [place]. */
private fun firstTap(place: Int, scale: Int): Int =
    Math.floorDiv(2 * place + 1 - scale, 2 * scale) - 1

/** The four weights of each place modulo the scale, in 1 / (32 scale^3): whole numbers. */
private fun cubicWeights(scale: Int): Array<IntArray> =
    Array(scale) { place ->
        val first = firstTap(place, scale)
        IntArray(TAPS) { tap ->
            // The distance in units of 1 / (2 scale).
            kernel(Math.abs(2 * place + 1 - scale - 2 * scale * (first + tap)), scale)
        }
    }

/** 32 scale^3 times 5/4 x^3 - 9/4 x^2 + 1, and beyond 1: -3/4 x^3 + 15/4 x^2 - 6 x + 3. */
private fun kernel(m: Int, s: Int): Int =
    if (m <= 2 * s) {
        5 * m * m * m - 18 * s * m * m + 32 * s * s * s
    } else {
        -3 * m * m * m + 30 * s * m * m - 96 * s * s * m + 96 * s * s * s
    }
