package org.granulardq.demo

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.WindowInsets
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.Switch
import android.widget.TextView

private const val PICK = 1
private const val SAVE = 2
private const val INPUT = "input"
private const val DIVIDER = "divider"

/** Picks a picture or takes a shared one, upscales it, and shows, saves and shares the result. */
class MainActivity : Activity() {
    private val session: Session get() = (application as DemoApplication).session
    private lateinit var comparison: ComparisonView
    private lateinit var panel: SettingsPanel

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        fitWindow(view(R.id.root))
        comparison = view(R.id.comparison)
        panel = SettingsPanel(this, session, savedInstanceState)
        comparison.divider = savedInstanceState?.getFloat(DIVIDER) ?: comparison.divider
        listen()
        session.listener = ::show
        show(session.state)
        goOn(savedInstanceState)
    }

    /** What was shared starts once; after the process died, its picture starts again. */
    private fun goOn(saved: Bundle?) {
        if (saved == null) return take(intent)
        val input = saved.getString(INPUT) ?: return
        if (session.state is State.Empty) upscale(Uri.parse(input))
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        take(intent)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putString(INPUT, session.input?.toString())
        outState.putFloat(DIVIDER, comparison.divider)
        panel.save(outState)
    }

    override fun onDestroy() {
        session.listener = null
        super.onDestroy()
    }

    private fun listen() {
        button(R.id.pick).setOnClickListener { pick() }
        button(R.id.run).setOnClickListener {
            if (session.state is State.Running) session.cancel() else session.input?.let(::upscale)
        }
        button(R.id.save).setOnClickListener { chooseTarget() }
        button(R.id.share).setOnClickListener { share() }
        val bits = view<Switch>(R.id.show_bits)
        bits.setOnCheckedChangeListener { _, isOn ->
            comparison.showsBits = isOn
            view<View>(R.id.legend).visibility = if (isOn) View.VISIBLE else View.GONE
        }
        view<View>(R.id.legend).visibility = View.GONE
    }

    private fun take(intent: Intent) {
        if (intent.action != Intent.ACTION_SEND) return
        @Suppress("DEPRECATION") // its successor came with Android 13
        intent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)?.let(::upscale)
    }

    private fun upscale(picture: Uri) = session.start(picture, panel.settings)

    private fun pick() {
        val intent = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
        begin(intent.setType("image/*"), PICK)
    }

    private fun chooseTarget() {
        val upscaled = (session.state as? State.Done)?.upscaled ?: return
        val intent = Intent(Intent.ACTION_CREATE_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
        intent.setType(upscaled.format.mimeType)
        begin(intent.putExtra(Intent.EXTRA_TITLE, upscaled.file.name), SAVE)
    }

    private fun share() {
        val upscaled = (session.state as? State.Done)?.upscaled ?: return
        val uri = ResultProvider.uriOf(upscaled.file)
        val send = Intent(Intent.ACTION_SEND).setType(upscaled.format.mimeType)
            .putExtra(Intent.EXTRA_STREAM, uri)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        send.clipData = ClipData.newRawUri(null, uri) // carries the right to read
        startActivity(Intent.createChooser(send, getString(R.string.share)))
    }

    private fun begin(intent: Intent, request: Int) {
        try {
            startActivityForResult(intent, request)
        } catch (_: ActivityNotFoundException) {
            say(getString(R.string.no_files_app))
        }
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        val uri = data?.data ?: return
        if (resultCode != RESULT_OK) return
        when (requestCode) {
            PICK -> {
                keepRight(uri)
                upscale(uri)
            }
            SAVE -> session.save(uri) { fault -> say(fault ?: getString(R.string.saved)) }
        }
    }

    /** To read the picture again after the process died. */
    private fun keepRight(uri: Uri) {
        try {
            contentResolver.takePersistableUriPermission(uri, Intent.FLAG_GRANT_READ_URI_PERMISSION)
        } catch (_: SecurityException) {
            return // not every provider gives it for longer
        }
    }

    private fun show(state: State) {
        val upscaled = (state as? State.Done)?.upscaled
        say(sentenceOf(state))
        showProgress(state as? State.Running)
        button(R.id.run).isEnabled = session.input != null
        for (id in listOf(R.id.save, R.id.share, R.id.show_bits)) {
            view<View>(id).isEnabled = upscaled != null
        }
        comparison.upscaled = upscaled
        view<TextView>(R.id.summary).text = upscaled?.let { summaryOf(resources, it) }
        showLegend(this, view(R.id.legend), upscaled?.result?.bitMap)
    }

    private fun sentenceOf(state: State): String = when (state) {
        is State.Empty -> getString(R.string.empty)
        is State.Running ->
            if (state.all == 0) getString(R.string.opening)
            else getString(R.string.running, state.done, state.all)
        is State.Done -> state.upscaled.file.name
        is State.Failed -> state.sentence?.replaceFirstChar(Char::uppercase)
            ?: getString(R.string.cancelled)
    }

    private fun showProgress(running: State.Running?) {
        val bar = view<ProgressBar>(R.id.progress)
        bar.visibility = if (running == null) View.GONE else View.VISIBLE
        bar.isIndeterminate = running?.all == 0
        bar.max = running?.all ?: 0
        bar.progress = running?.done ?: 0
        button(R.id.run).setText(if (running == null) R.string.upscale else R.string.cancel)
    }

    private fun say(sentence: String) {
        view<TextView>(R.id.status).text = sentence
    }

    private fun button(id: Int): Button = view(id)

    private fun <T : View> view(id: Int): T = requireNotNull(findViewById(id))

    /** The window is as large as the screen: nothing is drawn below bars, cutouts and keyboards. */
    private fun fitWindow(root: LinearLayout) {
        root.setOnApplyWindowInsetsListener { view, insets ->
            if (Build.VERSION.SDK_INT >= 30) {
                val bars = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout()
                val free = insets.getInsets(bars)
                view.setPadding(free.left, free.top, free.right, free.bottom)
            } else {
                @Suppress("DEPRECATION") // its successor came with Android 11
                view.setPadding(
                    insets.systemWindowInsetLeft, insets.systemWindowInsetTop,
                    insets.systemWindowInsetRight, insets.systemWindowInsetBottom,
                )
            }
            insets
        }
    }
}
