package org.granulardq.android

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Color
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import android.os.Looper
import java.io.File
import kotlin.math.abs
import org.granulardq.android.pictures.PictureFormat
import org.granulardq.core.CancelledException
import org.granulardq.core.GdqException
import org.granulardq.core.ImageException
import org.granulardq.core.OutputException
import org.granulardq.core.RequestException
import org.granulardq.core.UpscaleResult
import org.granulardq.core.Cancellation
import org.granulardq.core.routing.Request
import org.granulardq.core.tiles.Policy
import org.granulardq.testing.EngineTestRunner
import org.granulardq.testing.Expected
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

private val PAPER = Request(bits = 4, policy = Policy.PAPER)
private val BITS_6 = Request(bits = 6)

@RunWith(EngineTestRunner::class)
@Config(sdk = [26, 35])
class UpscalerTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val context: Context = RuntimeEnvironment.getApplication()

    @Test
    fun `a bitmap becomes what the Python runtime makes of it`() {
        val expected = read(Expected.result("small.png", 4))
        open().use {
            val found = it.upscale(read(Expected.file("small.png")), PAPER)
            assertArrayEquals(pixels(expected), pixels(found.bitmap))
            assertEquals(4.0, found.result.bitMap.fab, 0.0)
            assertFalse(found.bitmap.hasAlpha())
        }
    }

    @Test
    fun `a file becomes what the Python runtime makes of it, and keeps its alpha`() {
        val target = folder.newFile()
        open().use { it.upscale(uri(Expected.file("rgba.png")), Uri.fromFile(target), null, BITS_6) }
        val found = pixels(read(target))
        pixels(read(Expected.result("rgba.png", 6))).forEachIndexed { n, expected ->
            assertEquals(expected and 0xffffff, found[n] and 0xffffff)
            assertTrue(abs(Color.alpha(expected) - Color.alpha(found[n])) <= 1) // OpenCV's rounding
        }
    }

    @Test
    fun `a photo that lies on its side gets up, and keeps its EXIF`() {
        val photo = folder.newFile("photo.jpg")
        write(read(Expected.file("small.png")), photo)
        ExifInterface(photo.path).apply {
            setAttribute(ExifInterface.TAG_ORIENTATION, "6")
            setAttribute(ExifInterface.TAG_MODEL, "Camera 1")
            setAttribute(ExifInterface.TAG_DATETIME_ORIGINAL, "2026:11:30 07:00:00")
            saveAttributes()
        }
        val target = folder.newFile()
        open().use { upscaler ->
            upscaler.upscale(uri(photo), Uri.fromFile(target), null, BITS_6)
            val lying = read(photo)
            val turn = Matrix().apply { setRotate(90f) }
            val upright = Bitmap.createBitmap(lying, 0, 0, lying.width, lying.height, turn, false)
            val expected = folder.newFile()
            write(upscaler.upscale(upright, BITS_6).bitmap, expected)
            assertArrayEquals(pixels(read(expected)), pixels(read(target)))
        }
        val exif = ExifInterface(target.path)
        assertEquals("Camera 1", exif.getAttribute(ExifInterface.TAG_MODEL))
        assertEquals(
            "2026:11:30 07:00:00", exif.getAttribute(ExifInterface.TAG_DATETIME_ORIGINAL),
        )
        assertNotEquals("6", exif.getAttribute(ExifInterface.TAG_ORIENTATION))
    }

    @Test
    fun `what cannot be read, kept or written is told, and the target stays as it was`() {
        val target = folder.newFile().apply { writeText("the user's") }
        val damaged = folder.newFile().apply { writeText("no picture") }
        open().use { upscaler ->
            fun refuse(kind: Class<out GdqException>, input: File, format: PictureFormat? = null) {
                assertThrows(kind) {
                    upscaler.upscale(uri(input), Uri.fromFile(target), format, BITS_6)
                }
                assertEquals("the user's", target.readText())
            }
            refuse(ImageException::class.java, damaged)
            refuse(ImageException::class.java, File(folder.root, "gone.png"))
            refuse(RequestException::class.java, Expected.file("rgba.png"), PictureFormat.JPEG)
            val small = uri(Expected.file("pixel.png"))
            assertThrows(OutputException::class.java) {
                upscaler.upscale(small, uri(File(folder.root, "gone/result.png")), null, BITS_6)
            }
            val cancellation = Cancellation()
            assertThrows(CancelledException::class.java) {
                upscaler.upscale(
                    uri(Expected.file("small.png")), Uri.fromFile(target), null, BITS_6,
                    { _, _ -> cancellation.cancel() }, cancellation,
                )
            }
        }
        assertEquals("the user's", target.readText())
        assertEquals(emptyList<File>(), context.cacheDir.listFiles().orEmpty().toList())
    }

    @Test
    fun `in the background, the main thread is told tile by tile, then the end`() {
        val target = folder.newFile()
        val seen = Recorder()
        open().use { upscaler ->
            val small = uri(Expected.file("small.png"))
            upscaler.start(small, Uri.fromFile(target), seen, null, BITS_6)
            upscaler.start(small, Uri.fromFile(target), seen, null, BITS_6).cancel()
        }
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals((1..9).map { "$it of 9" } + "done" + "CancelledException", seen.told)
    }

    @Test
    fun `a bundle is unpacked once, and again where it is damaged`() {
        val zip = folder.newFile("bundle.zip")
        zip(Expected.file("tiny"), zip)
        val bundles = Bundles(context)
        val first = bundles.fromUri(uri(zip))
        assertEquals(first.folder, bundles.fromUri(uri(zip)).folder)
        File(first.folder, first.manifest.files.first().path).delete()
        Upscaler.open(context, bundles.fromUri(uri(zip))).use { assertEquals(2, it.scale) }
        assertThrows(GdqException::class.java) { bundles.fromUri(uri(folder.newFile("none.zip"))) }
        assertThrows(GdqException::class.java) { bundles.fromAsset("none.zip") }
    }

    private fun open() = Upscaler.open(context, Expected.bundle("zoo"))
}

private class Recorder : UpscaleListener<UpscaleResult> {
    val told = mutableListOf<String>()

    override fun onProgress(done: Int, all: Int) = tell("$done of $all")

    override fun onDone(result: UpscaleResult) = tell("done")

    override fun onFailed(fault: GdqException) = tell(fault.javaClass.simpleName)

    private fun tell(what: String) {
        assertSame(Looper.getMainLooper().thread, Thread.currentThread())
        told += what
    }
}
