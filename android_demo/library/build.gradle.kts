import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.library)
}

android {
    namespace = "org.granulardq.android"
    compileSdk = 35
    defaultConfig {
        minSdk = 26
        consumerProguardFiles("rules.pro")
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") }
        externalNativeBuild { cmake { targets += listOf("gdq_engine", "gdq_jni") } }
    }
    externalNativeBuild { cmake { path("../jni/CMakeLists.txt") } }
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
    api(project(":core"))
    implementation(libs.pngj)
    compileOnly(libs.onnxruntime) // an app that wants the engine adds it
}
