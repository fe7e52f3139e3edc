package org.granulardq.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.net.Uri
import android.os.Bundle
import android.provider.OpenableColumns
import android.view.KeyEvent
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.SeekBar
import android.widget.Spinner
import android.widget.Switch
import android.widget.TextView
import java.io.File
import kotlin.math.abs
import org.granulardq.testing.EngineTestRunner
import org.granulardq.testing.Expected
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

private const val PORTRAIT = "w411dp-h820dp-port-xhdpi"

@RunWith(EngineTestRunner::class)
@Config(sdk = [26, 35], qualifiers = PORTRAIT)
class MainActivityTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun `what is picked becomes what the Python runtime makes of it, and is saved under its name`() {
        val activity = Robolectric.buildActivity(MainActivity::class.java).setup().get()
        assertFalse(activity.view<Button>(R.id.save).isEnabled)
        activity.view<Spinner>(R.id.mode).setSelection(Mode.FIXED.ordinal)
        waitUntil("the slider") { activity.view<SeekBar>(R.id.position).max == Mode.FIXED.positions }
        val right = KeyEvent(KeyEvent.ACTION_DOWN, KeyEvent.KEYCODE_DPAD_RIGHT)
        repeat(2) { activity.view<SeekBar>(R.id.position).onKeyDown(right.keyCode, right) }
        answer(activity, R.id.pick, Intent.ACTION_OPEN_DOCUMENT, Expected.file("rgba.png"))
        val found = finished(activity)
        assertEquals("rgba_x2.png", found.file.name)
        assertEquals(setOf(6), found.result.bitMap.counts().keys)
        val expected = pixels(read(Expected.result("rgba.png", 6))).map { it and 0xffffff }
        assertEquals(expected, pixels(read(found.file)).map { it and 0xffffff })

