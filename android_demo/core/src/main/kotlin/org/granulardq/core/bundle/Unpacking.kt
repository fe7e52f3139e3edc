package org.granulardq.core.bundle

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.util.zip.ZipInputStream
import org.granulardq.core.BundleException
import org.granulardq.core.OutputException

/** Bytes of all files: the largest bundle of the zoo has a tenth of it. */
private const val LARGEST = 256L shl 20

/** Files; a bundle has some twenty. */
private const val MOST = 1000

/**
 * Unpacks a zipped bundle, an asset or a download, into a folder that does not exist yet.
 *
 * The folder appears once everything in it is checked, or not at all. The manifest lies at the top
 * of the zip.
 *
 * @throws BundleException it is no zip, has a path that leaves the folder, is too large, or is no
 *   bundle ([Bundle.open]).
 * @throws OutputException the folder exists, or cannot be written.
 */
fun unpackBundle(zip: InputStream, folder: File): Bundle {
    if (folder.exists()) throw OutputException("$folder exists already: choose another name")
    val draft = File(folder.absoluteFile.parentFile, ".${folder.name}.unpacking")
    draft.deleteRecursively() // of an attempt that did not end
    try {
        if (!draft.mkdirs()) throw OutputException("$draft cannot be made: is there space left?")
        unpack(ZipInputStream(zip.buffered()), draft)
        Bundle.open(draft)
        if (!draft.renameTo(folder)) throw OutputException("$folder cannot be made")
        return Bundle.open(folder)
    } finally {
        draft.deleteRecursively()
    }
}

private fun unpack(zip: ZipInputStream, folder: File) {
    var left = LARGEST
    var files = 0
    while (true) {
        val entry = readZip { zip.nextEntry } ?: break
        if (entry.isDirectory) continue
        if (!staysInside(entry.name)) {
            throw BundleException("${entry.name} leaves the bundle's folder: refused")
        }
        if (++files > MOST) {
            throw BundleException("the zip has more than $MOST files: not a bundle")
        }
        left -= copy(zip, File(folder, entry.name), left)
    }
    if (files == 0) throw BundleException("this is no zipped bundle: the file is no zip, or empty")
}

private fun copy(zip: ZipInputStream, file: File, most: Long): Long {
    val block = ByteArray(1 shl 16)
    var size = 0L
    writing(file) { file.parentFile.mkdirs() }
    val target = writing(file) { file.outputStream() }
    target.use {
        while (true) {
            val read = readZip { zip.read(block) }
            if (read < 0) return size
            size += read
            if (size > most) {
                throw BundleException(
                    "the zip unpacks to more than ${LARGEST shr 20} MiB: not a bundle",
                )
            }
            writing(file) { target.write(block, 0, read) }
        }
    }
}

private fun <T> readZip(read: () -> T): T =
    try {
        read()
    } catch (error: IOException) {
        throw BundleException("the zip is damaged or incomplete: get it again", error)
    } catch (error: IllegalArgumentException) { // a name that is no UTF-8
        throw BundleException("the zip is damaged: get it again", error)
    }

private fun <T> writing(file: File, write: () -> T): T =
    try {
        write()
    } catch (error: IOException) {
        throw OutputException("${file.name} cannot be written: ${error.message}", error)
    }
