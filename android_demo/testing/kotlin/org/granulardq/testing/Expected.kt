package org.granulardq.testing

import java.io.File
import org.granulardq.core.bundle.Bundle
import org.json.JSONObject
import org.junit.Assume.assumeTrue

/** What `make android` lets the Python runtime write (tests/android/expected.py). */
object Expected {
    /** A file or folder; the test is skipped where there are none. */
    fun file(name: String): File {
        val folder = System.getProperty("gdq.expected").orEmpty()
        assumeTrue("there are no expected pictures: run make android", folder.isNotEmpty())
        return File(folder, name)
    }

    /** The Python runtime's result of the zoo's bundle for a picture, all tiles at [bits]. */
    fun result(picture: String, bits: Int): File {
        val cases = JSONObject(file("expected.json").readText()).getJSONArray("pictures")
        val case = (0 until cases.length()).map(cases::getJSONObject).first {
            it["bundle"] == "zoo" && it["picture"] == picture &&
                it.getJSONObject("request").optInt("bits") == bits
        }
        return file(case.getString("result"))
    }

    fun bundle(name: String): Bundle = Bundle.open(file(name))
}
