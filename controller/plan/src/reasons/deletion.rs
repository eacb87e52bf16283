//! Reasons of the chapter "It is not deleted": an object that is being deleted is still there.

use super::reason::{Reason, Turn, reasons};

reasons! {
    DELETING = "Deleting", Azure,
        "The resource is being removed in Azure.",
        "wait";
    ARCHIVING = "Archiving", Azure,
        "Versions of an environment or of components are being archived.",
        "wait";
    CANCELING = "Canceling", Azure,
        "The job of an MLRun is being cancelled.",
        "wait";
    IN_USE = "InUse", User,
        "Something still needs the object: others name it, or nodes are at work.",
        "delete the objects that the message names";
    DELETION_BLOCKED = "DeletionBlocked", Platform,
        "Azure refuses the removal: a permission, a lock, a policy, a conflict. `message` has Azure's code and what to do. Or \
        nobody can ask Azure: the Secret of `identity.secretRef` is gone, or a grant.",
        "give the permission, remove the lock or make the Secret again, or set deletionPolicy: Retain";
}