        val target = folder.newFile()
        answer(activity, R.id.save, Intent.ACTION_CREATE_DOCUMENT, target)
        waitUntil("the file") { target.length() == found.file.length() }
        assertArrayEquals(found.file.readBytes(), target.readBytes())
        waitUntil("the sentence") { status(activity) == activity.getString(R.string.saved) }
    }

    /** Presses a button, and answers what it asks of the system's files with [file]. */
    private fun answer(activity: Activity, button: Int, action: String, file: File) {
        activity.view<Button>(button).performClick()
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        assertEquals(action, asked.action)
        val data = Intent().setData(Uri.fromFile(file))
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, data)
    }

    @Test
    fun `the loss is promised before, and the bits are told after`() {
        val activity = openShared("small.png").get()
        val expected = activity.view<TextView>(R.id.expected)
        waitUntil("the promise") { "Expected loss" in expected.text }
        val found = finished(activity)
        val promised = lossOf(activity.resources, found.result.expectedLoss)
        assertEquals(promised, expected.text.toString())
        val summary = activity.view<TextView>(R.id.summary).text
        assertTrue("$summary", "270 × 200 becomes 540 × 400" in summary)
        assertTrue("$summary", "run: " in summary)
        val legend = activity.view<LinearLayout>(R.id.legend)
        assertEquals(found.result.bitMap.counts().size, legend.childCount)
        assertEquals(View.GONE, legend.visibility)
    }

    @Test
    fun `the line divides before and after, and tiles get the colours of their bits`() {
        val activity = openShared("small.png").get()
        finished(activity)
        val comparison = activity.view<ComparisonView>(R.id.comparison)
        comparison.divider = 0f
        val after = draw(comparison)
        comparison.divider = 1f
        val before = draw(comparison)
        repeat(5) { comparison.onKeyDown(KeyEvent.KEYCODE_DPAD_LEFT, KeyEvent(0, 0)) }
        assertEquals(0.5f, comparison.divider, 1e-3f)
        assertTrue("50 %" in comparison.contentDescription)
        val both = draw(comparison)
        val left = 0..comparison.width / 4
        val right = comparison.width * 3 / 4 until comparison.width
        assertEquals(0, countFar(before, both, left))
        assertEquals(0, countFar(after, both, right))
        assertTrue(countFar(after, both, left) > 100)
        assertTrue(countFar(before, both, right) > 100)
        activity.view<Switch>(R.id.show_bits).isChecked = true
        assertFalse(both.sameAs(draw(comparison)))
        assertEquals(View.VISIBLE, activity.view<View>(R.id.legend).visibility)
        comparison.zoomTo(4f, 0f, 0f)
        assertFalse(both.sameAs(draw(comparison)))
    }

    /** Pixels in these columns that differ by more than clipping makes interpolation round. */
    private fun countFar(one: Bitmap, other: Bitmap, columns: IntRange): Int {
        val (a, b) = pixels(one) to pixels(other)
        return a.indices.count { it % one.width in columns && distance(a[it], b[it]) > 2 }
    }

    private fun distance(one: Int, other: Int): Int =
        listOf(0, 8, 16).maxOf { abs((one shr it and 255) - (other shr it and 255)) }

    @Test
    fun `a turned phone goes on where it was, without upscaling again`() {
        val controller = openShared("small.png")
        val found = finished(controller.get())
        controller.get().view<ComparisonView>(R.id.comparison).divider = 0.3f
        RuntimeEnvironment.setQualifiers("+land")
        controller.configurationChange()
        val turned = controller.get()
        assertSame(found, finished(turned))
        val comparison = turned.view<ComparisonView>(R.id.comparison)
        assertSame(found, comparison.upscaled)
        assertEquals(0.3f, comparison.divider, 1e-3f)
        assertEquals(LinearLayout.HORIZONTAL, turned.view<LinearLayout>(R.id.root).orientation)
    }

    @Test
    fun `after the process died, the picture starts again with the same settings`() {
        val first = openShared("small.png")
        first.get().view<Spinner>(R.id.mode).setSelection(Mode.FIXED.ordinal)
        finished(first.get())
        waitUntil("the slider") {
            first.get().view<SeekBar>(R.id.position).max == Mode.FIXED.positions
        }
        val saved = Bundle()
        first.saveInstanceState(saved).pause().stop().destroy()
        val application = RuntimeEnvironment.getApplication() as DemoApplication
        application.session = Session(application) // as a new process has it
        val second = Robolectric.buildActivity(MainActivity::class.java).setup(saved).get()
        assertEquals(setOf(4), finished(second).result.bitMap.counts().keys)
    }

    @Test
    fun `a fault is one sentence, and so is a cancellation`() {
        val damaged = folder.newFile("damaged.jpg").apply { writeText("no picture") }
        val activity = openShared(damaged).get()
        waitUntil("the fault") { session(activity).state is State.Failed }
        assertTrue(status(activity), "pick it again" in status(activity))
        assertNull(activity.view<ComparisonView>(R.id.comparison).upscaled)
        session(activity).start(Uri.fromFile(Expected.file("photo.png")), Settings())
        waitUntil("the first tile") { running(activity).done > 0 }
        activity.view<Button>(R.id.run).performClick()
        waitUntil("the end") { session(activity).state is State.Failed }
        assertEquals(activity.getString(R.string.cancelled), status(activity))
        assertEquals(activity.getString(R.string.upscale), activity.view<Button>(R.id.run).text)
    }

    @Test
    fun `what is shared can be read by its name, and by nothing else`() {
        val activity = openShared("small.png").get()
        val found = finished(activity)
        activity.view<Button>(R.id.share).performClick()
        @Suppress("DEPRECATION") // its successor came with Android 13
        val send: Intent =
            shadowOf(activity).nextStartedActivity.getParcelableExtra(Intent.EXTRA_INTENT)!!
        @Suppress("DEPRECATION")
        val uri: Uri = send.getParcelableExtra(Intent.EXTRA_STREAM)!!
        assertNotEquals(0, send.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION)
        val provider = Robolectric.setupContentProvider(ResultProvider::class.java, uri.authority)
        assertEquals("image/png", provider.getType(uri))
        provider.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null).use {
            assertTrue(it.moveToFirst())
            assertEquals("small_x2.png", it.getString(0))
        }
        provider.openFile(uri, "r").use { assertEquals(found.file.length(), it.statSize) }
        assertTrue(runCatching { provider.openFile(uri, "w") }.isFailure)
        val outside = ResultProvider.uriOf(File("..")).buildUpon().appendPath("../x").build()
        assertTrue(runCatching { provider.openFile(outside, "r") }.isFailure)
    }

    private fun running(activity: Activity) =
        session(activity).state as? State.Running ?: State.Running(0, 0)

    private fun status(activity: Activity): String =
        activity.view<TextView>(R.id.status).text.toString()
}
