package org.granulardq.android

import android.content.Context
import android.net.Uri
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.security.MessageDigest
import org.granulardq.core.BundleException
import org.granulardq.core.bundle.Bundle
import org.granulardq.core.bundle.unpackBundle

/**
 * Bundles in the app's own storage, left out of backups: each comes from a zip, once.
 *
 * A folder is named after the SHA-256 of its zip, so an app's update brings its new bundle, and a
 * damaged folder is replaced.
 */
class Bundles(private val context: Context) {
    private val root = File(context.noBackupFilesDir, "bundles")

    /**
     * Opens a bundle of the app's assets.
     *
     * @param name of the zip.
     * @throws BundleException there is none, or it is no bundle.
     */
    fun fromAsset(name: String): Bundle =
        unpackOnce("asset $name") { context.assets.open(name) }

    /**
     * Opens a zipped bundle that the user picked or downloaded.
     *
     * @throws BundleException it cannot be read, or is no bundle.
     */
    fun fromUri(uri: Uri): Bundle =
        unpackOnce("the file") {
            context.contentResolver.openInputStream(uri) ?: throw IOException("no provider")
        }

    private fun unpackOnce(what: String, open: () -> InputStream): Bundle =
        synchronized(LOCK) {
            val folder = File(root, reading(what) { open().use(::sha256) })
            try {
                return Bundle.open(folder)
            } catch (_: BundleException) { // not there yet, or damaged
                folder.deleteRecursively()
            }
            root.mkdirs()
            reading(what) { open().use { unpackBundle(it, folder) } }
        }

    private companion object {
        /** Two threads would unpack into one folder. */
        val LOCK = Any()
    }
}

private fun <T> reading(what: String, read: () -> T): T =
    try {
        read()
    } catch (error: IOException) {
        throw BundleException("$what cannot be read: pick it again", error)
    } catch (error: SecurityException) {
        throw BundleException("$what is no longer shared: pick it again", error)
    }

private fun sha256(stream: InputStream): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val block = ByteArray(1 shl 16)
    while (true) {
        val read = stream.read(block)
        if (read < 0) break
        digest.update(block, 0, read)
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}
