//! The HTTP methods in use, and what each means.
//!
//! Decides nothing about answers; `refusal` does.

#[cfg(feature = "http")]
use crate::budget::Bucket;

/// The HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Reads the headers.
    Head,
    /// Makes or replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Acts.
    Post,
    /// Removes.
    Delete,
}

impl Verb {
    /// The method's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    #[cfg(feature = "http")]
    pub(crate) fn method(self) -> reqwest::Method {
        match self {
            Self::Get => reqwest::Method::GET,
            Self::Head => reqwest::Method::HEAD,
            Self::Put => reqwest::Method::PUT,
            Self::Patch => reqwest::Method::PATCH,
            Self::Post => reqwest::Method::POST,
            Self::Delete => reqwest::Method::DELETE,
        }
    }

    /// Whether the request may change something.
    #[must_use]
    pub fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }

    /// Whether a request of this method has a body, be it empty.
    #[must_use]
    pub fn may_have_body(self) -> bool {
        matches!(self, Self::Put | Self::Patch | Self::Post)
    }

    /// Whether a missing thing in the answer is the target itself: what writes may name other things in its body.
    #[must_use]
    pub fn speaks_of_target(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Delete)
    }

    /// The bucket of ARM that it takes from.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn bucket(self) -> Bucket {
        match self {
            Self::Get | Self::Head => Bucket::Reads,
            Self::Put | Self::Patch | Self::Post => Bucket::Writes,
            Self::Delete => Bucket::Deletes,
        }
    }
}
