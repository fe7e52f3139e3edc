package org.granulardq.android.pictures

import android.media.ExifInterface
import android.os.Build
import java.io.File
import java.io.IOException
import java.io.InputStream
import org.granulardq.core.OutputException

/** What describes the stored pixels, and so is wrong of upscaled ones. */
private val OF_THE_PIXELS = setOf(
    ExifInterface.TAG_ORIENTATION,
    ExifInterface.TAG_IMAGE_WIDTH,
    ExifInterface.TAG_IMAGE_LENGTH,
    ExifInterface.TAG_PIXEL_X_DIMENSION,
    ExifInterface.TAG_PIXEL_Y_DIMENSION,
    ExifInterface.TAG_BITS_PER_SAMPLE,
    ExifInterface.TAG_COMPRESSION,
    ExifInterface.TAG_PHOTOMETRIC_INTERPRETATION,
    ExifInterface.TAG_PLANAR_CONFIGURATION,
    ExifInterface.TAG_ROWS_PER_STRIP,
    ExifInterface.TAG_SAMPLES_PER_PIXEL,
    ExifInterface.TAG_STRIP_BYTE_COUNTS,
    ExifInterface.TAG_STRIP_OFFSETS,
    ExifInterface.TAG_JPEG_INTERCHANGE_FORMAT,
    ExifInterface.TAG_JPEG_INTERCHANGE_FORMAT_LENGTH,
    ExifInterface.TAG_THUMBNAIL_IMAGE_LENGTH,
    ExifInterface.TAG_THUMBNAIL_IMAGE_WIDTH,
)

/** All tags that the platform knows: its constants, whose number grows from version to version. */
private val KEPT: List<String> by lazy {
    ExifInterface::class.java.fields
        .filter { it.name.startsWith("TAG_") && it.type == String::class.java }
        .map { it.get(null) as String }
        .filter { it !in OF_THE_PIXELS }
}

/**
 * What a file says of itself beside its pixels: camera, time, place.
 *
 * @property orientation EXIF tag 0x0112; 1 if there is none.
 */
internal class ExifTags private constructor(
    val orientation: Int, private val values: Map<String, String>,
) {
    /**
     * Adds the tags to a finished JPEG, or, from Android 12 on, to a PNG.
     *
     * Older ones write no EXIF into PNG: it is left out there.
     *
     * @throws OutputException no space is left.
     */
    fun addTo(file: File, format: PictureFormat) {
        val isWritten = format == PictureFormat.JPEG || Build.VERSION.SDK_INT >= 31
        if (values.isEmpty() || !isWritten) return
        try {
            val target = ExifInterface(file.path)
            values.forEach(target::setAttribute)
            target.saveAttributes()
        } catch (error: IOException) {
            throw OutputException("EXIF cannot be written: is there space left?", error)
        }
    }

    companion object {
        /** Reads the tags; none where the format has none. */
        fun read(stream: InputStream): ExifTags =
            try {
                val exif = ExifInterface(stream)
                val values = KEPT.mapNotNull { tag -> exif.getAttribute(tag)?.let { tag to it } }
                ExifTags(exif.getAttributeInt(ExifInterface.TAG_ORIENTATION, 1), values.toMap())
            } catch (_: IOException) {
                ExifTags(1, emptyMap())
            }
    }
}
