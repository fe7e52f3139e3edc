package org.granulardq.demo

import android.content.Context
import android.graphics.Bitmap
import android.net.Uri
import android.os.Handler
import android.os.Looper
import java.io.File
import java.io.IOException
import java.util.concurrent.Executors
import org.granulardq.android.Bundles
import org.granulardq.android.Upscaler
import org.granulardq.android.pictures.PictureFormat
import org.granulardq.core.Cancellation
import org.granulardq.core.CancelledException
import org.granulardq.core.GdqException
import org.granulardq.core.Progress
import org.granulardq.core.UpscaleResult

/** A picture that was upscaled: what the screen shows of it, and its file. */
class Upscaled(
    val before: Bitmap,
    val after: Bitmap,
    val result: UpscaleResult,
    val scale: Int,
    val file: File,
    val format: PictureFormat,
)

/** How far the picture is. */
sealed class State {
    /** Nothing was picked. */
    object Empty : State()

    /** So many tiles of all are done; [all] is 0 while the picture is opened. */
    class Running(val done: Int, val all: Int) : State()

    class Done(val upscaled: Upscaled) : State()

    /** [sentence] is null after a cancellation. */
    class Failed(val sentence: String?) : State()
}

/** Upscales one picture at a time in the background; everything else on the main thread. */
class Session(private val context: Context) {
    private val background = Executors.newSingleThreadExecutor()
    private val answers = Executors.newSingleThreadExecutor() // while a picture is in progress
    private val main = Handler(Looper.getMainLooper())
    private val bundles = Bundles(context)
    private val results = File(context.cacheDir, "results")
    private var open: Pair<Network, Upscaler>? = null // of the background's thread
    private var cancellation = Cancellation()

    /** Called at each change. */
    var listener: ((State) -> Unit)? = null

    /** The picture that was picked. */
    var input: Uri? = null
        private set

    var state: State = State.Empty
        private set(value) {
            field = value
            listener?.invoke(value)
        }

    /** Begins a picture, instead of the one in progress. */
    fun start(picture: Uri, settings: Settings) {
        cancel()
        val cancellation = Cancellation()
        this.cancellation = cancellation
        input = picture
        state = State.Running(0, 0)
        val progress = Progress { done, all -> tell(cancellation, State.Running(done, all)) }
        background.execute {
            val end = try {
                State.Done(upscale(picture, settings, progress, cancellation))
            } catch (_: CancelledException) {
                State.Failed(null)
            } catch (fault: GdqException) {
                State.Failed(fault.message)
            } catch (_: OutOfMemoryError) {
                State.Failed("memory does not suffice for this picture: close other apps")
            }
            tell(cancellation, end)
        }
    }

    /** Ends the picture in progress before its next tile. */
    fun cancel() = cancellation.cancel()

    /** Tells [use] on the main thread what the network loses with these settings, in dB. */
    fun expect(settings: Settings, use: (Expectation) -> Unit) = answers.execute {
        val found = try {
            Expectation(expectedLoss(bundles.fromAsset(settings.network.asset), settings), null)
        } catch (fault: GdqException) {
            Expectation(null, fault.message)
        }
        main.post { use(found) }
    }

    /** Copies the result to where the user wants it; [use] is told the fault, or null. */
    fun save(target: Uri, use: (String?) -> Unit) {
        val file = (state as? State.Done)?.upscaled?.file ?: return
        background.execute {
            val fault = try {
                copy(file, target)
                null
            } catch (_: IOException) {
                "the result cannot be saved there: is there space left, and the folder still there?"
            } catch (_: SecurityException) {
                "the right to save there was withdrawn: choose again"
            }
            main.post { use(fault) }
        }
    }

    private fun copy(file: File, target: Uri) {
        val stream = context.contentResolver.openOutputStream(target, "wt")
            ?: throw IOException("no provider takes $target")
        stream.use { file.inputStream().use { result -> result.copyTo(it) } }
    }

    private fun upscale(
        picture: Uri, settings: Settings, progress: Progress, cancellation: Cancellation,
    ): Upscaled {
        cancellation.check()
        val upscaler = upscaler(settings.network)
        val before = preview(context.contentResolver, picture)
        val format = formatOf(before)
        results.deleteRecursively() // the last one: it was saved, or is not wanted
        results.mkdirs()
        val name = "${nameOf(context.contentResolver, picture)}_x${upscaler.scale}"
        val file = File(results, "$name.${format.extension}")
        val result =
            upscaler.upscale(picture, file, format, settings.request, progress, cancellation)
        val after = preview(context.contentResolver, Uri.fromFile(file))
        return Upscaled(before.bitmap, after.bitmap, result, upscaler.scale, file, format)
    }

    private fun upscaler(network: Network): Upscaler {
        open?.let { (opened, upscaler) ->
            if (opened == network) return upscaler
            upscaler.close()
            open = null
        }
        val bundle = bundles.fromAsset(network.asset)
        return Upscaler.open(context, bundle).also { open = network to it }
    }

    private fun tell(of: Cancellation, change: State) {
        main.post { if (of === cancellation) state = change }
    }
}
