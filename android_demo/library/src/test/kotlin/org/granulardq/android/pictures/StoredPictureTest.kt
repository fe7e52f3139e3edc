package org.granulardq.android.pictures

import android.graphics.Rect
import android.media.ExifInterface
import org.granulardq.android.read
import org.granulardq.android.uri
import org.granulardq.android.write
import org.granulardq.testing.CutRegions
import org.granulardq.testing.EngineTestRunner
import org.granulardq.testing.Expected
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(EngineTestRunner::class)
@Config(sdk = [35], shadows = [CutRegions::class])
class StoredPictureTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `regions give the same rows as the whole picture, however it lies`() {
        val picture = read(Expected.file("small.png"))
        for (tag in 1..8) {
            val file = folder.newFile("$tag.jpg")
            write(picture, file)
            ExifInterface(file.path).apply {
                setAttribute(ExifInterface.TAG_ORIENTATION, "$tag")
                saveAttributes()
            }
            val whole = readAll(StoredPicture(RuntimeEnvironment.getApplication(), uri(file)))
            val regions =
                readAll(StoredPicture(RuntimeEnvironment.getApplication(), uri(file), 10_000))
            assertArrayEquals("$tag", whole, regions)
        }
    }

    private fun readAll(source: StoredPicture): ByteArray = source.use {
        val all = ByteArray(it.width * it.height * it.channels)
        var row = 0
        while (row < it.height) {
            val rows = minOf(23, it.height - row)
            it.readRows(rows, all, row * it.width * it.channels)
            row += rows
        }
        all
    }

    @Test
    fun `each orientation has the corners where EXIF says`() {
        // The stored pixel of the upright top left corner, in a file of 3 columns and 2 rows.
        val topLeft = mapOf(1 to 0, 2 to 2, 3 to 5, 4 to 3, 5 to 0, 6 to 3, 7 to 5, 8 to 2)
        val topRight = mapOf(1 to 2, 2 to 0, 3 to 3, 4 to 5, 5 to 3, 6 to 0, 7 to 2, 8 to 5)
        val all = Rect(0, 0, 3, 2)
        for (tag in 1..8) {
            val orientation = Orientation(tag, 3, 2)
            assertEquals(topLeft[tag], orientation.indexIn(all, 0, 0))
            assertEquals(topRight[tag], orientation.indexIn(all, orientation.width - 1, 0))
        }
    }
}
