package org.granulardq.demo

import android.content.Context
import android.graphics.drawable.ColorDrawable
import android.widget.LinearLayout
import android.widget.TextView
import org.granulardq.core.BitMap

/** Lists the colours of a bit map with the number of their tiles. */
fun showLegend(context: Context, into: LinearLayout, bitMap: BitMap?) {
    into.removeAllViews()
    val size = (16 * context.resources.displayMetrics.density).toInt()
    bitMap?.counts()?.forEach { (route, tiles) ->
        val entry = TextView(context)
        val name = nameOf(context.resources, route)
        entry.text = context.getString(R.string.tiles_of, name, tiles)
        val colour = ColorDrawable(colourOf(route)).apply { setBounds(0, 0, size, size) }
        entry.setCompoundDrawablesRelative(colour, null, null, null)
        entry.compoundDrawablePadding = size / 2
        into.addView(entry)
    }
}
