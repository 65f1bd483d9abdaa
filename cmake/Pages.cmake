# Target `pages`: <build>/www, which the server finds beside its binary. Assembled again whenever a
# file in www/ changes. The libraries come by npm into build/npm, once for all presets.
set(npm_dir ${CMAKE_SOURCE_DIR}/build/npm)
set(npm_installed ${npm_dir}/node_modules/.installed-lock.json)
file(GLOB_RECURSE page_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/www/*)
list(FILTER page_sources EXCLUDE REGEX "/node_modules/")
file(GLOB page_tools CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/deploy/pages/*.mjs)

add_custom_command(OUTPUT ${npm_installed}
  COMMAND ${CMAKE_SOURCE_DIR}/deploy/npm-ci ${CMAKE_SOURCE_DIR}/www ${npm_dir}
  DEPENDS ${CMAKE_SOURCE_DIR}/www/package-lock.json ${CMAKE_SOURCE_DIR}/deploy/npm-ci
  COMMENT "Player libraries"
  VERBATIM)
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/pages.stamp
  COMMAND ${CMAKE_SOURCE_DIR}/deploy/make-pages ${CMAKE_SOURCE_DIR}/www ${npm_dir}/node_modules
          ${CMAKE_BINARY_DIR}/www
  COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/pages.stamp
  DEPENDS ${npm_installed} ${page_sources} ${page_tools} ${CMAKE_SOURCE_DIR}/deploy/make-pages
  COMMENT "Pages"
  VERBATIM)
add_custom_target(pages ALL DEPENDS ${CMAKE_BINARY_DIR}/pages.stamp)
