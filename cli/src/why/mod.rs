//! `why`: what an object waits for, what that waits for, and so on to where it begins; whose turn it is there, and the remedy.
//!
//! In: the objects of a namespace. Out: a chain as a tree. Words come from the table of reasons. Pure; a circle ends where it closes.

pub mod write;

use crate::named::named;
use crate::thing::{Condition, Thing};
use azureml_plan::reasons::{self, Reason, Turn};
use jiff::Timestamp;
use serde::Serialize;

/// What a condition says, with what the table of reasons knows of its word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The condition, such as `Stalled`.
    pub condition: String,
    /// The word.
    pub reason: String,
    /// The sentence of the operator.
    pub message: String,
    /// Since when it is so.
    pub since: Option<Timestamp>,
    /// What the word means; absent for a code of Azure that is not in the table.
    pub means: Option<&'static str>,
    /// Whose turn it is.
    pub turn: Option<&'static str>,
    /// What to do.
    pub remedy: Option<&'static str>,
}

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It waits for nothing.
    Well,
    /// Work goes on, or something is waited for.
    Waits,
    /// Only a change can help.
    Stalled,
    /// There is no such object.
    Missing,
    /// The operator has not looked yet.
    NotObserved,
    /// It stands above in the same chain: this is a circle.
    Circle,
    /// It was told before, in another branch.
    Told,
}

/// An object in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// The object, as KIND/NAME.
    pub object: String,
    /// How it is.
    pub state: State,
    /// What its conditions say, the one that decides first.
    pub says: Vec<Said>,
    /// How many times in a row it failed.
    pub failures: Option<i64>,
    /// What it waits for.
    pub waits_for: Vec<Link>,
}

impl Link {
    fn bare(object: String, state: State) -> Self {
        Self { object, state, says: Vec::new(), failures: None, waits_for: Vec::new() }
    }

    /// Where the chain begins: what waits for nothing else.
    #[must_use]
    pub fn roots(&self) -> Vec<&Self> {
        if self.waits_for.is_empty() {
            return if matches!(self.state, State::Circle | State::Told) { Vec::new() } else { vec![self] };
        }
        self.waits_for.iter().flat_map(Self::roots).collect()
    }
}

/// The chain of an object.
#[must_use]
pub fn why(things: &[Thing], object: &Thing) -> Link {
    Chain { things, own: &object.namespace, above: Vec::new(), told: Vec::new() }.link(object)
}

struct Chain<'a> {
    things: &'a [Thing],
    /// The namespace of the object that is asked about.
    own: &'a str,
    above: Vec<String>,
    told: Vec<String>,
}

impl Chain<'_> {
    /// An object as it is told; of another namespace with that.
    fn shown(&self, kind: &str, namespace: &str, name: &str) -> String {
        let of = if namespace == self.own { String::new() } else { format!(" of {namespace}") };
        format!("{kind}/{name}{of}")
    }

    fn link(&mut self, thing: &Thing) -> Link {
        let id = self.shown(&thing.kind, &thing.namespace, &thing.name);
        if self.above.contains(&id) {
            return Link::bare(id, State::Circle);
        }
        if self.told.contains(&id) {
            return Link::bare(id, State::Told);
        }
        self.above.push(id.clone());
        let (state, says) = (state(thing), says(thing));
        let waits_for = if waits(state, says.first()) { self.waited_for(thing) } else { Vec::new() };
        self.above.pop();
        self.told.push(id.clone());
        let failures = thing.status()["lastFailure"]["count"].as_i64();
        Link { object: id, state, says, failures, waits_for }
    }

    /// The objects that it waits for: of those that it names the ones that are not ready; while it is deleted, those that name it.
    fn waited_for(&mut self, thing: &Thing) -> Vec<Link> {
        let things = self.things;
        if thing.leaving().is_some() {
            let users = things.iter().filter(|other| other.names(thing) && !other.has_ended());
            return users.map(|user| self.link(user)).collect();
        }
        let mut links: Vec<Link> = Vec::new();
        for one in named(thing.spec()) {
            let is_it = |other: &&Thing| {
                one.is(&thing.namespace, (other.kind.as_str(), other.namespace.as_str(), other.name.as_str()))
            };
            let id = self.shown(one.kind, one.namespace(&thing.namespace), &one.name);
            if links.iter().any(|link| link.object == id) {
                continue;
            }
            match things.iter().find(is_it) {
                // Of another namespace it may only be that it cannot be read; the operator says what is missing.
                None if one.namespace(&thing.namespace) != thing.namespace => {}
                None => links.push(Link::bare(id, State::Missing)),
                Some(other) if state(other) != State::Well => links.push(self.link(other)),
                Some(_) => {}
            }
        }
        links
    }
}

/// Whether what an object says is that others are missing or not ready. What the operator has not looked at may wait for anything.
fn waits(state: State, says: Option<&Said>) -> bool {
    let words = [
        Reason::REFERENCE_NOT_FOUND,
        Reason::REFERENCE_NOT_READY,
        Reason::WORKSPACE_NOT_READY,
        Reason::IN_USE,
    ];
    let is_word = says.is_some_and(|said| words.iter().any(|word| word.word() == said.reason));
    matches!(state, State::Waits | State::Stalled) && is_word || state == State::NotObserved
}

/// How an object is by itself: whether it waits for another is for the chain to say.
#[must_use]
pub fn state(thing: &Thing) -> State {
    if !thing.is_observed() {
        return State::NotObserved;
    }
    let has_run = thing.kind == "MLRun" && thing.is("Ready");
    let goes_on = thing.condition("Succeeded").is_some_and(|end| end.status == "Unknown");
    if thing.is("Stalled") {
        State::Stalled
    } else if has_run && goes_on || thing.leaving().is_some() {
        State::Waits
    } else if thing.is("Ready") {
        State::Well
    } else {
        State::Waits
    }
}

/// What an object says, the condition that decides first.
fn says(thing: &Thing) -> Vec<Said> {
    let is_run = thing.kind == "MLRun";
    let order = if is_run { ["Stalled", "Succeeded", "Ready"] } else { ["Stalled", "Ready", "Succeeded"] };
    let is_told = |condition: &&Condition| match condition.name.as_str() {
        "Stalled" => condition.status == "True",
        // A run that was not sent yet says why under Ready.
        "Succeeded" => is_run && (condition.status != "Unknown" || thing.is("Ready")),
        _ => true,
    };
    let first = order.into_iter().filter_map(|name| thing.condition(name)).find(is_told);
    let paused = thing.condition("Paused").filter(|condition| condition.status == "True");
    let last = thing.condition("LastRunSucceeded").filter(|condition| condition.status == "False");
    first.into_iter().chain(paused).chain(last).map(said).collect()
}

fn said(condition: &Condition) -> Said {
    let known = reasons::find(&condition.reason);
    Said {
        condition: condition.name.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        since: condition.since,
        means: known.map(Reason::means),
        turn: known.map(|reason| turn(reason.turn())),
        remedy: known.map(Reason::remedy),
    }
}

/// Whose turn it is, in words.
fn turn(turn: Turn) -> &'static str {
    match turn {
        Turn::Nobody => "nobody's: it goes on by itself",
        Turn::User => "the author's of the manifest",
        Turn::Platform => "the platform team's",
        Turn::Azure => "Azure's",
    }
}
