# Every library the server is built with, all from the distribution. Looks for all of them before it
# complains, and then names what is missing together with the Debian package that brings it.
set(missing_lines "")
set(missing_packages "")

function(videosync_need found what package)
  if(NOT ${found})
    string(APPEND missing_lines "\n    ${what}: ${package}")
    set(missing_lines "${missing_lines}" PARENT_SCOPE)
    set(missing_packages "${missing_packages} ${package}" PARENT_SCOPE)
  endif()
endfunction()

# A C library without a CMake package of its own becomes videosync::<name>.
function(videosync_find_c_library name header)
  string(TOUPPER ${name} upper)
  find_path(${upper}_INCLUDE ${header})
  find_library(${upper}_LIBRARY ${name})
  if(${upper}_INCLUDE AND ${upper}_LIBRARY)
    add_library(videosync::${name} UNKNOWN IMPORTED)
    set_target_properties(videosync::${name} PROPERTIES
      IMPORTED_LOCATION ${${upper}_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${${upper}_INCLUDE})
    set(${name}_FOUND TRUE PARENT_SCOPE)
  endif()
endfunction()

# llhttp is a library from Debian 13 on; Debian 12 has its C source, in node-llhttp.
function(videosync_find_llhttp)
  videosync_find_c_library(llhttp llhttp.h)
  set(source_dir /usr/share/llhttp)
  set(include_dir /usr/share/include/llhttp)
  if(llhttp_FOUND)
    set(llhttp_FOUND TRUE PARENT_SCOPE)
  elseif(EXISTS ${source_dir}/llhttp.c AND EXISTS ${include_dir}/llhttp.h)
    add_library(videosync_llhttp STATIC
      ${source_dir}/api.c ${source_dir}/http.c ${source_dir}/llhttp.c)
    target_include_directories(videosync_llhttp SYSTEM PUBLIC ${include_dir})
    # Version 8 is loose unless told otherwise: bare CR behind a chunk's length, blanks in field names.
    target_compile_definitions(videosync_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
    add_library(videosync::llhttp ALIAS videosync_llhttp)
    set(llhttp_FOUND TRUE PARENT_SCOPE)
  endif()
endfunction()

include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-std=c++23")
check_cxx_source_compiles("#include <expected>\nstd::expected<int, char> e; int main() {}"
  VIDEOSYNC_HAS_EXPECTED)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT VIDEOSYNC_HAS_EXPECTED)
  message(FATAL_ERROR "VideoSync needs a C++23 compiler with std::expected: g++ 12 or clang++ 19, or "
    "later. This one is ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}.")
endif()

find_package(Threads REQUIRED)
find_package(fmt QUIET)
find_package(simdjson QUIET)
find_package(CLI11 QUIET)
find_package(pugixml QUIET)
find_package(OpenSSL QUIET COMPONENTS Crypto SSL)
videosync_find_c_library(uring liburing.h)
videosync_find_c_library(wslay wslay/wslay.h)
videosync_find_c_library(hiredis hiredis/hiredis.h)
# Its part for TLS, which 0.14 (Debian 12) does not have: without it rediss:// is refused.
videosync_find_c_library(hiredis_ssl hiredis/hiredis_ssl.h)
videosync_find_c_library(avformat libavformat/avformat.h)
videosync_find_c_library(avcodec libavcodec/avcodec.h)
videosync_find_c_library(avfilter libavfilter/avfilter.h)
videosync_find_c_library(avutil libavutil/avutil.h)
videosync_find_c_library(swresample libswresample/swresample.h)
videosync_find_llhttp()

videosync_need(fmt_FOUND "fmt (text formatting)" libfmt-dev)
videosync_need(simdjson_FOUND "simdjson (JSON)" libsimdjson-dev)
videosync_need(pugixml_FOUND "pugixml (XML)" libpugixml-dev)
videosync_need(CLI11_FOUND "CLI11 (command line)" libcli11-dev)
videosync_need(OPENSSL_FOUND "OpenSSL (the WebSocket handshake's SHA-1, TLS to Redis)" libssl-dev)
videosync_need(uring_FOUND "liburing (io_uring)" liburing-dev)
videosync_need(wslay_FOUND "wslay (WebSocket frames)" libwslay-dev)
videosync_need(hiredis_FOUND "hiredis (Redis)" libhiredis-dev)
videosync_need(avformat_FOUND "libavformat (films' containers)" libavformat-dev)
videosync_need(avcodec_FOUND "libavcodec (pictures and sound)" libavcodec-dev)
videosync_need(avfilter_FOUND "libavfilter (what pictures go through)" libavfilter-dev)
videosync_need(avutil_FOUND "libavutil (what these share)" libavutil-dev)
videosync_need(swresample_FOUND "libswresample (sound's rates and channels)" libswresample-dev)
videosync_need(llhttp_FOUND "llhttp (HTTP)" "libllhttp-dev (Debian 12: node-llhttp)")
if(VIDEOSYNC_TESTS)
  videosync_find_c_library(criterion criterion/criterion.h)
  videosync_need(criterion_FOUND "Criterion (unit tests)" libcriterion-dev)
endif()

if(missing_lines)
  message(FATAL_ERROR "VideoSync cannot be built here yet. Missing, and the Debian package that brings "
    "it:${missing_lines}\n`make packages` installs them (`make packages-test` those of the tests).")
endif()
