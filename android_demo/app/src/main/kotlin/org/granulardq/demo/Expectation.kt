package org.granulardq.demo

import org.granulardq.core.bundle.Bundle
import org.granulardq.core.routing.Crew
import org.granulardq.core.routing.Router

/** What the dial promises: [loss] in dB if it is known, or the [fault] of what it asks for. */
class Expectation(val loss: Double?, val fault: String?)

/**
 * Returns dB of PSNR below all tiles at the largest width, as calibrated; null if unknown.
 *
 * @throws org.granulardq.core.RequestException the dial does not reach that far.
 */
fun expectedLoss(bundle: Bundle, settings: Settings): Double? =
    Router.create(bundle.manifest, settings.request, null, Crew(1, 1)).expectedLoss
