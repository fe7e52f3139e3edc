package org.granulardq.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.os.Bundle
import android.util.AttributeSet
import android.view.GestureDetector
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.SeekBar
import kotlin.math.abs
import kotlin.math.min
import kotlin.math.roundToInt

private const val STEP = 0.1f
private const val LARGEST_ZOOM = 16f
private const val OVERLAY_ALPHA = 0x70

/**
 * Shows a picture before and after, divided by a line that moves, with the bits of its tiles.
 *
 * Drag the line; elsewhere, drag the picture, spread two fingers or tap twice to zoom. Keys and
 * screen readers move the line.
 */
class ComparisonView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val density = resources.displayMetrics.density
    private val smooth = Paint(Paint.FILTER_BITMAP_FLAG)
    private val fill = Paint()
    private val line = Paint().apply {
        color = Color.WHITE
        strokeWidth = 2 * density
        setShadowLayer(2 * density, 0f, 0f, Color.BLACK)
    }
    private val gestures = GestureDetector(context, Taps())
    private val pinch = ScaleGestureDetector(context, Pinch())
    private var dragsLine = false

    /** What is shown; null for nothing. */
    var upscaled: Upscaled? = null
        set(value) {
            if (value !== field) zoomTo(1f, 0f, 0f)
            field = value
            describe()
        }

    /** Where the line is, as a share of the width. */
    var divider = 0.5f
        set(value) {
            field = value.coerceIn(0f, 1f)
            describe()
        }

    /** Whether tiles are coloured by their bits. */
    var showsBits = false
        set(value) {
            field = value
            invalidate()
        }

    /** 1 for all of the picture. */
    var zoom = 1f
        private set
    private var shiftX = 0f
    private var shiftY = 0f

    init {
        isFocusable = true
        describe()
    }

    /** Zooms, and moves the picture's middle by so many pixels of the screen. */
    fun zoomTo(zoom: Float, shiftX: Float, shiftY: Float) {
        this.zoom = zoom.coerceIn(1f, LARGEST_ZOOM)
        val reachX = width * (this.zoom - 1) / 2
        val reachY = height * (this.zoom - 1) / 2
        this.shiftX = shiftX.coerceIn(-reachX, reachX)
        this.shiftY = shiftY.coerceIn(-reachY, reachY)
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val shown = upscaled ?: return
        val frame = frameOf(shown)
        val cut = divider * width
        canvas.save()
        canvas.clipRect(0f, 0f, cut, height.toFloat())
        canvas.drawBitmap(shown.before, null, frame, smooth)
        canvas.restore()
        canvas.save()
        canvas.clipRect(cut, 0f, width.toFloat(), height.toFloat())
        canvas.drawBitmap(shown.after, null, frame, smooth)
        canvas.restore()
        if (showsBits) drawBits(canvas, shown, frame)
        canvas.drawLine(cut, 0f, cut, height.toFloat(), line)
        canvas.drawCircle(cut, height / 2f, 10 * density, line)
    }

    private fun frameOf(shown: Upscaled): RectF {
        val (columns, rows) = shown.result.plan.width to shown.result.plan.height
        val fit = min(width.toFloat() / columns, height.toFloat() / rows) * zoom
        val left = (width - columns * fit) / 2 + shiftX
        val top = (height - rows * fit) / 2 + shiftY
        return RectF(left, top, left + columns * fit, top + rows * fit)
    }

    private fun drawBits(canvas: Canvas, shown: Upscaled, frame: RectF) {
        val plan = shown.result.plan
        val size = frame.width() / plan.width
        plan.rows.forEachIndexed { row, high ->
            plan.columns.forEachIndexed { column, wide ->
                fill.color = colourOf(shown.result.bitMap[row, column])
                fill.alpha = OVERLAY_ALPHA
                canvas.drawRect(
                    frame.left + wide.ownStart * size, frame.top + high.ownStart * size,
                    frame.left + wide.ownStop * size, frame.top + high.ownStop * size, fill,
                )
            }
        }
    }

    private fun describe() {
        contentDescription = if (upscaled == null) {
            context.getString(R.string.empty)
        } else {
            context.getString(R.string.comparison, (100 * divider).roundToInt())
        }
        invalidate()
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        if (upscaled == null) return false
        if (event.actionMasked == MotionEvent.ACTION_DOWN) {
            dragsLine = abs(event.x - divider * width) < 32 * density
            parent.requestDisallowInterceptTouchEvent(true)
        }
        pinch.onTouchEvent(event)
        if (dragsLine && event.pointerCount == 1) divider = event.x / width
        gestures.onTouchEvent(event)
        return true
    }

    override fun onKeyDown(keyCode: Int, event: KeyEvent): Boolean = when (keyCode) {
        KeyEvent.KEYCODE_DPAD_LEFT -> moveLine(-STEP)
        KeyEvent.KEYCODE_DPAD_RIGHT -> moveLine(STEP)
        else -> super.onKeyDown(keyCode, event)
    }

    /** False at the end, where the focus moves on instead. */
    private fun moveLine(by: Float): Boolean {
        val before = divider
        if (upscaled != null) divider += by
        return divider != before
    }

    override fun getAccessibilityClassName(): CharSequence = SeekBar::class.java.name

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        if (upscaled == null) return
        info.isScrollable = true
        info.addAction(action(AccessibilityNodeInfo.ACTION_SCROLL_BACKWARD, R.string.further_left))
        info.addAction(action(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD, R.string.further_right))
    }

    private fun action(number: Int, label: Int) =
        AccessibilityNodeInfo.AccessibilityAction(number, context.getString(label))

    override fun performAccessibilityAction(action: Int, arguments: Bundle?): Boolean =
        when (action) {
            AccessibilityNodeInfo.ACTION_SCROLL_BACKWARD -> moveLine(-STEP)
            AccessibilityNodeInfo.ACTION_SCROLL_FORWARD -> moveLine(STEP)
            else -> super.performAccessibilityAction(action, arguments)
        }

    private inner class Taps : GestureDetector.SimpleOnGestureListener() {
        override fun onScroll(
            down: MotionEvent?, now: MotionEvent, distanceX: Float, distanceY: Float,
        ): Boolean {
            if (!dragsLine) zoomTo(zoom, shiftX - distanceX, shiftY - distanceY)
            return true
        }

        override fun onDoubleTap(event: MotionEvent): Boolean {
            val factor = 4f
            if (zoom > 1) {
                zoomTo(1f, 0f, 0f)
            } else {
                zoomTo(factor, (width / 2 - event.x) * factor, (height / 2 - event.y) * factor)
            }
            return true
        }
    }

    private inner class Pinch : ScaleGestureDetector.SimpleOnScaleGestureListener() {
        override fun onScale(detector: ScaleGestureDetector): Boolean {
            val next = (zoom * detector.scaleFactor).coerceIn(1f, LARGEST_ZOOM)
            val grown = next / zoom
            // What is between the fingers stays there.
            val x = detector.focusX - width / 2
            val y = detector.focusY - height / 2
            zoomTo(next, x + (shiftX - x) * grown, y + (shiftY - y) * grown)
            dragsLine = false
            return true
        }
    }
}
