//! Which requests cost what: ARM's buckets, their sizes, and how urgent a request is. Data alone; `budget` spends it.

/// Which bucket a request takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// GET and the POSTs that only read.
    Reads,
    /// PUT, PATCH and the POSTs that act.
    Writes,
    /// DELETE.
    Deletes,
    /// Anything that does not go through ARM.
    DataPlane,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 4] = [Self::Reads, Self::Writes, Self::Deletes, Self::DataPlane];

    /// Its word in metrics, traces and logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Deletes => "deletes",
            Self::DataPlane => "data_plane",
        }
    }
}

/// Why a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody changed something and waits.
    Change,
    /// A comparison that can wait: it leaves a reserve to changes.
    Drift,
}

/// The size of a bucket and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Requests that may go at once.
    pub burst: f64,
    /// Requests per second after that.
    pub per_second: f64,
}

/// The limits of one principal in one subscription.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Reads.
    pub reads: Limit,
    /// Writes.
    pub writes: Limit,
    /// Deletes.
    pub deletes: Limit,
    /// Everything outside of ARM.
    pub data_plane: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        let writes = Limit { burst: 200.0, per_second: 10.0 };
        let reads = Limit { burst: 250.0, per_second: 25.0 };
        Self { reads, writes, deletes: writes, data_plane: reads }
    }
}
