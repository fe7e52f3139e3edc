package org.granulardq.demo

import android.graphics.Color
import org.granulardq.core.INTERPOLATED

/** Colour of a route, told apart by colour-blind people too (Okabe and Ito's). */
fun colourOf(route: Int): Int = when (route) {
    INTERPOLATED -> Color.rgb(0x80, 0x80, 0x80)
    4 -> Color.rgb(0x56, 0xB4, 0xE9)
    5 -> Color.rgb(0x00, 0x9E, 0x73)
    6 -> Color.rgb(0xE6, 0x9F, 0x00)
    else -> Color.rgb(0xD5, 0x5E, 0x00)
}
