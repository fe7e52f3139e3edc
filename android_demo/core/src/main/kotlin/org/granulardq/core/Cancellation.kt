package org.granulardq.core

import java.util.concurrent.atomic.AtomicBoolean

/** Stops a picture in progress, from any thread. */
class Cancellation {
    private val isAsked = AtomicBoolean()

    /** Makes the picture end with a [CancelledException] before its next tile is stitched. */
    fun cancel() = isAsked.set(true)

    /** Throws a [CancelledException] if [cancel] was called. */
    fun check() {
        if (isAsked.get()) throw CancelledException()
    }
}
