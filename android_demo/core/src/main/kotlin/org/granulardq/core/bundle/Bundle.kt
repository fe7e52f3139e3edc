package org.granulardq.core.bundle

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.StandardOpenOption
import java.security.MessageDigest
import org.granulardq.core.BundleException

private const val MANIFEST_NAME = "manifest.json"

/** Bytes; a real manifest has some ten thousand, and parsing a huge one could fill the memory. */
private const val MANIFEST_LIMIT = 4 shl 20

/**
 * A bundle whose files are what its manifest says they are.
 *
 * @property folder that holds it.
 * @property manifest its validated description.
 */
class Bundle private constructor(val folder: File, val manifest: Manifest) {
    /**
     * Makes sure that an engine finds graphs that it can read.
     *
     * @throws BundleException the bundle was exported without them.
     */
    fun require(format: Format, engine: String) {
        if (format !in manifest.formats) {
            throw BundleException(
                "the bundle has no graphs for engine $engine: it was exported with formats " +
                    manifest.formats.joinToString { it.name.lowercase() },
            )
        }
    }

    /**
     * Maps a file that the manifest lists, read-only.
     *
     * @throws BundleException the manifest does not list it, so it was not checked.
     */
    fun map(path: String): ByteBuffer {
        if (manifest.files.none { it.path == path }) {
            throw BundleException("$path is not a file of this bundle")
        }
        try {
            FileChannel.open(File(folder, path).toPath(), StandardOpenOption.READ).use {
                return it.map(FileChannel.MapMode.READ_ONLY, 0, it.size())
            }
        } catch (error: IOException) {
            throw BundleException("$path cannot be read: open the bundle again", error)
        }
    }

    companion object {
        /**
         * Reads the manifest, then checks path, size and SHA-256 of every file that it lists.
         *
         * @throws BundleException the folder is not a bundle or has another version, a file is
         *   damaged, missing or a link, or a path leaves the folder.
         */
        @JvmStatic
        fun open(folder: File): Bundle {
            val manifest = File(folder, MANIFEST_NAME)
            if (Files.isSymbolicLink(manifest.toPath()) || !manifest.isFile) {
                throw BundleException("$folder is not a bundle: it has no $MANIFEST_NAME")
            }
            try {
                val text = manifest.inputStream().use(::readText)
                val bundle = Bundle(folder, readManifest(text))
                for (entry in bundle.manifest.files) checkFile(folder, entry)
                return bundle
            } catch (error: IOException) {
                throw BundleException("$folder cannot be read: ${error.message}", error)
            }
        }
    }
}

private fun readText(stream: InputStream): String {
    val bytes = ByteArray(MANIFEST_LIMIT + 1)
    var size = 0
    while (size < bytes.size) {
        val read = stream.read(bytes, size, bytes.size - size)
        if (read < 0) return bytes.decodeToString(0, size)
        size += read
    }
    throw BundleException(
        "$MANIFEST_NAME is larger than ${MANIFEST_LIMIT shr 20} MiB: not a manifest",
    )
}

private fun checkFile(folder: File, entry: FileEntry) {
    val file = File(folder, entry.path)
    if (!Files.exists(file.toPath())) {
        throw BundleException("${entry.path} is missing: the bundle is incomplete, get it again")
    }
    // Equal only if neither the file nor a folder on the way to it is a link.
    val expected = folder.toPath().toRealPath().resolve(entry.path).normalize()
    if (file.toPath().toRealPath() != expected) {
        throw BundleException("${entry.path} is a link or leaves the bundle's folder: refused")
    }
    // A pipe or a device could block for ever or never end.
    if (!file.isFile) throw BundleException("${entry.path} is not a regular file")
    if (file.length() != entry.size) {
        throw BundleException(
            "${entry.path} is damaged: it has ${file.length()} bytes, " +
                "the manifest says ${entry.size}",
        )
    }
    if (sha256(file) != entry.sha256) {
        throw BundleException(
            "${entry.path} is damaged: its SHA-256 is not the one in the manifest",
        )
    }
}

private fun sha256(file: File): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val block = ByteArray(1 shl 16)
    file.inputStream().use { stream ->
        while (true) {
            val read = stream.read(block)
            if (read < 0) break
            digest.update(block, 0, read)
        }
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}
