package org.granulardq.demo

import android.app.Application

/** Holds what outlives a screen. */
class DemoApplication : Application() {
    /** The picture in progress, or the last one. */
    lateinit var session: Session
        internal set

    override fun onCreate() {
        super.onCreate()
        session = Session(this)
    }
}
