package androidx.test.runner.intent;

/** Nobody asks for the monitor. */
public final class IntentMonitorRegistry {
    public static void registerInstance(IntentMonitor monitor) {}
}
