package org.granulardq.demo

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.widget.AdapterView
import android.widget.ArrayAdapter
import android.widget.SeekBar
import android.widget.Spinner
import android.widget.TextView
import org.granulardq.core.BIT_WIDTHS

private const val NETWORK = "network"
private const val MODE = "mode"
private const val POSITION = "position"

/** Network and dial, with the loss that they promise. */
class SettingsPanel(private val activity: Activity, private val session: Session, saved: Bundle?) {
    private val slider: SeekBar = requireNotNull(activity.findViewById(R.id.position))
    private val expected: TextView = requireNotNull(activity.findViewById(R.id.expected))

    /** As they stand. */
    var settings: Settings = read(saved)
        private set(value) {
            field = value
            show()
        }

    init {
        list(R.id.network, Network.entries.map { it.label }, settings.network.ordinal) {
            settings = settings.copy(network = Network.entries[it])
        }
        list(R.id.mode, Mode.entries.map { it.label }, settings.mode.ordinal) {
            val mode = Mode.entries[it]
            if (mode != settings.mode) settings = settings.copy(mode = mode, position = mode.middle)
        }
        slider.setOnSeekBarChangeListener(Slider())
        show()
    }

    /** Keeps them for a screen that follows this one. */
    fun save(into: Bundle) {
        into.putString(NETWORK, settings.network.name)
        into.putString(MODE, settings.mode.name)
        into.putInt(POSITION, settings.position)
    }

    private fun read(saved: Bundle?): Settings {
        if (saved == null) return Settings()
        val network = Network.entries.find { it.name == saved.getString(NETWORK) } ?: Network.X2
        val mode = Mode.entries.find { it.name == saved.getString(MODE) } ?: Mode.AUTOMATIC
        return Settings(network, mode, saved.getInt(POSITION).coerceIn(0, mode.positions))
    }

    private fun list(id: Int, labels: List<Int>, selected: Int, choose: (Int) -> Unit) {
        val names = labels.map(activity::getString)
        val adapter = ArrayAdapter(activity, android.R.layout.simple_spinner_item, names)
        adapter.setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item)
        val spinner: Spinner = requireNotNull(activity.findViewById(id))
        spinner.adapter = adapter
        spinner.setSelection(selected)
        spinner.onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(from: AdapterView<*>?, item: View?, at: Int, row: Long) =
                choose(at)

            override fun onNothingSelected(from: AdapterView<*>?) = Unit
        }
    }

    private fun show() {
        val asked = settings
        slider.max = asked.mode.positions
        slider.progress = asked.position
        slider.visibility = if (asked.mode.positions == 0) View.GONE else View.VISIBLE
        val value = valueOf(asked)
        slider.contentDescription = value
        session.expect(asked) { found ->
            if (asked != settings) return@expect
            val loss = found.fault?.replaceFirstChar(Char::uppercase)
                ?: lossOf(activity.resources, found.loss)
            expected.text = listOfNotNull(value, loss).joinToString("\n")
        }
    }

    private fun valueOf(settings: Settings): String? = when (settings.mode) {
        Mode.AUTOMATIC -> null
        Mode.LOSS -> activity.getString(R.string.value_loss, settings.request.maxLoss)
        Mode.BITS -> activity.getString(R.string.value_bits, settings.request.fab)
        Mode.FIXED -> activity.getString(R.string.value_fixed, BIT_WIDTHS[settings.position])
    }

    private inner class Slider : SeekBar.OnSeekBarChangeListener {
        override fun onProgressChanged(bar: SeekBar, progress: Int, fromUser: Boolean) {
            if (fromUser) settings = settings.copy(position = progress)
        }

        override fun onStartTrackingTouch(bar: SeekBar) = Unit

        override fun onStopTrackingTouch(bar: SeekBar) = Unit
    }
}
