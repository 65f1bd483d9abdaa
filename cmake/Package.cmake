# `make deb`: a Debian package, by CPack, of a release build. Also where `cmake --install` puts things.
#
#   lib/videosync/        the program, videosync-media and the pages, which it finds beside itself
#   bin/videosync         a link to it
#   /etc/videosync        its settings, all of which hold without being named
include(GNUInstallDirs)
set(home ${CMAKE_INSTALL_PREFIX}/lib/videosync)
install(TARGETS videosync videosync-media DESTINATION lib/videosync)
install(DIRECTORY ${CMAKE_BINARY_DIR}/www DESTINATION lib/videosync)
install(CODE "
  file(MAKE_DIRECTORY \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin)
  file(CREATE_LINK ../lib/videosync/videosync \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/videosync SYMBOLIC)")

file(STRINGS /etc/os-release release REGEX "^VERSION_ID=")
string(REGEX REPLACE "[^0-9]" "" debian "${release}")
set(package_release "1~deb${debian}")

# What the program prints of itself.
set(references ${CMAKE_BINARY_DIR}/references)
add_custom_command(OUTPUT ${references}/videosync.conf
  COMMAND ${CMAKE_SOURCE_DIR}/deploy/debian/make-references $<TARGET_FILE:videosync> ${references}
          ${PROJECT_VERSION}-${package_release}
  DEPENDS videosync ${CMAKE_SOURCE_DIR}/deploy/debian/make-references
  COMMENT "Manual page, settings, completions"
  VERBATIM)
add_custom_target(references DEPENDS ${references}/videosync.conf)
install(FILES ${references}/videosync.conf DESTINATION /etc/videosync)
install(FILES ${references}/videosync.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${references}/videosync.bash RENAME videosync DESTINATION share/bash-completion/completions)
install(FILES ${references}/videosync.zsh RENAME _videosync DESTINATION share/zsh/vendor-completions)
install(FILES ${references}/videosync.fish DESTINATION share/fish/vendor_completions.d)
install(FILES deploy/videosync.service DESTINATION lib/systemd/system)
install(FILES deploy/nginx.conf deploy/nginx-cache.conf DESTINATION share/doc/videosync/examples)
install(FILES README.md ${references}/changelog.gz ${references}/changelog.Debian.gz DESTINATION share/doc/videosync)
install(FILES deploy/debian/copyright DESTINATION share/doc/videosync)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME videosync)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The VideoSync authors <videosync@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "watch videos together, in step")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "A server for watching a video together: everybody sees the same picture at
the same moment, and when the host plays, pauses or seeks, it happens for
all. Viewers need a browser and nothing else. It serves its own pages, its
own videos and the WebSocket that keeps players in step; with a Redis, one
session runs on any number of machines.")
set(CPACK_DEBIAN_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_DEBIAN_PACKAGE_RELEASE "${package_release}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION video)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54~)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ffmpeg")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "nginx, redis-server")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
  ${CMAKE_SOURCE_DIR}/deploy/debian/postrm ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_OUTPUT_FILE_PREFIX ${CMAKE_SOURCE_DIR}/build/package)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
include(CPack)
