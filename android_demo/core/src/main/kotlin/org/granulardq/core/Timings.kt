package org.granulardq.core

import java.util.EnumMap

/** What a picture goes through. */
enum class Stage {
    /** From the source to rows. */
    DECODE,

    /** From rows to tiles, with padding. */
    CUT,

    /** Predictor and routing. */
    PREDICT,

    /** The network at the chosen bit-widths, and interpolation: the actual work. */
    RUN,

    /** From tiles to rows of output, with transparency. */
    STITCH,

    /** From rows to the target. */
    ENCODE,
}

/**
 * Wall time of a picture.
 *
 * @property stages seconds of each stage, summed over all threads that worked on it.
 * @property elapsed seconds from beginning to end.
 */
class Timings(val stages: Map<Stage, Double>, val elapsed: Double)

/** Collects the times of stages from several threads. */
class Stopwatch {
    private val start = System.nanoTime()
    private val nanoseconds = EnumMap<Stage, Long>(Stage::class.java)

    /** Adds the time of a block to a stage. */
    fun <T> measure(stage: Stage, block: () -> T): T {
        val before = System.nanoTime()
        try {
            return block()
        } finally {
            add(stage, System.nanoTime() - before)
        }
    }

    @Synchronized
    private fun add(stage: Stage, taken: Long) {
        nanoseconds[stage] = (nanoseconds[stage] ?: 0L) + taken
    }

    /** The times collected so far. */
    @Synchronized
    fun read(): Timings =
        Timings(
            Stage.entries.associateWith { (nanoseconds[it] ?: 0L) / 1e9 },
            (System.nanoTime() - start) / 1e9,
        )
}
