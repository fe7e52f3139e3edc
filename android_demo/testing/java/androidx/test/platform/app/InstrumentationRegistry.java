package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;

/** Where Robolectric leaves the instrumentation that it made. */
public final class InstrumentationRegistry {
    private static Instrumentation instance;
    private static Bundle arguments;

    public static void registerInstance(Instrumentation made, Bundle given) {
        instance = made;
        arguments = given;
    }

    public static Instrumentation getInstrumentation() {
        return instance;
    }

    public static Bundle getArguments() {
        return arguments;
    }
}
