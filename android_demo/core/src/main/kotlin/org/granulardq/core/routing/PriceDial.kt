package org.granulardq.core.routing

import org.granulardq.core.BIT_WIDTHS
import org.granulardq.core.INTERPOLATED
import org.granulardq.core.RequestException
import org.granulardq.core.bundle.FlatTiles
import org.granulardq.core.bundle.PricePoint
import org.granulardq.core.bundle.TradeOff
import org.granulardq.core.engines.Costs
import org.granulardq.core.sensitivity.NEVER

/**
 * A position of the dial of statistics.
 *
 * @property price of a bit, in 1/32 octaves.
 * @property lossDb expected without flat tiles, as calibrated; null if the bundle does not say.
 */
class PriceStart(val price: Double, val lossDb: Double?)

/**
 * Finds the price for a request.
 *
 * @param flatLoss dB that interpolating flat tiles costs.
 * @param price where the dial stands if it is not turned.
 * @throws RequestException the bundle's dial does not reach the request, or there is none.
 */
fun turnPriceDial(tradeOff: TradeOff?, request: Request, flatLoss: Double, price: Int): PriceStart {
    if (request.fab == null && request.maxLoss == null) {
        return PriceStart(price.toDouble(), tradeOff?.predictor?.lossDb)
    }
    val points = (tradeOff ?: throw RequestException(NO_DIAL)).prices
    if (request.fab != null) return priceOfFab(points, request.fab)
    val good = points.firstOrNull { it.lossDb + flatLoss <= request.maxLoss!! }
    if (good == null) {
        val smallest = points.last().lossDb + flatLoss
        throw RequestException("max-loss ${request.maxLoss} is below the smallest one, $smallest")
    }
    return PriceStart(good.price.toDouble(), good.lossDb)
}

/**
 * Finds the price to begin with for a request in time, and the seconds that a tile may take.
 *
 * The price is that of the calibration's FAB at which tiles would take so long, if each had the two
 * widths around it.
 *
 * @throws RequestException the bundle's dial does not reach the request, or there is none.
 */
fun turnPriceToSeconds(
    tradeOff: TradeOff?, request: Request, flat: FlatTiles?, costs: Costs?, crew: Crew?,
): Pair<PriceStart, Double> {
    if (costs == null) throw RequestException(NO_COSTS)
    if (tradeOff == null) throw RequestException(NO_DIAL)
    val allowed = allowSeconds(request, costs, crew, costs.of(costs.useful.first()))
    val share = flat?.share ?: 0.0
    val forFlat = share * costs.of(INTERPOLATED)
    val forNetwork = if (share < 1) (allowed - forFlat) / (1 - share) else 0.0
    val fab = widthOfSeconds(forNetwork, costs)
    return priceOfFab(tradeOff.prices, maxOf(fab, tradeOff.prices.first().fab)) to allowed
}

/** The mean width of tiles that take so long, of the two useful widths around it. */
private fun widthOfSeconds(seconds: Double, costs: Costs): Double {
    val useful = costs.useful
    val after = useful.indexOfFirst { costs.of(it) > seconds }
    if (after < 0) return useful.last().toDouble()
    if (after == 0) return useful.first().toDouble()
    val (low, high) = useful.slice(after - 1..after)
    return low + (high - low) * (seconds - costs.of(low)) / (costs.of(high) - costs.of(low))
}

/** Between two positions, price and loss lie between theirs. */
private fun priceOfFab(points: List<PricePoint>, fab: Double): PriceStart {
    if (fab < points.first().fab) {
        throw RequestException("fab $fab is below the smallest one, ${points.first().fab}")
    }
    if (fab <= BIT_WIDTHS.first()) { // what no other price keeps to
        return PriceStart(NEVER.toDouble(), points.first().lossDb)
    }
    if (fab >= points.last().fab) return points.last().run { PriceStart(price.toDouble(), lossDb) }
    val after = maxOf(points.indexOfFirst { it.fab >= fab }, 1)
    val (low, high) = points.slice(after - 1..after)
    val share = (fab - low.fab) / (high.fab - low.fab)
    return PriceStart(
        low.price + share * (high.price - low.price),
        low.lossDb + share * (high.lossDb - low.lossDb),
    )
}
