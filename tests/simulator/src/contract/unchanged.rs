//! Compares a request with the stored resource: what is given once, at creation, may not change.
//! In: the types, both bodies. Out: a violation for each property that would change. Only what the request says counts.

use serde_json::Value;

use super::Violation;
use super::table::Type;
use super::walk::Walk;

impl Walk<'_> {
    /// Compares what is given once, at creation, with what is stored.
    pub(super) fn unchanged(&mut self, name: &str, body: &Value, stored: &Value) {
        let (Some(wanted), Some(known)) = (body.as_object(), stored.as_object()) else { return };
        let properties = match self.table.types.get(name) {
            Some(Type::Object { properties, .. }) => properties,
            Some(Type::OneOf { .. }) => {
                if let Some(chosen) = self.chosen(name, wanted) {
                    self.unchanged(chosen, body, stored);
                }
                return;
            }
            None => return,
        };
        for (key, value) in wanted {
            let Some(property) = properties.get(key) else { continue };
            let before = known.get(key).unwrap_or(&Value::Null);
            self.place.push(key.clone());
            if property.create_only && value != before && !value.is_null() {
                self.violations.push(Violation {
                    code: "Immutable",
                    path: self.place.join("."),
                    message: format!("The {key} of '{name}' cannot be changed."),
                });
            } else if let Some(inner) = property.schema.reference.as_deref().filter(|_| !property.create_only)
            {
                self.unchanged(inner, value, before);
            }
            self.place.pop();
        }
    }
}
