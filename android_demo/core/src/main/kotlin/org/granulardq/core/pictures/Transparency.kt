package org.granulardq.core.pictures

import kotlin.math.max
import kotlin.math.min

/**
 * Pixels that visible colours spread; what is further away than this is black.
 *
 * So many low-resolution pixels off, nothing that a network sees changes a visible sample.
 */
const val REACH: Int = 15

private val STEPS = intArrayOf(1, 2, 4, 8)

/**
 * The same picture with other colours under its pixels of alpha 0: those of visible neighbours.
 *
 * Nobody has seen the colours that a file holds there, but whatever looks at neighbours, as
 * interpolation and every network do, would draw them into the visible edge.
 */
fun spreadColours(source: RowSource): RowSource =
    if (hasAlpha(source.channels)) SpreadColours(source) else source

/**
 * Reads [REACH] rows ahead and keeps as many behind.
 *
 * A pixel depends on those within its reach alone, by the same sums in the same order: so it is the
 * same however the rows are asked for.
 */
private class SpreadColours(private val source: RowSource) : RowSource by source {
    private var window = Pixels(0, source.width, source.channels)
    private var start = 0 // of the window in the picture
    private var next = 0

    override fun readRows(count: Int, into: ByteArray, offset: Int) {
        val first = next
        next += count
        advance(max(first - REACH, 0), min(next + REACH, height))
        val stride = window.stride
        val from = (first - start) * stride
        window.data.copyInto(into, offset, from, from + count * stride)
        val hidden = (0 until count * width).filter { window.data[from + 4 * it + 3] == 0.toByte() }
        if (hidden.isEmpty()) return
        val spread = spread(window)
        for (pixel in hidden) {
            val place = 3 * ((first - start) * width + pixel)
            spread.copyInto(into, offset + 4 * pixel, place, place + 3)
        }
    }

    private fun advance(from: Int, to: Int) {
        val known = start + window.height
        val moved = Pixels(to - from, width, channels)
        window.data.copyInto(moved.data, 0, (from - start) * moved.stride, window.data.size)
        if (to > known) source.readRows(to - known, moved.data, (known - from) * moved.stride)
        window = moved
        start = from
    }
}

/**
 * The colours (height x width x 3) around each pixel, weighted by alpha.
 *
 * The weight of a neighbour falls by half with each row and each column of distance: so steep that
 * the nearest ones decide. All sums are in 32 bits, in the order of the Python runtime.
 */
private fun spread(window: Pixels): ByteArray {
    val pixels = window.height * window.width
    val planes = Array(4) { FloatArray(pixels) }
    for (pixel in 0 until pixels) {
        val (y, x) = pixel / window.width to pixel % window.width
        val weight = window[y, x, 3].toFloat()
        for (c in 0 until 3) planes[c][pixel] = window[y, x, c] * weight
        planes[3][pixel] = weight
    }
    val (red, green, blue, weights) = planes.map { plane ->
        val across = sumAround(plane, window.height, window.width, 1, window.width)
        sumAround(across, window.width, window.height, window.width, 1)
    }
    val colours = ByteArray(3 * pixels)
    for (pixel in 0 until pixels) {
        val weight = if (weights[pixel] > 0) weights[pixel] else 1f
        colours[3 * pixel] = round(red[pixel] / weight)
        colours[3 * pixel + 1] = round(green[pixel] / weight)
        colours[3 * pixel + 2] = round(blue[pixel] / weight)
    }
    return colours
}

private fun round(value: Float): Byte = Math.rint(value.toDouble()).toInt().toByte()

/** For [lines] of [length] values that lie [step] apart: the sums before and behind each value. */
private fun sumAround(
    values: FloatArray, lines: Int, length: Int, step: Int, lineStep: Int,
): FloatArray {
    val result = FloatArray(values.size)
    val line = FloatArray(length)
    for (number in 0 until lines) {
        for (n in 0 until length) line[n] = values[number * lineStep + n * step]
        val before = sumBefore(line)
        val behind = sumBefore(line.reversedArray())
        for (n in 0 until length) {
            result[number * lineStep + n * step] = before[n] + behind[length - 1 - n] - line[n]
        }
    }
    return result
}

/**
 * The sum over d = 0..15 of the values d places before, divided by 2^d.
 *
 * By (1 + z/2)(1 + z^2/4)(1 + z^4/16)(1 + z^8/256), z being the shift by one place.
 */
private fun sumBefore(values: FloatArray): FloatArray {
    var sums = values
    for (step in STEPS) {
        val factor = 1f / (1 shl step)
        sums = FloatArray(sums.size) { n ->
            if (n >= step) sums[n] + sums[n - step] * factor else sums[n]
        }
    }
    return sums
}
