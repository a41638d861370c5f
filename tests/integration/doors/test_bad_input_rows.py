# SPDX-License-Identifier: MIT
"""The classes of bad input that have broken inference servers, model files and installers: which
tests show what happens here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support import paths

HERE = Path(__file__).parents[1]

# What was seen in the field, and the tests that show what happens here: "folder/file:name" below
# tests/integration, without "test_", or a unit test, "src/…_test.cc:Suite.Name".
ROWS = {
    "chunks of one byte by the hundred thousand": ["http/wire:oversized"],
    "chunks that never end": ["http/wire:oversized", "http/wire:gzip_bodies"],
    "a body without length or chunks": ["http/wire:oversized"],
    "a million headers, a header or a line of 100 MB": [
        "http/wire:oversized", "grpc/wire:headers_too_large_are_refused",
        "grpc/wire:a_bomb_of_indexed_headers_takes_no_memory",
        "grpc/wire:endless_continuation_is_cut_off"],
    "request smuggling": ["http/wire:smuggling", "oip/errors:two_lengths_are_refused"],
    "slow heads": ["http/wire:slow_heads_and_bodies", "doors/floods:slow_heads_by_the_thousand",
                   "grpc/wire:who_does_not_get_on_is_cut_off",
                   "ipc/access:what_does_not_come_in_time_ends"],
    "slow bodies, and replies that are not read": [
        "http/wire:slow_heads_and_bodies", "http/wire:a_caller_that_does_not_read_is_cut_off",
        "grpc/wire:who_does_not_read_the_reply_is_cut_off",
        "ipc/hostile:a_client_that_does_not_read_is_not_read_from"],
    "an expectation that is not followed": ["http/wire:unfulfilled_expectation_ends"],
    "compression bombs": ["http/wire:gzip_bodies", "oip/errors:bad_bodies",
                          "grpc/wire:a_gzip_bomb_is_refused"],
    "paths that climb, in every spelling": ["http/wire:paths", "oip/errors:bad_paths"],
    "foreign hosts and origins, with every method": [
        "http/wire:foreign_hosts_and_origins_on_every_method"],
    "thousands of connections of one peer": [
        "http/wire:many_connections_of_one_peer",
        "doors/floods:connections_of_one_peer_by_the_ten_thousand",
        "ipc/access:connections_are_bounded",
        "doors/bad_input:grpc_connections_of_one_peer_are_bounded"],
    "rapid reset, made resets and other floods": ["grpc/wire:a_flood_is_told_to_calm_down"],
    "streams by the thousand": [
        "grpc/wire:streams_beyond_the_limit_are_refused",
        "doors/floods:streams_by_the_hundred_thousand_that_nobody_reads"],
    "a length of 4 GiB announced": [
        "grpc/wire:an_announced_length_takes_no_memory",
        "grpc/wire:many_announced_lengths_take_no_memory",
        "ipc/hostile:what_never_comes_takes_no_memory"],
    "protobuf that swells or lies": [
        "grpc/wire:protobuf_that_would_swell_is_refused", "grpc/wire:a_bad_call_ends_alone",
        "doors/bad_input:protobuf_that_lies"],
    "a stream of answers that is not read": [
        "grpc/wire:who_does_not_read_a_stream_is_held_back_and_cut_off"],
    "JSON half a million levels deep": [
        "http/tensors:refused_bodies", "oip/errors:bad_bodies", "http/api:refused_registrations",
        "doors/bad_input:deep_json_on_every_route"],
    "shapes that overflow": [
        "doors/refusals:an_inference_is_refused_alike", "http/tensors:refused_bodies",
        "ipc/hostile:an_inference_that_lies_is_refused"],
    "sizes of zero": ["doors/bad_input:a_size_of_zero_is_a_size"],
    "one body too large, and many that are together": [
        "http/wire:oversized", "doors/floods:large_bodies_by_the_thousand_at_once",
        "http/tensors:bytes_in_flight_are_limited_for_all_together",
        "doors/refusals:an_inference_is_refused_alike",
        "oip/wire:no_room_is_said_with_a_time_to_come_back",
        "ipc/hostile:more_than_the_budget_is_refused_and_the_connection_lives"],
    "messages that tell of the inside": ["doors/bad_input:no_message_tells_of_the_inside"],
    "an output beyond all memory": ["doors/bad_input:an_output_beyond_the_arena_is_refused"],
    "names of models": ["http/wire:paths", "doors/refusals:an_operation_is_refused_alike",
                        "doors/bad_input:names_that_are_none"],
    "memory by name": ["oip/client:shared_memory_is_refused",
                       "grpc/oip:what_is_not_offered_is_unimplemented"],
    "memory that shrinks": ["ipc/hostile:only_sealed_memory_is_mapped",
                            "ipc/hostile:sealed_memory_does_not_shrink_under_core"],
    "memory that changes while it is read": [
        "races/memory:strings_are_rewritten",
        "ipc/access:a_listed_user_is_served_and_its_memory_copied"],
    "descriptors of anything else": ["ipc/hostile:only_sealed_memory_is_mapped",
                                     "ipc/hostile:a_flood_of_descriptors_is_closed"],
    "clients that die": ["ipc/hostile:connections_cut_anywhere",
                         "ipc/hostile:rings_cut_anywhere",
                         "ipc/api:a_client_that_goes_leaves_nothing",
                         "doors/cuts:many_cut_connections"],
    "users that may not": ["ipc/access:users_that_are_not_listed_are_refused",
                           "ipc/access:the_mode_keeps_others_out"],
    "frames of length 0 and 2^31, partial, garbage": [
        "ipc/hostile:a_breach_is_told_and_ends_the_connection",
        "ipc/hostile:a_bad_hello_ends_the_connection",
        "ipc/hostile:garbage_in_a_ring_ends_the_connection"],
    "weights that lie elsewhere": [
        "hostile/models:weights_that_lie_elsewhere",
        "src/package/onnx/external_data_test.cc:ExternalData.UnsafeReferencesAreRefused"],
    "weights that lie elsewhere, named where few look": [
        "hostile/models:weights_that_lie_elsewhere_wherever_they_are_named",
        "src/package/onnx/external_data_test.cc:ExternalData.IsFoundWhereverATensorMayStand"],
    "weights of another place, length or kind than the graph says": [
        "hostile/models:weights_that_are_not_as_the_graph_says",
        "src/package/onnx/external_data_test.cc:ExternalDataFile.IsNoLinkFolderOrPipe"],
    "weights swapped under an unchanged graph": [
        "hostile/models:weights_swapped_under_an_unchanged_graph",
        "hostile/packages:weights_swapped_in_a_folder_with_a_manifest"],
    "graphs that crash or swell whoever loads them": [
        "hostile/models:damaged_graphs_are_refused_or_served",
        "hostile/models:a_graph_that_wants_a_terabyte_while_it_is_loaded"],
    "code that a model brings along": [
        "hostile/models:operators_that_bring_code_along",
        "hostile/models:settings_that_a_model_carries_are_not_read"],
    "sizes declared beyond the file": [
        "hostile/models:formats_that_nothing_here_reads",
        "hostile/packages:a_listed_file_of_a_terabyte_is_not_read"],
    "links laid where files are written": [
        "src/package/archive_test.cc:PackTest.AnArchiveIsWrittenThroughNoLinkLaidInItsWay"],
    "models fetched without being asked for": [
        "hostile/models:nothing_is_fetched_because_a_path_looks_like_an_address",
        "axon/register:registering_what_is_not_installed_installs_nothing"],
    "names in archives that lead out": [
        "hostile/packages:one_hostile_entry_refuses_the_package",
        "axon/archive:a_hostile_archive_writes_nothing",
        "src/package/archive_test.cc:ArchiveTest.OneBadNameRefusesTheWholeArchive"],
    "links and devices in archives": [
        "hostile/packages:one_hostile_entry_refuses_the_package",
        "src/package/archive_test.cc:ArchiveTest.OnlyFilesAndFoldersAreEntries"],
    "archives that are bombs": [
        "hostile/packages:a_bomb_is_not_unpacked", "axon/archive:a_bomb_or_garbage_costs_little",
        "src/package/archive_test.cc:ArchiveTest.AHugeZstdWindowIsRefused"],
    "packages that disagree with their manifest": [
        "hostile/packages:a_package_that_disagrees_with_itself",
        "axon/archive:a_package_that_disagrees_with_itself_is_refused",
        "src/package/manifest_reader_test.cc:EditedManifest.AStrictManifestIsHeldToItsPromises"],
    "YAML that swells, runs or means something else": [
        "hostile/packages:a_package_that_disagrees_with_itself",
        "src/package/yaml/tree_test.cc:HostileYaml.IsRefusedAtOnceWithItsReason"],
    "digests that are paths or of another kind": [
        "hostile/packages:a_package_that_disagrees_with_itself",
        "src/package/digest_test.cc:DigestParse.RefusesEveryOtherForm"],
    "redirects to where they must not go, and tokens that follow": [
        "axon/access:a_redirect_to_where_it_must_not_go",
        "axon/access:a_redirect_to_another_origin_does_not_take_the_token_along",
        "axon/access:a_redirect_from_https_to_http_is_never_followed",
        "axon/access:a_name_that_resolves_to_a_private_address_is_not_connected_to"],
    "tokens in arguments, messages and core files": [
        "axon/access:a_token_is_not_taken_from_the_command_line",
        "axon/access:no_failure_shows_the_token", "axon/cli:no_core_file_is_written"],
    "downloads that are cut, wrong, endless or slow": [
        "axon/download:a_body_that_breaks_off_is_resumed_at_once",
        "axon/download:a_wrong_length_is_refused",
        "axon/download:a_server_that_does_not_go_on_where_it_stopped",
        "axon/download:a_range_that_was_not_asked_for_is_not_taken",
        "axon/download:a_file_that_was_replaced_meanwhile_is_begun_again",
        "axon/download:a_body_without_end_is_cut_off", "axon/download:a_trickle_is_given_up",
        "axon/download:a_flipped_byte_is_never_installed"],
    "disks that are full, failing or read-only, and kills at any step": [
        "axon/store:too_small_a_disk_is_noticed_before_anything_is_downloaded",
        "axon/store:a_disk_that_fills_up_meanwhile_leaves_the_old_state",
        "axon/store:a_read_only_disk_is_said_so_and_can_be_read",
        "axon/store:any_call_may_fail_and_nothing_is_half_there",
        "axon/kill:killed_at_hundreds_of_random_moments"],
    "pickles in any form": [
        "hostile/models:formats_that_nothing_here_reads",
        "axon/install:a_repository_of_pickles_and_code_is_not_even_downloaded"],
    "code of a repository": [
        "axon/install:a_repository_of_pickles_and_code_is_not_even_downloaded"],
    "names that move between two requests": [
        "axon/install:a_branch_that_moves_between_two_requests_changes_nothing"],
}  # fmt: skip


def names(place: str) -> set[str]:
    """The tests of the file that a place names."""
    path, _, name = place.partition(":")
    if path.endswith(".cc"):
        text = (paths.ROOT / path).read_text()
        tests = re.findall(r"^TEST(?:_[FP])?\((\w+), (\w+)\)", text, re.MULTILINE)
        return {".".join(test) for test in tests}
    folder, _, file = path.rpartition("/")
    tree = ast.parse((HERE / folder / f"test_{file}.py").read_text())
    return {
        node.name.removeprefix("test_") for node in tree.body if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_tests(row):
    assert ROWS[row]
    for place in ROWS[row]:
        assert place.partition(":")[2] in names(place), place
