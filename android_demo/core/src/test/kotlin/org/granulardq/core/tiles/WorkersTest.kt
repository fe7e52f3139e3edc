package org.granulardq.core.tiles

import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import org.granulardq.core.CancelledException
import org.granulardq.core.RequestException

class WorkersTest {
    @Test
    fun `results come in the order of the items, and few are ahead`() {
        Workers(3).use { workers ->
            val drawn = AtomicInteger()
            val used = mutableListOf<Int>()
            val items = generateSequence(0) { it + 1 }.take(50).onEach { drawn.incrementAndGet() }
            workers.mapInOrder(items.iterator(), 5, { it.also { Thread.sleep(it % 3L) } }) {
                assertTrue(drawn.get() <= used.size + 5)
                used += it
            }
            assertEquals((0 until 50).toList(), used)
        }
    }

    @Test
    fun `an error comes in its turn, after work in progress`() {
        Workers(2).use { workers ->
            val running = AtomicInteger()
            val used = mutableListOf<Int>()
            val error = assertFailsWith<IllegalStateException> {
                workers.mapInOrder((0 until 20).iterator(), 4, { n ->
                    running.incrementAndGet()
                    if (n == 3) error("of 3")
                    Thread.sleep(20)
                    running.decrementAndGet()
                    n
                }) { used += it }
            }
            assertEquals("of 3", error.message)
            assertEquals(listOf(0, 1, 2), used)
            assertEquals(1, running.get()) // the one that failed
        }
    }

    @Test
    fun `an interrupted caller waits for work in progress`() {
        Workers(1).use { workers ->
            val (begun, may) = CountDownLatch(1) to CountDownLatch(1)
            val ended = AtomicInteger()
            val caller = Thread.currentThread()
            Thread {
                begun.await()
                caller.interrupt()
                Thread.sleep(50)
                may.countDown()
            }.start()
            assertFailsWith<CancelledException> {
                workers.mapInOrder(listOf(1).iterator(), 1, {
                    begun.countDown()
                    may.await()
                    ended.incrementAndGet()
                }) {}
            }
            assertEquals(1, ended.get())
            assertTrue(Thread.interrupted())
        }
    }

    @Test
    fun `there is no work without threads`() {
        assertFailsWith<RequestException> { Workers(0) }
    }
}
