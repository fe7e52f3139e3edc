package androidx.test.runner.lifecycle;

import android.app.Activity;

/** Told of each stage. */
public interface ActivityLifecycleCallback {
    void onActivityLifecycleChanged(Activity activity, Stage stage);
}
