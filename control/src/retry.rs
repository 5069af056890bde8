//! What to do after the API server refused: the one place that maps its answers to a way to go on.

use kube::{Error, core::Status};
use units::Reason;

/// How to go on after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// What was read is out of date: observe again, after a short delay so that the watch can catch up.
    Conflict,
    /// It may pass by itself: back off per object.
    Transient,
    /// Something else must change first: wait for a watch, with a slow safety retry.
    Blocked(Reason),
    /// The object itself is at fault: wait for it to change.
    Invalid,
    /// A defect of ours: leave the object alone, keep the process.
    Bug,
}

/// The class of an error of kube's client.
#[must_use]
pub fn classify(error: &Error) -> RetryClass {
    match error {
        Error::Api(status) => classify_status(status),
        // Connection refused, reset, timed out, TLS not (yet) right, token file not (yet) readable.
        Error::HyperError(_) | Error::Service(_) | Error::ReadEvents(_) | Error::Auth(_) => {
            RetryClass::Transient
        }
        _ => RetryClass::Bug,
    }
}

/// The class of an answer of the API server.
#[must_use]
pub fn classify_status(status: &Status) -> RetryClass {
    let says = |words: &str| status.message.contains(words);
    match status.code {
        // 404: what was read is gone. 410: the place from which to read on is.
        404 | 409 | 410 => RetryClass::Conflict,
        // A uid that differs is told as an attempt to change it: the object was replaced by another.
        422 if says("metadata.uid") => RetryClass::Conflict,
        422 => RetryClass::Invalid,
        // Texts of the admission plugins ResourceQuota, LimitRanger and PersistentVolumeClaimResize.
        403 if says("exceeded quota") || says("usage per PersistentVolumeClaim is") => {
            RetryClass::Blocked(Reason::QuotaExceeded)
        }
        403 if says("storageclass that provisions the pvc must support resize") => {
            RetryClass::Blocked(Reason::NotExpandable)
        }
        400 | 403 if says("admission webhook") => RetryClass::Blocked(Reason::Refused),
        403 => RetryClass::Blocked(Reason::Refused),
        // 401: tokens rotate, and the API server's view of them lags.
        // 0: a JSON body that is no Status, as from a load balancer in between.
        0 | 401 | 408 | 429 | 500..=599 => RetryClass::Transient,
        _ => RetryClass::Bug,
    }
}

#[cfg(test)]
mod tests {
    use kube::{Error, core::Status};
    use units::Reason;

    use super::{RetryClass, classify, classify_status};

    #[test]
    fn answers_have_their_class() {
        let table = [
            (
                404,
                "persistentvolumeclaims \"data-db-0\" not found",
                RetryClass::Conflict,
            ),
            (409, "the object has been modified", RetryClass::Conflict),
            (
                422,
                "metadata.uid: Invalid value: \"x\": field is immutable",
                RetryClass::Conflict,
            ),
            (422, "spec.size: Invalid value", RetryClass::Invalid),
            (
                403,
                "persistentvolumeclaims \"a\" is forbidden: exceeded quota: disk, requested: requests.storage=1Gi",
                RetryClass::Blocked(Reason::QuotaExceeded),
            ),
            (
                403,
                "persistentvolumeclaims \"a\" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, \
                 but request is 6Gi",
                RetryClass::Blocked(Reason::QuotaExceeded),
            ),
            (
                403,
                "persistentvolumeclaims \"a\" is forbidden: only dynamically provisioned pvc can be resized and the \
                 storageclass that provisions the pvc must support resize",
                RetryClass::Blocked(Reason::NotExpandable),
            ),
            (
                403,
                "User \"x\" cannot patch resource",
                RetryClass::Blocked(Reason::Refused),
            ),
            (
                400,
                "admission webhook \"w\" denied the request: no",
                RetryClass::Blocked(Reason::Refused),
            ),
            (
                400,
                "the body of the request was in an unknown format",
                RetryClass::Bug,
            ),
            (0, "", RetryClass::Transient),
            (401, "Unauthorized", RetryClass::Transient),
            (429, "too many requests", RetryClass::Transient),
            (500, "failed calling webhook", RetryClass::Transient),
            (
                503,
                "the server is currently unable to handle the request",
                RetryClass::Transient,
            ),
            (
                504,
                "request did not complete within the allotted timeout",
                RetryClass::Transient,
            ),
        ];
        for (code, message, class) in table {
            let status = Status {
                code,
                message: message.to_owned(),
                ..Status::default()
            };
            assert_eq!(classify_status(&status), class, "{code} {message}");
        }
    }

    #[test]
    fn a_lost_connection_is_transient() {
        assert_eq!(
            classify(&Error::Service("connection refused".into())),
            RetryClass::Transient
        );
        assert_eq!(classify(&Error::LinesCodecMaxLineLengthExceeded), RetryClass::Bug);
    }
}
