package org.granulardq.core.tiles

import java.util.ArrayDeque
import java.util.concurrent.ExecutionException
import java.util.concurrent.Future
import java.util.concurrent.FutureTask
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import org.granulardq.core.CancelledException
import org.granulardq.core.RequestException

/**
 * Threads that each run whole tiles and return results in the order of the items.
 *
 * @property threads number of threads, at least 1.
 */
class Workers(val threads: Int = Runtime.getRuntime().availableProcessors()) : AutoCloseable {
    init {
        if (threads < 1) throw RequestException("threads must be at least 1, not $threads")
    }

    private val pool = ThreadPoolExecutor(
        threads, threads, 0, TimeUnit.SECONDS, LinkedBlockingQueue(),
    ) { task -> Thread(task, "gdq-tile").apply { isDaemon = true } }

    /**
     * Calls [use] with the results in the order of the items, at most [ahead] of them in progress.
     *
     * The calling thread draws items when there is room. The error of an item is thrown in its
     * turn; then, and if [use] throws, work that has not started is cancelled and the rest waited
     * for.
     *
     * @throws CancelledException the calling thread was interrupted.
     */
    fun <Item, Result> mapInOrder(
        items: Iterator<Item>, ahead: Int, work: (Item) -> Result, use: (Result) -> Unit,
    ) {
        val pending = ArrayDeque<FutureTask<Result>>()
        fun finishFirst() {
            val result = resultOf(pending.first())
            pending.remove()
            use(result)
        }
        try {
            while (items.hasNext()) {
                val item = items.next()
                pending.add(FutureTask { work(item) }.also(pool::execute))
                if (pending.size >= ahead) finishFirst()
            }
            while (pending.isNotEmpty()) finishFirst()
        } finally {
            letGo(pending)
        }
    }

    /** Stops the threads; no work may be in progress. */
    override fun close() {
        pool.shutdown()
    }

    /**
     * Takes back work that has not started, and waits for the rest, which uses native memory.
     *
     * A task that was cancelled would say that it is done while it still runs.
     */
    private fun letGo(pending: Collection<FutureTask<*>>) {
        var wasInterrupted = Thread.interrupted()
        for (task in pending.filterNot(pool::remove)) {
            while (!task.isDone) {
                try {
                    task.get()
                } catch (_: ExecutionException) {
                    break
                } catch (_: InterruptedException) {
                    wasInterrupted = true
                }
            }
        }
        if (wasInterrupted) Thread.currentThread().interrupt()
    }
}

private fun <Result> resultOf(future: Future<Result>): Result =
    try {
        future.get()
    } catch (error: ExecutionException) {
        throw error.cause!!
    } catch (_: InterruptedException) {
        Thread.currentThread().interrupt()
        throw CancelledException()
    }
