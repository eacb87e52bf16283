//! The order of steps: each uses only what is above it.
//!
//! In: for each step what it uses. Out: places in a list, or the steps that use each other. Steps that may stay, stay.

use std::collections::BTreeSet;

/// An order of `0..uses.len()` in which each comes after what it uses; steps of a circle are the error.
///
/// # Errors
/// The places of the steps that wait for each other.
pub fn order(uses: &[BTreeSet<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut done: Vec<usize> = Vec::new();
    while done.len() < uses.len() {
        let waiting = || (0..uses.len()).filter(|place| !done.contains(place));
        let next = waiting().find(|place| uses[*place].iter().all(|used| done.contains(used)));
        match next {
            Some(next) => done.push(next),
            None => return Err(waiting().collect()),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stay_where_they_may_and_a_circle_is_named() {
        let uses = |lists: &[&[usize]]| -> Vec<BTreeSet<usize>> {
            lists.iter().map(|list| list.iter().copied().collect()).collect()
        };
        assert_eq!(order(&uses(&[&[], &[0], &[]])), Ok(vec![0, 1, 2]));
        assert_eq!(order(&uses(&[&[2], &[], &[]])), Ok(vec![1, 2, 0]));
        assert_eq!(order(&uses(&[&[1], &[0], &[]])), Err(vec![0, 1]));
    }
}
