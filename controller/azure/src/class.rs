//! What an error means: one word for all answers that call for the same. Data alone; `codes` and `reply` decide it.

/// What an error means to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The resource does not exist: a 404 of a GET, HEAD or DELETE that Azure itself gave. Not an error for a reader.
    Gone,
    /// A 404 of a PUT, PATCH or POST: something that the request names is not there, never its target.
    Missing,
    /// 401 or 403, or a subscription or resource type that is not seen: a permission is missing, or has not spread yet.
    Forbidden,
    /// A rule of somebody else, such as a policy or a lock: no permission and no other try helps.
    Denied,
    /// A quota or a cap.
    Quota,
    /// Too many requests; the delay is Azure's.
    Throttled,
    /// Something else is going on with the resource.
    Conflict,
    /// The request itself is wrong: only another request can succeed.
    Invalid,
    /// It may work later: 5xx, 408, 425, no answer, a proxy's answer, no token. The request may have had its effect.
    Unavailable,
    /// This process may not write any more.
    NotLeading,
}
