//! The faults that are set on a server, with the count of how often each has struck.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::fault::{Action, Fault, Moment, Numbers};

/// A fault in force.
#[derive(Debug)]
pub(super) struct Armed {
    fault: Fault,
    struck: AtomicU32,
}

/// The faults in force, shared by all connections.
#[derive(Debug, Default)]
pub(super) struct Faults(RwLock<Arc<Vec<Arc<Armed>>>>);

/// Where on the server a command runs: what narrows a fault beside its moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) connection: u64,
    pub(super) login: Option<u64>,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self(RwLock::new(Arc::new(
            faults.into_iter().map(Armed::new).collect(),
        )))
    }

    pub(super) fn add(&self, fault: Fault) {
        let mut faults = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut faults).push(Armed::new(fault));
    }

    pub(super) fn clear(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// The faults as they are now, so that a FETCH takes the lock once and not per message.
    pub(super) fn snapshot(&self) -> Arc<Vec<Arc<Armed>>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Armed {
    fn new(fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            fault,
            struck: AtomicU32::new(0),
        })
    }

    /// What the fault does, if it strikes here and now; counts it.
    pub(super) fn strike(
        &self,
        place: Place,
        moment: Moment<'_>,
        asked: impl Fn(u32) -> bool,
    ) -> Option<&Action> {
        (self.fault.is_at(moment, asked) && self.claim(place)).then_some(&self.fault.action)
    }

    /// What the fault does, if it strikes at a count of octets; counts it.
    pub(super) fn strike_at_octets(&self, place: Place) -> Option<&Action> {
        self.claim(place).then_some(&self.fault.action)
    }

    /// Whether the fault dictates how a command ends.
    pub(super) fn dictates(&self) -> bool {
        matches!(self.fault.action, Action::Answer(_) | Action::Lines(_))
    }

    /// The count of octets after which the fault strikes, if that is when it does.
    pub(super) fn octets(&self) -> Option<u64> {
        self.fault.octets
    }

    fn claim(&self, place: Place) -> bool {
        let Fault {
            connections,
            logins,
            times,
            ..
        } = &self.fault;
        let is_login_meant =
            |logins: &Numbers| place.login.is_some_and(|number| logins.contain(number));
        if !connections.contain(place.connection) || !logins.as_ref().is_none_or(is_login_meant) {
            return false;
        }
        let Some(times) = *times else { return true };
        // One step, since several connections may be at the same place at the same time.
        self.struck
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |struck| {
                (struck < times).then_some(struck + 1)
            })
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Place = Place {
        connection: 1,
        login: None,
    };

    fn strikes(faults: &Faults, place: Place, moment: Moment<'_>) -> usize {
        let faults = faults.snapshot();
        faults
            .iter()
            .filter(|armed| armed.strike(place, moment, |uid| uid == 9).is_some())
            .count()
    }

    #[test]
    fn strikes_no_more_than_the_given_number_of_times() {
        let faults = Faults::new(vec![Fault::withhold().times(2)]);
        let struck: usize = (1..=5)
            .map(|uid| strikes(&faults, FIRST, Moment::Message(uid)))
            .sum();
        assert_eq!(struck, 2);
    }

    #[test]
    fn the_conditions_narrow_each_other() {
        let faults = Faults::new(vec![
            Fault::bad("no").before("fetch").uid(9).on_connection(2),
        ]);
        let second = Place {
            connection: 2,
            login: None,
        };
        assert_eq!(strikes(&faults, FIRST, Moment::Before("FETCH")), 0);
        assert_eq!(strikes(&faults, second, Moment::Before("SEARCH")), 0);
        assert_eq!(strikes(&faults, second, Moment::Message(9)), 0);
        assert_eq!(strikes(&faults, second, Moment::Before("FETCH")), 1);
    }

    #[test]
    fn a_range_of_connections_or_logins_is_meant_as_a_whole() {
        let faults = Faults::new(vec![
            Fault::close().on_connections(2..),
            Fault::close().on_logins(..=1),
        ]);
        assert_eq!(strikes(&faults, FIRST, Moment::Greeting), 0);
        let third = Place {
            connection: 3,
            login: Some(1),
        };
        assert_eq!(strikes(&faults, third, Moment::Greeting), 1);
        assert_eq!(strikes(&faults, third, Moment::After("LOGIN")), 1);
        let fourth = Place {
            connection: 4,
            login: Some(2),
        };
        assert_eq!(strikes(&faults, fourth, Moment::After("LOGIN")), 0);
    }

    #[test]
    fn without_conditions_a_connection_fault_is_the_greeting() {
        let faults = Faults::new(vec![Fault::reset()]);
        assert_eq!(strikes(&faults, FIRST, Moment::Before("LOGIN")), 0);
        assert_eq!(strikes(&faults, FIRST, Moment::Greeting), 1);
    }
}
