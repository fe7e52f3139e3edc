package org.granulardq.core.routing

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.RequestException
import org.granulardq.core.tiles.Policy

/** What happens to tiles that interpolation upscales as well as the network does. */
@Serializable
enum class FlatTilesChoice {
    @SerialName("interpolate")
    INTERPOLATE,

    @SerialName("network")
    NETWORK,
}

/**
 * How pictures shall be upscaled; at most one of the dials is given.
 *
 * The dials are [bits], [fab], [maxLoss], [speed] and [maxSeconds].
 *
 * @property bits one bit-width for all tiles; null for the predictor's choice per tile.
 * @property fab mean bit-width that the network may spend on its tiles. Bundles with statistics
 *   meet it in the long run, over tiles and pictures; those with a gate in every picture.
 * @property maxLoss largest expected loss of PSNR below all tiles at the largest bit-width, in dB.
 * @property flatTiles null interpolates flat tiles unless one bit-width is asked for, the policy is
 *   the paper's, or [maxLoss] has no room for it.
 * @property policy how pictures are cut.
 * @property speed processor time of all tiles at the largest bit-width over that of the picture's
 *   tiles, at least, by the costs of this device; 1 or more.
 * @property maxSeconds that a picture may take, by the same costs.
 * @property fabCap largest mean bit-width of the tiles that the network runs, in every picture; 4
 *   or more, and only of bundles with statistics.
 * @throws RequestException on construction, when fields contradict each other or leave their range.
 */
data class Request(
    val bits: Int? = null,
    val fab: Double? = null,
    val maxLoss: Double? = null,
    val flatTiles: FlatTilesChoice? = null,
    val policy: Policy = Policy.UNIFORM,
    val speed: Double? = null,
    val maxSeconds: Double? = null,
    val fabCap: Double? = null,
) {
    /** Whether the dial is turned in time, so that the costs of this device decide. */
    val asksForTime: Boolean get() = speed != null || maxSeconds != null

    init {
        if (bits != null && bits !in BIT_WIDTHS) {
            throw RequestException("bits must be one of ${BIT_WIDTHS.joinToString()}, not $bits")
        }
        checkNumber("fab", fab)
        checkNumber("max-loss", maxLoss)
        checkNumber("speed", speed, least = 1)
        checkNumber("max-seconds", maxSeconds)
        checkNumber("fab-cap", fabCap)
        if (listOfNotNull(bits, fab, maxLoss, speed, maxSeconds).size > 1) {
            throw RequestException(
                "give only one of bits, fab, max-loss, speed and max-seconds: each decides alone",
            )
        }
        if (asksForTime && policy != Policy.UNIFORM) {
            throw RequestException(
                "speed and max-seconds need tiles of one size: leave the policy of the paper out",
            )
        }
        if (fabCap != null) checkCap(fabCap)
    }

    private fun checkCap(cap: Double) {
        if (bits != null) {
            throw RequestException("fab-cap bounds what the predictor chooses: leave bits out")
        }
        if (asksForTime) {
            throw RequestException(
                "fab-cap bounds bits, speed and max-seconds time: give one of them",
            )
        }
        if (cap < BIT_WIDTHS.first()) {
            throw RequestException(
                "fab-cap $cap cannot be kept: tiles have ${BIT_WIDTHS.first()} bits or more",
            )
        }
        if (fab != null && fab > cap) throw RequestException("fab $fab is above fab-cap $cap")
    }
}

private fun checkNumber(name: String, value: Double?, least: Int = 0) {
    if (value != null && !(value.isFinite() && value >= least)) {
        throw RequestException("$name must be a number of at least $least, not $value")
    }
}
