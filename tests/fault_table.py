"""The table of faults that `make test-faults` prints: what happens, what is promised, what is the target, what was measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import pytest

LONG = os.environ.get("QUMULUS_FAULTS") == "long"

FAULTS: Mapping[str, tuple[str, str, str]] = {
    "test_a_server_killed_while_it_accepts_loses_nothing_that_it_acknowledged": ("server killed while it accepts", "nothing acknowledged is lost", "0 lost"),
    "test_a_worker_killed_in_the_middle_of_a_run_costs_one_attempt_and_the_result_comes_once": ("worker killed in a run", "runs again, ends once", "1 attempt, 1 result"),
    "test_the_warm_parent_killed_takes_its_workers_along_and_the_jobs_run_again_without_a_counted_attempt": ("fork server killed", "workers end, jobs run again", "0 counted"),
    "test_a_worker_that_somebody_stopped_is_ended_after_its_lease_and_can_say_nothing_later": ("worker stopped (SIGSTOP)", "ended after its lease, says nothing later", "1 result"),
    "test_a_server_that_was_stopped_and_lost_its_jobs_finishes_nothing": ("server stopped longer than its leases", "its late words change nothing", "0 rows"),
    "test_dispatchers_that_race_for_the_same_jobs_never_take_one_twice": ("dispatchers race", "none is taken twice", "0 twice"),
    "test_jobs_all_succeed_once_while_something_is_killed_again_and_again": ("workers, fork server, server killed under load", "all jobs succeed once", "0 lost, 0 twice"),
    "test_a_server_killed_leaves_no_process_behind_and_the_next_one_runs_its_jobs": ("server killed", "no process stays", "0 after 5 s"),
    "test_when_the_owner_of_the_folder_is_killed_another_process_takes_over": ("two servers on one folder, one killed", "the other takes over", "all jobs end"),
    "test_a_server_whose_disk_is_full_is_not_ready_and_says_why_until_there_is_room": ("disk full", "says so, comes back", "503 with the reason"),
    "test_a_server_that_is_told_to_stop_goes_on_answering_hands_jobs_back_and_ends_within_ten_seconds": ("SIGTERM under load", "answers, hands back, ends", "10 s"),
    "test_a_server_that_is_told_twice_to_stop_does_so_at_once_and_keeps_its_jobs": ("Ctrl-C twice", "ends at once, keeps its jobs", "0 lost"),
    "test_ten_thousand_queued_jobs_do_not_make_a_status_slow": ("10,000 queued jobs", "a status stays fast", "half in 20 ms"),
    "test_ten_thousand_jobs_that_were_on_their_way_are_handed_back_within_two_seconds": ("10,000 jobs on their way at a kill", "handed back", "2 s"),
    "test_a_body_of_a_hundred_mebibytes_is_refused_without_being_kept": ("body of 100 MiB", "413, not kept", "memory as before"),
    "test_the_same_key_sent_fifty_times_at_once_gives_one_task": ("the same key 50 times at once", "one job", "1"),
    "test_processes_that_are_sent_the_same_key_at_once_store_one_job": ("the same key, several processes", "one job", "1"),
    "test_restarts_under_load_lose_nothing_and_what_was_refused_was_not_kept": ("PostgreSQL restarted under load", "nothing is lost", "0 lost"),
    "test_mutants_of_a_circuit_fail_alone_each_with_a_reason": ("QPY with flipped bits", "each fails alone, with a reason", "server up"),
    "test_a_circuit_that_aborts_its_worker_fails_only_its_own_job": ("circuit that aborts the interpreter", "its job fails alone", "1 job"),
    "test_a_zlib_bomb_is_refused_in_its_worker": ("zlib bomb", "refused in its worker", "no growth"),
    "test_a_circuit_for_more_memory_than_there_is_is_refused_before_it_runs_with_the_figures": ("40 qubits", "refused with the figures", "before it runs"),
    "test_the_kernel_ends_workers_before_anything_else_when_memory_is_short": ("memory short", "workers go before the server", "900 > server"),
    "test_a_wall_clock_that_is_set_takes_no_running_job_away": ("clock leaps, both ways", "no running job is taken away", "0"),
    "test_a_wall_clock_that_is_set_back_makes_no_lease_longer": ("clock set back", "no lease gets longer", "handed back in 61 s"),
    "test_a_copy_of_a_folder_that_is_used_is_opened_whole_or_refused_in_words": ("copy of a folder that is used", "whole, or refused in words", "the used one unhurt"),
    "test_a_state_of_every_earlier_version_is_brought_up_to_date_with_all_that_it_has": ("state of an earlier version", "upgraded with all that it has", "0 lost"),
    "test_an_older_version_refuses_the_state_of_a_newer_one_in_words_and_changes_nothing": ("older version on a newer state", "refused in words", "no change"),
    "test_a_server_with_small_limits_serves_or_ends_with_a_message_and_leaves_a_sound_state": ("ulimit -n, -u, -v", "serves, or ends with a message", "state sound"),
    "test_a_result_of_a_hundred_mebibytes_is_served_whole": ("result of 100 MiB", "served whole", "server below 600 MiB"),
    "test_memory_that_processes_could_share_counts_against_the_limit": ("program fills shared memory", "counts against its limit", "ended"),
    "test_the_kernel_ends_a_program_before_any_other_process_and_the_program_can_not_change_that": ("memory short, programs", "programs go first", "1000"),
    "test_a_request_that_comes_byte_by_byte_is_ended": ("request byte by byte", "ended", "deadline + 1 s"),
    "test_an_address_has_no_more_connections_than_it_may": ("idle connections", "bounded by address", "as set"),
    "test_all_bodies_together_take_no_more_memory_than_they_may": ("unfinished bodies", "bounded together", "as set"),
    "test_the_body_of_a_caller_who_may_not_ask_is_refused_before_it_is_read": ("large body without a credential", "refused before it is read", "401"),
    "test_a_fork_bomb_ends_with_its_run": ("fork bomb", "ends with its run", "0 left"),
    "test_a_program_that_fills_the_disk_is_ended": ("program writes without end", "ended", "its limit"),
    "test_a_program_can_not_read_what_is_not_its_own": ("program reads others' files", "refused", "0 read"),
    "test_a_system_call_that_leads_out_of_a_sandbox_is_refused": ("system calls out of a sandbox", "refused", "EPERM"),
    "test_a_program_reaches_the_apis_of_its_cloud_and_no_other_port_of_the_machine": ("program tries the control API, ports", "refused", "403, no route"),
    "test_a_bomb_in_a_text_is_counted_as_fast_as_it_is_short": ("gate bomb, 2^40", "counted, refused", "5 s"),
    "test_a_bomb_in_qpy_is_counted_as_fast_as_it_is_short": ("loop bomb, 10^9", "counted, refused", "5 s"),
    "test_of_too_many_jobs_the_oldest_go_but_none_of_the_last_hour": ("store grows", "oldest go by the rules", "as set"),
    "test_an_account_can_lower_the_limit_of_an_administrator_and_not_raise_it": ("account raises its limit", "refused", "403"),
    "test_a_second_cloud_at_one_prefix_is_refused_in_words_and_the_first_comes_back": ("two clouds on one prefix", "the second is refused", "in words"),
    "test_of_clouds_that_claim_a_prefix_at_the_same_moment_no_two_believe_to_have_it": ("clouds claim one prefix at once", "no two have it", "at most 1"),
    "test_whoever_takes_a_job_again_is_told_why_its_last_run_was_lost": ("run lost by starvation", "the true cause is told", "not 'ended'"),
    "test_two_host_headers_are_refused_whatever_they_say": ("two Host headers", "refused", "400"),
    "test_backups_of_a_state_that_is_written_meanwhile_are_whole": ("backup under load", "each is whole", "0 lost"),
    "test_a_program_that_tries_nine_ways_to_have_another_process_ended_ends_none": ("program tries nine ways to end others", "none ends", "0 through"),
    "test_a_job_of_another_account_overtakes_long_jobs_that_have_all_workers": ("long jobs on all workers", "another account's job runs", "while they run"),
    "test_a_list_of_many_jobs_is_as_little_work_as_one_of_few": ("50 times as many jobs, each filter", "a list is as little work", "3 times"),
    "test_what_has_two_readings_is_refused_and_nothing_behind_it_is_answered": ("request with two readings", "refused", "at most 1 answer"),
    "test_a_forged_signature_is_refused": ("forged signature of an address", "refused", "403"),
    "test_a_decoder_reads_or_refuses_whatever_it_is_fed_with": ("bytes that nobody sends", "read or refused, in time", "no other end"),
    "test_a_samplex_whose_inner_circuit_declares_millions_of_bits_is_refused_and_not_read_for_hours": ("samplex of 5 KB that takes hours", "refused", "before it is read"),
    "test_a_damaged_database_is_refused_with_one_line": ("database with changed bytes", "refused in one line", "no start"),
    "test_a_bomb_of_gzip_is_not_unpacked": ("gzip bomb as a body", "never unpacked", "4xx, below +80 MiB"),
    "test_a_body_that_is_not_as_declared": ("JSON: deep, NaN, NUL, half a character", "refused", "400"),
    "test_an_integer_with_thousands_of_digits": ("integer of 5,000 digits", "refused", "400"),
    "test_an_address_with_nul_is_refused": ("NUL in an address", "refused", "400"),
    "test_a_program_that_never_ends_is_ended_at_its_time_limit": ("program that never ends", "ended", "its limit"),
    "test_a_program_that_allocates_without_end_fails_with_a_memory_error": ("program takes all memory", "ended", "its limit"),
    "test_a_program_that_forks_without_end_stops_at_the_limit_of_processes": ("program forks without end", "stopped", "20 processes"),
    "test_a_program_can_not_write_outside_of_its_folders": ("program writes elsewhere", "refused", "0 written"),
    "test_an_entry_that_leads_out_of_the_folder_is_refused": ("backup with a path out of its folder", "refused", "0 written"),
    "test_what_can_not_be_deployed_is_refused_in_a_sentence": ("package with a path out of its folder", "refused", "400"),
    "test_a_name_that_is_none_for_a_file_is_refused": ("file named ../secret", "refused", "400"),
    "test_no_credential_stands_in_the_log": ("credentials in heads, addresses and bodies", "none in the log", "0 found"),
    "test_a_line_for_people_begins_with_the_time_of_day": ("line of the log", "has the time of day", "each"),
    "test_the_lines_of_a_request_its_job_and_its_run_share_the_id_that_the_job_tells": ("request, job and run in the log", "one id", "1"),
    "test_the_last_word_on_a_worker_that_was_killed_has_the_id": ("worker killed, in the log", "told with the id", "1"),
    "test_every_job_succeeds_though_a_dispatcher_an_api_process_and_a_node_are_killed": ("deployment: dispatcher, API, node killed", "all jobs succeed", "0 lost"),
    "test_whatever_is_killed_under_a_run_leaves_no_process_and_the_run_is_begun_again_at_once": ("cluster: each process under a run killed", "runs again, nothing stays", "0 left"),
    "test_a_dispatcher_that_stands_still_for_longer_than_its_lease_has_lost_its_job_and_changes_nothing_later": ("cluster: dispatcher stopped", "its late words change nothing", "0 rows"),
    "test_a_worker_that_stands_still_is_ended_after_a_lease_and_that_counts": ("cluster: worker stopped", "ended after a lease", "1 attempt"),
    "test_jobs_all_succeed_once_while_everything_is_killed_stopped_and_restarted": ("cluster: everything killed, stopped, restarted", "all jobs succeed once", "0 lost, 0 twice"),
    "test_a_node_added_under_load_takes_work_and_when_it_is_killed_no_job_is_lost_and_none_ends_twice": ("cluster: node added and killed under load", "all jobs succeed once", "0 lost, 0 twice"),
    "test_the_driver_killed_costs_no_attempt_and_another_takes_its_place": ("cluster: driver killed", "another takes its place", "0 attempts"),
    "test_a_limit_that_is_too_small_is_named_with_what_to_do": ("ulimit -n, -v too small at the start", "said, with what to do", "a sentence"),
}  # fmt: skip
"""What each test does to a server, by the test's name."""


DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
"""How the tests name the databases, and people."""


def rows(reports: Iterable[pytest.TestReport]) -> list[tuple[str, ...]]:
    """Return a row a fault: what it is, promise, target, what was measured on each database, and whether it held.

    Where a fault comes in several kinds, the row says how many held. What has to do with no database stands in the first column of them.
    """
    found: dict[str, dict[str, list[tuple[bool, str]]]] = {}
    for report in reports:
        name, _, case = report.nodeid.rpartition("::")[2].partition("[")
        if name in FAULTS:
            database = next((each for each in DATABASES if case.startswith(each)), "sqlite")
            held = report.outcome == "passed"
            measured = dict(report.user_properties).get("measured", f"held in {report.duration:.1f} s")
            found.setdefault(name, {}).setdefault(database, []).append((held, str(measured)))
    return [
        (*FAULTS[name], *(_cell(on.get(database, [])) for database in DATABASES), "yes" if _held(on) else "NO")
        for name, on in found.items()
    ]


def _cell(cases: Sequence[tuple[bool, str]]) -> str:
    """Return what was measured in some cases of a fault."""
    if not cases:
        return "-"
    told = dict.fromkeys(measured for held, measured in cases if held)
    held = sum(held for held, _ in cases)
    if held < len(cases):
        return "see above" if len(cases) == 1 else f"{held} of {len(cases)}: see above"
    if len(cases) == 1 or (len(told) < 5 and not any(each.startswith("held in") for each in told)):
        return "; ".join(told)
    return f"{held} of {len(cases)} held"


def _held(on: Mapping[str, Sequence[tuple[bool, str]]]) -> bool:
    return all(held for cases in on.values() for held, _ in cases)


def text(table: Iterable[tuple[str, ...]]) -> str:
    """Return the table as people read it."""
    lines = [("fault", "promise", "target", *(f"measured, {name}" for name in DATABASES.values()), "held"), *table]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
