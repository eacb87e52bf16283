//! The objects of every kind, as the watches have seen them. Read by passes, written by nobody but the watches.

use azureml_crds::for_each_kind;
use kube::Resource;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store, store};
use std::sync::Arc;

macro_rules! stores {
    ($($many:ident: $kind:path,)*) => {
        /// The objects of every kind, as the watches have seen them.
        pub struct Stores {
            $(#[doc = concat!("Every ", stringify!($kind), ".")] pub $many: Store<$kind>,)*
        }

        /// What fills the stores.
        pub struct Writers {
            $(#[doc = concat!("Fills the store of ", stringify!($kind), ".")] pub $many: Writer<$kind>,)*
        }

        /// Empty stores.
        #[must_use]
        pub fn new() -> (Stores, Writers) {
            $(let $many = store::<$kind>();)*
            (Stores { $($many: $many.0,)* }, Writers { $($many: $many.1,)* })
        }
    };
}
for_each_kind!(stores);

/// An object of a store by its namespace and name.
#[must_use]
pub fn find<K: Resource<DynamicType = ()> + Clone + 'static>(
    store: &Store<K>,
    namespace: &str,
    name: &str,
) -> Option<Arc<K>> {
    store.get(&ObjectRef::new(name).within(namespace))
}
