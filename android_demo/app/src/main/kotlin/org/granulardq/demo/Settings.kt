package org.granulardq.demo

import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.routing.Request

/** A bundle of the app's assets. */
enum class Network(val asset: String, val label: Int) {
    X2("edsr_mobile_x2.zip", R.string.network_x2),
    X4("edsr_mobile_x4.zip", R.string.network_x4),
}

/**
 * What decides the bits of tiles.
 *
 * @property positions of the slider; 0 where there is nothing to slide.
 * @property middle where it stands at first.
 */
enum class Mode(val label: Int, val positions: Int, val middle: Int) {
    AUTOMATIC(R.string.mode_automatic, 0, 0) {
        override fun request(position: Int) = Request()
    },
    LOSS(R.string.mode_loss, 30, 10) {
        override fun request(position: Int) = Request(maxLoss = position / 100.0)
    },
    BITS(R.string.mode_bits, 40, 10) {
        override fun request(position: Int) = Request(fab = 4 + position / 10.0)
    },
    FIXED(R.string.mode_fixed, BIT_WIDTHS.lastIndex, 0) {
        override fun request(position: Int) = Request(bits = BIT_WIDTHS[position])
    };

    /** What is asked of the runtime at a [position] of the slider. */
    abstract fun request(position: Int): Request
}

/** How pictures are upscaled. */
data class Settings(
    val network: Network = Network.X2, val mode: Mode = Mode.AUTOMATIC, val position: Int = 0,
) {
    val request: Request get() = mode.request(position)
}
