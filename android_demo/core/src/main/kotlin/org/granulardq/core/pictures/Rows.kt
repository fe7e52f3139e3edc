package org.granulardq.core.pictures

import org.granulardq.core.ImageException

/** Samples per pixel of RGB. */
const val COLOURS: Int = 3

/** Samples per pixel of RGB with straight alpha (not multiplied into colour). */
const val COLOURS_AND_ALPHA: Int = 4

/**
 * Pixels of 8-bit samples, row by row, the channels of a pixel side by side.
 *
 * @property data holds at least [height] x [width] x [channels] samples; more are not used.
 */
class Pixels(
    val height: Int,
    val width: Int,
    val channels: Int,
    val data: ByteArray = ByteArray(height * width * channels),
) {
    /** Samples of one row. */
    val stride: Int get() = width * channels

    init {
        require(data.size >= height * stride) { "$height x $width x $channels in ${data.size}" }
    }

    /** A sample, 0..255. */
    operator fun get(y: Int, x: Int, channel: Int): Int =
        data[y * stride + x * channels + channel].toInt() and 0xff

    /** Copies rows from [start] up to [stop]. */
    fun rows(start: Int, stop: Int): Pixels =
        Pixels(stop - start, width, channels, data.copyOfRange(start * stride, stop * stride))
}

/** A picture whose rows are read once, from top to bottom. */
interface RowSource {
    val width: Int
    val height: Int

    /** [COLOURS] or [COLOURS_AND_ALPHA]. */
    val channels: Int

    /**
     * Writes the next [count] rows into [into], from its sample [offset] on.
     *
     * @throws ImageException the rest of the picture is damaged.
     */
    fun readRows(count: Int, into: ByteArray, offset: Int)
}

/** Takes the rows of a picture from top to bottom. */
fun interface RowSink {
    /**
     * Takes the next rows, which may be overwritten after the call.
     *
     * @throws org.granulardq.core.OutputException they cannot be stored.
     */
    fun writeRows(rows: Pixels)
}

/** Whether a pixel of so many samples has alpha as its last one. */
fun hasAlpha(channels: Int): Boolean = channels == COLOURS_AND_ALPHA

/** Makes sure that a source is a picture. */
fun checkSource(source: RowSource) {
    if (source.width < 1 || source.height < 1) {
        throw ImageException("a picture of ${source.width}x${source.height} has no pixels")
    }
    if (source.channels != COLOURS && source.channels != COLOURS_AND_ALPHA) {
        throw ImageException("a pixel has ${source.channels} samples: give RGB, or RGB and alpha")
    }
}

/** A picture in memory as a source of rows. */
class PixelSource(private val picture: Pixels) : RowSource {
    override val width: Int get() = picture.width
    override val height: Int get() = picture.height
    override val channels: Int get() = picture.channels
    private var next = 0

    override fun readRows(count: Int, into: ByteArray, offset: Int) {
        val start = next * picture.stride
        picture.data.copyInto(into, offset, start, start + count * picture.stride)
        next += count
    }
}

/** Collects rows in memory. */
class PixelSink(height: Int, width: Int, channels: Int) : RowSink {
    /** The picture; complete once all rows are written. */
    val picture: Pixels = Pixels(height, width, channels)
    private var next = 0

    override fun writeRows(rows: Pixels) {
        val count = rows.height * rows.stride
        rows.data.copyInto(picture.data, next, 0, count)
        next += count
    }
}
