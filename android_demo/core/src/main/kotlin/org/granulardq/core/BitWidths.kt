package org.granulardq.core

/** The activation bit-widths of Granular-DQ, ascending. */
val BIT_WIDTHS: List<Int> = listOf(4, 5, 6, 8)

/** Stands in bit maps for a tile that was interpolated and needed no network. */
const val INTERPOLATED: Int = 0
