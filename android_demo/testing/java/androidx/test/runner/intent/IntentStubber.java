package androidx.test.runner.intent;

import android.app.Instrumentation.ActivityResult;
import android.content.Intent;

/** Never made. */
public interface IntentStubber {
    ActivityResult getActivityResultForIntent(Intent intent);
}
