package androidx.test.runner.lifecycle;

/** Nobody asks for the monitor. */
public final class ApplicationLifecycleMonitorRegistry {
    public static void registerInstance(ApplicationLifecycleMonitor monitor) {}
}
