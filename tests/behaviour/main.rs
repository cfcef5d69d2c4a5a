//! One suite of behaviours, run against the in-process server and against a real Dovecot and a
//! real Cyrus, over plain TCP, over TLS and over STARTTLS.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

#[path = "../ledger/mod.rs"]
mod ledger;
#[path = "../support/mod.rs"]
mod support;

mod cases;
mod place;

use place::Place;

/// Makes a module for each server with a test for each case.
macro_rules! suite {
    ($($case:ident),+ $(,)?) => {
        mod in_process {
            use super::*;
            $(#[test] fn $case() { cases::$case(&Place::in_process); })+
        }

        mod in_process_over_tls {
            use super::*;
            $(#[test] fn $case() { cases::$case(&Place::in_process_over_tls); })+
        }

        mod in_process_over_starttls {
            use super::*;
            $(#[test] fn $case() { cases::$case(&Place::in_process_over_starttls); })+
        }

        mod dovecot {
            use super::*;
            $(#[test] fn $case() {
                if support::dovecot::dovecot_or_skip().is_some() {
                    cases::$case(&Place::dovecot);
                }
            })+
        }

        mod dovecot_over_tls {
            use super::*;
            $(#[test] fn $case() {
                if support::dovecot::dovecot_or_skip().is_some() {
                    cases::$case(&Place::dovecot_over_tls);
                }
            })+
        }

        mod dovecot_over_starttls {
            use super::*;
            $(#[test] fn $case() {
                if support::dovecot::dovecot_or_skip().is_some() {
                    cases::$case(&Place::dovecot_over_starttls);
                }
            })+
        }

        mod cyrus {
            use super::*;
            $(#[test] fn $case() {
                if support::cyrus::cyrus_or_skip().is_some() {
                    cases::$case(&Place::cyrus);
                }
            })+
        }

        mod cyrus_over_tls {
            use super::*;
            $(#[test] fn $case() {
                if support::cyrus::cyrus_or_skip().is_some() {
                    cases::$case(&Place::cyrus_over_tls);
                }
            })+
        }

        mod cyrus_over_starttls {
            use super::*;
            $(#[test] fn $case() {
                if support::cyrus::cyrus_or_skip().is_some() {
                    cases::$case(&Place::cyrus_over_starttls);
                }
            })+
        }
    };
}

suite! {
    every_run_delivers_each_message_once_octet_for_octet,
    nasty_messages_arrive_octet_for_octet,
    imap_keeps_the_order_and_newest_first_turns_it_round,
    shard_size_and_window_change_nothing_but_the_pace,
    scoped_runs_borrow,
    each_worker_has_a_state_of_its_own,
    fold_adds_up_whatever_worker_gets_what,
    an_empty_result_runs_to_an_empty_end,
    one_match_and_fewer_matches_than_workers,
    except_leaves_out_and_uids_bring_back,
    first_and_last_keep_the_oldest_and_the_newest,
    uids_that_do_not_exist_are_gone,
    headers_metadata_and_parts_are_fetched_without_the_rest,
    nothing_on_the_server_changes,
    sessions_serve_the_next_run_and_are_never_more_than_workers,
    clones_share_the_sessions_between_threads,
    a_search_within_a_loop_over_results_finds_a_session,
    a_search_within_a_loop_finds_a_session_also_when_the_budget_is_used_up,
    searches_find_what_they_describe,
    searches_beyond_ascii_find_what_they_describe,
    closed_means_closed,
}
