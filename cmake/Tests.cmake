# Everything that ctest runs, found by its place:
#   tests/unit/<floor>/**/<noun>_test.cpp   Criterion's suite <noun>, run by itself as <floor>_<noun>_test;
#                                        all of a floor are one program, <floor>_tests
#   tests/www, tests/e2e, tests/browser, tests/engines  one node process a file *.test.mjs
#   tests/layers                         rules about the sources themselves
#   tests/sim                            the simulator of nodes
#   tests/fuzz                           what is committed for the fuzzers, once each (Fuzzers.cmake)
# tests/media is `make test-media`, which takes minutes: no part of it.
# Labels (ctest -L): unit, fuzz, www, e2e, browser, engines, layers, sim. What runs beside what: TestSlots.cmake.
#
# A sanitizer and Criterion's runner do not get along (tests/support/in_process_runner.cpp says why):
# there the same tests get a small runner of our own and only Criterion's headers.
add_library(videosync_test_runner INTERFACE)
if(VIDEOSYNC_SANITIZE)
  add_library(videosync_in_process_runner OBJECT ${CMAKE_SOURCE_DIR}/tests/support/in_process_runner.cpp)
  target_link_libraries(videosync_in_process_runner PRIVATE videosync_options)
  target_include_directories(videosync_in_process_runner SYSTEM PUBLIC ${CRITERION_INCLUDE})
  target_link_libraries(videosync_test_runner INTERFACE
    videosync_in_process_runner $<TARGET_OBJECTS:videosync_in_process_runner>)
else()
  target_link_libraries(videosync_test_runner INTERFACE videosync::criterion)
endif()

# The simulator of nodes: a library of its own, so that its parts have unit tests, too.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.cpp)
list(FILTER sim_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(videosync_sim STATIC ${sim_sources})
target_link_libraries(videosync_sim PUBLIC videosync_server)
add_executable(sim ${CMAKE_SOURCE_DIR}/tests/sim/main.cpp)
target_link_libraries(sim PRIVATE videosync_sim)
videosync_precompile(videosync_sim sim)
videosync_unity(videosync_sim)
# Seeds that once found something, then a fixed range; then new ones. What a new one finds is a fault of
# the product: its number is printed, and goes to the list when it is mended.
add_test(NAME sim COMMAND sim --list ${CMAKE_SOURCE_DIR}/tests/sim/seeds.txt --from 964 --seeds 400
  --shrink-seconds 20)
add_test(NAME sim_fresh COMMAND sim --seeds 500 --shrink-seconds 20)
set_tests_properties(sim sim_fresh PROPERTIES LABELS sim TIMEOUT 120)
include(Planted)
include(SimKernel)

foreach(floor core proto storage maker server bench sim)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${floor}/*_test.cpp)
  set(program ${floor}_tests)
  add_executable(${program} ${tests})
  target_link_libraries(${program} PRIVATE videosync_${floor} videosync_test_runner)
  videosync_precompile(${program})
  videosync_unity(${program})
  foreach(test ${tests})
    get_filename_component(noun ${test} NAME_WE)
    string(REGEX REPLACE "_test$" "" suite ${noun})
    add_test(NAME ${floor}_${noun} COMMAND ${program} --filter ${suite}/*)
    set_tests_properties(${floor}_${noun} PROPERTIES LABELS unit TIMEOUT 120
      ENVIRONMENT VIDEOSYNC_SOURCE=${CMAKE_SOURCE_DIR})
  endforeach()
endforeach()

# Sets the clock of the Redis that it is loaded into; that one has no sanitizer.
add_library(set_clock MODULE ${CMAKE_SOURCE_DIR}/tests/support/set_clock.cpp)
set_target_properties(set_clock PROPERTIES COMPILE_OPTIONS "" LINK_OPTIONS "")
target_link_libraries(set_clock PRIVATE videosync_options)

find_program(NODE node)
find_program(CHROMIUM NAMES chromium chromium-browser google-chrome)
if(NOT NODE)
  message(WARNING "node is missing: only the unit tests can run (`make packages-test` installs it)")
  return()
endif()

# The libraries of the tests are in tests/node_modules, where node looks for them.
add_custom_command(OUTPUT ${CMAKE_SOURCE_DIR}/tests/node_modules/.installed-lock.json
  COMMAND ${CMAKE_SOURCE_DIR}/deploy/npm-ci ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/tests
  DEPENDS ${CMAKE_SOURCE_DIR}/tests/package-lock.json
  COMMENT "Libraries of the tests"
  VERBATIM)
add_custom_target(test_libraries ALL
  DEPENDS ${CMAKE_SOURCE_DIR}/tests/node_modules/.installed-lock.json)

# What node cannot do by itself; they have no sanitizer, and lie beside the server.
foreach(program notify_socket stop_thread)
  add_executable(${program} ${CMAKE_SOURCE_DIR}/tests/support/${program}.cpp)
  set_target_properties(${program} PROPERTIES COMPILE_OPTIONS "" LINK_OPTIONS "")
  target_link_libraries(${program} PRIVATE videosync_options)
endforeach()

# A file system that hangs when it is told to. Tests that want it say that they are skipped where it
# cannot be built or mounted.
videosync_find_c_library(fuse3 fuse3/fuse.h)
if(fuse3_FOUND)
  add_executable(hanging_folder ${CMAKE_SOURCE_DIR}/tests/support/hanging_folder.cpp)
  target_link_libraries(hanging_folder PRIVATE videosync_options videosync::fuse3 Threads::Threads)
  target_compile_definitions(hanging_folder PRIVATE _FILE_OFFSET_BITS=64)
  target_include_directories(hanging_folder SYSTEM PRIVATE ${FUSE3_INCLUDE}/fuse3)
endif()

set(node_environment VIDEOSYNC_SOURCE=${CMAKE_SOURCE_DIR} VIDEOSYNC_CXX=${CMAKE_CXX_COMPILER}
  VIDEOSYNC_SANITIZE=${VIDEOSYNC_SANITIZE} VIDEOSYNC_CHROMIUM=${CHROMIUM})
# Node 18, which Debian 12 has, knows CustomEvent but hides it.
execute_process(COMMAND ${NODE} --version OUTPUT_VARIABLE node_version)
if(node_version MATCHES "^v18\\.")
  list(APPEND node_environment NODE_OPTIONS=--experimental-global-customevent)
endif()
if(TARGET videosync)
  list(APPEND node_environment VIDEOSYNC_BINARY=$<TARGET_FILE:videosync>)
endif()
add_dependencies(videosync videosync-media)
if(TARGET hanging_folder)
  list(APPEND node_environment VIDEOSYNC_HANGING_FOLDER=$<TARGET_FILE:hanging_folder>)
endif()

# Registers tests/<kind>/*.test.mjs.
function(videosync_node_tests kind timeout_s)
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${kind}/*.test.mjs)
  foreach(test ${tests})
    get_filename_component(noun ${test} NAME_WE)
    set(name ${kind}_${noun})
    add_test(NAME ${name} COMMAND ${NODE} --test-reporter=spec ${test})
    set_tests_properties(${name} PROPERTIES LABELS ${kind} TIMEOUT ${timeout_s}
      ENVIRONMENT "${node_environment}")
  endforeach()
endfunction()

videosync_node_tests(layers 300)
videosync_node_tests(www 60)
if(TARGET videosync)
  videosync_node_tests(e2e 180)
  videosync_node_tests(browser 300)
  videosync_node_tests(engines 600)
endif()
