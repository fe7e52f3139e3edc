package org.granulardq.android

import org.granulardq.core.GdqException

/** Told on the main thread how a picture in the background goes; one of the last two ends it. */
interface UpscaleListener<in T> {
    /** So many tiles of all are done. */
    fun onProgress(done: Int, all: Int) = Unit

    /** The picture is complete. */
    fun onDone(result: T)

    /** It is not; [fault] has a sentence for the user. Also after a cancellation. */
    fun onFailed(fault: GdqException)
}
