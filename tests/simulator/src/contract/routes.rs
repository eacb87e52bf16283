//! Finds the operation that a request names, and checks path, query and api-version.
//! In: the table and a call. Out: the operation with the described version it is checked as, or why there is none.

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::table::{Operation, Property, Route, Table};
use super::tolerances::is_name;
use super::values::text_fault;
use super::{Call, Violation};

/// The operation of a call.
pub(super) struct Found<'a> {
    pub(super) operation: &'a Operation,
    /// The version whose types count.
    pub(super) described: &'a str,
}

/// Finds the operation of a call.
pub(super) fn find<'a>(table: &'a Table, call: &Call<'_>) -> Result<Found<'a>, Vec<Violation>> {
    let path = call.target.split('?').next().unwrap_or_default();
    let Some(route) = table.routes.iter().find(|route| route.matches(path)) else {
        return Err(vec![violation(
            "InvalidResourceType",
            "path",
            format!(
                "The path '{path}' is not one of the resource types of Azure ML or ACR that are known here."
            ),
        )]);
    };
    let Some(operation) = route.methods.get(call.method) else {
        return Err(vec![violation(
            "HttpMethodNotSupported",
            "path",
            format!("'{}' has no method {}.", route.path, call.method),
        )]);
    };
    let described = version(table, route, operation, call).map_err(|fault| vec![fault])?;
    Ok(Found { operation, described })
}

/// The described version that the call's api-version is checked as.
fn version<'a>(
    table: &'a Table,
    route: &Route,
    operation: &Operation,
    call: &Call<'_>,
) -> Result<&'a str, Violation> {
    let Some(wanted) =
        query(call.target).find(|(name, _)| name.eq_ignore_ascii_case("api-version")).map(|(_, value)| value)
    else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(violation("MissingApiVersionParameter", "api-version", message.to_owned()));
    };
    let known = table.versions.get(&route.service).into_iter().flatten();
    let found =
        known.clone().find(|(_, accepted)| accepted.iter().any(|one| one.eq_ignore_ascii_case(&wanted)));
    let only = operation.only.as_ref();
    match found {
        Some((described, _))
            if only.is_none_or(|only| only.iter().any(|one| one.eq_ignore_ascii_case(&wanted))) =>
        {
            Ok(described)
        }
        Some(_) | None => {
            let all: Vec<&str> = only.map_or_else(
                || known.flat_map(|(_, accepted)| accepted).map(String::as_str).collect(),
                |only| only.iter().map(String::as_str).collect(),
            );
            let message = format!(
                "The api-version '{wanted}' is invalid. The supported versions are '{}'.",
                all.join(",")
            );
            Err(violation("InvalidApiVersionParameter", "api-version", message))
        }
    }
}

impl Route {
    /// Whether a path is one of this route: fixed segments in any case, as Azure Resource Manager reads them.
    fn matches(&self, path: &str) -> bool {
        let mut actual = path.trim_end_matches('/').split('/');
        let fits = self.path.split('/').all(|wanted| {
            actual.next().is_some_and(|given| {
                if wanted.starts_with('{') { !given.is_empty() } else { wanted.eq_ignore_ascii_case(given) }
            })
        });
        fits && actual.next().is_none()
    }
}

impl Found<'_> {
    /// What is wrong with the name in the path and with the query.
    pub(super) fn request(&self, call: &Call<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        if let Some(rule) = &self.operation.name {
            let last = call
                .target
                .split('?')
                .next()
                .unwrap_or_default()
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let name = percent_decode_str(last).decode_utf8_lossy();
            let fault = text_fault(rule, &name).filter(|_| !is_name(call.target, &name));
            violations.extend(fault.map(|fault| {
                violation("InvalidResourceName", "path", format!("The name '{name}' {fault}."))
            }));
        }
        for (name, property) in &self.operation.query {
            violations.extend(
                parameter_fault(name, property, call)
                    .map(|fault| violation("InvalidParameter", &format!("query.{name}"), fault)),
            );
        }
        violations
    }

    /// The type of an answer.
    pub(super) fn answer(&self, status: u16) -> Result<Option<&str>, Vec<Violation>> {
        let responses = &self.operation.responses;
        if status >= 400 {
            return Ok(responses.get("default").map_or(Some("ErrorResponse"), Option::as_deref));
        }
        responses.get(&status.to_string()).map(Option::as_deref).ok_or_else(|| {
            let mut known: Vec<&str> =
                responses.keys().map(String::as_str).filter(|key| *key != "default").collect();
            known.sort_unstable();
            vec![violation(
                "ResponseInvalid",
                "status",
                format!("The status {status} is not published, only {}.", known.join(", ")),
            )]
        })
    }
}

/// What is wrong with a parameter of the query.
fn parameter_fault(name: &str, property: &Property, call: &Call<'_>) -> Option<String> {
    match query(call.target).find(|(key, _)| key.eq_ignore_ascii_case(name)) {
        Some((_, value)) => text_fault(&property.schema, &value)
            .map(|fault| format!("The value '{value}' of the query parameter '{name}' {fault}.")),
        None => property.required.then(|| format!("The query parameter '{name}' is required.")),
    }
}

/// The decoded parameters of a query.
fn query(target: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(target.split_once('?').map_or("", |(_, query)| query).as_bytes())
}

fn violation(code: &'static str, path: &str, message: String) -> Violation {
    Violation { code, path: path.to_owned(), message }
}
