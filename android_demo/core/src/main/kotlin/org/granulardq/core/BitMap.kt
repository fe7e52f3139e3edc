package org.granulardq.core

/**
 * How each tile of a picture was upscaled: at a bit-width, or [INTERPOLATED].
 *
 * @property rows number of rows of tiles.
 * @property columns number of columns of tiles.
 */
class BitMap(val rows: Int, val columns: Int, private val routes: IntArray) {
    init {
        require(routes.size == rows * columns)
    }

    operator fun get(row: Int, column: Int): Int = routes[row * columns + column]

    /** All tiles, row by row. */
    fun toList(): List<Int> = routes.asList()

    /** Feature average bit-width: the plain mean, to which an interpolated tile adds 0 bits. */
    val fab: Double get() = routes.average()

    /** The same of only those tiles that went through the network; 0 if none did. */
    val networkFab: Double
        get() = routes.filter { it != INTERPOLATED }.let { if (it.isEmpty()) 0.0 else it.average() }

    /** Route -> number of its tiles, by ascending bit-width. */
    fun counts(): Map<Int, Int> = routes.toList().groupingBy { it }.eachCount().toSortedMap()
}
