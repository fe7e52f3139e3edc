package org.granulardq.android.pictures

import android.content.ContentResolver
import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.BitmapRegionDecoder
import android.graphics.ColorSpace
import android.graphics.Rect
import android.net.Uri
import java.io.IOException
import java.io.InputStream
import kotlin.math.max
import kotlin.math.min
import org.granulardq.android.checkMemory
import org.granulardq.core.ImageException
import org.granulardq.core.pictures.RowSource

/** Pixels that are decoded at a time: 32 MB. Fewer cost time, since JPEG is read from its top. */
private const val CHUNK_PIXELS = 8 shl 20

/**
 * The upright rows of a picture behind a Uri, in any format that the platform decodes.
 *
 * Pictures of up to [chunkPixels] are decoded at once, larger ones region by region; formats whose
 * regions the platform cannot decode, as a whole if memory suffices.
 *
 * @throws ImageException there is no picture, its Uri was revoked, or it is damaged.
 */
internal class StoredPicture(
    private val context: Context,
    private val uri: Uri,
    private val chunkPixels: Int = CHUNK_PIXELS,
) : RowSource, AutoCloseable {
    /** MIME type by the file's content. */
    val type: String

    /** What the file says of itself beside its pixels. */
    val exif: ExifTags

    private val orientation: Orientation
    private val regions: BitmapRegionDecoder?
    private var chunk: Bitmap
    private var region: Rect // of the chunk in the file
    private var next = 0

    init {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        open { BitmapFactory.decodeStream(it, null, bounds) }
        if (bounds.outWidth < 1 || bounds.outHeight < 1) throw damaged()
        type = bounds.outMimeType ?: throw damaged()
        exif = open(ExifTags::read)
        orientation = Orientation(exif.orientation, bounds.outWidth, bounds.outHeight)
        regions = if (pixels > chunkPixels) open(::openRegions) else null
        region = if (regions == null) Rect(0, 0, bounds.outWidth, bounds.outHeight) else firstRows()
        chunk = decode()
    }

    override val width: Int get() = orientation.width
    override val height: Int get() = orientation.height
    override val channels: Int = channelsOf(chunk)
    private val pixels: Long get() = width.toLong() * height

    override fun readRows(count: Int, into: ByteArray, offset: Int) {
        var place = offset
        var left = count
        while (left > 0) {
            val rows = min(left, rowsAtOnce())
            place = readChunk(rows, into, place)
            left -= rows
        }
    }

    override fun close() {
        chunk.recycle()
        regions?.recycle()
    }

    private fun rowsAtOnce(): Int = max(1, chunkPixels / width)

    private fun firstRows(): Rect = orientation.regionOf(0, min(height, rowsAtOnce()))

    private fun readChunk(rows: Int, into: ByteArray, offset: Int): Int {
        val wanted = orientation.regionOf(next, next + rows)
        if (!region.contains(wanted)) {
            region = orientation.regionOf(next, min(height, next + rowsAtOnce()))
            chunk.recycle()
            chunk = decode()
        }
        val stored = IntArray(wanted.width() * wanted.height())
        chunk.getPixels(
            stored, 0, wanted.width(), wanted.left - region.left, wanted.top - region.top,
            wanted.width(), wanted.height(),
        )
        var place = offset
        for (y in next until next + rows) for (x in 0 until width) {
            val colour = stored[orientation.indexIn(wanted, x, y)]
            place = putColour(colour, into, place, channels)
        }
        next += rows
        return place
    }

    private fun decode(): Bitmap {
        val options = BitmapFactory.Options().apply {
            inPreferredConfig = Bitmap.Config.ARGB_8888
            inPreferredColorSpace = ColorSpace.get(ColorSpace.Named.SRGB)
            inPremultiplied = false // colours under little alpha would be lost
        }
        checkMemory(context, region.width(), region.height(), "the picture")
        val bitmap = when (regions) {
            null -> open { BitmapFactory.decodeStream(it, null, options) }
            else -> regions.decodeRegion(region, options)
        }
        if (bitmap == null || bitmap.width != region.width() || bitmap.height != region.height()) {
            throw damaged()
        }
        return bitmap
    }

    private fun <T> open(read: (InputStream) -> T): T =
        try {
            openInput(context.contentResolver, uri).use(read)
        } catch (error: IOException) {
            throw ImageException(
                "the picture cannot be read: it was deleted or is no longer shared, pick it again",
                error,
            )
        }

    private fun damaged() =
        ImageException("the file is damaged, or no picture that this phone can decode")
}

private fun openInput(resolver: ContentResolver, uri: Uri): InputStream =
    try {
        resolver.openInputStream(uri) ?: throw IOException("no provider gives $uri")
    } catch (error: SecurityException) {
        throw IOException("the right to read $uri was withdrawn", error)
    }

/** Returns null where the platform knows no regions of this format. */
private fun openRegions(stream: InputStream): BitmapRegionDecoder? =
    try {
        @Suppress("DEPRECATION") // its successor came with Android 12
        BitmapRegionDecoder.newInstance(stream, false)
    } catch (_: IOException) {
        null
    }
