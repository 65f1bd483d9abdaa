# Language, warnings, flags of each build type, sanitizers. CMakePresets.json picks among them.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(VIDEOSYNC_WERROR "Treat warnings as errors" ON)
option(VIDEOSYNC_TESTS "Build the tests" ON)
option(VIDEOSYNC_FUZZ "Build tests/fuzz/*_fuzz.cpp with libFuzzer (needs clang)" OFF)
option(VIDEOSYNC_COVERAGE "Count which lines are reached (gcov)" OFF)
set(VIDEOSYNC_SANITIZE "" CACHE STRING "Sanitizers, separated by commas: address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Debug CACHE STRING "Debug or Release" FORCE)
endif()
# Debug is what the tests run: fast enough for them, and the standard library checks its preconditions.
# Release keeps frame pointers; both keep line tables, so that a crash or a profile can be read, and have
# VS_ASSERT on. A debugger wants the variables, too: that takes a third more time to build.
set(VIDEOSYNC_DEBUG_INFO 1 CACHE STRING "How much a Debug build tells a debugger: -g1 to -g3")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g${VIDEOSYNC_DEBUG_INFO} -D_GLIBCXX_ASSERTIONS")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g${VIDEOSYNC_DEBUG_INFO}")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG -fno-omit-frame-pointer")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

if(VIDEOSYNC_SANITIZE)
  add_compile_options(-fsanitize=${VIDEOSYNC_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${VIDEOSYNC_SANITIZE})
endif()
if(VIDEOSYNC_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(VIDEOSYNC_COVERAGE)
  # Of optimized code no line is sure to be there.
  add_compile_options(--coverage -O0)
  add_link_options(--coverage)
endif()

# More than a hundred programs of tests are linked: lld takes a quarter of the time.
find_program(LLD ld.lld)
if(LLD AND VIDEOSYNC_TESTS)
  add_link_options(-fuse-ld=lld)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

# What every target of ours is compiled with; third-party sources are not.
add_library(videosync_options INTERFACE)
target_include_directories(videosync_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(videosync_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>
  $<$<BOOL:${VIDEOSYNC_WERROR}>:-Werror>)
if(VIDEOSYNC_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 sees uninitialized members in std::regex once a sanitizer has instrumented it.
  target_compile_options(videosync_options INTERFACE -Wno-maybe-uninitialized)
endif()

# Eight sources of a target are compiled as one, for most of the time goes into the headers. What a source lacks
# its neighbours may have, in every build alike; `make lint` reads each by itself. Sixteen would save a fifth of it, but then
# helpers of one name in two tests meet. -O0 saves a seventh at most, which the tests would pay for; -g0 saves nothing.
option(VIDEOSYNC_UNITY "Compile several sources as one" ON)
include(PlantedFiles)
function(videosync_unity target)
  if(NOT VIDEOSYNC_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  set(count 0)
  foreach(source ${sources})
    get_property(group SOURCE ${source} PROPERTY UNITY_GROUP)
    if(NOT group)
      math(EXPR batch "${count} / 8")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${batch})
      math(EXPR count "${count} + 1")
    endif()
  endforeach()
endfunction()

# What nearly every source includes is read once, in the builds that have the tests: half of their time
# went into it. Release reads each source by itself: what a source
# lacks does not show here, but tests/layers looks for it.
set(precompiled_headers <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <span> <string>
  <string_view> <unordered_map> <utility> <variant> <vector> <fmt/core.h>)
function(videosync_precompile)
  if(NOT VIDEOSYNC_TESTS)
    return()
  endif()
  foreach(target ${ARGN})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
      continue()
    elseif(NOT TARGET videosync_precompiled)
      file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cpp CONTENT "")
      add_library(videosync_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
      target_link_libraries(videosync_precompiled PRIVATE videosync_options fmt::fmt Threads::Threads)
      target_precompile_headers(videosync_precompiled PRIVATE ${precompiled_headers})
    endif()
    target_precompile_headers(${target} REUSE_FROM videosync_precompiled)
    # gcc 12 forgets that what it read is the system's, and warns of std::string's own copies and the like.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
      -Wno-restrict -Wno-mismatched-new-delete -Wno-free-nonheap-object)
  endforeach()
endfunction()
