# How tests share a machine. Most of them mostly wait: `make test` gives ctest seven slots a core, and a
# test takes (PROCESSORS) one where it waits, five where it computes or has a browser, and eight with
# several browsers that play: on two cores there is room for what waits beside two browsers, and for no third one.

# Of e2e, the others wait: these compute, or judge moments.
set(computing_tests api_http bench bench_soak bench_sync clients_http forms forms_played http_ranges http_requests make_hls media_program
  metrics_descriptors redis_lost redis_outage redis_race redis_time stress ws_drain ws_messages ws_slow_reader ws_stall)
list(TRANSFORM computing_tests PREPEND e2e_)
# These judge how smoothly pictures go on: nothing runs beside them. Nor beside the one that waits for pictures of
# films: they are made at the lowest priority, after all else.
set(lone_tests browser_nodes browser_stage_picture e2e_media_library)

# Their pages play all the time, and are asked how well.
set(playing_tests browser_by_ear browser_forms browser_hls browser_odd_films browser_sounds browser_stage_controls
  browser_sync_skew browser_watch_together browser_web_films
  engines_chromium engines_firefox engines_webkit)

get_property(tests DIRECTORY PROPERTY TESTS)
foreach(test ${computing_tests} ${lone_tests} ${playing_tests})
  if(NODE AND NOT test IN_LIST tests)
    message(FATAL_ERROR "cmake/TestSlots.cmake names ${test}, which is no test")
  endif()
endforeach()
foreach(test ${tests})
  if(test IN_LIST lone_tests)
    set_tests_properties(${test} PROPERTIES RUN_SERIAL TRUE)
  elseif(test IN_LIST playing_tests)
    # Begins first (COST): else it would wait until nothing is left that fits in beside it.
    set_tests_properties(${test} PROPERTIES PROCESSORS 8 COST 2000)
  elseif(test MATCHES "^(browser|engines)_")
    set_tests_properties(${test} PROPERTIES PROCESSORS 5 COST 1000)
  elseif(test MATCHES "^e2e_" AND NOT test IN_LIST computing_tests AND NOT VIDEOSYNC_SANITIZE)
    set_tests_properties(${test} PROPERTIES PROCESSORS 1)
  else()
    # Also what waits, where a sanitizer makes it compute.
    set_tests_properties(${test} PROPERTIES PROCESSORS 5)
  endif()
endforeach()

# Of films, and long: `make test-media` runs them, `make test` does not.
foreach(test e2e_forms_storage e2e_forms_played browser_colours browser_odd_films)
  if(test IN_LIST tests)
    get_test_property(${test} LABELS labels)
    set_tests_properties(${test} PROPERTIES LABELS "${labels};media")
  endif()
endforeach()
