package org.granulardq.android

import android.app.ActivityManager
import android.content.Context
import org.granulardq.core.ImageException

private const val BYTES_PER_PIXEL = 4L

/**
 * Makes sure that a bitmap fits what the system has free before it ends programs.
 *
 * @param what needs it, in the words of the sentence.
 * @throws ImageException it does not.
 */
internal fun checkMemory(context: Context, width: Int, height: Int, what: String) {
    val needed = BYTES_PER_PIXEL * width * height
    val info = ActivityManager.MemoryInfo()
    checkNotNull(context.getSystemService(ActivityManager::class.java)).getMemoryInfo(info)
    val free = info.availMem - info.threshold
    if (needed > Int.MAX_VALUE || (info.totalMem > 0 && needed > free)) {
        throw ImageException(
            "$what of ${width}x$height needs ${needed shr 20} MB of memory, of which " +
                "${free.coerceAtLeast(0) shr 20} MB are free: close other apps or take a smaller one",
        )
    }
}
