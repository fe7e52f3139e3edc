package org.granulardq.demo

import android.content.ContentResolver
import android.net.Uri
import android.provider.OpenableColumns

/** What the user calls the picture behind a Uri, without its extension. */
fun nameOf(resolver: ContentResolver, uri: Uri): String {
    val shown = try {
        resolver.query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use {
            if (it.moveToFirst()) it.getString(0) else null
        }
    } catch (_: SecurityException) { // the picture itself will be missing too, and told
        null
    }
    val name = shown ?: uri.lastPathSegment?.substringAfterLast('/').orEmpty()
    return name.substringBeforeLast('.').ifEmpty { "picture" }
}
