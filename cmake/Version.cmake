# What --version tells: the commit, the compiler and the libraries that a build was made of, as
# definitions for server/version.cpp alone; and hiredis' version for who asks for TLS in vain.

# From a file of pkg-config's beside the library, or from its header: not all have both.
function(videosync_version_in file pattern result)
  set(${result} "" PARENT_SCOPE)
  if(EXISTS ${file})
    file(STRINGS ${file} lines REGEX ${pattern})
    list(JOIN lines " " text)
    string(REGEX MATCHALL "[0-9]+[.0-9]*" numbers "${text}")
    list(JOIN numbers "." version)
    set(${result} ${version} PARENT_SCOPE)
  endif()
endfunction()

get_filename_component(library_dir ${URING_LIBRARY} DIRECTORY)
videosync_version_in(${library_dir}/pkgconfig/liburing.pc "^Version:" uring_VERSION)
videosync_version_in(${WSLAY_INCLUDE}/wslay/wslayver.h "define WSLAY_VERSION " wslay_VERSION)
videosync_version_in(${HIREDIS_INCLUDE}/hiredis/hiredis.h "define HIREDIS_(MAJOR|MINOR|PATCH) " hiredis_VERSION)
foreach(folder ${LLHTTP_INCLUDE} /usr/share/include/llhttp)
  if(NOT llhttp_VERSION)
    videosync_version_in(${folder}/llhttp.h "define LLHTTP_VERSION_(MAJOR|MINOR|PATCH) " llhttp_VERSION)
  endif()
endforeach()
set(libraries "")
foreach(name fmt simdjson CLI11 pugixml uring wslay hiredis llhttp)
  set(version ${${name}_VERSION})
  if(NOT version)
    set(version "?")
  endif()
  string(APPEND libraries "${name} ${version}, ")
endforeach()
string(APPEND libraries "OpenSSL ${OPENSSL_VERSION}")

# A source archive says it in a file; a checkout is asked, again after each commit where a build is
# shipped: those for tests need not be linked anew for it.
set(VIDEOSYNC_COMMIT "" CACHE STRING "The commit that is built, if this is no checkout of it")
set(commit "${VIDEOSYNC_COMMIT}")
if(NOT commit AND EXISTS ${CMAKE_SOURCE_DIR}/COMMIT)
  file(STRINGS ${CMAKE_SOURCE_DIR}/COMMIT commit LIMIT_COUNT 1)
endif()
if(NOT commit AND EXISTS ${CMAKE_SOURCE_DIR}/.git)
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT VIDEOSYNC_TESTS AND EXISTS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endif()
if(NOT commit)
  set(commit "unknown")
endif()

set_source_files_properties(server/version.cpp PROPERTIES COMPILE_DEFINITIONS
  "VIDEOSYNC_VERSION=\"${PROJECT_VERSION}\";VIDEOSYNC_COMMIT=\"${commit}\";VIDEOSYNC_LIBRARIES=\"${libraries}\";VIDEOSYNC_COMPILER=\"${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}\"")
set_source_files_properties(storage/redis/link/redis_address.cpp PROPERTIES COMPILE_DEFINITIONS
  "VIDEOSYNC_HIREDIS_VERSION=\"${hiredis_VERSION}\"")
