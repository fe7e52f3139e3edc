package org.granulardq.core

/** Input that cannot be used; [message] is one sentence for a person: what is wrong, what to do. */
sealed class GdqException(message: String, cause: Throwable? = null) :
    RuntimeException(message, cause) {
    override val message: String get() = super.message!!
}

/** A bundle is missing, damaged or from another version. */
class BundleException(message: String, cause: Throwable? = null) : GdqException(message, cause)

/** A picture is damaged, or of a kind that is refused. */
class ImageException(message: String, cause: Throwable? = null) : GdqException(message, cause)

/** A result cannot be written where it was asked for. */
class OutputException(message: String, cause: Throwable? = null) : GdqException(message, cause)

/** An inference engine is not there or refuses a model. */
class EngineException(message: String, cause: Throwable? = null) : GdqException(message, cause)

/** Settings contradict each other, or ask for what a bundle cannot give. */
class RequestException(message: String) : GdqException(message)

/** A [Cancellation] was used: not a fault, and nothing was lost but the picture in progress. */
class CancelledException : GdqException("the picture was cancelled")
