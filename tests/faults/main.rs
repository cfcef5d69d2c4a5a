//! Servers and networks that misbehave in mid-run: nothing is lost, nothing comes twice, and what
//! failed says why.
//!
//! Each fault that the crate must survive has a number, and tests that provoke it, here or in a
//! file beside this folder. Attacks on TLS have a table of their own in `tests/tls`.
//!
//! | # | test | file |
//! |---|---|---|
//! | 1 | a_first_session_that_cannot_be_had_is_tried_a_few_times | greeting |
//! | 1 | a_refused_port_names_host_and_port | errors |
//! | 1 | an_unknown_host_is_named | errors |
//! | 1 | workers_that_reach_nobody_leave_the_run_to_those_that_did | greeting |
//! | 1 | workers_that_get_no_session_leave_the_run_to_the_first | connection |
//! | 2 | a_reset_at_any_octet_costs_nothing | connection |
//! | 2 | connections_that_break_again_and_again_are_replaced | connection |
//! | 2 | sessions_killed_with_signal_9_again_and_again_lose_nothing | dovecot_faults |
//! | 2 | a_server_stopped_and_started_again_is_waited_for | dovecot_faults |
//! | 3 | silence_within_a_literal_runs_into_the_deadline_and_is_made_good | connection |
//! | 3 | silence_on_every_session_ends_the_run_with_a_timeout_that_names_the_phase | connection |
//! | 3 | a_server_that_says_nothing_runs_into_the_deadline_of_its_phase | errors |
//! | 4 | a_trickle_is_not_progress | connection |
//! | 5 | a_goodbye_in_mid_run_keeps_its_text | connection |
//! | 5 | a_goodbye_that_says_why_not_to_come_back_ends_the_run | verdicts |
//! | 5 | a_goodbye_between_two_commands_costs_one_session | connection |
//! | 6 | a_goodbye_as_greeting_keeps_its_text | errors |
//! | 6 | a_greeting_of_preauth_is_taken_on_this_machine_and_without_a_login | greeting |
//! | 6 | a_greeting_of_preauth_is_taken_where_the_way_is_secure | greeting |
//! | 6 | a_greeting_of_preauth_is_refused_where_a_stranger_may_have_sent_it | greeting |
//! | 7 | a_name_is_tried_at_each_of_its_addresses | greeting |
//! | 7 | a_dead_address_costs_its_share_of_the_time_and_the_next_is_tried | ../src/transport/tcp |
//! | 8 | a_login_that_is_dropped_at_once_again_and_again_ends_the_run | connection |
//! | 8 | a_server_that_drops_everybody_is_not_blamed_on_the_messages | connection |
//! | 9 | sessions_closed_while_idle_are_replaced_without_an_error | connection |
//! | 10 | sessions_that_a_long_sleep_has_left_half_open_are_replaced | connection |
//! | 10 | a_search_after_a_long_sleep_finds_another_session | connection |
//! | 10 | no_clock_is_read_that_jumps_when_the_time_of_day_is_set | connection |
//! | 11 | without_file_descriptors_the_run_goes_on_with_fewer_sessions | scarcity |
//! | 11 | without_threads_the_run_goes_on_with_fewer_workers | scarcity |
//! | 12 | a_refusal_that_passes_is_waited_out | refusals |
//! | 12 | a_refusal_that_does_not_pass_ends_the_run_after_some_tries | refusals |
//! | 13 | refused_sessions_leave_the_run_to_those_that_were_granted | refusals |
//! | 13 | a_limit_on_sessions_is_known_by_code_or_text | refusals |
//! | 13 | a_limit_of_three_connections_shrinks_the_pool_to_three | dovecot_faults |
//! | 14 | a_throttled_command_makes_all_workers_wait_and_go_on | refusals |
//! | 14 | throttling_without_a_hint_is_a_pause_too_and_fewer_go_on | refusals |
//! | 14 | all_workers_pause_when_one_is_throttled | refusals |
//! | 14 | a_hint_to_wait_is_read_whatever_the_user_is_called | refusals |
//! | 15 | an_account_that_has_used_up_what_it_may_ends_the_run | refusals |
//! | 15 | an_account_that_has_used_up_what_it_may_goes_on_another_day | refusals |
//! | 16 | a_refused_login_is_final_whether_it_has_a_code_or_not | refusals |
//! | 16 | a_password_changed_in_mid_run_ends_it_with_one_login_of_each_worker_at_most | refusals |
//! | 16 | a_refused_password_is_remembered_for_the_next_run | errors |
//! | 17 | a_token_that_expires_in_mid_run_is_replaced_once_for_all_sessions | tokens |
//! | 17 | a_token_that_is_replaced_by_a_wrong_one_ends_the_run_with_one_verdict | tokens |
//! | 17 | a_token_that_expired_while_nobody_used_it_is_replaced_before_the_next_run | tokens |
//! | 17 | eight_sessions_ask_for_one_token | auth/tokens |
//! | 17 | a_new_token_that_is_refused_is_told_with_the_reason_and_not_tried_again | auth/tokens |
//! | 18 | another_uidvalidity_ends_the_run_and_nothing_of_it_is_delivered | refusals |
//! | 18 | other_mail_under_the_same_uids_is_not_delivered | refusals |
//! | 18 | a_mailbox_made_anew_ends_the_run | dovecot_faults |
//! | 19 | a_mailbox_deleted_in_mid_run_ends_it_with_a_list | refusals |
//! | 19 | a_mailbox_that_goes_away_under_its_sessions_can_be_read_on_when_it_is_back | refusals |
//! | 20 | messages_expunged_after_the_search_are_gone_and_no_error | answers |
//! | 20 | a_message_left_out_is_asked_for_again | answers |
//! | 20 | a_message_left_out_each_time_though_it_exists_fails | answers |
//! | 20 | messages_expunged_by_another_session_in_mid_run_are_gone | dovecot_faults |
//! | 21 | a_no_because_of_some_messages_costs_those_alone | answers |
//! | 21 | a_no_to_the_whole_command_costs_those_alone_that_are_gone | answers |
//! | 21 | a_message_that_cannot_be_had_together_with_others_costs_itself_alone | answers |
//! | 22 | a_body_of_nil_is_tried_once_more_and_fails | answers |
//! | 22 | an_answer_without_the_body_that_was_asked_for_fails | answers |
//! | 22 | an_empty_message_is_a_message_and_nil_is_none | answers |
//! | 23 | an_answer_that_cannot_be_parsed_costs_its_message_alone | answers |
//! | 23 | a_literal_that_is_off_by_some_octets_costs_its_message_at_most | framing |
//! | 23 | a_literal_that_is_longer_than_what_comes_is_asked_for_again | framing |
//! | 24 | a_message_that_breaks_sessions_is_reported_with_what_came_of_it | verdicts |
//! | 24 | a_message_that_kills_every_session_is_found_and_the_rest_delivered | answers |
//! | 24 | a_message_that_makes_the_server_fall_silent_is_found_too | answers |
//! | 24 | a_file_removed_from_the_maildir_costs_its_message_alone | dovecot_faults |
//! | 25 | duplicates_reversed_answers_and_chatter_change_nothing | answers |
//! | 25 | the_first_complete_body_of_a_message_counts | answers |
//! | 26 | duplicates_reversed_answers_and_chatter_change_nothing | answers |
//! | 27 | bodies_that_nobody_asked_for_are_counted | verdicts |
//! | 27 | bodies_that_were_not_asked_for_count_for_nothing | answers |
//! | 28 | duplicates_reversed_answers_and_chatter_change_nothing | answers |
//! | 28 | results_come_in_order_though_bodies_do_not | answers |
//! | 29 | the_length_of_the_literal_counts_and_not_the_size | framing |
//! | 30 | a_message_over_the_limit_fails_alone_and_is_not_held | framing |
//! | 31 | a_message_too_long_to_wait_for_costs_its_connection_and_fails_alone | verdicts |
//! | 31 | a_message_over_the_limit_fails_alone_and_is_not_held | framing |
//! | 31 | a_literal_that_is_longer_than_what_comes_is_asked_for_again | framing |
//! | 31 | a_literal_whose_length_is_no_number_ends_its_session_alone | framing |
//! | 32 | endless_chatter_and_an_endless_line_are_protocol_errors_and_made_good | framing |
//! | 32 | a_flood_of_chatter_costs_its_session_and_not_the_next | framing |
//! | 33 | octets_that_make_the_libraries_panic_are_got_over | framing |
//! | 34 | a_command_that_is_too_long_is_halved | framing |
//! | 35 | new_mail_in_mid_run_is_not_part_of_it | answers |
//! | 36 | a_search_answer_of_a_million_uids_works_within_the_memory_figure | hostile |
//! | 37 | a_server_that_drops_pipelined_commands_gets_one_at_a_time | framing |
//! | 38 | what_nobody_has_heard_of_is_passed_over | framing |
//! | 39 | a_closure_that_panics_on_one_of_a_thousand_costs_that_one | dropping |
//! | 40 | a_closure_that_outlasts_the_patience_of_the_server_loses_nothing | caller |
//! | 40 | one_slow_message_holds_back_no_other_worker_within_the_window | dropping |
//! | 41 | a_consumer_that_does_not_pull_stops_the_workers_at_the_window | dropping |
//! | 41 | memory_stays_flat | large |
//! | 42 | dropping_while_all_workers_are_blocked_in_a_read_takes_no_longer | dropping |
//! | 42 | dropping_while_a_connection_is_being_made_takes_no_longer | dropping |
//! | 42 | a_canceller_ends_the_run_from_another_thread | dropping |
//! | 43 | the_work_of_a_lost_worker_is_done_by_the_others | caller |
//! | 43 | without_any_worker_left_the_run_ends_with_a_list | caller |
//! | 43 | killing_the_server_in_mid_run_ends_it_with_an_error_and_a_list | dropping |
//! | 44 | no_more_connections_are_made_than_there_are_messages | caller |
//! | 44 | an_empty_result_runs_to_an_empty_end | behaviour/cases |
//! | 44 | one_match_and_fewer_matches_than_workers | behaviour/cases |
//! | 45 | an_expired_certificate_is_refused | tls/certificates |
//! | 45 | a_self_signed_certificate_is_refused_until_it_is_trusted_itself | tls/certificates |
//! | 45 | a_certificate_of_an_unknown_issuer_is_refused_until_the_issuer_is_trusted | tls/certificates |
//! | 45 | a_certificate_for_another_host_is_refused | tls/certificates |
//! | 45 | certificates_are_verified | errors |
//! | 46 | starttls_that_is_not_offered_is_not_done_without | errors |
//! | 46 | starttls_refused_with_no_is_not_done_without | tls/starttls |
//! | 46 | starttls_refused_with_bad_is_not_done_without | tls/starttls |
//! | 46 | starttls_answered_with_a_goodbye_is_not_done_without | tls/starttls |
//! | 46 | starttls_stripped_from_the_capabilities_is_asked_for_all_the_same | tls/starttls |
//! | 46 | a_server_that_goes_on_in_plain_text_is_refused | tls/starttls |
//! | 47 | octets_behind_the_answer_to_starttls_are_refused | tls/starttls |
//! | 47 | octets_injected_ahead_of_the_handshake_are_refused | tls/starttls |
//! | 48 | what_was_announced_before_tls_is_forgotten | tls/starttls |
//! | 49 | an_end_of_line_or_a_nul_is_refused_wherever_it_comes_before_anything_is_sent | safety |
//! | 49 | what_would_break_out_of_a_command_is_refused_before_anything_is_sent | errors |
//! | 50 | no_secret_is_printed_by_anything | errors |
//! | 50 | a_server_that_repeats_the_command_gets_no_password_printed | errors |
//! | 50 | a_url_reads_as_it_stands | errors |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

