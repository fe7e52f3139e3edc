package org.granulardq.android.pictures

import android.graphics.Bitmap
import android.graphics.Color
import org.granulardq.core.pictures.COLOURS
import org.granulardq.core.pictures.COLOURS_AND_ALPHA
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.pictures.RowSink
import org.granulardq.core.pictures.RowSource
import org.granulardq.core.pictures.hasAlpha

/** The rows of a bitmap as sRGB with straight alpha, as [Bitmap.getPixels] gives them. */
internal class BitmapSource(private val bitmap: Bitmap) : RowSource {
    override val width: Int get() = bitmap.width
    override val height: Int get() = bitmap.height
    override val channels: Int = channelsOf(bitmap)
    private var next = 0

    override fun readRows(count: Int, into: ByteArray, offset: Int) {
        val colours = IntArray(width)
        var place = offset
        repeat(count) {
            bitmap.getPixels(colours, 0, width, 0, next++, width, 1)
            for (colour in colours) place = putColour(colour, into, place, channels)
        }
    }
}

/** Fills a bitmap from top to bottom. */
internal class BitmapSink(val bitmap: Bitmap) : RowSink {
    private var next = 0

    override fun writeRows(rows: Pixels) {
        val colours = IntArray(rows.width)
        for (y in 0 until rows.height) {
            for (x in colours.indices) {
                val alpha = if (hasAlpha(rows.channels)) rows[y, x, 3] else 255
                colours[x] = Color.argb(alpha, rows[y, x, 0], rows[y, x, 1], rows[y, x, 2])
            }
            bitmap.setPixels(colours, 0, rows.width, 0, next++, rows.width, 1)
        }
    }
}

/** Samples of a pixel of this bitmap. */
internal fun channelsOf(bitmap: Bitmap): Int =
    if (bitmap.hasAlpha()) COLOURS_AND_ALPHA else COLOURS

/** Writes one pixel's samples from [place] on, and returns the place behind them. */
internal fun putColour(colour: Int, into: ByteArray, place: Int, channels: Int): Int {
    into[place] = Color.red(colour).toByte()
    into[place + 1] = Color.green(colour).toByte()
    into[place + 2] = Color.blue(colour).toByte()
    if (hasAlpha(channels)) into[place + 3] = Color.alpha(colour).toByte()
    return place + channels
}
