package org.granulardq.android.pictures

import android.content.Context
import android.graphics.Bitmap
import ar.com.hjg.pngj.ImageInfo
import ar.com.hjg.pngj.ImageLineByte
import ar.com.hjg.pngj.PngWriter
import ar.com.hjg.pngj.PngjException
import java.io.File
import java.io.IOException
import java.io.OutputStream
import org.granulardq.android.checkMemory
import org.granulardq.core.OutputException
import org.granulardq.core.RequestException
import org.granulardq.core.pictures.Pixels
import org.granulardq.core.pictures.RowSink
import org.granulardq.core.pictures.hasAlpha

/** A file format of results. */
enum class PictureFormat(val mimeType: String, val extension: String) {
    /** Loses nothing, keeps transparency, and is written row by row, whatever the size. */
    PNG("image/png", "png"),

    /** The platform's encoder needs the whole result in memory: 4 bytes per pixel. */
    JPEG("image/jpeg", "jpg"),
}

/** Takes all rows of a picture, then makes a file of them. */
internal interface PictureSink : RowSink {
    /** Completes the file once all rows are written. */
    fun finish()
}

/**
 * Opens the writer of a format.
 *
 * @throws RequestException JPEG of a picture with alpha.
 * @throws OutputException the file cannot be made, or the result does not fit the memory.
 */
internal fun openSink(
    context: Context, stream: OutputStream, format: PictureFormat, size: PictureSize,
): PictureSink =
    when (format) {
        PictureFormat.PNG -> PngSink(stream, size)
        PictureFormat.JPEG -> JpegSink(context, stream, size)
    }

/** Columns, rows and samples per pixel. */
internal class PictureSize(val width: Int, val height: Int, val channels: Int)

private class PngSink(stream: OutputStream, size: PictureSize) : PictureSink {
    private val info = ImageInfo(size.width, size.height, 8, hasAlpha(size.channels))
    private val writer = writing { PngWriter(stream, info) }
    private val line = ImageLineByte(info)

    override fun writeRows(rows: Pixels) {
        for (y in 0 until rows.height) {
            rows.data.copyInto(line.scanline, 0, y * rows.stride, (y + 1) * rows.stride)
            writing { writer.writeRow(line) }
        }
    }

    override fun finish() = writing { writer.end() }
}

private class JpegSink(
    context: Context, private val stream: OutputStream, size: PictureSize,
) : PictureSink {
    private val bitmap: Bitmap
    private val rows: BitmapSink

    init {
        if (hasAlpha(size.channels)) {
            throw RequestException("JPEG keeps no transparency: choose PNG for this picture")
        }
        checkMemory(context, size.width, size.height, "a JPEG (PNG needs none of it)")
        bitmap = Bitmap.createBitmap(size.width, size.height, Bitmap.Config.ARGB_8888)
        rows = BitmapSink(bitmap)
    }

    override fun writeRows(rows: Pixels) = this.rows.writeRows(rows)

    override fun finish() {
        val isWritten = bitmap.compress(Bitmap.CompressFormat.JPEG, JPEG_QUALITY, stream)
        bitmap.recycle()
        if (!isWritten) throw noSpace(null)
    }
}

/** Of 100: above it, files grow faster than differences become smaller. */
private const val JPEG_QUALITY = 95

private fun <T> writing(write: () -> T): T =
    try {
        write()
    } catch (error: PngjException) {
        throw noSpace(error)
    }

/** Runs what writes a file of ours. */
internal fun <T> writingTo(file: File, write: (OutputStream) -> T): T =
    try {
        file.outputStream().buffered().use(write)
    } catch (error: IOException) {
        throw noSpace(error)
    }

private fun noSpace(cause: Throwable?) =
    OutputException("the result cannot be written: is there space left on the phone?", cause)
