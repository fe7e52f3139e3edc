package org.granulardq.android

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import java.io.File
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/** Reads a picture with straight alpha. */
internal fun read(file: File): Bitmap {
    val options = BitmapFactory.Options().apply { inPremultiplied = false }
    return checkNotNull(BitmapFactory.decodeFile(file.path, options))
}

/** Writes a JPEG as the library does. */
internal fun write(bitmap: Bitmap, file: File) =
    file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.JPEG, 95, it) }

/** All pixels, row by row. */
internal fun pixels(bitmap: Bitmap): IntArray =
    IntArray(bitmap.width * bitmap.height).also {
        bitmap.getPixels(it, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    }

internal fun uri(file: File): Uri = Uri.fromFile(file)

/** Packs a bundle. */
internal fun zip(folder: File, target: File) =
    ZipOutputStream(target.outputStream()).use { zip ->
        for (file in folder.walkTopDown().filter(File::isFile)) {
            zip.putNextEntry(ZipEntry(file.relativeTo(folder).invariantSeparatorsPath))
            file.inputStream().use { it.copyTo(zip) }
        }
    }
