package androidx.test.runner.intent;

/** Nothing is monitored. */
public interface IntentMonitor {}
