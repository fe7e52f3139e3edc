package org.granulardq.demo

import android.content.res.Resources
import org.granulardq.core.INTERPOLATED

/** Name of a route. */
fun nameOf(resources: Resources, route: Int): String =
    if (route == INTERPOLATED) {
        resources.getString(R.string.interpolated)
    } else {
        resources.getString(R.string.bits, route)
    }

/** What became of a picture: sizes, bits, loss, and seconds per stage. */
fun summaryOf(resources: Resources, upscaled: Upscaled): String {
    val result = upscaled.result
    val (plan, scale) = result.plan to upscaled.scale
    val lines = mutableListOf(
        resources.getString(
            R.string.sizes, plan.width, plan.height, plan.width * scale, plan.height * scale,
            result.timings.elapsed,
        ),
        resources.getString(R.string.mean_bits, result.bitMap.fab),
        resources.getString(R.string.mean_network_bits, result.bitMap.networkFab),
        lossOf(resources, result.expectedLoss),
        resources.getString(R.string.stages),
    )
    result.timings.stages.forEach { (stage, seconds) ->
        lines += resources.getString(R.string.stage, stage.name.lowercase(), seconds)
    }
    return lines.joinToString("\n")
}

/** The sentence of an expected loss in dB. */
fun lossOf(resources: Resources, loss: Double?): String =
    if (loss == null) {
        resources.getString(R.string.no_expected_loss)
    } else {
        resources.getString(R.string.expected_loss, loss)
    }
