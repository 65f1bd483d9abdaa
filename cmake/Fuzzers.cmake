# tests/fuzz/<noun>_fuzz.cpp, each a function that libFuzzer calls with bytes (docs/FUZZING.md).
#   In a fuzz build (clang) each is a program, <build>/fuzz/<noun>_fuzz; target `fuzzers`.
#   In a build with the tests all are one program, fuzz_corpora, of whatever compiler, which gives each the inputs that are
#   committed for it: test fuzz_<noun>, label fuzz.
file(GLOB fuzz_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cpp)

if(VIDEOSYNC_FUZZ)
  add_custom_target(fuzzers)
  foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} EXCLUDE_FROM_ALL ${source})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # A fuzzer links the floors it includes, and so only those are compiled for it.
    set(floors "")
    file(STRINGS ${source} includes REGEX "^#include \"(core|proto|storage|server|maker)/")
    foreach(line ${includes})
      string(REGEX MATCH "core|proto|storage|server|maker" floor "${line}")
      list(APPEND floors ${floor})
    endforeach()
    list(APPEND floors core)
    list(REMOVE_DUPLICATES floors)
    list(TRANSFORM floors PREPEND videosync_)
    target_link_libraries(${name} PRIVATE ${floors})
    add_dependencies(fuzzers ${name})
  endforeach()
elseif(VIDEOSYNC_TESTS)
  add_executable(fuzz_corpora ${CMAKE_SOURCE_DIR}/tests/fuzz/support/run_corpora.cpp ${fuzz_sources})
  target_link_libraries(fuzz_corpora PRIVATE videosync_server videosync_maker)
  videosync_precompile(fuzz_corpora)
  # The function that libFuzzer calls has one name in all of them: here it has that of its file.
  set(fuzz_targets "")
  foreach(source ${fuzz_sources})
    get_filename_component(name ${source} NAME_WE)
    set_source_files_properties(${source} PROPERTIES COMPILE_DEFINITIONS LLVMFuzzerTestOneInput=${name})
    string(APPEND fuzz_targets "FUZZ_TARGET(${name})\n")
    string(REGEX REPLACE "_fuzz$" "" noun ${name})
    add_test(NAME fuzz_${noun} COMMAND fuzz_corpora ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz_${noun} PROPERTIES LABELS fuzz TIMEOUT 120)
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/fuzz_targets.inc CONTENT "${fuzz_targets}")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/tests/fuzz/support/run_corpora.cpp PROPERTIES
    INCLUDE_DIRECTORIES ${CMAKE_BINARY_DIR})
endif()
