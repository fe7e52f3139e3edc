package org.granulardq.demo

import org.granulardq.android.pictures.PictureFormat

/** The format of the result: the picture's own where it can be written, PNG for transparency. */
fun formatOf(picture: Preview): PictureFormat =
    if (picture.type == PictureFormat.PNG.mimeType || picture.bitmap.hasAlpha()) {
        PictureFormat.PNG
    } else {
        PictureFormat.JPEG
    }
