package org.granulardq.android

import android.content.Context
import android.graphics.Bitmap
import android.net.Uri
import android.os.Handler
import android.os.Looper
import java.io.File
import java.io.IOException
import java.util.UUID
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import org.granulardq.android.pictures.BitmapSink
import org.granulardq.android.pictures.BitmapSource
import org.granulardq.android.pictures.PictureFormat
import org.granulardq.android.pictures.PictureSize
import org.granulardq.android.pictures.StoredPicture
import org.granulardq.android.pictures.openSink
import org.granulardq.android.pictures.writingTo
import org.granulardq.core.Cancellation
import org.granulardq.core.GdqException
import org.granulardq.core.ImageException
import org.granulardq.core.OutputException
import org.granulardq.core.Progress
import org.granulardq.core.UpscaleResult
import org.granulardq.core.Upscaler as CoreUpscaler
import org.granulardq.core.bundle.Bundle
import org.granulardq.core.engines.Engine
import org.granulardq.core.pictures.hasAlpha
import org.granulardq.core.routing.Request

/** An upscaled bitmap, and what became of its tiles. */
class UpscaledBitmap(val bitmap: Bitmap, val result: UpscaleResult)

/**
 * Upscales bitmaps and pictures behind Uris with one bundle, without any permission.
 *
 * One picture at a time. The methods `upscale` block: call them from a thread of yours, or take
 * `start`. All of them throw or tell one [GdqException] per kind of fault: `ImageException` of the
 * picture, `OutputException` of the target, `RequestException` of the request, `EngineException`,
 * and `CancelledException`.
 */
