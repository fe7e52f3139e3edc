package androidx.test.runner.lifecycle;

/** What Robolectric tells of an application. */
public enum ApplicationStage {
    PRE_ON_CREATE,
    CREATED
}
