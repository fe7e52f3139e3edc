package org.granulardq.core

import java.io.File
import javax.imageio.ImageIO
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import org.granulardq.core.bundle.Bundle
import org.granulardq.core.pictures.Pixels
import org.junit.jupiter.api.Assumptions.assumeTrue

/** What `make android` lets the Python runtime write (tests/android/expected.py). */
object Expected {
    private val root: JsonObject by lazy {
        Json.parseToJsonElement(file("expected.json").readText()).jsonObject
    }

    /** A file or folder; the test is skipped where there are none. */
    fun file(name: String): File {
        val folder = System.getProperty("gdq.expected").orEmpty()
        assumeTrue(folder.isNotEmpty(), "there are no expected pictures: run make android")
        return File(folder, name)
    }

    fun cases(key: String): List<JsonObject> = root.getValue(key).objects()

    fun bundle(name: String): Bundle = Bundle.open(file(name))

    fun picture(name: String): Pixels = readPicture(file(name))
}

/** Reads RGB, or RGB and alpha. */
fun readPicture(file: File): Pixels {
    val raster = ImageIO.read(file).raster
    val pixels = Pixels(raster.height, raster.width, raster.numBands)
    val row = IntArray(pixels.stride)
    for (y in 0 until pixels.height) {
        raster.getPixels(0, y, pixels.width, 1, row)
        for (n in row.indices) pixels.data[y * pixels.stride + n] = row[n].toByte()
    }
    return pixels
}
