package org.granulardq.core.bundle

import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import org.granulardq.core.BundleException
import org.granulardq.core.Expected
import org.granulardq.core.OutputException
import org.junit.jupiter.api.io.TempDir

class BundleTest {
    @TempDir
    lateinit var folder: Path

    private val model = "engine/model.gdq"

    private fun copy(): File =
        folder.resolve("bundle").toFile().also { Expected.file("tiny").copyRecursively(it) }

    private fun refusal(bundle: File): String =
        assertFailsWith<BundleException> { Bundle.open(bundle) }.message

    @Test
    fun `opens what was sealed`() {
        val bundle = Bundle.open(copy())
        assertEquals(listOf(4, 5, 6, 8), bundle.manifest.bitWidths)
        assertEquals(2, bundle.manifest.network.scale)
        assertEquals(File(bundle.folder, model).length(), bundle.map(model).remaining().toLong())
        assertFailsWith<BundleException> { bundle.map("manifest.json") } // is not listed
        assertFailsWith<BundleException> { bundle.require(Format.ONNX, "ort") }
    }

    @Test
    fun `damaged files are refused`() {
        val bundle = copy()
        val file = File(bundle, model)
        val content = file.readBytes()
        file.writeBytes(content.copyOf().also { it[content.size / 2]++ })
        assertTrue("its SHA-256 is not the one" in refusal(bundle))
        file.writeBytes(content.copyOf(content.size - 1))
        assertTrue("it has ${content.size - 1} bytes" in refusal(bundle))
        file.delete()
        assertTrue("is missing" in refusal(bundle))
    }

    @Test
    fun `links are refused, and so is what is no bundle`() {
        val bundle = copy()
        val elsewhere = folder.resolve("elsewhere")
        Files.move(File(bundle, model).toPath(), elsewhere)
        Files.createSymbolicLink(File(bundle, model).toPath(), elsewhere)
        assertTrue("is a link" in refusal(bundle))
        assertTrue("it has no manifest.json" in refusal(folder.toFile()))
        File(bundle, "manifest.json").writeBytes(ByteArray((4 shl 20) + 1))
        assertTrue("larger than 4 MiB" in refusal(bundle))
    }

    private fun zip(vararg entries: Pair<String, ByteArray>): ByteArray {
        val bytes = ByteArrayOutputStream()
        ZipOutputStream(bytes).use { zip ->
            for ((name, content) in entries) {
                zip.putNextEntry(ZipEntry(name))
                zip.write(content)
            }
        }
        return bytes.toByteArray()
    }

    private fun zipped(bundle: File): ByteArray =
        zip(*bundle.walk().filter { it.isFile }
            .map { it.toRelativeString(bundle) to it.readBytes() }.toList().toTypedArray())

    @Test
    fun `a zip becomes a folder, whole or not at all`() {
        val zip = zipped(Expected.file("tiny"))
        val target = folder.resolve("unpacked").toFile()
        for (damaged in listOf(zip.copyOf(zip.size / 2), ByteArray(0), "no zip".toByteArray())) {
            assertFailsWith<BundleException> { unpackBundle(damaged.inputStream(), target) }
            assertEquals(emptyList(), folder.toFile().list()!!.toList())
        }
        assertEquals(2, unpackBundle(zip.inputStream(), target).manifest.network.scale)
        assertEquals(listOf("unpacked"), folder.toFile().list()!!.toList())
        assertFailsWith<OutputException> { unpackBundle(zip.inputStream(), target) }
    }

    @Test
    fun `zips that leave the folder or never end are refused`() {
        val target = folder.resolve("unpacked").toFile()
        val leaving = zip("../outside" to ByteArray(1))
        val many = zip(*Array(1001) { "$it" to ByteArray(0) })
        for ((zip, why) in listOf(leaving to "leaves", many to "1000 files")) {
            val error = assertFailsWith<BundleException> { unpackBundle(zip.inputStream(), target) }
            assertTrue(why in error.message, error.message)
        }
        assertFalse(target.exists())
    }
}
