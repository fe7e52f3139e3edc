package org.granulardq.android.pictures

import android.graphics.Rect

/**
 * How the upright picture lies in its file, by EXIF tag 0x0112.
 *
 * @param tag 1 to 8; anything else is upright, as viewers take it.
 * @property storedWidth columns in the file.
 * @property storedHeight rows in the file.
 */
internal class Orientation(tag: Int, val storedWidth: Int, val storedHeight: Int) {
    private val swapsAxes = tag in 5..8
    private val reversesColumns = tag in setOf(2, 3, 7, 8)
    private val reversesRows = tag in setOf(3, 4, 6, 7)

    /** Columns of the upright picture. */
    val width: Int get() = if (swapsAxes) storedHeight else storedWidth

    /** Rows of the upright picture. */
    val height: Int get() = if (swapsAxes) storedWidth else storedHeight

    /** Where upright rows from [start] up to [stop] lie in the file. */
    fun regionOf(start: Int, stop: Int): Rect =
        if (swapsAxes) {
            val (left, right) = span(start, stop, storedWidth, reversesColumns)
            Rect(left, 0, right, storedHeight)
        } else {
            val (top, bottom) = span(start, stop, storedHeight, reversesRows)
            Rect(0, top, storedWidth, bottom)
        }

    private fun span(start: Int, stop: Int, length: Int, reversed: Boolean): Pair<Int, Int> =
        if (reversed) length - stop to length - start else start to stop

    /** Index of upright pixel ([x], [y]) among the pixels of a [region], row by row. */
    fun indexIn(region: Rect, x: Int, y: Int): Int {
        val column = if (swapsAxes) y else x
        val row = if (swapsAxes) x else y
        val storedColumn = if (reversesColumns) storedWidth - 1 - column else column
        val storedRow = if (reversesRows) storedHeight - 1 - row else row
        return (storedRow - region.top) * region.width() + storedColumn - region.left
    }
}
