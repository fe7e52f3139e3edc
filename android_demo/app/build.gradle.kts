import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "org.granulardq.demo"
    compileSdk = 35
    defaultConfig {
        applicationId = "org.granulardq.demo"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
    }
    // Bundles, as zips: docs/android.md says how they are exported.
    sourceSets["main"].assets.srcDir("../../build/android/demo/bundles")
    androidResources { noCompress += "zip" }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
        allWarningsAsErrors = true
    }
}

dependencies {
    implementation(project(":library"))
}
