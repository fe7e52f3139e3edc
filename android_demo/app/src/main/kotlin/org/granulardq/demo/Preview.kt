package org.granulardq.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import org.granulardq.core.ImageException

/** Pixels of a picture on the screen: 32 MB. Zooming further in shows no more of larger ones. */
private const val LARGEST = 8 shl 20

/** A picture as the screen shows it; [type] is its MIME type by the file's content. */
class Preview(val bitmap: Bitmap, val type: String?)

/**
 * Decodes a picture, upright, and smaller where it would take too much memory.
 *
 * @throws ImageException it cannot be read.
 */
fun preview(resolver: ContentResolver, uri: Uri): Preview {
    val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    open(resolver, uri) { BitmapFactory.decodeStream(it, null, options) }
    options.inJustDecodeBounds = false
    options.inSampleSize = sampleSize(options.outWidth, options.outHeight)
    val stored = open(resolver, uri) { BitmapFactory.decodeStream(it, null, options) }
        ?: throw unreadable(null)
    val tag = open(resolver, uri) {
        ExifInterface(it).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1)
    }
    val turn = matrixOf(tag)
    val upright = if (turn.isIdentity) {
        stored
    } else {
        Bitmap.createBitmap(stored, 0, 0, stored.width, stored.height, turn, true)
    }
    return Preview(upright, options.outMimeType)
}

/** Every which column and row is kept: a power of two. */
internal fun sampleSize(width: Int, height: Int): Int {
    var size = 1
    while (width.toLong() * height / (size.toLong() * size) > LARGEST) size *= 2
    return size
}

/** What stands a picture upright that lies as EXIF's [tag] says. */
internal fun matrixOf(tag: Int): Matrix = Matrix().apply {
    if (tag in setOf(2, 4, 5, 7)) postScale(-1f, 1f)
    val degrees = mapOf(3 to 180f, 4 to 180f, 5 to 270f, 6 to 90f, 7 to 90f, 8 to 270f)
    degrees[tag]?.let(::postRotate)
}

private fun <T> open(resolver: ContentResolver, uri: Uri, read: (InputStream) -> T): T =
    try {
        (resolver.openInputStream(uri) ?: throw FileNotFoundException("$uri")).use(read)
    } catch (error: IOException) {
        throw unreadable(error)
    } catch (error: SecurityException) {
        throw unreadable(error)
    }

private fun unreadable(cause: Throwable?) = ImageException(
    "the picture cannot be read: it is damaged, was deleted or is no longer shared; pick it again",
    cause,
)
