//! The suite of behaviours over all personas: a few with all the tests, the others where
//! `PARALLEL_MAILBOX_PERSONAS` is `all`.

use std::env;

use parallel_mailbox::testing::{Persona, Server};

use crate::cases;
use crate::place::{MakePlace, Place};

/// Those that differ most from what one would think.
const SOME: &[Persona] = &[
    Persona::Gmail,
    Persona::Exchange,
    Persona::ICloud,
    Persona::Cyrus,
    Persona::Zimbra,
];

/// What a server cannot do, whatever a client does: the case, the server, and why.
const EXEMPT: &[(&str, Persona, &str)] = &[
    (
        "closed_means_closed",
        Persona::Courier,
        "EXAMINE says no UIDNEXT",
    ),
    (
        "closed_means_closed",
        Persona::NetEase,
        "EXAMINE says no UIDNEXT",
    ),
    (
        "headers_metadata_and_parts_are_fetched_without_the_rest",
        Persona::ExchangeOnPremises,
        "RFC822.SIZE is an estimate",
    ),
    (
        "searches_beyond_ascii_find_what_they_describe",
        Persona::Exchange,
        "it takes no charset but US-ASCII",
    ),
    (
        "searches_beyond_ascii_find_what_they_describe",
        Persona::ExchangeOnPremises,
        "it takes no charset but US-ASCII",
    ),
    (
        "searches_beyond_ascii_find_what_they_describe",
        Persona::ICloud,
        "it finds no text",
    ),
    (
        "searches_find_what_they_describe",
        Persona::ICloud,
        "it finds no text",
    ),
    (
        "an_empty_result_runs_to_an_empty_end",
        Persona::Qq,
        "it finds every message by any text",
    ),
    (
        "searches_beyond_ascii_find_what_they_describe",
        Persona::Qq,
        "it finds every message by any text",
    ),
    (
        "searches_find_what_they_describe",
        Persona::Qq,
        "it finds every message by any text",
    ),
    (
        "searches_find_what_they_describe",
        Persona::Yahoo,
        "it ignores NOT and refuses HEADER",
    ),
    (
        "nasty_messages_arrive_octet_for_octet",
        Persona::Yandex,
        "an empty message has no value there, as one that is missing",
    ),
    (
        "searches_find_what_they_describe",
        Persona::Yandex,
        "it refuses FROM and HEADER",
    ),
];

/// The personas that are played.
pub(crate) fn played() -> &'static [Persona] {
    match env::var("PARALLEL_MAILBOX_PERSONAS").as_deref() {
        Ok("all") => Persona::all(),
        _ => SOME,
    }
}

fn run(persona: Persona, name: &str, case: fn(MakePlace<'_>)) {
    if !played().contains(&persona) {
        return;
    }
    let exempt = EXEMPT
        .iter()
        .find(|(own, of, _)| *own == name && *of == persona);
    if let Some((_, _, reason)) = exempt {
        eprintln!("{persona}, {name}: not played, since {reason}");
        return;
    }
    // Some cases open more sessions at once than some servers grant.
    let server = || Server::builder().persona(persona).max_connections(32);
    case(&|messages| Place::on(server(), messages));
}

/// Makes a module for each persona with a test for each case.
macro_rules! suite {
    ([$($case:ident,)+] $($module:ident $persona:ident,)+) => {
        suite!(@each ($($case)+) $($module $persona,)+);

        #[test]
        fn every_persona_has_a_suite() {
            assert_eq!(Persona::all(), [$(Persona::$persona),+]);
        }
    };
    (@each $cases:tt $($module:ident $persona:ident,)+) => {
        $(suite!(@one $cases $module $persona);)+
    };
    (@one ($($case:ident)+) $module:ident $persona:ident) => {
        mod $module {
            use super::*;
            $(#[test] fn $case() {
                run(Persona::$persona, stringify!($case), cases::$case);
            })+
        }
    };
}

suite! {
    [
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
    ]
    gmail Gmail,
    exchange Exchange,
    exchange_on_premises ExchangeOnPremises,
    yahoo Yahoo,
    icloud ICloud,
    dovecot Dovecot,
    cyrus Cyrus,
    courier Courier,
    imap4d Imap4d,
    proton_bridge ProtonBridge,
    davmail DavMail,
    qq Qq,
    net_ease NetEase,
    yandex Yandex,
    mail_ru MailRu,
    zoho Zoho,
    zimbra Zimbra,
    hmailserver HMailServer,
    stalwart Stalwart,
    james James,
    login_proxy LoginProxy,
}
