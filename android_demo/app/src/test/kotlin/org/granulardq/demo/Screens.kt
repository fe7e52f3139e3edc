package org.granulardq.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.net.Uri
import android.os.Looper
import android.view.View
import java.io.File
import org.granulardq.testing.Expected
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

private const val LONGEST_MS = 120_000L

internal fun session(activity: Activity): Session =
    (activity.application as DemoApplication).session

/** Opens the app with a picture of tests/android/expected.py that another app shares. */
internal fun openShared(name: String): ActivityController<MainActivity> =
    openShared(Expected.file(name))

internal fun openShared(file: File): ActivityController<MainActivity> {
    val intent = Intent(Intent.ACTION_SEND).setType("image/*")
        .putExtra(Intent.EXTRA_STREAM, Uri.fromFile(file))
    return Robolectric.buildActivity(MainActivity::class.java, intent).setup()
}

/** Lets the main thread work until this holds. */
internal fun waitUntil(what: String, holds: () -> Boolean) {
    val end = System.currentTimeMillis() + LONGEST_MS
    while (!holds()) {
        assertTrue("$what did not come", System.currentTimeMillis() < end)
        Thread.sleep(5)
        shadowOf(Looper.getMainLooper()).idle()
    }
}

/** Waits for the end of the picture, and returns it. */
internal fun finished(activity: Activity): Upscaled {
    waitUntil("the result") { session(activity).state.let { it is State.Done || it is State.Failed } }
    shadowOf(Looper.getMainLooper()).idle()
    val state = session(activity).state
    assertTrue((state as? State.Failed)?.sentence, state is State.Done)
    return (state as State.Done).upscaled
}

internal fun <T : View> Activity.view(id: Int): T = requireNotNull(findViewById(id))

internal fun draw(view: View): Bitmap =
    Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        .also { view.draw(Canvas(it)) }

/** Leaves a picture of the whole window for people to look at. */
internal fun screenshot(activity: Activity, name: String): Bitmap {
    val shot = draw(activity.window.decorView)
    val folder = File(System.getProperty("gdq.screenshots")!!).apply { mkdirs() }
    File(folder, "$name.png").outputStream().use { shot.compress(Bitmap.CompressFormat.PNG, 100, it) }
    return shot
}

internal fun pixels(bitmap: Bitmap): IntArray =
    IntArray(bitmap.width * bitmap.height).also {
        bitmap.getPixels(it, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    }

internal fun read(file: File): Bitmap {
    val options = BitmapFactory.Options().apply { inPremultiplied = false }
    return checkNotNull(BitmapFactory.decodeFile(file.path, options))
}
