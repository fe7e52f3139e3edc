package org.granulardq.demo

import android.graphics.Color
import android.view.View
import android.widget.Button
import android.widget.Switch
import org.granulardq.testing.EngineTestRunner
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Each leaves a picture beside the reports, for people to look at. */
@RunWith(EngineTestRunner::class)
@Config(sdk = [26, 35])
class ScreenshotTest {
    @Test
    @Config(qualifiers = "w411dp-h820dp-port-notnight-xhdpi")
    fun light() = assertTrue(background(shoot("light")) > 200)

    @Test
    @Config(qualifiers = "w411dp-h820dp-port-night-xhdpi")
    fun dark() = assertTrue(background(shoot("dark")) < 80)

    @Test
    @Config(qualifiers = "w820dp-h411dp-land-notnight-xhdpi")
    fun landscape() {
        shoot("landscape")
    }

    @Test
    @Config(qualifiers = "w411dp-h820dp-port-notnight-xhdpi")
    fun `large fonts cut off no button's words`() {
        RuntimeEnvironment.setFontScale(2f)
        val activity = shoot("large_fonts")
        for (id in listOf(R.id.pick, R.id.run, R.id.save, R.id.share)) {
            val button = activity.view<Button>(id)
            val layout = button.layout
            assertEquals(button.text.length, layout.getLineEnd(layout.lineCount - 1))
            val needed = layout.height + button.compoundPaddingTop + button.compoundPaddingBottom
            assertTrue("${button.text}", button.height >= needed)
            for (line in 0 until layout.lineCount) assertEquals(0, layout.getEllipsisCount(line))
        }
    }

    private fun shoot(name: String): MainActivity {
        val activity = openShared("small.png").get()
        finished(activity)
        activity.view<Switch>(R.id.show_bits).isChecked = true
        waitUntil("the layout") { !activity.view<View>(R.id.root).isLayoutRequested }
        screenshot(activity, "${name}_${RuntimeEnvironment.getApiLevel()}")
        return activity
    }

    /** Brightness of a corner where nothing is drawn. */
    private fun background(activity: MainActivity): Int {
        val shot = draw(activity.window.decorView)
        val corner = shot.getPixel(shot.width - 8, shot.height - 8)
        return (Color.red(corner) + Color.green(corner) + Color.blue(corner)) / 3
    }
}
