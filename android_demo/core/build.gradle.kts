import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.kotlin.jvm)
    alias(libs.plugins.kotlin.serialization)
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_1_8
        allWarningsAsErrors = true
    }
}

java {
    targetCompatibility = JavaVersion.VERSION_1_8
}

sourceSets.main {
    resources.srcDir("../../runtime/gdq_runtime/bundle") // the manifest's one definition
    resources.include("manifest.schema.json")
}

dependencies {
    implementation(libs.serialization.json)
    testImplementation(libs.kotlin.test)
    testImplementation(libs.junit)
}

// -Pgdq.libraries and -Pgdq.expected: what `make android` writes; tests that need them are skipped.
tasks.test {
    useJUnitPlatform()
    systemProperty("gdq.vectors", "$projectDir/../../tests/vectors")
    systemProperty("gdq.expected", providers.gradleProperty("gdq.expected").getOrElse(""))
    systemProperty("java.library.path", providers.gradleProperty("gdq.libraries").getOrElse(""))
    jvmArgs("-Xcheck:jni", "-Xmx512m")
}
