package org.granulardq.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException
import org.granulardq.android.pictures.PictureFormat

private const val AUTHORITY = "org.granulardq.demo.results"

/** Lets the apps that a result was shared with read it, and nothing else. */
class ResultProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw SecurityException("results can only be read")
        return ParcelFileDescriptor.open(fileOf(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun getType(uri: Uri): String? =
        PictureFormat.entries.find { fileOf(uri).extension == it.extension }?.mimeType

    override fun query(
        uri: Uri, projection: Array<String>?, selection: String?, arguments: Array<String>?,
        order: String?,
    ): Cursor {
        val file = fileOf(uri)
        val known = mapOf<String, Any>(
            OpenableColumns.DISPLAY_NAME to file.name, OpenableColumns.SIZE to file.length(),
        )
        val columns = (projection ?: known.keys.toTypedArray()).filter(known::containsKey)
        return MatrixCursor(columns.toTypedArray()).apply { addRow(columns.map(known::get)) }
    }

    /** The name alone counts, so nobody gets out of the folder. */
    private fun fileOf(uri: Uri): File {
        val name = uri.lastPathSegment.orEmpty()
        val file = File(File(requireNotNull(context).cacheDir, "results"), File(name).name)
        if (!file.isFile) throw FileNotFoundException("$name is no result, or no longer kept")
        return file
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = throw readOnly()

    override fun update(
        uri: Uri, values: ContentValues?, selection: String?, arguments: Array<String>?,
    ): Int = throw readOnly()

    override fun delete(uri: Uri, selection: String?, arguments: Array<String>?): Int =
        throw readOnly()

    private fun readOnly() = UnsupportedOperationException("results can only be read")

    companion object {
        /** What other apps open a result by. */
        fun uriOf(file: File): Uri =
            Uri.Builder().scheme("content").authority(AUTHORITY).appendPath(file.name).build()
    }
}
