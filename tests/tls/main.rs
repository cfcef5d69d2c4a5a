//! Attacks on the way to TLS and within it, and what comes of each.
//!
//! | attack | test | comes to |
//! |---|---|---|
//! | certificate expired | certificates::an_expired_certificate_is_refused | refused |
//! | certificate not valid yet | certificates::a_certificate_that_is_not_valid_yet_is_refused | refused |
//! | certificate signed by itself | certificates::a_self_signed_certificate_is_refused_until_it_is_trusted_itself | refused |
//! | certificate of an unknown issuer | certificates::a_certificate_of_an_unknown_issuer_is_refused_until_the_issuer_is_trusted | refused |
//! | certificate with its own root in the chain | certificates::a_chain_that_brings_its_own_root_is_refused | refused |
//! | certificate forged in the name of a trusted issuer | certificates::a_certificate_in_the_name_of_a_trusted_issuer_with_another_key_is_refused | refused |
//! | chain with a gap | certificates::a_chain_with_a_gap_is_refused_until_a_bundle_closes_it | refused |
//! | certificate for another host, or with the right name in the wrong place | certificates::a_certificate_for_another_host_is_refused | refused |
//! | certificate for another address, or for a name in place of one | certificates::a_certificate_for_an_address_holds_for_that_address_alone | refused |
//! | wildcard for too much | certificates::a_wildcard_stands_for_one_label_and_not_for_a_part_of_one | refused |
//! | certificate of a client shown by a server | certificates::a_certificate_for_clients_is_refused | refused |
//! | verification switched off by accident | certificates::only_what_has_danger_in_its_name_accepts_any_certificate | refused unless asked for |
//! | STARTTLS stripped from the capabilities | starttls::starttls_stripped_from_the_capabilities_is_asked_for_all_the_same | asked for in any case |
//! | STARTTLS refused with NO | starttls::starttls_refused_with_no_is_not_done_without | refused |
//! | STARTTLS refused with BAD, or answered with nonsense | starttls::starttls_refused_with_bad_is_not_done_without | refused |
//! | STARTTLS answered with BYE | starttls::starttls_answered_with_a_goodbye_is_not_done_without | refused |
//! | connection closed in answer to STARTTLS | starttls::a_connection_closed_in_place_of_an_answer_to_starttls_is_tried_again_and_not_done_without | `Disconnected` after three tries |
//! | PREAUTH in place of a greeting, so that STARTTLS may not be given | starttls::a_preauth_greeting_before_starttls_is_refused | refused |
//! | response injected behind the OK to STARTTLS | starttls::octets_behind_the_answer_to_starttls_are_refused | refused |
//! | response injected between the OK and the handshake | starttls::octets_injected_ahead_of_the_handshake_are_refused | refused |
//! | plain text in place of the handshake | starttls::a_server_that_goes_on_in_plain_text_is_refused | refused |
//! | capabilities injected before TLS | starttls::what_was_announced_before_tls_is_forgotten | forgotten; asked for again within TLS |
//! | handshake that never ends | handshake::a_handshake_without_an_answer_runs_into_the_deadline | `Timeout` |
//! | handshake that trickles | handshake::a_handshake_that_trickles_runs_into_the_deadline | `Timeout` |
//! | handshake cut | handshake::a_handshake_that_is_cut_is_tried_again | `Disconnected` after three tries |
//! | plain text on a port for TLS | handshake::a_server_in_plain_text_on_a_port_for_tls_is_told_with_the_other_setting | refused |
//! | something else on a port for TLS | handshake::a_server_of_something_else_is_shown | refused |
//! | TLS on a port for plain text | handshake::a_server_of_tls_on_a_plain_port_is_told_with_the_other_setting | refused |
//! | silence on a port for plain text | handshake::a_plain_port_that_keeps_silent_is_not_taken_for_tls | `Timeout` |
//! | connection closed on a port for plain text | handshake::a_plain_port_that_closes_without_a_greeting_may_be_one_for_tls | `Disconnected` after three tries |
//! | versions of TLS that are broken | handshake::a_server_without_a_version_in_common_is_told | refused |
//! | server name asked for in the clear | handshake::a_name_is_asked_for_and_an_address_is_not | that name and no address |
//! | client certificate asked for, and given | client::a_client_certificate_is_shown_to_a_server_that_asks_for_it | signed in |
//! | client certificate asked for, and not given or the wrong one | client::a_client_certificate_is_shown_to_a_server_that_asks_for_it | what the server says, `Auth` |
//! | the same, and the server ends the handshake | client::a_server_that_ends_the_handshake_over_a_client_certificate_is_told_with_the_setting | refused |
//! | the same, after STARTTLS | client::a_client_certificate_refused_after_starttls_is_told_with_the_setting | `Disconnected` after three tries, with the same text |
//! | connection cut in mid-message without the end of TLS | truncation::a_connection_cut_without_the_end_of_tls_delivers_no_message_short | fetched again, whole |
//!
//! "Refused" is an error of kind `Tls` that says why, at once, with no second try and nothing
//! secret sent. Somebody on the way can always keep a connection from coming about; no test here
//! says otherwise.

#![cfg(all(unix, feature = "native-tls"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[path = "../ledger/mod.rs"]
mod ledger;
#[path = "../support/mod.rs"]
mod support;

mod certificates;
mod client;
mod cost;
mod handshake;
mod roots;
mod scripted;
mod starttls;
mod truncation;

#[test]
fn every_attack_of_the_table_has_a_test() {
    let leaks = support::leaks::Leaks::watch();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let mut count = 0;
    for line in include_str!("main.rs").lines() {
        let cells = line.strip_prefix("//! | ").map(|row| row.split(" | "));
        let Some(test) = cells.and_then(|mut cells| cells.nth(1)) else {
            continue;
        };
        let Some((file, name)) = test.split_once("::") else {
            continue;
        };
        let text = std::fs::read_to_string(folder.join(file).with_extension("rs")).unwrap();
        assert!(text.contains(&format!("fn {name}(")), "no {test}");
        count += 1;
    }
    assert!(count > 30, "{count}");
    leaks.assert_none_left();
}
