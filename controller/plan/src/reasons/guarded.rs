//! Reasons of the chapter "The operator refuses": the operator did not send a request, or did not take an answer.

use super::reason::{Reason, Turn, reasons};

reasons! {
    RUN_NOT_MADE = "RunNotMade", Platform,
        "Kubernetes did not let the operator make, cancel or delete an MLRun of this object: a missing right, a quota of the \
        namespace, an admission policy, or an MLRun of that name that somebody else made.",
        "give the operator's account the verbs create, patch and delete on mlruns, or mend the quota or policy that Kubernetes names, or delete the other MLRun";
    FOREIGN_HOST = "ForeignHost", Platform,
        "An answer led to a host that is not one of the cloud's; no token was sent there.",
        "add the host to clouds[].hosts, if it is yours";
    PRIVATE_ADDRESS = "PrivateAddress", Platform,
        "A registry that a manifest names has an address in a private network.",
        "set up a mirror, or set registries.allowPrivateAddresses";
    UNREADABLE_ANSWER = "UnreadableAnswer", Platform,
        "An answer is not what the API defines.",
        "let the proxy pass the answer, or report a bug";
    FOREIGN_ANSWER = "ForeignAnswer", Platform,
        "A proxy, a firewall or a gateway answered in place of Azure: with a page, or with a 404 that has no header of Azure's. \
        Nothing is taken for deleted.",
        "let the proxy or firewall pass requests to this host";
    UNEXPECTED_ANSWER = "UnexpectedAnswer", Platform,
        "A status that the API does not define.",
        "let the proxy pass the answer, or report a bug";
    UNREADABLE = "Unreadable", User,
        "The operator leaves an object alone. Either this version cannot read it: a value has another type, or nests too deep. \
        Or it is larger than what is kept of one object or of one namespace. It is an event, because the operator does not \
        write the object's status. Other objects are not affected.",
        "correct the object by its schema, make it smaller, or update the operator";
    NOT_LEADING = "NotLeading", Nobody,
        "This replica lost the lease while it wanted to write; nothing was sent.",
        "wait";
}