#[path = "../ledger/mod.rs"]
mod ledger;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod caller;
mod connection;
mod framing;
mod greeting;
mod parts;
mod play;
mod refusals;
mod safety;
mod scarcity;
mod tokens;
mod verdicts;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where this file is not there, its tests are not looked for.
const MAY_BE_MISSING: &str = "hostile";

#[test]
fn every_fault_of_the_table_has_a_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut numbers = BTreeSet::new();
    let rows = include_str!("main.rs").lines().filter_map(|line| {
        let row = line.strip_prefix("//! | ")?.strip_suffix(" |")?;
        let mut cells = row.split(" | ");
        let number: u32 = cells.next()?.parse().ok()?;
        Some((number, cells.next()?, cells.next()?))
    });
    for (number, name, file) in rows {
        numbers.insert(number);
        let here = tests.join("faults").join(file).with_extension("rs");
        let beside = tests.join(file).with_extension("rs");
        match fs::read_to_string(here).or_else(|_| fs::read_to_string(beside)) {
            Ok(text) => {
                let function = format!("fn {name}(");
                assert!(text.contains(&function), "{number}: no {name} in {file}");
            }
            Err(error) => assert_eq!(file, MAY_BE_MISSING, "{number}: {error}"),
        }
    }
    let expected = 1..=50;
    assert!(numbers.into_iter().eq(expected), "a number is missing");
}
