//! What else can be searched for as it is, and what a query can be made of again.

use super::Query;
use crate::uid_set::{Uid, UidSet};

impl From<&Query> for Query {
    fn from(query: &Query) -> Self {
        query.clone()
    }
}

impl From<Uid> for Query {
    fn from(uid: Uid) -> Self {
        Self::all().uid(uid)
    }
}

impl From<UidSet> for Query {
    fn from(uids: UidSet) -> Self {
        Self::all().uid(uids)
    }
}

impl From<&UidSet> for Query {
    fn from(uids: &UidSet) -> Self {
        Self::all().uid(uids)
    }
}