class Upscaler private constructor(
    private val context: Context, private val core: CoreUpscaler,
) : AutoCloseable {
    private val background = Executors.newSingleThreadExecutor()
    private val main = Handler(Looper.getMainLooper())

    /** The bundle that runs. */
    val bundle: Bundle get() = core.bundle

    /** Upscaling factor. */
    val scale: Int get() = core.scale

    /** What the engine runs on. */
    val accelerator: String get() = core.accelerator

    /**
     * Upscales a bitmap of any configuration and colour space into one of sRGB.
     *
     * @throws ImageException the result does not fit the memory.
     */
    @JvmOverloads
    fun upscale(
        bitmap: Bitmap,
        request: Request = Request(),
        progress: Progress? = null,
        cancellation: Cancellation? = null,
    ): UpscaledBitmap = withinMemory {
        val (width, height) = bitmap.width * scale to bitmap.height * scale
        checkMemory(context, width, height, "a result")
        val target = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        target.setHasAlpha(bitmap.hasAlpha())
        val readable = if (bitmap.config == Bitmap.Config.HARDWARE) copy(bitmap) else bitmap
        val source = BitmapSource(readable)
        val result = core.upscale(source, BitmapSink(target), request, progress, cancellation)
        UpscaledBitmap(target, result)
    }

    /**
     * Upscales the picture behind a Uri, upright and with its EXIF, into another one.
     *
     * Memory does not depend on the height where the platform decodes regions (JPEG, PNG, WebP) and
     * the result is a PNG. The target is written once all is done, and untouched if anything fails
     * before that.
     *
     * @param format null for PNG if the picture is one or has transparency, else JPEG.
     */
    @JvmOverloads
    fun upscale(
        input: Uri,
        output: Uri,
        format: PictureFormat? = null,
        request: Request = Request(),
        progress: Progress? = null,
        cancellation: Cancellation? = null,
    ): UpscaleResult {
        val draft = File(context.cacheDir, UUID.randomUUID().toString())
        try {
            val result = upscale(input, draft, format, request, progress, cancellation)
            copyTo(draft, output)
            return result
        } finally {
            draft.delete()
        }
    }

    /** The same into a file of the app, which is there once all is done, or not at all. */
    @JvmOverloads
    fun upscale(
        input: Uri,
        output: File,
        format: PictureFormat? = null,
        request: Request = Request(),
        progress: Progress? = null,
        cancellation: Cancellation? = null,
    ): UpscaleResult = withinMemory {
        val draft = File("${output.path}.part")
        try {
            val result = StoredPicture(context, input).use { picture ->
                val chosen = format ?: formatOf(picture)
                writingTo(draft) { stream ->
                    val (width, height) = picture.width * scale to picture.height * scale
                    val size = PictureSize(width, height, picture.channels)
                    val sink = openSink(context, stream, chosen, size)
                    core.upscale(picture, sink, request, progress, cancellation)
                        .also { sink.finish() }
                }.also { picture.exif.addTo(draft, chosen) }
            }
            if (!draft.renameTo(output)) throw OutputException("$output cannot be written")
            result
        } finally {
            draft.delete()
        }
    }

    /** [upscale] in the background; pictures wait for each other. */
    @JvmOverloads
    fun start(
        bitmap: Bitmap, listener: UpscaleListener<UpscaledBitmap>, request: Request = Request(),
    ): Cancellation = start(listener) { progress, cancellation ->
        upscale(bitmap, request, progress, cancellation)
    }

    /** [upscale] in the background; pictures wait for each other. */
    @JvmOverloads
    fun start(
        input: Uri,
        output: Uri,
        listener: UpscaleListener<UpscaleResult>,
        format: PictureFormat? = null,
        request: Request = Request(),
    ): Cancellation = start(listener) { progress, cancellation ->
        upscale(input, output, format, request, progress, cancellation)
    }

    private fun <T> start(
        listener: UpscaleListener<T>, upscale: (Progress, Cancellation) -> T,
    ): Cancellation {
        val cancellation = Cancellation()
        val progress = Progress { done, all -> main.post { listener.onProgress(done, all) } }
        background.execute {
            try {
                cancellation.check()
                val result = upscale(progress, cancellation)
                main.post { listener.onDone(result) }
            } catch (fault: GdqException) {
                main.post { listener.onFailed(fault) }
            }
        }
        return cancellation
    }

    /** Frees the engine once the pictures that were started are done: cancel them first. */
    override fun close() {
        background.shutdown()
        background.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
        core.close()
    }

    private fun formatOf(picture: StoredPicture): PictureFormat =
        if (picture.type == PictureFormat.PNG.mimeType || hasAlpha(picture.channels)) {
            PictureFormat.PNG
        } else {
            PictureFormat.JPEG
        }

    private fun copyTo(file: File, uri: Uri) {
        try {
            val stream = context.contentResolver.openOutputStream(uri, "wt")
                ?: throw IOException("no provider takes $uri")
            stream.use { file.inputStream().use { draft -> draft.copyTo(it) } }
        } catch (error: IOException) {
            throw OutputException(
                "the result cannot be saved there: is there space left, and the folder still there?",
                error,
            )
        } catch (error: SecurityException) {
            throw OutputException("the right to save there was withdrawn: choose again", error)
        }
    }

    /** Why it runs on something else than the engine was asked for; null if it does not. */
    val fallback: String? get() = core.fallback

    companion object {
        /**
         * Prepares to run a bundle with our own engine.
         *
         * @param threads number of tiles that run in parallel.
         * @throws org.granulardq.core.BundleException the bundle has no graphs for it.
         * @throws org.granulardq.core.EngineException the library is missing or refuses them.
         */
        @JvmStatic
        @JvmOverloads
        fun open(
            context: Context,
            bundle: Bundle,
            threads: Int = Runtime.getRuntime().availableProcessors(),
        ): Upscaler = Upscaler(context.applicationContext, CoreUpscaler.open(bundle, threads))

        /** The same with another engine, which is closed with the Upscaler. */
        @JvmStatic
        fun open(context: Context, bundle: Bundle, engine: Engine, threads: Int): Upscaler =
            Upscaler(context.applicationContext, CoreUpscaler(bundle, engine, threads))
    }
}

private fun copy(bitmap: Bitmap): Bitmap = checkNotNull(bitmap.copy(Bitmap.Config.ARGB_8888, false))

private fun <T> withinMemory(upscale: () -> T): T =
    try {
        upscale()
    } catch (error: OutOfMemoryError) {
        throw ImageException("memory does not suffice for this picture: close other apps", error)
    }
