package androidx.test.runner.lifecycle;

/** Nothing is monitored. */
public interface ApplicationLifecycleMonitor {}
